"""The platform API: a platform reads its own links, a person's token that person's, nobody anything else."""

from typing import Any

import httpx
import pytest

from idp.endpoints import account_links
from idp.identity.account_links import LinkPolicy, Status
from idp.identity.assurance import Acr
from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import change_client, move_link, new_platform

pytestmark = pytest.mark.anyio

METADATA: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid email account_links.read account_links.manage",
}
READ = "account_links.read"


async def linked(
    provider: Provider,
    http: httpx.AsyncClient,
    platform: Platform,
    person: Person,
    account_id: str = "acc_lan_1",
    *,
    ticked: tuple[str, ...] = (READ,),
) -> dict[str, Any]:
    """Tokens of a person who was asked for their links, too, and agreed to what is ticked."""
    provider.clock.advance(seconds=1)
    request = platform.request(account_id, scope=f"openid {READ}", prompt="consent")
    response = await http.get("/authorize", params=request)
    location = await go_on(provider, http, person, response, ticked=ticked)
    tokens: dict[str, Any] = (await platform.redeem(http, query_of(location)["code"])).json()
    return tokens


async def read(http: httpx.AsyncClient, token: str, path: str = "") -> httpx.Response:
    return await http.get(f"/account-links{path}", headers={"Authorization": f"Bearer {token}"})


async def own_token(http: httpx.AsyncClient, platform: Platform, scope: str = READ) -> str:
    form = {"grant_type": "client_credentials", "scope": scope}
    token: str = (await http.post("/token", data=form, auth=platform.auth)).json()["access_token"]
    return token


async def test_a_platform_reads_its_own_link(provider: Provider) -> None:
    """Rule R1: the levels and times it was told at linking, and the state as it is now."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        linked_at = int(provider.clock.now.timestamp())
        link_id = tokens["authorization_details"][0]["link_id"]
        answer = await read(http, await own_token(http, platform), f"/{link_id}")
        link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {
        "link_id": link_id,
        "account_id": "acc_lan_1",
        "handle": "@lan",
        "profile_uri": None,
        "sub": link.subject,
        "status": "active",
        "assurance_level": "vn2",
        "acr": f"{ISSUER}/acr/vn-1",
        "linked_at": linked_at,
        "expires_at": linked_at + 730 * 86400,
        "guardian_consented": False,
        "reverify_requested_at": None,
        "mark_uri": None,
        "ended_at": None,
    }


async def test_no_reason_ever_stands_there(provider: Provider) -> None:
    """Rule R12: suspended, ended, over in time."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        link_id = tokens["authorization_details"][0]["link_id"]
        for status in (Status.SUSPENDED, Status.ENDED):
            await move_link(provider, link_id, status)
            answer = await read(http, await own_token(http, platform), f"/{link_id}")
            assert answer.json()["status"] == status.value
            assert "test" not in answer.text, "the reason that the operator gave"
        provider.clock.advance(seconds=1)
        tokens = await platform.tokens_for(http, person)
        link_id = tokens["authorization_details"][0]["link_id"]
        provider.clock.advance(days=731)
        answer = await read(http, await own_token(http, platform), f"/{link_id}")
        assert answer.json()["status"] == "lapsed", "before housekeeping was here"


async def test_another_platforms_link_looks_exactly_like_none(provider: Provider) -> None:
    """Abuse classes 24, P6; RFC 9457."""
    platform, stranger = await new_platform(provider, METADATA), await new_platform(provider, METADATA)
    person = await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        link_id = tokens["authorization_details"][0]["link_id"]
        pending = await platform.code_for(http, person, "acc_lan_2")
        links = await provider.unit_of_work().account_links.page(client_id=platform.client.client_id)
        [not_redeemed] = [link.link_id for link in links if link.status is Status.PENDING]
        assert pending
        token, foreign = await own_token(http, platform), await own_token(http, stranger)
        answers = [
            await read(http, foreign, f"/{link_id}"),
            await read(http, foreign, "/unknown"),
            await read(http, token, "/" + "x" * 65),
            await read(http, token, "/%00"),
            await read(http, token, "/%C3%A9"),
            await read(http, token, f"/{not_redeemed}"),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (
            404,
            {
                "type": f"{ISSUER}/problems/no_such_link",
                "title": "No such account link",
                "status": 404,
                "detail": "There is no such account link.",
            },
        )
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_person_may_let_a_platform_read_their_links_there(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule R7: theirs at this platform alone, in pages, every link once."""
    monkeypatch.setattr(account_links, "PAGE_SIZE", 2)
    platform = await new_platform(provider, METADATA, max_links_per_citizen=5)
    lan, mai = await provider.add_person(), await provider.add_person()
    async with provider.http() as http, provider.http() as other:
        for number in range(5):
            tokens = await linked(provider, http, platform, lan, f"acc_{number}")
        theirs = await linked(provider, other, platform, mai, "acc_mai")
        found, path = [], ""
        while True:
            page = (await read(http, tokens["access_token"], path)).json()
            found += [link["account_id"] for link in page["account_links"]]
            if "next" not in page:
                break
            path = page["next"].removeprefix(f"{ISSUER}/account-links")
        assert sorted(found) == [f"acc_{number}" for number in range(5)]
        link_id = theirs["authorization_details"][0]["link_id"]
        assert (await read(http, tokens["access_token"], f"/{link_id}")).status_code == 404
        own = await read(http, theirs["access_token"], f"/{link_id}")
        assert own.json()["account_id"] == "acc_mai"
        odd = await read(http, tokens["access_token"], "?after=%C3%A9&x=y")
        assert len(odd.json()["account_links"]) == 2


async def test_it_is_asked_in_plain_words_and_nothing_is_ticked(provider: Provider) -> None:
    """Rules R4, R7: who does not tick it signs in all the same, and the platform is told what it got."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await linked(provider, http, platform, person, ticked=())
        assert tokens["scope"] == "openid"
        assert (await read(http, tokens["access_token"])).json()["error"] == "insufficient_scope"
        fresh = await platform.refresh(http, tokens["refresh_token"], scope=f"openid {READ}")
        assert fresh.json()["error"] == "invalid_scope"
        agreed = await linked(provider, http, platform, person)
        assert agreed["scope"] == f"openid {READ}"
        request = platform.request(None, scope=f"openid {READ}", prompt="consent")
        begun = (await http.get("/authorize", params=request)).headers["location"]
        for language, words in (("vi", "Những tài khoản bạn đã liên kết"), ("en", "Which accounts you have")):
            page = await http.get(begun, headers={"Accept-Language": language})
            assert words in page.text
            assert Html(page.text).forms["consent"].fields.get("claim") is None


async def test_a_platform_that_asks_for_nothing_else_gets_it_or_nothing(provider: Provider) -> None:
    """Plain OAuth: there it is the question itself, and not a tick beside it."""
    metadata = METADATA | {"scope": READ}
    platform, person = await new_platform(provider, metadata), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, None, scope=READ)
        assert (tokens["scope"], "id_token" in tokens) == (READ, False)
        assert (await read(http, tokens["access_token"])).json() == {"account_links": []}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}])
async def test_without_a_token_the_resource_says_where_it_is_described(
    provider: Provider, headers: dict[str, str]
) -> None:
    """RFC 9728 §5.1."""
    described = f"{ISSUER}/.well-known/oauth-protected-resource"
    async with provider.http() as http:
        for path in ("/account-links", "/account-links/x", "/userinfo"):
            answer = await http.get(path, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
            resource = path.removesuffix("/x")
            assert answer.headers["www-authenticate"] == (
                f'Bearer error="invalid_token", resource_metadata="{described}{resource}"'
            )


async def test_tokens_for_another_resource_or_of_less_scope_do_not_do(provider: Provider) -> None:
    """RFC 8707; RFC 9068 §4; abuse class 7."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await linked(provider, http, platform, person)
        narrowed = await platform.refresh(http, tokens["refresh_token"], resource=f"{ISSUER}/userinfo")
        answer = await read(http, narrowed.json()["access_token"])
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        for token in (
            await own_token(http, platform, "account_links.manage"),
            (await platform.refresh(http, narrowed.json()["refresh_token"], scope="openid")).json()[
                "access_token"
            ],
        ):
            answer = await read(http, token, "/unknown")
            assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
        listed = await read(http, await own_token(http, platform))
        assert (listed.status_code, listed.json()["error"]) == (401, "invalid_token"), "it is not bound"


async def test_where_the_level_was_raised_the_resource_asks_for_a_stronger_sign_in(
    provider: Provider,
) -> None:
    """RFC 9470 §3: and a person who signs in more strongly is let in."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await linked(provider, http, platform, person)
        policy = LinkPolicy(min_acr=Acr.VN_2, max_links_per_citizen=2)
        await change_client(provider, platform.client.client_id, policy=policy)
        for path in ("/account-links", "/userinfo"):
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            answer = await http.get(path, headers=bearer)
            assert (answer.status_code, answer.json()["error"]) == (401, "insufficient_user_authentication")
            challenge = answer.headers["www-authenticate"]
            assert challenge.startswith('Bearer error="insufficient_user_authentication", ')
            assert f'acr_values="{ISSUER}/acr/vn-2"' in challenge
        stronger = await linked(provider, http, platform, person)
        assert (await read(http, stronger["access_token"])).status_code == 200
