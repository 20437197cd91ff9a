"""The cached key set: fetched once, looked at again for an unknown key, never a flood."""

import asyncio
import base64
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey

from clients.relying_party import MetadataError, ProviderUnavailableError, TokenError
from clients.relying_party.keys import KeyCache, read_key_set, read_max_age
from clients.relying_party.transport import LARGEST_ANSWER, Answer
from tests.clients.scripted_provider import ISSUER, ScriptedProvider, make_key

pytestmark = pytest.mark.anyio


@pytest.fixture
def keys(op: ScriptedProvider, http: httpx.AsyncClient) -> KeyCache:
    return KeyCache(f"{ISSUER}/jwks", http, op.clock)


async def test_the_set_is_fetched_once_and_again_when_it_is_old(op: ScriptedProvider, keys: KeyCache) -> None:
    for _ in range(3):
        await keys.get_key("op-1")
    assert op.count("/jwks") == 1
    op.advance(301)
    await keys.get_key("op-1")
    assert op.count("/jwks") == 2


async def test_a_key_that_was_rotated_in_is_found(op: ScriptedProvider, keys: KeyCache) -> None:
    await keys.get_key("op-1")
    op.published.append(make_key("op-2"))
    op.advance(11)
    assert (await keys.get_key("op-2")).kid == "op-2"
    assert op.count("/jwks") == 2


async def test_a_key_that_was_taken_away_is_gone_after_the_next_fetch(
    op: ScriptedProvider, keys: KeyCache
) -> None:
    await keys.get_key("op-1")
    op.published[:] = [make_key("op-2")]
    op.advance(301)
    with pytest.raises(TokenError):
        await keys.get_key("op-1")


async def test_unknown_keys_cause_one_request_per_back_off(op: ScriptedProvider, keys: KeyCache) -> None:
    await keys.get_key("op-1")
    op.advance(11)
    for number in range(20):
        with pytest.raises(TokenError):
            await keys.get_key(f"forged-{number}")
    assert op.count("/jwks") == 2
    await keys.get_key("op-1")


async def test_fifty_at_once_share_one_request(op: ScriptedProvider, keys: KeyCache) -> None:
    found = await asyncio.gather(*(keys.get_key("op-1") for _ in range(50)))
    assert len(found) == 50
    assert op.count("/jwks") == 1


async def test_an_unreachable_provider_is_asked_once_per_back_off(
    op: ScriptedProvider, keys: KeyCache
) -> None:
    op.offline = True
    for _ in range(5):
        with pytest.raises(ProviderUnavailableError):
            await keys.get_key("op-1")
    assert op.count("/jwks") == 1
    op.offline = False
    op.advance(11)
    await keys.get_key("op-1")


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b" " * (LARGEST_ANSWER + 1)))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(ProviderUnavailableError, match="too much"):
            await KeyCache(f"{ISSUER}/jwks", http).get_key("op-1")


async def test_a_redirect_is_not_followed() -> None:
    moved = httpx.Response(302, headers={"location": "https://elsewhere.example/jwks"})
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: moved), follow_redirects=True
    ) as http:
        with pytest.raises(MetadataError):
            await KeyCache(f"{ISSUER}/jwks", http).get_key("op-1")


def answer(members: object, status: int = 200, cache_control: str = "") -> Answer:
    response = httpx.Response(status, json=members, headers={"cache-control": cache_control})
    return Answer(response.status_code, response.headers, response.content)


def test_only_usable_keys_are_kept() -> None:
    good = make_key("good").as_dict(private=False)
    members = [
        good,
        make_key("private").as_dict(private=True),
        {**make_key("encryption").as_dict(private=False), "use": "enc"},
        {name: value for name, value in make_key("x").as_dict(private=False).items() if name != "kid"},
        OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True),
        {"kty": "AKP", "kid": "from-the-future", "pub": "AAAA"},
        {**good, "kid": "broken", "x": "AAAA"},
        "not an object",
    ]
    assert set(read_key_set(answer({"keys": members}))) == {"good"}


def test_a_short_rsa_key_is_not_kept() -> None:
    numbers = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    modulus = base64.urlsafe_b64encode(numbers.n.to_bytes(128)).rstrip(b"=").decode()
    with pytest.warns(SecurityWarning, match="2048"), pytest.raises(MetadataError):
        read_key_set(answer({"keys": [{"kty": "RSA", "kid": "short", "n": modulus, "e": "AQAB"}]}))


@pytest.mark.parametrize(
    "members",
    [{}, {"keys": {}}, {"keys": []}, {"keys": [make_key("a").as_dict(private=False)] * 2}],
    ids=["nothing", "no list", "empty", "one name twice"],
)
def test_an_unusable_set_is_refused(members: object) -> None:
    with pytest.raises(MetadataError):
        read_key_set(answer(members))


@pytest.mark.parametrize("members", [[], "text", None], ids=repr)
def test_what_is_no_set_at_all_is_trouble_of_the_provider(members: object) -> None:
    with pytest.raises(ProviderUnavailableError):
        read_key_set(answer(members))


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("public, max-age=300", 300),
        ("max-age=0", 10),
        ("no-store", 10),
        ("max-age=999999", 3600),
        ("s-max-age=50", 10),
    ],
)
def test_how_long_a_set_is_kept(cache_control: str, seconds: int) -> None:
    kept = read_max_age(
        answer({}, cache_control=cache_control), shortest=timedelta(seconds=10), longest=timedelta(hours=1)
    )
    assert kept == timedelta(seconds=seconds)
