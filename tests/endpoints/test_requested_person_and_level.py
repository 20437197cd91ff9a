"""Whom the platform means, and how strongly they must sign in. OpenID Connect Core §3.1.2.2, §5.5.1."""

import json
from typing import Any

import httpx
import jwt
import pytest

from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


def essential_acr(*values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": list(values)}}})


def requested_sub(**asked: Any) -> str:
    return json.dumps({"id_token": {"sub": asked}})


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


async def told(http: httpx.AsyncClient, platform: Platform, **changes: Any) -> dict[str, str]:
    answer = await http.get("/authorize", params=platform.request(None, **changes))
    return query_of(answer.headers["location"])


async def test_an_essential_level_is_stepped_up_to(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    level = f"{ISSUER}/acr/vn-2"
    async with provider.http() as http:
        plain = claims_of(await platform.tokens_for(http, person, None))
        assert plain["acr"] == f"{ISSUER}/acr/vn-1"
        claims = essential_acr("urn:unknown", level)
        silent = await told(http, platform, prompt="none", claims=claims)
        assert silent["error"] == "interaction_required"
        stepped = claims_of(await platform.tokens_for(http, person, None, claims=claims))
    assert stepped["acr"] == level
    assert "mfa" in stepped["amr"]


async def test_the_level_that_is_told_is_one_of_those_asked_for(provider: Provider) -> None:
    """§5.5.1.1: "MUST return an acr Claim Value that matches one of the requested values", refreshed too."""
    platform, person = await new_platform(provider), await provider.add_person()
    low, high = f"{ISSUER}/acr/vn-1", f"{ISSUER}/acr/vn-2"
    async with provider.http() as http:
        strong = await platform.tokens_for(http, person, None, acr_values=high)
        assert claims_of(strong)["acr"] == high
        tokens = await platform.tokens_for(http, person, None, claims=essential_acr(low))
        refreshed = (await platform.refresh(http, tokens["refresh_token"])).json()
    assert claims_of(tokens)["acr"] == claims_of(refreshed)["acr"] == low


@pytest.mark.parametrize("value", [f"{ISSUER}/acr/vn-4", "urn:mace:incommon:iap:silver"])
async def test_a_level_that_cannot_be_reached_is_unmet(provider: Provider, value: str) -> None:
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        await platform.tokens_for(http, person, None)
        answer = await told(http, platform, claims=essential_acr(value))
        assert answer.keys() == {"error", "error_description", "state", "iss"}
        assert answer["error"] == "unmet_authentication_requirements"
        silent = await told(http, platform, claims=essential_acr(value), prompt="none")
        assert silent["error"] == "unmet_authentication_requirements"


async def test_a_person_who_lacks_the_factor_signs_in_and_the_answer_is_final(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        request = platform.request(None, claims=essential_acr(f"{ISSUER}/acr/vn-2"))
        first = await http.get("/authorize", params=request)
        answer = query_of(await go_on(provider, http, person, first))
        assert answer["error"] == "unmet_authentication_requirements"
        again = await http.get(first.headers["location"].replace("/sign-in/", "/authorize/"))
    assert again.status_code == 400
    assert "error-reference" in Html(again.text).ids


@pytest.mark.parametrize(
    "claims",
    [
        {"id_token": {"acr": {"essential": True}}},
        {"id_token": {"acr": {"value": "urn:unknown"}}},
        {"userinfo": {"acr": {"essential": True, "value": "urn:unknown"}}},
        {"id_token": {"acr": None, "sub": None, "unknown": {"essential": True, "value": [1]}}},
    ],
    ids=json.dumps,
)
async def test_what_is_no_condition_stops_nobody(provider: Provider, claims: dict[str, Any]) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        answer = await platform.answer_for(http, person, None, claims=json.dumps(claims))
    assert "code" in query_of(answer)


async def test_a_person_asked_for_by_sub_is_the_only_one_who_is_answered_for(provider: Provider) -> None:
    """Core §3.1.2.2: "MUST NOT reply with an ID Token or Access Token for a different user"."""
    platform, person = await new_platform(provider), await provider.add_person()
    another = await provider.add_person(name="Trần Văn Bình")
    async with provider.http() as http:
        subject = claims_of(await platform.tokens_for(http, person, None))["sub"]
        assert "code" in await told(http, platform, claims=requested_sub(value=subject))
        assert "code" in await told(
            http, platform, claims=requested_sub(values=["x", subject]), prompt="none"
        )
        for asked in ({"value": "somebody"}, {"values": ["somebody"]}, {"value": 7}, {"value": True}):
            silent = await told(http, platform, claims=requested_sub(**asked), prompt="none")
            assert silent["error"] == "login_required"
            page = await http.get("/authorize", params=platform.request(None, claims=requested_sub(**asked)))
            assert "/sign-in/" in page.headers["location"]
        provider.clock.advance(seconds=1)
        request = platform.request(None, claims=requested_sub(value=subject), prompt="login")
        page = await http.get("/authorize", params=request)
        answer = query_of(await go_on(provider, http, another, page))
        assert answer["error"] == "login_required"
        page = await http.get("/authorize", params=request)
        assert "code" in query_of(await go_on(provider, http, person, page))


async def test_somebody_else_than_the_hint_means_is_not_answered_for_after_signing_in_either(
    provider: Provider,
) -> None:
    """Core §3.1.2.1 (id_token_hint): "otherwise, the Authorization Server MUST return an error"."""
    platform, person = await new_platform(provider), await provider.add_person()
    another = await provider.add_person(name="Trần Văn Bình")
    async with provider.http() as own, provider.http() as http:
        hint = (await platform.tokens_for(own, person, None))["id_token"]
        page = await http.get("/authorize", params=platform.request(None, id_token_hint=hint))
        assert query_of(await go_on(provider, http, another, page))["error"] == "login_required"
        provider.clock.advance(seconds=1)
        page = await http.get("/authorize", params=platform.request(None, id_token_hint=hint))
        assert "code" in query_of(await go_on(provider, http, person, page))


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "hologram", "\u202e"])
@pytest.mark.parametrize("locales", ["vi", "en-GB fr", "xx-!! \u202e", "a" * 4000])
async def test_wishes_about_the_page_never_break_it(provider: Provider, display: str, locales: str) -> None:
    """AUTHZ-13."""
    platform = await new_platform(provider)
    wishes = {"display": display, "ui_locales": locales, "claims_locales": locales}
    async with provider.http() as http:
        page = await http.get("/authorize", params=platform.request(None, **wishes))
        assert (await http.get(page.headers["location"])).status_code == 200
