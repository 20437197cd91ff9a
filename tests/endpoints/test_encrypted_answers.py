"""ID tokens and UserInfo that only their client can read. OpenID Connect Core §5.3.2, §10.2; IDT-07."""

import json
from typing import Any

import jwt
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from tests.support.key_set_server import key_set_server
from tests.support.protocol_builders import ES256, JWKS, OTHER, RS256, public_jwk
from tests.support.provider import Provider
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio

ENCRYPTION_KEYS = [
    {**public_jwk(OTHER, "my-ec"), "use": "enc"},
    {**public_jwk(RS256, "my-rsa"), "use": "enc"},
]
PRIVATE: dict[str, Any] = {"ECDH-ES": ECKey.import_key(OTHER), "RSA-OAEP-256": RSAKey.import_key(RS256)}
SET = {"keys": [public_jwk(ES256, "sig"), *ENCRYPTION_KEYS]}


def opened(token: str, algorithm: str) -> jwe.CompactEncryption:
    return jwe.decrypt_compact(token, PRIVATE[algorithm], ["ECDH-ES", "RSA-OAEP-256", "A256GCM", "A128GCM"])


@pytest.mark.parametrize(
    ("algorithm", "encryption", "kid"),
    [("RSA-OAEP-256", "A256GCM", "my-rsa"), ("ECDH-ES", "A128GCM", "my-ec")],
)
async def test_an_id_token_is_signed_then_encrypted_to_the_clients_key(
    provider: Provider, algorithm: str, encryption: str, kid: str
) -> None:
    platform, person = await new_platform(provider, {"jwks": SET}), await provider.add_person()
    registered = {"id_token_encrypted_response_alg": algorithm, "id_token_encrypted_response_enc": encryption}
    await change_client(provider, platform.client.client_id, **registered)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        refreshed = (await platform.refresh(http, tokens["refresh_token"])).json()
    for answer in (tokens, refreshed):
        envelope = opened(answer["id_token"], algorithm)
        header = envelope.headers()
        assert (header["alg"], header["enc"], header["cty"]) == (algorithm, encryption, "JWT")
        assert header["kid"] == kid
        assert envelope.plaintext is not None
        inner = envelope.plaintext.decode()
        assert jwt.get_unverified_header(inner)["kid"]
        claims = jwt.decode(inner, options={"verify_signature": False})
        assert claims["aud"] == platform.client.client_id


async def test_userinfo_is_encrypted_signed_or_bare(provider: Provider) -> None:
    platform, person = await new_platform(provider, {"jwks": SET}), await provider.add_person()
    client_id = platform.client.client_id
    await change_client(provider, client_id, userinfo_encrypted_response_alg="ECDH-ES")
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        bare = await http.get("/userinfo", headers=bearer)
        await change_client(provider, client_id, userinfo_signed_response_alg="RS256")
        nested = await http.get("/userinfo", headers=bearer)
    subject = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"]
    assert bare.headers["content-type"] == nested.headers["content-type"] == "application/jwt"
    envelope = opened(bare.text, "ECDH-ES")
    assert "cty" not in envelope.headers()
    assert json.loads(envelope.plaintext or b"") == {"sub": subject}
    envelope = opened(nested.text, "ECDH-ES")
    assert envelope.headers()["cty"] == "JWT"
    claims = jwt.decode((envelope.plaintext or b"").decode(), options={"verify_signature": False})
    assert (claims["sub"], claims["aud"]) == (subject, client_id)


async def test_without_a_key_nothing_leaves_unencrypted_and_the_code_is_not_lost(provider: Provider) -> None:
    platform, person = await new_platform(provider, {"jwks": JWKS}), await provider.add_person()
    client_id = platform.client.client_id
    keys = {"keys": [public_jwk(ES256, "sig") | {"use": "sig"}]}
    await change_client(provider, client_id, jwks=keys, id_token_encrypted_response_alg="ECDH-ES")
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        refused = await platform.redeem(http, code)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        await change_client(provider, client_id, jwks=SET)
        assert opened((await platform.redeem(http, code)).json()["id_token"], "ECDH-ES").plaintext


async def test_the_key_comes_from_the_clients_address(provider: Provider) -> None:
    """A set of keys that are all for encryption is none to verify with, and no error."""
    async with key_set_server(*ENCRYPTION_KEYS) as keys:
        platform, person = await new_platform(provider, {"jwks_uri": keys.uri}), await provider.add_person()
        await change_client(
            provider, platform.client.client_id, id_token_encrypted_response_alg="RSA-OAEP-256"
        )
        async with provider.http() as http:
            tokens = await platform.tokens_for(http, person)
    assert opened(tokens["id_token"], "RSA-OAEP-256").headers()["kid"] == "my-rsa"


async def test_an_encrypted_token_is_no_hint(provider: Provider) -> None:
    """OIDC Core §3.1.2.1: we decrypt nothing, so a hint that is encrypted means nobody (CVE-2026-9793)."""
    platform, person = await new_platform(provider, {"jwks": SET}), await provider.add_person()
    await change_client(provider, platform.client.client_id, id_token_encrypted_response_alg="ECDH-ES")
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        hint = platform.request(prompt="none", id_token_hint=tokens["id_token"])
        answer = await http.get("/authorize", params=hint)
        assert "error=login_required" in answer.headers["location"]
        inner = (opened(tokens["id_token"], "ECDH-ES").plaintext or b"").decode()
        answer = await http.get("/authorize", params=hint | {"id_token_hint": inner})
        assert "code=" in answer.headers["location"]
