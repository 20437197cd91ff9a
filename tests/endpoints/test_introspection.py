"""Introspection: what is active here opens the resource, and who may not know learns nothing."""

import secrets
from typing import Any

import httpx
import jwt
import pytest

from idp.identity.account_links import LinkPolicy, Status
from idp.identity.assurance import Acr
from idp.identity.citizens import CitizenStatus
from tests.support.platform import Platform
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import (
    change_client,
    move_link,
    new_platform,
    set_citizen_status,
    suspend_client,
)
from tests.support.signing_platform import message_signing_platform

pytestmark = pytest.mark.anyio

INACTIVE = {"active": False}
OWN: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid email offline_access account_links.read",
}


async def introspect(http: httpx.AsyncClient, platform: Platform, token: str, **form: str) -> Any:
    answer = await http.post("/introspect", data={"token": token} | form, auth=platform.auth)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def resource_server(provider: Provider, *paths: str) -> Platform:
    return await new_platform(provider, introspects=list(paths))


@pytest.fixture(params=["jwt", "opaque"])
async def platform(request: pytest.FixtureRequest, provider: Provider) -> Platform:
    return await new_platform(provider, OWN, access_token_format=request.param)


@pytest.fixture
async def person(provider: Provider) -> Person:
    return await provider.add_person()


async def test_a_client_sees_what_its_tokens_are(
    provider: Provider, platform: Platform, person: Person
) -> None:
    """INTRO-01; RFC 7662 §2.2."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, scope="openid email")
        now = int(provider.clock.now.timestamp())
        told = await introspect(http, platform, tokens["access_token"])
        refresh = await introspect(http, platform, tokens["refresh_token"])
    subject = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"]
    assert len(told.pop("jti")) >= 22
    assert told.pop("auth_time") <= now
    assert told == {
        "active": True,
        "iss": ISSUER,
        "sub": subject,
        "aud": ISSUER,
        "client_id": platform.client.client_id,
        "scope": "openid email",
        "token_type": "Bearer",
        "iat": now,
        "exp": now + 600,
        "acr": f"{ISSUER}/acr/vn-1",
    }
    assert refresh == {
        "active": True,
        "iss": ISSUER,
        "sub": subject,
        "client_id": platform.client.client_id,
        "scope": "openid email",
        "iat": now,
        "exp": now + 30 * 86400,
    }


async def test_a_token_of_the_clients_own(provider: Provider, platform: Platform) -> None:
    async with provider.http() as http:
        content = await http.post("/token", data={"grant_type": "client_credentials"}, auth=platform.auth)
        told = await introspect(http, platform, content.json()["access_token"])
    assert (told["active"], told["sub"]) == (True, platform.client.client_id)
    assert "acr" not in told


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "id_token", ""])
async def test_a_hint_decides_nothing(
    provider: Provider, platform: Platform, person: Person, hint: str
) -> None:
    """RFC 7662 §2.1."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        for name in ("access_token", "refresh_token"):
            told = await introspect(http, platform, tokens[name], token_type_hint=hint)
            assert told["active"] is True


@pytest.mark.parametrize("token", ["", " ", "unknown", "a.b.c", "a" * 4000, "é", "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_token_is_inactive(provider: Provider, platform: Platform, token: str) -> None:
    async with provider.http() as http:
        answer = await http.post("/introspect", data={"token": token}, auth=platform.auth)
    if token:
        assert (answer.status_code, answer.json()) == (200, INACTIVE)
    else:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_an_id_token_is_none_either(provider: Provider, platform: Platform, person: Person) -> None:
    """RFC 8725 §3.11; abuse class 7."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        assert await introspect(http, platform, tokens["id_token"]) == INACTIVE


async def test_another_client_learns_nothing(provider: Provider, platform: Platform, person: Person) -> None:
    """RFC 7662 §4; abuse classes 7, 24."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        for stranger in (await new_platform(provider), await resource_server(provider, "/account-links")):
            for name in ("access_token", "refresh_token"):
                assert await introspect(http, stranger, tokens[name]) == INACTIVE


async def test_a_resource_server_learns_of_tokens_for_its_resource(
    provider: Provider, platform: Platform, person: Person
) -> None:
    """RFC 7662 §2; RFC 8707: by the audience, and refresh tokens are for nobody else."""
    server = await resource_server(provider, "/userinfo")
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, resource=f"{ISSUER}/userinfo")
        told = await introspect(http, server, tokens["access_token"])
        assert (told["active"], told["aud"]) == (True, f"{ISSUER}/userinfo")
        assert await introspect(http, server, tokens["refresh_token"]) == INACTIVE


async def end_by_time(provider: Provider, platform: Platform, person: Person, link_id: str) -> None:
    provider.clock.advance(hours=13)


async def lock_citizen(provider: Provider, platform: Platform, person: Person, link_id: str) -> None:
    await set_citizen_status(provider, person, CitizenStatus.LOCKED)


async def suspend_link(provider: Provider, platform: Platform, person: Person, link_id: str) -> None:
    await move_link(provider, link_id, Status.SUSPENDED)


async def end_link(provider: Provider, platform: Platform, person: Person, link_id: str) -> None:
    await move_link(provider, link_id, Status.ENDED)


async def withdraw_consent(provider: Provider, platform: Platform, person: Person, link_id: str) -> None:
    uow = provider.unit_of_work()
    uow.consents.withdraw(person.citizen_id, platform.client.client_id, provider.clock.now)
    await uow.commit()


async def raise_the_level(provider: Provider, platform: Platform, person: Person, link_id: str) -> None:
    await change_client(provider, platform.client.client_id, policy=LinkPolicy(min_acr=Acr.VN_3))


@pytest.mark.parametrize(
    "happens", [end_by_time, lock_citizen, suspend_link, end_link, withdraw_consent, raise_the_level]
)
async def test_what_no_longer_stands_is_inactive_at_once(
    provider: Provider, platform: Platform, person: Person, happens: Any
) -> None:
    """Abuse class 27 (KC CVE-2026-8922), 17, P8: and the resource says the same."""
    server = await resource_server(provider, "/userinfo")
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, resource=f"{ISSUER}/userinfo")
        link_id = tokens["authorization_details"][0]["link_id"]
        await happens(provider, platform, person, link_id)
        for held, asking in (
            ("access_token", server),
            ("access_token", platform),
            ("refresh_token", platform),
        ):
            assert await introspect(http, asking, tokens[held]) == INACTIVE
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).status_code == 401


async def test_tokens_of_a_suspended_client_are_inactive(
    provider: Provider, platform: Platform, person: Person
) -> None:
    server = await resource_server(provider, "/userinfo")
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, resource=f"{ISSUER}/userinfo")
        await suspend_client(provider, platform.client.client_id)
        assert await introspect(http, server, tokens["access_token"]) == INACTIVE


async def test_a_rotated_refresh_token_is_inactive(
    provider: Provider, platform: Platform, person: Person
) -> None:
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        fresh = (await platform.refresh(http, tokens["refresh_token"])).json()
        assert await introspect(http, platform, tokens["refresh_token"]) == INACTIVE
        assert (await introspect(http, platform, fresh["refresh_token"]))["active"] is True


async def test_nobody_asks_without_proving_who_they_are(provider: Provider) -> None:
    """RFC 7662 §2.1: or tokens could be tried."""
    platform = await new_platform(provider)
    public = await new_platform(provider, {"token_endpoint_auth_method": "none"})
    async with provider.http() as http:
        for form, auth in (
            ({}, None),
            ({"client_id": platform.client.client_id}, None),
            ({"client_id": public.client.client_id}, None),
            ({}, (platform.client.client_id, "wrong")),
        ):
            answer = await http.post("/introspect", data={"token": "x"} | form, auth=auth)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert (await http.get("/introspect", params={"token": "x"})).status_code == 405
        missing = await http.post("/introspect", data={}, auth=platform.auth)
        twice = await http.post(
            "/introspect",
            content="token=a&token=b",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=platform.auth,
        )
    for answer in (missing, twice):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("algorithm", [None, "ES256", "PS256"])
async def test_a_signed_response_is_for_its_reader_alone(
    provider: Provider, person: Person, algorithm: str | None
) -> None:
    """RFC 9701 §4, §5, §6: asked for in Accept; RS256 where nothing is registered."""
    metadata = {} if algorithm is None else {"introspection_signed_response_alg": algorithm}
    platform = await new_platform(provider, OWN | metadata)
    accept = {"Accept": "application/json;q=0.5, Application/Token-Introspection+JWT"}
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        keys = jwt.PyJWKSet.from_dict((await http.get("/jwks")).json())
        for token, is_active in ((tokens["access_token"], True), (secrets.token_urlsafe(), False)):
            answer = await http.post("/introspect", data={"token": token}, auth=platform.auth, headers=accept)
            assert answer.headers["content-type"] == "application/token-introspection+jwt"
            assert answer.headers["cache-control"] == "no-store"
            header = jwt.get_unverified_header(answer.text)
            assert (header["typ"], header["alg"]) == ("token-introspection+jwt", algorithm or "RS256")
            claims = jwt.decode(
                answer.text,
                keys[header["kid"]],
                algorithms=[header["alg"]],
                audience=platform.client.client_id,
                issuer=ISSUER,
                options={"verify_iat": False},
            )
            assert claims.keys() == {"iss", "aud", "iat", "token_introspection"}
            assert claims["token_introspection"]["active"] is is_active
            if not is_active:
                assert claims["token_introspection"] == INACTIVE


async def test_a_signed_response_is_no_access_token(
    provider: Provider, platform: Platform, person: Person
) -> None:
    """RFC 9701 §8.1, RFC 8725 §3.11."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        accept = {"Accept": "application/token-introspection+jwt"}
        form = {"token": tokens["access_token"]}
        response = (await http.post("/introspect", data=form, auth=platform.auth, headers=accept)).text
        answer = await http.get("/userinfo", headers={"Authorization": f"Bearer {response}"})
        assert answer.status_code == 401
        assert await introspect(http, platform, response) == INACTIVE


async def test_under_message_signing_there_is_no_other_response(provider: Provider) -> None:
    """FAPI 2.0 Message Signing §5.5; an assertion is spent here as everywhere (abuse class 8)."""
    signer = await message_signing_platform(provider)
    form = {"token": "unknown"} | signer.assertion()
    async with provider.http() as http:
        answer = await http.post("/introspect", data=form)
        again = await http.post("/introspect", data=form)
    assert answer.headers["content-type"] == "application/token-introspection+jwt"
    assert jwt.get_unverified_header(answer.text)["alg"] == "ES256"
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
