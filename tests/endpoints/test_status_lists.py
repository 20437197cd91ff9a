"""Status lists over HTTP: what caches need, what the draft asks for, and what is nobody's business."""

import zlib
from typing import Any

import jwt
import pytest

from idp.housekeeping.status_lists import build_status_lists
from idp.identity.account_links import Status
from idp.identity.link_status import LinkStatus
from idp.protocol.status_list import STATUS_LIST_TYPE, value_at
from idp.store.writes import StoreUnavailableError
from idp.web.status_lists import StatusListDirectory
from tests.support.platform_api import PlatformAPI, new_platform_api, sequence_changes
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import move_link

pytestmark = pytest.mark.anyio


def told(token: str, index: int) -> LinkStatus:
    lst = jwt.decode(token, options={"verify_signature": False})["status_list"]["lst"]
    return LinkStatus(value_at(unpadded(lst), index))


def unpadded(lst: str) -> bytes:
    return jwt.utils.base64url_decode(lst)


async def link_and_place(api: PlatformAPI) -> tuple[str, str, int]:
    """Link an account; return the link, the path of its list and its index there."""
    link_id = await api.linked(await api.provider.add_person())
    link = await api.provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    assert link.status_index is not None
    return link_id, f"/status-lists/{link.status_list_id}", link.status_index


async def build(provider: Provider) -> None:
    await sequence_changes(provider.unit_of_work())
    await build_status_lists(provider.unit_of_work, "builder", provider.clock.now)
    provider.clock.advance(seconds=2)


async def test_a_list_is_a_signed_token_that_caches_may_keep(provider: Provider) -> None:
    """Token Status List §5.1, §8.2."""
    async with provider.http() as http:
        _, path, index = await link_and_place(await new_platform_api(provider, http))
        answer = await http.get(path, headers={"Accept": "application/statuslist+jwt"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    assert answer.headers["cache-control"] == "public, max-age=10"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["etag"].startswith('W/"')
    header = jwt.get_unverified_header(answer.text)
    key = provider.context.custody.signing.verification_key(header["kid"])
    assert key is not None
    assert header["typ"] == STATUS_LIST_TYPE
    issued = provider.clock.now.timestamp()
    claims = jwt.decode(
        answer.text,
        key.public_key,
        algorithms=[header["alg"]],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == f"{ISSUER}{path}"
    assert (claims["ttl"], claims["exp"] - claims["iat"]) == (20, 86400)
    assert claims["iat"] <= issued
    assert told(answer.text, index) is LinkStatus.VALID
    assert len(zlib.decompress(unpadded(claims["status_list"]["lst"]))) == 2**20 // 4


async def test_a_change_shows_with_another_tag_and_no_change_costs_no_download(provider: Provider) -> None:
    async with provider.http() as http:
        link_id, path, index = await link_and_place(await new_platform_api(provider, http))
        first = await http.get(path)
        again = await http.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "public, max-age=10"
        for status, expected in (
            (Status.SUSPENDED, LinkStatus.SUSPENDED),
            (Status.ACTIVE, LinkStatus.VALID),
            (Status.LAPSED, LinkStatus.LAPSED),
            (Status.ENDED, LinkStatus.INVALID),
        ):
            await move_link(provider, link_id, status)
            await build(provider)
            changed = await http.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert changed.status_code == 200
            assert told(changed.text, index) is expected


async def test_another_process_knows_the_same_list_by_the_same_tag(provider: Provider) -> None:
    """Behind a load balancer a copy of one process is good at the next."""
    context = provider.context
    async with provider.http() as http:
        _, path, _ = await link_and_place(await new_platform_api(provider, http))
        etag = (await http.get(path)).headers["etag"]
    other = StatusListDirectory(ISSUER, provider.unit_of_work, context.clients, context.custody)
    signed = await other.find(path.rpartition("/")[2], provider.clock.now)
    assert signed is not None
    assert signed.etag == etag


async def test_each_platform_can_verify_its_list_by_the_algorithm_it_registered(provider: Provider) -> None:
    async with provider.http() as http:
        for algorithm in ("RS256", "ES256", "EdDSA"):
            api = await new_platform_api(provider, http, {"id_token_signed_response_alg": algorithm})
            _, path, _ = await link_and_place(api)
            assert jwt.get_unverified_header((await http.get(path)).text)["alg"] == algorithm


async def test_a_list_is_signed_anew_after_a_rotation_and_once_an_hour(provider: Provider) -> None:
    async with provider.http() as http:
        _, path, _ = await link_and_place(await new_platform_api(provider, http))
        await build(provider)
        tags = [(await http.get(path)).headers["etag"]]
        provider.context.custody.signing.rotate(provider.clock.now)
        provider.clock.advance(seconds=2)
        tags.append((await http.get(path)).headers["etag"])
        provider.clock.advance(minutes=61)
        await build(provider)
        tags.append((await http.get(path)).headers["etag"])
        assert len(set(tags)) == 3


async def test_a_list_that_nobody_keeps_up_to_date_expires_however_often_it_is_asked_for(
    provider: Provider,
) -> None:
    """Abuse case P8: the builder is dead; no server lends its old lists a fresh date."""
    async with provider.http() as http:
        _, path, _ = await link_and_place(await new_platform_api(provider, http))
        await build(provider)
        provider.clock.advance(hours=25)
        claims = jwt.decode((await http.get(path)).text, options={"verify_signature": False})
    assert claims["exp"] < provider.clock.now.timestamp()


async def test_while_the_database_does_not_answer_what_is_known_is_served(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R16: an outage here locks nobody out, for as long as the list is not over."""
    async with provider.http() as http:
        _, path, _ = await link_and_place(await new_platform_api(provider, http))
        await build(provider)
        known = await http.get(path)

        async def nothing(*_: Any) -> None:
            raise StoreUnavailableError("away")

        monkeypatch.setattr("idp.store.status_lists.StatusLists.edition", nothing)
        provider.clock.advance(hours=23)
        assert (await http.get(path)).text == known.text
        provider.clock.advance(hours=2)
        assert (await http.get(path)).status_code == 503


async def test_only_what_is_offered_can_be_had(provider: Provider) -> None:
    """§8.1 content negotiation, §8.4 no former states; what is unknown does not exist."""
    async with provider.http() as http:
        _, path, _ = await link_and_place(await new_platform_api(provider, http))
        answers = [
            await http.get(path, headers={"Accept": "application/statuslist+cwt"}),
            await http.get(path, params={"time": "1686925000"}),
            await http.get("/status-lists/AAAAAAAAAAAAAAAAAAAAAA"),
            await http.get("/status-lists/..%2f..%2fetc"),
            await http.post(path),
        ]
        assert [answer.status_code for answer in answers] == [406, 501, 404, 404, 405]
        assert (await http.head(path)).headers["content-type"] == "application/statuslist+jwt"


async def test_a_platform_learns_of_its_own_lists_alone(provider: Provider) -> None:
    """Token Status List §9.3; abuse case P7: how many lists others have is theirs to know."""
    async with provider.http() as http:
        mine, other = await new_platform_api(provider, http), await new_platform_api(provider, http)
        _, path, _ = await link_and_place(mine)
        _, others_path, _ = await link_and_place(other)
        answer = await mine.get("/status-lists")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == {"status_lists": [f"{ISSUER}{path}"]}
        assert (await other.get("/status-lists")).json() == {"status_lists": [f"{ISSUER}{others_path}"]}
        assert (await http.get("/account-links/status-lists")).status_code == 401


async def test_many_requests_at_once_sign_a_list_once(provider: Provider) -> None:
    async with provider.http() as http:
        _, path, _ = await link_and_place(await new_platform_api(provider, http))
        await build(provider)
        before = provider.context.database.statistics.statements
        answers = [await http.get(path) for _ in range(20)]
        assert len({answer.text for answer in answers}) == 1
        assert provider.context.database.statistics.statements - before <= 2
        provider.clock.advance(seconds=2)
        before = provider.context.database.statistics.statements
        await http.get(path)
        assert provider.context.database.statistics.statements - before == 1
