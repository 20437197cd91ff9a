"""A step-up for a feature: the policy's requirement holds, also where the platform forgets it."""

import json
from typing import Any

import jwt
import pytest

from idp.identity.assurance import Proofing
from tests.support.platform import LINK, go_on, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

SELLING = "livestream_commerce"


def details(purpose: str = SELLING) -> str:
    return json.dumps([LINK | {"purpose": purpose}])


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


async def test_selling_leads_to_the_factor_that_is_missing(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        posting = claims_of(await platform.tokens_for(http, person))
        assert posting["acr"] == f"{ISSUER}/acr/vn-1"
        step_up = platform.request(authorization_details=details())
        answer = await http.get("/authorize", params=step_up)
        assert "/second-factor/" in answer.headers["location"]
        location = await go_on(provider, http, person, answer)
        selling = claims_of((await platform.redeem(http, query_of(location)["code"])).json())
    assert selling["acr"] == f"{ISSUER}/acr/vn-2"
    assert selling["account_link"]["link_id"] == posting["account_link"]["link_id"]


async def test_a_sign_in_that_is_too_old_is_repeated(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        step_up = platform.request(authorization_details=details())
        first = claims_of(await platform.tokens_for(http, person, authorization_details=details()))
        at_once = await http.get("/authorize", params=step_up | {"prompt": "none"})
        assert "code" in query_of(at_once.headers["location"])
        provider.clock.advance(minutes=16)
        silent = await http.get("/authorize", params=step_up | {"prompt": "none"})
        assert query_of(silent.headers["location"])["error"] == "login_required"
        again = claims_of(await platform.tokens_for(http, person, authorization_details=details()))
    assert again["acr"] == f"{ISSUER}/acr/vn-2"
    assert again["auth_time"] >= first["auth_time"] + 16 * 60


async def test_posting_is_not_held_to_what_selling_needs(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        await platform.tokens_for(http, person)
        provider.clock.advance(minutes=16)
        silent = await http.get("/authorize", params=platform.request(prompt="none"))
    assert "code" in query_of(silent.headers["location"])


async def test_who_was_proofed_remotely_may_not_sell_and_is_told_which_level_it_needs(
    provider: Provider,
) -> None:
    platform, person = await new_platform(provider), await provider.add_person(proofing=Proofing.VN1)
    async with provider.http() as http:
        await platform.tokens_for(http, person)
        answer = await http.get("/authorize", params=platform.request(authorization_details=details()))
        while answer.status_code == 303 and "/refused/" not in answer.headers["location"]:
            location = answer.headers["location"]
            if "/second-factor/" in location:
                provider.clock.advance(seconds=30)
                answer = await http.post(location, data={"code": person.code(provider.clock.now)})
            else:
                answer = await http.get(location)
        page = await http.get(answer.headers["location"], headers={"Accept-Language": "en"})
        silent = await http.get(
            "/authorize", params=platform.request(authorization_details=details(), prompt="none")
        )
    assert page.status_code == 403
    assert "Level 2" in page.text
    assert query_of(silent.headers["location"])["error"] == "access_denied"


async def test_a_purpose_that_names_no_feature_demands_nothing(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(proofing=Proofing.VN1)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, authorization_details=details("birthday_greetings"))
    assert claims_of(tokens)["acr"] == f"{ISSUER}/acr/vn-1"
