"""Revocation: what a client gives back is worth nothing anywhere, from the next request on."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from idp.store.tables import audit_events
from tests.support.platform import Platform
from tests.support.provider import Person, Provider
from tests.support.shared_provider import new_platform
from tests.support.signing_platform import signing_platform

pytestmark = pytest.mark.anyio

OWN: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid account_links.read",
}


async def revoke(http: httpx.AsyncClient, platform: Platform, token: str, **form: str) -> tuple[int, str]:
    answer = await http.post("/revoke", data={"token": token} | form, auth=platform.auth)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.text and answer.json()["error"]


async def is_active(http: httpx.AsyncClient, platform: Platform, token: str) -> bool:
    answer = await http.post("/introspect", data={"token": token}, auth=platform.auth)
    active: bool = answer.json()["active"]
    return active


async def opens(http: httpx.AsyncClient, token: str, path: str = "/userinfo") -> bool:
    answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {200, 401, 404}
    return answer.status_code != 401


async def events(provider: Provider, platform: Platform) -> list[str]:
    rows = await provider.context.database.fetch_all(
        select(audit_events)
        .where(audit_events.c.client_id == platform.client.client_id)
        .where(audit_events.c.type.like("%:revoked")),
        {},
    )
    return sorted(f"{row['type']} by {row['actor_kind']}" for row in rows)


@pytest.fixture(params=["jwt", "opaque"])
async def platform(request: pytest.FixtureRequest, provider: Provider) -> Platform:
    return await new_platform(provider, OWN, access_token_format=request.param)


@pytest.fixture
async def person(provider: Provider) -> Person:
    return await provider.add_person()


@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "access_token"}])
async def test_a_refresh_token_takes_its_family_along(
    provider: Provider, platform: Platform, person: Person, hint: dict[str, str]
) -> None:
    """INTRO-04; RFC 7009 §2.1; a wrong hint changes nothing. Twice is as good as once."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        fresh = (await platform.refresh(http, tokens["refresh_token"])).json()
        for _ in range(2):
            assert await revoke(http, platform, fresh["refresh_token"], **hint) == (200, "")
        for held in (tokens, fresh):
            assert not await opens(http, held["access_token"])
            assert not await is_active(http, platform, held["access_token"])
            refused = await platform.refresh(http, held["refresh_token"])
            assert refused.json()["error"] == "invalid_grant"
    assert await events(provider, platform) == ["grant:revoked by client"]


async def test_only_types_that_can_be_revoked_are_taken(
    provider: Provider, platform: Platform, person: Person
) -> None:
    """INTRO-03; RFC 7009 §2.2.1: whoever sends an ID token is told, instead of believing it gone."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        told = await revoke(http, platform, tokens["refresh_token"], token_type_hint="id_token")
        assert told == (400, "unsupported_token_type")
        assert (await platform.refresh(http, tokens["refresh_token"])).status_code == 200


async def test_a_rotated_refresh_token_is_still_its_familys(
    provider: Provider, platform: Platform, person: Person
) -> None:
    """RFC 7009 §2.1: whoever signs out with the token they have kept means the whole."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        fresh = (await platform.refresh(http, tokens["refresh_token"])).json()
        assert await revoke(http, platform, tokens["refresh_token"]) == (200, "")
        assert not await is_active(http, platform, fresh["refresh_token"])


async def test_an_access_token_goes_alone(provider: Provider, platform: Platform, person: Person) -> None:
    """RFC 7009 §2.1; abuse class 27: refused at the resource and inactive at once."""
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        fresh = (await platform.refresh(http, tokens["refresh_token"])).json()
        for _ in range(2):
            assert await revoke(http, platform, tokens["access_token"]) == (200, "")
        assert not await opens(http, tokens["access_token"])
        assert not await is_active(http, platform, tokens["access_token"])
        assert await opens(http, fresh["access_token"])
        assert await is_active(http, platform, fresh["refresh_token"])
    assert set(await events(provider, platform)) == {"access_token:revoked by client"}


async def test_a_token_of_the_clients_own_goes_as_well(provider: Provider, platform: Platform) -> None:
    async with provider.http() as http:
        form = {"grant_type": "client_credentials"}
        answers = [await http.post("/token", data=form, auth=platform.auth) for _ in range(2)]
        token, other = (answer.json()["access_token"] for answer in answers)
        assert await revoke(http, platform, token) == (200, "")
        assert not await opens(http, token, "/account-links/unknown")
        assert not await is_active(http, platform, token)
        assert await opens(http, other, "/account-links/unknown")


@pytest.mark.parametrize("token", ["unknown", "a.b.c", "x" * 4000, "é"])
async def test_what_is_no_token_is_revoked_already(
    provider: Provider, platform: Platform, token: str
) -> None:
    """INTRO-03; RFC 7009 §2.2: the client's purpose is achieved."""
    async with provider.http() as http:
        assert await revoke(http, platform, token) == (200, "")
    assert await events(provider, platform) == []


async def test_so_is_a_token_that_is_over(provider: Provider, platform: Platform, person: Person) -> None:
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        provider.clock.advance(minutes=10)
        assert await revoke(http, platform, tokens["access_token"]) == (200, "")
    assert await events(provider, platform) == []


async def test_another_clients_token_is_refused_and_lives_on(
    provider: Provider, platform: Platform, person: Person
) -> None:
    """RFC 7009 §2.1; INTRO-03; abuse classes 7, 24."""
    stranger = await new_platform(provider)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        for name in ("access_token", "refresh_token"):
            assert await revoke(http, stranger, tokens[name]) == (400, "unauthorized_client")
            assert await is_active(http, platform, tokens[name])


async def test_a_public_client_says_who_it_is(provider: Provider, person: Person) -> None:
    """RFC 7009 §2.1: a page that signs its user out."""
    platform = await new_platform(provider, {"token_endpoint_auth_method": "none"})
    other = await new_platform(provider, {"token_endpoint_auth_method": "none"})
    named = {"client_id": platform.client.client_id}
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": platform.client.redirect_uris[0],
            "code_verifier": platform.verifier,
        }
        tokens: dict[str, Any] = (await http.post("/token", data=form | named)).json()
        stolen = {"token": tokens["refresh_token"], "client_id": other.client.client_id}
        assert (await http.post("/revoke", data=stolen)).status_code == 400
        assert await opens(http, tokens["access_token"])
        answer = await http.post("/revoke", data={"token": tokens["refresh_token"]} | named)
        assert answer.status_code == 200
        assert not await opens(http, tokens["access_token"])


async def test_nobody_revokes_without_proving_who_they_are(provider: Provider) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        for form, auth in (({}, None), ({"client_id": platform.client.client_id}, None), ({}, ("x", "y"))):
            answer = await http.post("/revoke", data={"token": "x"} | form, auth=auth)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        missing = await http.post("/revoke", data={}, auth=platform.auth)
        assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
        assert (await http.get("/revoke", params={"token": "x"})).status_code == 405


async def test_an_assertion_revokes_once(provider: Provider) -> None:
    """Abuse class 8: also one whose request was refused."""
    signer = await signing_platform(provider, {"token_endpoint_auth_method": "private_key_jwt"})
    async with provider.http() as http:
        for form in ({"token": "unknown"}, {}):
            proof = signer.assertion()
            await http.post("/revoke", data=form | proof)
            again = await http.post("/revoke", data={"token": "unknown"} | proof)
            assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
