"""Client authentication over HTTP, method by method; private_key_jwt has a file of its own."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from idp.protocol.client_authentication import ASSERTION_TYPE
from idp.store.client_secrets import new_client_secret
from tests.support.platform import Platform
from tests.support.provider import ISSUER, SECRET, Provider
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio

NEW_SECRET = "the-secret-that-comes-after-0123456789-0123456789"


def proof(platform: Platform, once: str, secret: str = SECRET, **changes: Any) -> dict[str, str]:
    """A client assertion made with the shared secret: OpenID Connect Core §9, client_secret_jwt."""
    now = int(platform.provider.clock.now.timestamp())
    client_id = platform.client.client_id
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": once, "iat": now, "exp": now + 60}
    signed = jwt.encode(claims | changes, secret, "HS256")
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


async def push(http: httpx.AsyncClient, platform: Platform, credentials: dict[str, str]) -> int:
    return (await http.post("/par", data=platform.request() | credentials)).status_code


async def rotate(provider: Provider, platform: Platform, keep_for: timedelta) -> None:
    """Give the client a second secret; the first stays valid for a while."""
    now = provider.clock.now
    new = new_client_secret(provider.context.custody.data, platform.client, NEW_SECRET, now)
    (old,) = platform.client.secrets
    kept = (replace(old, expires_at=now + keep_for), new)
    await change_client(provider, platform.client.client_id, secrets=kept)


async def test_client_secret_jwt_from_push_to_tokens(provider: Provider) -> None:
    platform = await new_platform(provider, {"token_endpoint_auth_method": "client_secret_jwt"})
    person = await provider.add_person()
    async with provider.http() as http:
        assert await push(http, platform, proof(platform, "push")) == 201
        form = {
            "grant_type": "authorization_code",
            "code": await platform.code_for(http, person),
            "redirect_uri": platform.client.redirect_uris[0],
            "code_verifier": platform.verifier,
        }
        answer = await http.post("/token", data=form | proof(platform, "redeem", aud=f"{ISSUER}/token"))
    assert answer.status_code == 200, answer.text


async def test_a_shared_secret_assertion_is_good_once(provider: Provider) -> None:
    """TOK-20; abuse class 8."""
    platform = await new_platform(provider, {"token_endpoint_auth_method": "client_secret_jwt"})
    async with provider.http() as http:
        once = proof(platform, "once")
        assert [await push(http, platform, once) for _ in range(2)] == [201, 401]


async def test_both_secrets_sign_while_they_rotate(provider: Provider) -> None:
    platform = await new_platform(provider, {"token_endpoint_auth_method": "client_secret_jwt"})
    await rotate(provider, platform, timedelta(hours=1))
    async with provider.http() as http:
        assert await push(http, platform, proof(platform, "1")) == 201
        assert await push(http, platform, proof(platform, "2", NEW_SECRET)) == 201
        provider.clock.advance(hours=1)
        assert await push(http, platform, proof(platform, "3")) == 401
        assert await push(http, platform, proof(platform, "4", NEW_SECRET)) == 201


async def test_neither_the_bare_secret_nor_another_method_does(provider: Provider) -> None:
    platform = await new_platform(provider, {"token_endpoint_auth_method": "client_secret_jwt"})
    by_secret = await new_platform(provider)
    async with provider.http() as http:
        assert (await platform.push(http)).status_code == 401
        assert await push(http, platform, {"client_secret": SECRET}) == 401
        assert await push(http, platform, {}) == 401
        assert await push(http, by_secret, proof(by_secret, "1")) == 401


async def test_the_sealed_secret_of_one_client_opens_for_no_other(provider: Provider) -> None:
    """Abuse 24: whoever could swap rows would still not pass for the other client."""
    one, other = [
        await new_platform(provider, {"token_endpoint_auth_method": "client_secret_jwt"}) for _ in range(2)
    ]
    await change_client(provider, other.client.client_id, secrets=one.client.secrets)
    async with provider.http() as http:
        assert await push(http, other, proof(other, "1")) == 500, "a table that was tampered with is a fault"


async def test_a_public_client_has_its_verifier_and_nothing_else(provider: Provider) -> None:
    """RFC 9700 §2.1.1, abuse 9: no code without a challenge, no token without the verifier."""
    platform = await new_platform(provider, {"token_endpoint_auth_method": "none"})
    person = await provider.add_person()
    client_id = platform.client.client_id
    async with provider.http() as http:
        unprotected = platform.request(code_challenge=None, code_challenge_method=None)
        refused = await http.get("/authorize", params=unprotected)
        assert "error=invalid_request" in refused.headers["location"]
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": await platform.code_for(http, person),
            "redirect_uri": platform.client.redirect_uris[0],
        }
        without = await http.post("/token", data=form)
        assert (without.status_code, without.json()["error"]) == (400, "invalid_grant")
        answer = await http.post("/token", data=form | {"code_verifier": platform.verifier})
        assert answer.status_code == 200, answer.text


async def test_a_public_client_cannot_be_made_confidential_by_asking(provider: Provider) -> None:
    platform = await new_platform(provider, {"token_endpoint_auth_method": "none"})
    async with provider.http() as http:
        assert (await platform.push(http)).status_code == 401
        assert await push(http, platform, {"client_secret": SECRET}) == 401
        assert await push(http, platform, {}) == 201
