"""Status lists at the SDK: the published vectors, one download for all, and nothing that is too large."""

import base64
import json
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.relying_party import (
    LinkReceipt,
    LinkStatus,
    ProviderUnavailableError,
    StatusReference,
    TokenError,
)
from clients.relying_party.receipts import SigningKey
from clients.relying_party.status_lists import LARGEST_ARRAY, StatusList, verify_status_list
from clients.relying_party.tokens import SIGNING_ALGORITHMS, read_header
from tests.clients.lists_on_paper import (
    LIST_URI,
    OTHER_LIST_URI,
    SECONDS,
    ListServer,
    list_claims,
    packed,
    signed_list,
)
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, make_key, sign

pytestmark = pytest.mark.anyio
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "token_status_list_c.json").read_text())
STATUSES = {0: 0, 1: 1, 2: 2, 3: 3}


def verified(server: ListServer, token: str) -> StatusList:
    header = read_header(token, SIGNING_ALGORITHMS, typ="statuslist+jwt", largest=2**21)
    return verify_status_list(token, header, SigningKey(server.key), LIST_URI, NOW)


def receipt(index: int, uri: str = LIST_URI, **changes: Any) -> LinkReceipt:
    made = LinkReceipt(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        link_id=f"lnk_{index}",
        account_id=f"acc_{index}",
        subject="pairwise-lan",
        assurance_level="vn2",
        acr="vn-2",
        issued_at=NOW,
        linked_at=NOW,
        expires_at=NOW + timedelta(days=730),
        policy_version=1,
        status=StatusReference(uri, index),
    )
    return replace(made, **changes)


@pytest.mark.parametrize("vector", VECTORS["4.1"] + VECTORS["appendix_c"], ids=lambda each: each["lst"][:24])
def test_the_published_lists_are_read_as_published(vector: dict[str, Any]) -> None:
    """Token Status List §4.2, Appendix C: §11.1 warns of reading the wrong bit."""
    server = ListServer()
    members = {"bits": vector["bits"], "lst": vector["lst"]}
    status_list = verified(server, signed_list(server.key, "", status_list=members))
    statuses = vector["statuses"]
    expected = dict(enumerate(statuses)) if isinstance(statuses, list) else statuses
    assert {int(at): status_list.status_at(int(at)) for at in expected} == {
        int(at): LinkStatus(value) for at, value in expected.items()
    }
    size = vector.get("size", len(statuses))
    assert status_list.status_at(size - 1) in LinkStatus
    for outside in (size, -1):
        with pytest.raises(TokenError, match="no such index"):
            status_list.status_at(outside)


async def test_every_state_is_told_by_one_download_for_all() -> None:
    server = ListServer()
    server.bodies[LIST_URI] = signed_list(server.key, packed(STATUSES))
    found = await server.lists().check(receipt(index) for index in range(4))
    assert list(found.values()) == [
        LinkStatus.VALID,
        LinkStatus.INVALID,
        LinkStatus.SUSPENDED,
        LinkStatus.LAPSED,
    ]
    assert server.downloads() == 1


async def test_a_hundred_thousand_links_are_checked_with_one_download() -> None:
    """`make bench` measures a million."""
    server = ListServer()
    server.bodies[LIST_URI] = signed_list(server.key, packed(dict.fromkeys(range(0, 2**20, 50), 2)))
    found = await server.lists().check(map(receipt, range(100_000)))
    assert server.downloads() == 1
    assert len(found) == 100_000
    assert sum(status is LinkStatus.SUSPENDED for status in found.values()) == 2_000


async def test_a_link_whose_own_time_is_over_has_lapsed_whatever_its_list_says() -> None:
    """§7.1, §8.3: what the receipt itself says comes first."""
    server = ListServer()
    server.bodies[LIST_URI] = signed_list(server.key, packed(STATUSES))
    over = [receipt(index, expires_at=NOW) for index in range(3)]
    assert list((await server.lists().check(over)).values()) == [
        LinkStatus.LAPSED,
        LinkStatus.INVALID,
        LinkStatus.SUSPENDED,
    ]


async def test_a_fresh_list_is_not_asked_for_and_an_unchanged_one_not_sent_again() -> None:
    server = ListServer()
    server.bodies[LIST_URI] = signed_list(server.key, packed(STATUSES))
    lists = server.lists()
    await lists.get(LIST_URI)
    server.now = NOW + timedelta(seconds=19)
    await lists.get(LIST_URI)
    assert server.downloads() == 1
    server.now = NOW + timedelta(seconds=21)
    await lists.get(LIST_URI)
    assert server.requests[-1].headers["if-none-match"].startswith('W/"')
    server.now += timedelta(seconds=10)
    await lists.get(LIST_URI)
    assert server.downloads() == 2, "what was not modified is fresh again"
    server.bodies[LIST_URI] = signed_list(server.key, packed({0: 2}))
    server.now += timedelta(seconds=11)
    assert (await lists.get(LIST_URI)).status_at(0) is LinkStatus.SUSPENDED


async def test_while_the_provider_is_away_what_is_kept_serves_until_it_expires() -> None:
    """R16: an outage there locks nobody out."""
    server = ListServer()
    server.bodies[LIST_URI] = signed_list(server.key, packed(STATUSES))
    lists = server.lists()
    await lists.get(LIST_URI)
    server.status, server.now = 503, NOW + timedelta(hours=23)
    assert (await lists.get(LIST_URI)).as_of == NOW
    server.now = NOW + timedelta(hours=24)
    with pytest.raises(ProviderUnavailableError):
        await lists.get(LIST_URI)
    server.status = 304
    with pytest.raises(ProviderUnavailableError):
        await lists.get(LIST_URI)


@pytest.mark.parametrize(("ttl", "seconds"), [(0.001, 5), (None, 5), (20, 20), (10**9, 86_400)])
def test_how_long_a_list_is_fresh_lies_within_our_own_bounds(ttl: object, seconds: int) -> None:
    """§11.5: no list makes us ask a thousand times a second, or never again."""
    server = ListServer()
    fresh_until = verified(server, signed_list(server.key, packed(STATUSES), ttl=ttl)).fresh_until
    assert fresh_until == NOW + timedelta(seconds=seconds)


BOMB = base64.urlsafe_b64encode(zlib.compress(bytes(64 * LARGEST_ARRAY), 9)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": None},
        {"sub": OTHER_LIST_URI},
        {"iat": None},
        {"iat": SECONDS + 100},
        {"exp": None},
        {"exp": SECONDS},
        {"exp": True},
        {"ttl": 0},
        {"ttl": -1},
        {"ttl": "20"},
        {"ttl": True},
        {"status_list": None},
        {"status_list": []},
        {"status_list": {"bits": 3, "lst": packed({})}},
        {"status_list": {"bits": True, "lst": packed({}, bits=1)}},
        {"status_list": {"bits": 2}},
        {"status_list": {"bits": 2, "lst": 7}},
        {"status_list": {"bits": 2, "lst": "!!!!"}},
        {"status_list": {"bits": 2, "lst": packed({})[:-8]}},
        {"status_list": {"bits": 2, "lst": base64.urlsafe_b64encode(b"plain").decode()}},
        {"status_list": {"bits": 2, "lst": BOMB}},
    ],
    ids=lambda changes: str(changes)[:70],
)
def test_every_departure_is_refused(changes: dict[str, Any]) -> None:
    server = ListServer()
    with pytest.raises(TokenError):
        verified(server, signed_list(server.key, packed({}), **changes))


def test_a_value_that_means_nothing_here_is_not_taken_for_valid() -> None:
    server = ListServer()
    four_bits = {"bits": 4, "lst": packed({5: 12}, bits=4)}
    status_list = verified(server, signed_list(server.key, "", status_list=four_bits))
    assert status_list.status_at(4) is LinkStatus.VALID
    with pytest.raises(TokenError, match="means nothing"):
        status_list.status_at(5)


def test_a_list_by_a_revoked_or_foreign_key_or_of_another_type_is_none() -> None:
    server = ListServer()
    token = signed_list(server.key, packed({}))
    header = read_header(token, SIGNING_ALGORITHMS, typ="statuslist+jwt", largest=2**21)
    for key in (SigningKey(server.key, is_revoked=True), SigningKey(make_key("op-1"))):
        with pytest.raises(TokenError):
            verify_status_list(token, header, key, LIST_URI, NOW)
    with pytest.raises(TokenError, match="another type"):
        verified(server, sign(list_claims(packed({})), server.key, typ="JWT"))


async def test_no_address_but_the_providers_is_ever_dialled() -> None:
    server = ListServer()
    for uri in ("https://id.example.evil.example/status-lists/1", "http://169.254.169.254/", "file:///etc"):
        with pytest.raises(TokenError, match="not this provider's"):
            await server.lists().get(uri)
    assert server.requests == []


async def test_an_endless_answer_is_cut_off() -> None:
    server = ListServer()
    server.bodies[LIST_URI] = "x" * (3 * 1024 * 1024)
    with pytest.raises(ProviderUnavailableError, match="too much"):
        await server.lists().get(LIST_URI)
