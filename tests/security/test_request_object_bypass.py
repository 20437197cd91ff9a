"""Abuse class 4: requests that go round what a client signed, pushed or registered; class 2 on the way."""

import json
from typing import Any

import jwt
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from tests.support.platform import query_of
from tests.support.protocol_builders import ES256, OTHER, RS256, base64url
from tests.support.provider import ISSUER, Provider
from tests.support.request_objects import object_claims
from tests.support.signing_platform import SigningPlatform, message_signing_platform, signing_platform

pytestmark = pytest.mark.anyio

ATTACKER = "https://attacker.example/callback"


def claims_for(signing: SigningPlatform, **changes: Any) -> dict[str, Any]:
    now = signing.platform.provider.clock.now
    return object_claims(signing.platform.request(None), ISSUER, now, **changes)


def unsigned(claims: dict[str, Any], algorithm: str = "none") -> str:
    header = base64url(json.dumps({"alg": algorithm}).encode())
    return f"{header}.{base64url(json.dumps(claims).encode())}."


def enveloped(content: str, provider_key: dict[str, Any] | None = None) -> list[str]:
    """Encrypt to keys that anybody has: ours, as published, and the client's own."""
    envelopes = [
        jwe.encrypt_compact(
            {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}, content, ECKey.import_key(key)
        )
        for key in (ES256.public_key(), OTHER.public_key())
    ]
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
    envelopes.append(
        jwe.encrypt_compact(header, content, RSAKey.import_key(RS256.public_key()), [*header.values()])
    )
    if provider_key is not None:
        public = {name: value for name, value in provider_key.items() if name in {"kty", "crv", "x", "y"}}
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": provider_key["kid"]}
        envelopes.append(jwe.encrypt_compact(header, content, ECKey.import_key(public)))
    return envelopes


async def test_cve_2026_9793_encryption_is_no_signature(provider: Provider) -> None:
    """Unsigned JSON, an unsigned JWT and even a signed one, wrapped in a JWE: none is read, anywhere."""
    signing, insisting = await signing_platform(provider), await message_signing_platform(provider)
    async with provider.http() as http:
        keys = (await http.get("/jwks")).json()["keys"]
        ours = next(key for key in keys if key["kty"] == "EC")
        for party in (signing, insisting):
            claims = claims_for(party)
            for content in (json.dumps(claims), unsigned(claims), party.object()):
                for token in enveloped(content, ours):
                    asked = {"client_id": party.client_id, "request": token}
                    assert (await http.get("/authorize", params=asked)).status_code == 400
                    if party is insisting:
                        pushed = await party.push(http, request=token)
                        assert pushed.json()["error"] == "invalid_request_object"


async def test_class_2_an_object_that_is_not_verified_redirects_nowhere_of_its_own(
    provider: Provider,
) -> None:
    """Neither to an attacker, nor to a registered address that stands in the forged object alone."""
    signing = await signing_platform(provider)
    registered = signing.platform.client.redirect_uris[0]
    async with provider.http() as http:
        for redirect_uri in (ATTACKER, registered):
            claims = claims_for(signing, redirect_uri=redirect_uri)
            for token in (
                unsigned(claims),
                unsigned(claims, "NONE"),
                jwt.encode(claims, OTHER, "ES256", {"kid": "ec"}),
                jwt.encode(claims, OTHER, "ES256", {"kid": "unknown"}),
                signing.object(aud="https://other.example", redirect_uri=redirect_uri),
                signing.object(exp=1, redirect_uri=redirect_uri),
                "a.b.c",
            ):
                for asked in (
                    {"client_id": signing.client_id, "request": token},
                    {"client_id": signing.client_id, "request": token, "redirect_uri": ATTACKER},
                ):
                    answer = await http.get("/authorize", params=asked)
                    assert answer.status_code == 400
                    assert "location" not in answer.headers
                    assert "attacker.example" not in answer.text


async def test_a_signed_object_cannot_bring_an_address_that_is_not_registered(provider: Provider) -> None:
    signing = await signing_platform(provider)
    beside = signing.platform.request(None)
    async with provider.http() as http:
        for redirect_uri in (ATTACKER, None):
            request = signing.object(redirect_uri=redirect_uri)
            answer = await http.get("/authorize", params=beside | {"request": request})
            assert answer.status_code == 400
            assert "location" not in answer.headers


async def test_what_stands_beside_an_object_changes_nothing(provider: Provider) -> None:
    """CVE-2026-7571: parameters outside the object neither replace nor complete those inside."""
    signing = await signing_platform(provider)
    async with provider.http() as http:
        inside = signing.platform.request(None)
        del inside["code_challenge"], inside["code_challenge_method"]
        beside = signing.platform.request(None) | {"request": signing.object(inside)}
        answer = await http.get("/authorize", params=beside)
        assert query_of(answer.headers["location"])["error"] == "invalid_request"
        beside["request"] = signing.object(prompt="none")
        answer = await http.get("/authorize", params=beside | {"prompt": "login", "max_age": "0"})
        assert query_of(answer.headers["location"])["error"] == "login_required"


async def test_duplicate_parameters_beside_an_object_are_refused(provider: Provider) -> None:
    """NOP 9.11.4; and a second object leaves none."""
    signing = await signing_platform(provider)
    token = signing.object()
    async with provider.http() as http:
        for repeated in (
            [("request", token), ("request", token)],
            [("request", token), ("foo", "a"), ("foo", "b")],
        ):
            asked = [*signing.platform.request(None).items(), *repeated]
            answer = await http.get("/authorize", params=asked)
            assert query_of(answer.headers["location"])["error"] == "invalid_request"
        pushed = await http.post(
            "/par",
            content=f"client_id={signing.client_id}&request={token}&request={token}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=signing.platform.auth,
        )
        assert pushed.json()["error"] == "invalid_request"


async def test_the_object_of_another_client_is_nobodys(provider: Provider) -> None:
    """PAR-14, AUTHZ-31: one client's signature never speaks for another, whatever either names."""
    victim, attacker = await signing_platform(provider), await signing_platform(provider)
    async with provider.http() as http:
        stolen = victim.object()
        answer = await http.get("/authorize", params={"client_id": attacker.client_id, "request": stolen})
        assert answer.status_code == 400
        pushed = await http.post("/par", data={"request": stolen}, auth=attacker.platform.auth)
        assert pushed.json()["error"] == "invalid_request_object"
        for name in ("iss", "client_id"):
            mixed = attacker.object(**{name: victim.client_id})
            pushed = await http.post("/par", data={"request": mixed}, auth=attacker.platform.auth)
            assert pushed.json()["error"] == "invalid_request_object"


async def test_a_request_uri_of_another_client_or_used_or_expired_is_a_page(provider: Provider) -> None:
    """canaille: a bad request_uri is no fault of ours, either."""
    owner, other = await signing_platform(provider), await signing_platform(provider)
    async with provider.http() as http:
        pushed = (await owner.platform.push(http)).json()["request_uri"]
        for request_uri in (pushed, "urn:ietf:params:oauth:request_uri:", pushed + "x"):
            asked = {"client_id": other.client_id, "request_uri": request_uri}
            assert (await http.get("/authorize", params=asked)).status_code == 400
        asked = {"client_id": owner.client_id, "request_uri": pushed}
        provider.clock.advance(seconds=91)
        assert (await http.get("/authorize", params=asked)).status_code == 400
        spent = await owner.platform.push(http)
        asked["request_uri"] = spent.json()["request_uri"]
        first = await http.get("/authorize", params=asked)
        assert first.status_code == 303
        from_page = await http.post(first.headers["location"].replace("/sign-in/", "/authorize/") + "/cancel")
        assert query_of(from_page.headers["location"])["error"] == "access_denied"
        assert (await http.get("/authorize", params=asked)).status_code == 400


async def test_a_pushed_request_is_not_changed_by_an_object_in_the_address(provider: Provider) -> None:
    signing = await signing_platform(provider)
    async with provider.http() as http:
        pushed = await http.post(
            "/par", data=signing.platform.request(None, prompt="none"), auth=signing.platform.auth
        )
        asked = {
            "client_id": signing.client_id,
            "request_uri": pushed.json()["request_uri"],
            "request": signing.object(prompt="login"),
        }
        answer = await http.get("/authorize", params=asked)
    assert query_of(answer.headers["location"])["error"] == "login_required"


async def test_an_object_is_no_client_assertion_and_an_assertion_no_object(provider: Provider) -> None:
    """RFC 9101 §10.8; class 6: what travels through the browser does not sign a client in."""
    signing = await message_signing_platform(provider)
    assertion = signing.assertion()
    async with provider.http() as http:
        through_the_browser = {"client_assertion": signing.object(sub=signing.client_id, jti="once")}
        refused = await http.post("/par", data=assertion | through_the_browser)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        for headers in ({"typ": "oauth-authz-req+jwt"}, {"typ": "JWT"}):
            request = signing.object(sub=signing.client_id, headers=headers)
            answer = await signing.push(http, request=request)
            assert answer.json()["error"] == "invalid_request_object"
        answer = await signing.push(http, request=assertion["client_assertion"])
        assert answer.json()["error"] == "invalid_request_object"
