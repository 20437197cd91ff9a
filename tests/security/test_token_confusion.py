"""Abuse classes 6, 7, 9, 10, 11, 28: a token is good for one thing and one client."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def forgeries(token: str, public_key: Any) -> Iterator[str]:
    """What somebody without our key can make of our tokens (CVE-2026-28802, CVE-2026-27962 and kin)."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    known = json.loads(base64.urlsafe_b64decode(header + "=="))
    own = ec.generate_private_key(ec.SECP256R1())
    own_jwk = ECAlgorithm.to_jwk(own.public_key(), as_dict=True)
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        for left in ("", signature):
            changed = base64url(json.dumps(known | {"alg": algorithm}).encode())
            yield f"{changed}.{payload}.{left}"
    hmac_header = known | {"alg": "HS256"}
    hmac_signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signing_input = f"{base64url(json.dumps(hmac_header).encode())}.{payload}"
    for key in (b"", json.dumps(public_key).encode()):
        yield f"{signing_input}.{base64url(hmac_signature.sign(signing_input.encode(), key))}"
    for members in (
        {"jwk": own_jwk},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/x5"},
        {"crit": ["exp"]},
        {"zip": "DEF"},
        {"b64": False},
    ):
        for kid in (known["kid"], None, "../../dev/null"):
            yield jwt.encode(claims, own, "ES256", known | members | {"kid": kid or ""})
    yield f"{header}.{base64url(json.dumps(claims | {'exp': 4102444800}).encode())}.{signature}"
    yield f"{header}.{payload}.{signature}."
    yield f"{header}.{payload}"
    yield f"{header}..{signature}"
    yield f"{header}.{payload}.{signature}=="
    yield f"{header}.{payload}.{base64url(b'0' * 64)}"
    yield f"{header}.{payload}.{base64url(bytes(64))}"


async def refused_at_userinfo(http: Any, token: str) -> None:
    answer = await http.get("/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), token[:80]


async def test_no_forged_access_token_is_taken(provider: Provider) -> None:
    """Abuse class 11: none, key confusion, keys in headers, claims changed under a signature."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        token = (await platform.tokens_for(http, person))["access_token"]
        key = (await http.get("/jwks")).json()["keys"][0]
        for forged in forgeries(token, key):
            await refused_at_userinfo(http, forged)


async def test_a_token_cut_or_changed_at_any_byte_is_refused(provider: Provider) -> None:
    """Abuse class 28 (CVE-2026-27840)."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        token = (await platform.tokens_for(http, person))["access_token"]
        for length in range(1, len(token), 7):
            await refused_at_userinfo(http, token[:length])
            other = "A" if token[length] != "A" else "B"
            await refused_at_userinfo(http, token[:length] + other + token[length + 1 :])
        for cut in range(1, 12):
            await refused_at_userinfo(http, token[:-cut])


async def test_a_cookie_cut_at_any_byte_signs_nobody_in(provider: Provider) -> None:
    """Abuse class 28 (CVE-2026-25748): and a malformed one is no fault of ours."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        await platform.tokens_for(http, person)
        whole = http.cookies["lienket-session"]
        odd = [
            "",
            "\x01",
            "é",
            "a" * 5000,
            '"',
            "a=b=c",
            whole + "A",
            whole.swapcase(),
            whole + ";" + whole[:9],
        ]
        for value in [whole[:length] for length in range(len(whole))] + odd:
            header = f"lienket-session={value}; lienket-browser={value}".encode()
            async with provider.http() as other:
                answer = await other.get("/my/accounts", headers=[(b"cookie", header)])
            if value.partition(";")[0] != whole:
                assert answer.headers["location"] == f"{ISSUER}/sign-in/accounts", value


async def test_no_token_passes_for_another_kind(provider: Provider) -> None:
    """Abuse class 6 (CVE-2026-4325): each is good in its own place only."""
    metadata: dict[str, object] = {"userinfo_signed_response_alg": "ES256"}
    platform, person = await new_platform(provider, metadata), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        signed = (await http.get("/userinfo", headers=bearer)).text
        code = await platform.code_for(http, person)
        for token in (
            tokens["id_token"],
            tokens["refresh_token"],
            code,
            signed,
            http.cookies["lienket-session"],
        ):
            await refused_at_userinfo(http, token)
        for token in (tokens["access_token"], tokens["id_token"], code):
            assert (await platform.refresh(http, token)).json()["error"] == "invalid_grant"
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert (await platform.redeem(http, token)).json()["error"] == "invalid_grant"


async def test_codes_and_refresh_tokens_belong_to_one_client(provider: Provider) -> None:
    """Abuse class 7 (CVE-2026-55672), TOK-06, TOK-22: another's attempt harms nobody."""
    platform, other = await new_platform(provider), await new_platform(provider)
    person = await provider.add_person()
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        form = {"code_verifier": platform.verifier, "redirect_uri": platform.client.redirect_uris[0]}
        stolen = await other.redeem(http, code, **form)
        assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
        tokens = (await platform.redeem(http, code)).json()
        again = await other.redeem(http, code, **form)
        assert again.json()["error"] == "invalid_grant"
        refreshed = await other.refresh(http, tokens["refresh_token"])
        assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")
        named = await platform.refresh(http, tokens["refresh_token"], client_id=other.client.client_id)
        assert named.json()["error"] == "invalid_client", "TOK-14"
        assert (await platform.refresh(http, tokens["refresh_token"])).status_code == 200


async def test_pkce_cannot_be_left_out_at_either_end(provider: Provider) -> None:
    """Abuse class 9 (CVE-2023-48228, CVE-2024-22258): a confidential client is no exception."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        for verifier in (
            "",
            platform.verifier[:-1],
            platform.verifier + "a",
            "a" * 200,
            platform.verifier.upper(),
        ):
            answer = await platform.redeem(http, code, code_verifier=verifier)
            assert answer.json()["error"] == "invalid_grant"
        challenge = platform.request()["code_challenge"]
        assert (await platform.redeem(http, code, code_verifier=challenge)).json()["error"] == "invalid_grant"
        assert (await platform.redeem(http, code)).status_code == 200


async def test_no_grant_gives_more_than_was_registered_and_agreed(provider: Provider) -> None:
    """Abuse class 10 (CVE-2024-52287): neither an unregistered scope, nor an unticked or forged item."""
    platform = await new_platform(provider, {"scope": "openid email"})
    person = await provider.add_person(email="lan@example.vn", phone_number="+84000111000")
    async with provider.http() as http:
        response = await http.get("/authorize", params=platform.request(scope="openid email shop:admin"))
        sign_in = response.headers["location"]
        await http.post(sign_in, data={"identifier": person.personal_number, "password": person.password})
        forged = {"decision": "allow", "claim": ["phone_number", "name", "personal_number", "*", "address"]}
        consent = sign_in.replace("/sign-in/", "/consent/")
        onward = await http.post(consent, data=forged)
        location = (await http.get(onward.headers["location"])).headers["location"]
        tokens = (await platform.redeem(http, location.partition("code=")[2].partition("&")[0])).json()
        assert tokens["scope"] == "openid email"
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert set((await http.get("/userinfo", headers=bearer)).json()) == {"sub"}
