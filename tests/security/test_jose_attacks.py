"""Abuse classes 11, 12 and 28: what can be done to a JWT, done to every JWT that is taken here, over HTTP.

Each place below takes a token that is good; each attack is made from that good token by somebody without the
key, or by the client itself where only the content is wrong. None may pass, and none may be a fault of ours.
"""

import json
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey
from jwt.algorithms import HMACAlgorithm

from idp.protocol.jose import decode_base64url
from tests.support.platform import query_of
from tests.support.protocol_builders import ES256, JWKS, base64url, public_jwk, sign_raw
from tests.support.provider import Provider
from tests.support.signing_platform import SigningPlatform, message_signing_platform, signing_platform

pytestmark = pytest.mark.anyio

Take = Callable[[str], Awaitable[httpx.Response]]

STRANGER = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Place:
    """Where a token is taken: a good token, how it is shown, and how a refusal looks."""

    fresh: Callable[[], Awaitable[str]]
    """A token that has not been used."""
    take: Take
    is_refused: Callable[[httpx.Response], bool]
    public_keys: list[dict[str, Any]]
    """What the world knows of the keys that verify it."""


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, payload, signature = token.split(".")
    return (
        json.loads(decode_base64url(header.encode())),
        json.loads(decode_base64url(payload.encode())),
        signature,
    )


def encoded(value: Mapping[str, Any]) -> str:
    return base64url(json.dumps(value).encode())


def hmac_signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes) -> str:
    signing_input = f"{encoded(header)}.{encoded(claims)}"
    signature = HMACAlgorithm(HMACAlgorithm.SHA256).sign(signing_input.encode(), key)
    return f"{signing_input}.{base64url(signature)}"


def without_a_signature(token: str, _keys: list[dict[str, Any]]) -> Iterator[str]:
    """RFC 8725 §2.1; CVE-2026-28802; canaille `none`."""
    header, claims, signature = parts(token)
    for algorithm in ("none", "None", "NONE", "nOnE", "", None):
        for left in ("", signature, base64url(b"x")):
            yield f"{encoded(header | {'alg': algorithm})}.{encoded(claims)}.{left}"
    yield f"{encoded(header)}.{encoded(claims)}."
    yield f"{encoded(header)}.{encoded(claims)}.{base64url(bytes(64))}"


def with_a_public_key_as_secret(token: str, keys: list[dict[str, Any]]) -> Iterator[str]:
    """RFC 8725 §2.1; CVE-2024-37568: HMAC keyed with what everybody knows, or with nothing."""
    header, claims, _ = parts(token)
    secrets = [b"", b"\0", json.dumps({"keys": keys}).encode()]
    for key in keys:
        secrets += [json.dumps(key).encode(), key["kid"].encode()]
        secrets += [key[name].encode() for name in ("x", "n") if name in key]
    for secret in secrets:
        for algorithm in ("HS256", "HS512", "HS384"):
            yield hmac_signed(header | {"alg": algorithm}, claims, secret)


def with_confused_algorithms(token: str, _keys: list[dict[str, Any]]) -> Iterator[str]:
    """RFC 8725 §3.1: the header does not choose what a key is used for."""
    header, claims, signature = parts(token)
    for algorithm in ("RS256", "PS256", "ES256K", "ES384", "ES512", "EdDSA", "Ed25519", ["ES256"], 7):
        if algorithm != header["alg"]:
            yield f"{encoded(header | {'alg': algorithm})}.{encoded(claims)}.{signature}"


def with_a_key_of_its_own(token: str, _keys: list[dict[str, Any]]) -> Iterator[str]:
    """RFC 8725 §3.10; CVE-2026-27962: jwk, jku, x5u, x5c, and names of keys that lead elsewhere."""
    header, claims, _ = parts(token)
    own = public_jwk(STRANGER, header.get("kid"))
    brought: list[dict[str, Any]] = [
        {"jwk": own},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/x5"},
        {"x5c": ["MIIB"]},
        {"kid": "../../dev/null", "jwk": own},
        {"kid": "' OR 1=1 --"},
        {"kid": "https://attacker.example/jwks"},
        {"kid": "\0"},
        {},
    ]
    for members in brought:
        yield jwt.encode(claims, STRANGER, "ES256", header | {"alg": "ES256"} | members)


def cut_and_changed(token: str, _keys: list[dict[str, Any]]) -> Iterator[str]:
    """Class 28; CVE-2026-27840: truncated at every byte, a byte left out, a byte changed."""
    for length in range(1, len(token)):
        yield token[:length]
    for position in range(0, len(token), 5):
        yield token[:position] + token[position + 1 :]
        other = "A" if token[position] != "A" else "B"
        yield token[:position] + other + token[position + 1 :]
    for tail in ("=", "==", ".", "..", " ", "\n", "%00", "é"):
        yield token + tail


def huge_and_nested(token: str, _keys: list[dict[str, Any]]) -> Iterator[str]:
    """CVE-2025-61920, CVE-2025-62706; RFC 8725 §3.6; Keycloak CVE-2026-9793."""
    header, claims, signature = parts(token)
    yield f"{encoded(header)}.{'A' * 30_000}.{signature}"
    yield f"{encoded(header | {'x': 'y' * 20_000})}.{encoded(claims)}.{signature}"
    yield f"{base64url(b'[' * 9000)}.{encoded(claims)}.{signature}"
    yield ".".join("A" * 500)
    yield f"{encoded(header | {'cty': 'JWT'})}.{base64url(token.encode())}.{signature}"
    yield jwe.encrypt_compact(
        {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}, token, ECKey.import_key(ES256.public_key())
    )
    squeezed = zlib.compress(json.dumps(claims).encode() + b" " * 10_000_000)[2:-4]
    yield f"{encoded(header | {'zip': 'DEF'})}.{base64url(squeezed)}.{signature}"


ATTACKS = (
    without_a_signature,
    with_a_public_key_as_secret,
    with_confused_algorithms,
    with_a_key_of_its_own,
    cut_and_changed,
    huge_and_nested,
)


async def request_object_place(provider: Provider, http: httpx.AsyncClient) -> Place:
    signing = await signing_platform(provider)

    async def fresh() -> str:
        return signing.object()

    async def take(token: str) -> httpx.Response:
        return await http.post("/authorize", data={"client_id": signing.client_id, "request": token})

    def is_refused(answer: httpx.Response) -> bool:
        return answer.status_code == 400 and "location" not in answer.headers

    return Place(fresh, take, is_refused, JWKS["keys"])


async def assertion_place(provider: Provider, http: httpx.AsyncClient) -> Place:
    signing = await signing_platform(provider, {"token_endpoint_auth_method": "private_key_jwt"})

    async def fresh() -> str:
        return signing.assertion()["client_assertion"]

    async def take(token: str) -> httpx.Response:
        proof = signing.assertion() | {"client_assertion": token}
        return await http.post("/par", data=signing.platform.request(None) | proof)

    def is_refused(answer: httpx.Response) -> bool:
        return (answer.status_code, answer.json().get("error")) in {
            (401, "invalid_client"),
            (400, "invalid_request"),
        }

    return Place(fresh, take, is_refused, JWKS["keys"])


async def id_token_hint_place(provider: Provider, http: httpx.AsyncClient) -> Place:
    signing, person = await signing_platform(provider), await provider.add_person()
    tokens = await signing.platform.tokens_for(http, person)

    async def fresh() -> str:
        return tokens["id_token"]

    async def take(token: str) -> httpx.Response:
        request = signing.platform.request(None, prompt="none", id_token_hint=token)
        return await http.get("/authorize", params=request)

    def is_refused(answer: httpx.Response) -> bool:
        return answer.status_code == 400 or "error" in query_of(answer.headers["location"])

    return Place(fresh, take, is_refused, await published(http))


async def access_token_place(provider: Provider, http: httpx.AsyncClient) -> Place:
    signing, person = await signing_platform(provider), await provider.add_person()
    tokens = await signing.platform.tokens_for(http, person)

    async def fresh() -> str:
        return tokens["access_token"]

    async def take(token: str) -> httpx.Response:
        return await http.post("/userinfo", data={"access_token": token})

    def is_refused(answer: httpx.Response) -> bool:
        return (answer.status_code, answer.json().get("error")) in {
            (401, "invalid_token"),
            (400, "invalid_request"),
        }

    return Place(fresh, take, is_refused, await published(http))


async def published(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (await http.get("/jwks")).json()["keys"]
    return keys


PLACES = (request_object_place, assertion_place, id_token_hint_place, access_token_place)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_no_token_that_was_tampered_with_is_taken(
    provider: Provider,
    place: Callable[[Provider, httpx.AsyncClient], Awaitable[Place]],
    attack: Callable[[str, list[dict[str, Any]]], Iterator[str]],
) -> None:
    async with provider.http() as http:
        there = await place(provider, http)
        token = await there.fresh()
        for forged in attack(token, there.public_keys):
            answer = await there.take(forged)
            assert there.is_refused(answer), f"{answer.status_code} for {forged[:120]}"
            assert "attacker.example" not in answer.text
        assert not there.is_refused(await there.take(await there.fresh())), "the good token is good"


HEADERS: list[dict[str, Any]] = [
    {"crit": ["exp"], "exp": 1},
    {"crit": []},
    {"crit": ["b64"], "b64": False},
    {"b64": True},
    {"zip": "DEF"},
    {"typ": "at+jwt"},
    {"typ": "dpop+jwt"},
    {"typ": "logout+jwt"},
    {"typ": 7},
]
CONTENTS: list[dict[str, Any]] = [
    {"exp": None},
    {"exp": "4102444800"},
    {"exp": True},
    {"exp": -1},
    {"exp": 1e400},
    {"exp": [4102444800]},
    {"nbf": 4102444800},
    {"iss": None},
    {"iss": [""]},
    {"iss": "https://attacker.example"},
    {"aud": None},
    {"aud": []},
    {"aud": "https://attacker.example"},
    {"aud": {"a": 1}},
]


def resigned(claims: Mapping[str, Any], header: Mapping[str, Any], changes: Mapping[str, Any]) -> str:
    """What a client signs with its own good key; None leaves a claim out."""
    told = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return sign_raw(json.dumps(header).encode(), json.dumps(told).encode())


@pytest.mark.parametrize("header", HEADERS, ids=str)
async def test_a_critical_or_foreign_header_refuses_the_token(
    provider: Provider, header: dict[str, Any]
) -> None:
    """RFC 7515 §4.1.11, RFC 8725 §3.11; CVE-2025-59420: signed with the right key, and refused."""
    signing = await message_signing_platform(provider)
    async with provider.http() as http:
        for good, name in ((signing.object(), "request"), (assertion_of(signing), "client_assertion")):
            known, claims, _ = parts(good)
            bad = {name: resigned(claims, known | header, {})}
            answer = await signing.push(http, **{"request": signing.object()} | bad)
            assert answer.status_code in {400, 401}
            assert answer.json()["error"] in {"invalid_client", "invalid_request_object"}


@pytest.mark.parametrize("changes", CONTENTS, ids=str)
async def test_what_is_absent_or_of_the_wrong_type_does_not_pass(
    provider: Provider, changes: dict[str, Any]
) -> None:
    """Class 12; ZIT GHSA-wxg7-w2v3-w38g (missing exp): fail closed where a claim is missing."""
    signing = await message_signing_platform(provider)
    async with provider.http() as http:
        for good, name in ((signing.object(), "request"), (assertion_of(signing), "client_assertion")):
            known, claims, _ = parts(good)
            bad = {name: resigned(claims, known, changes)}
            answer = await signing.push(http, **{"request": signing.object()} | bad)
            assert answer.status_code in {400, 401}
            assert answer.json()["error"] in {"invalid_client", "invalid_request_object"}
        assert (await signing.push(http, request=signing.object())).status_code == 201


def assertion_of(signing: SigningPlatform) -> str:
    return signing.assertion()["client_assertion"]
