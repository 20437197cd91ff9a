"""The client credentials grant: a client acts for itself, and for nobody else."""

import jwt
import pytest
from sqlalchemy import select

from idp.store.tables import audit_events
from tests.support.dpop_proofs import ProofKey
from tests.support.platform import Platform
from tests.support.protocol_builders import JWKS
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform
from tests.support.signing_platform import SigningPlatform

pytestmark = pytest.mark.anyio

METADATA: dict[str, object] = {
    "grant_types": ["authorization_code", "client_credentials"],
    "scope": "openid email account_links.read account_links.manage",
}


async def ask(provider: Provider, platform: Platform, **form: str) -> tuple[int, dict[str, object]]:
    async with provider.http() as http:
        answer = await http.post(
            "/token", data={"grant_type": "client_credentials"} | form, auth=platform.auth
        )
    assert answer.headers["cache-control"] == "no-store"
    content: dict[str, object] = answer.json()
    return answer.status_code, content


async def test_a_token_of_its_own_is_for_its_links_alone(provider: Provider) -> None:
    """TOK-27; RFC 6749 §4.4.3: no refresh token, no ID token; RFC 9068 §2.2: the client is the subject."""
    platform = await new_platform(provider, METADATA)
    status, content = await ask(provider, platform)
    assert status == 200
    assert content.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert content["scope"] == "account_links.manage account_links.read"
    claims = jwt.decode(str(content["access_token"]), options={"verify_signature": False})
    assert claims.keys() == {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope"}
    assert claims["sub"] == claims["client_id"] == platform.client.client_id
    assert claims["aud"] == f"{ISSUER}/account-links"
    events = await provider.context.database.fetch_all(
        select(audit_events).where(audit_events.c.client_id == platform.client.client_id), {}
    )
    assert [(row["type"], row["actor_kind"]) for row in events] == [("access_token:issued", "client")]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"scope": "account_links.read"}, "account_links.read"),
        ({"scope": "account_links.read openid"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": " "}, "invalid_scope"),
        ({"resource": f"{ISSUER}/account-links"}, "account_links.manage account_links.read"),
        ({"resource": f"{ISSUER}/userinfo"}, "invalid_target"),
        ({"resource": "https://other.example"}, "invalid_target"),
    ],
)
async def test_only_what_needs_no_person(provider: Provider, form: dict[str, str], expected: str) -> None:
    """Abuse class 10; RFC 8707 §2."""
    status, content = await ask(provider, await new_platform(provider, METADATA), **form)
    assert (content["scope"] if status == 200 else content["error"]) == expected


async def test_who_registered_no_scope_of_its_own_gets_nothing(provider: Provider) -> None:
    platform = await new_platform(provider, METADATA | {"scope": "openid email"})
    assert (await ask(provider, platform))[1]["error"] == "invalid_scope"
    platform = await new_platform(provider)
    assert (await ask(provider, platform))[1]["error"] == "unauthorized_client"


async def test_what_a_client_may_in_its_own_name_nobody_can_grant_it(provider: Provider) -> None:
    """Abuse class 10: account_links.manage is no scope of a person's token."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, scope="openid account_links.manage")
    assert tokens["scope"] == "openid"


async def test_a_person_is_not_behind_it(provider: Provider) -> None:
    """Abuse class 7: it opens neither UserInfo nor anything with another audience."""
    platform = await new_platform(provider, METADATA)
    _, content = await ask(provider, platform)
    async with provider.http() as http:
        bearer = {"Authorization": f"Bearer {content['access_token']}"}
        answer = await http.get("/userinfo", headers=bearer)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_a_client_without_a_credential_cannot_register_the_grant(provider: Provider) -> None:
    """RFC 6749 §4.4: confidential clients only."""
    with pytest.raises(ValueError, match="client_credentials"):
        await new_platform(provider, METADATA | {"token_endpoint_auth_method": "none"})


async def test_under_fapi_the_token_is_bound_or_there_is_none(provider: Provider) -> None:
    """TOK-15, TOK-27; FAPI 2.0 §5.3.2.1."""
    signed: dict[str, object] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    platform = await new_platform(
        provider, METADATA | signed | {"dpop_bound_access_tokens": True}, profile="fapi2"
    )
    key, form = ProofKey(), {"grant_type": "client_credentials"}
    async with provider.http() as http:
        signer = SigningPlatform(platform)
        bare = await http.post("/token", data=form | signer.assertion())
        assert (bare.status_code, bare.json()["error"]) == (400, "invalid_dpop_proof")
        nonce = None
        for _ in range(2):
            proof = key.proof("POST", f"{ISSUER}/token", at=provider.clock.now, nonce=nonce)
            bound = await http.post("/token", data=form | signer.assertion(), headers={"DPoP": proof})
            nonce = bound.headers["dpop-nonce"]
    assert bound.status_code == 200
    assert bound.json()["token_type"] == "DPoP"
    claims = jwt.decode(bound.json()["access_token"], options={"verify_signature": False})
    assert claims["cnf"] == {"jkt": key.jkt}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, "account-links"),
        ({"scope": "account_links.read"}, "account-links"),
        ({"scope": "ssf.read"}, "ssf"),
        ({"scope": "ssf.manage ssf.read", "resource": f"{ISSUER}/ssf"}, "ssf"),
        ({"resource": f"{ISSUER}/ssf"}, "ssf"),
        ({"scope": "ssf.read account_links.read"}, "invalid_scope"),
        ({"scope": "ssf.read", "resource": f"{ISSUER}/account-links"}, "invalid_target"),
    ],
)
async def test_a_token_of_its_own_is_for_one_resource(
    provider: Provider, form: dict[str, str], expected: str
) -> None:
    """RFC 8707 §2.2: a token for two resources could be carried from the one to the other."""
    scope = "openid account_links.read ssf.read ssf.manage"
    status, content = await ask(provider, await new_platform(provider, METADATA | {"scope": scope}), **form)
    if status != 200:
        assert content["error"] == expected
        return
    claims = jwt.decode(str(content["access_token"]), options={"verify_signature": False})
    assert claims["aud"] == f"{ISSUER}/{expected}"
    assert {value.partition(".")[0] for value in claims["scope"].split(" ")} == {expected.replace("-", "_")}


async def test_who_registered_streams_alone_gets_a_token_for_them(provider: Provider) -> None:
    platform = await new_platform(provider, METADATA | {"scope": "openid ssf.read"})
    assert (await ask(provider, platform))[1]["scope"] == "ssf.read"
    assert (await ask(provider, platform, scope="ssf.manage"))[1]["error"] == "invalid_scope"
