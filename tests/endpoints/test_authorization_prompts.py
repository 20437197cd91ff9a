from typing import Any

import jwt
import pytest

from tests.support.html_forms import Html
from tests.support.platform import go_on, query_of
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


async def test_silence_succeeds_where_everything_is_known(provider: Provider) -> None:
    """AUTHZ-19, AUTHZ-20: same person, same auth_time, no page."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        first = claims_of(tokens := await platform.tokens_for(browser, person))
        provider.clock.advance(minutes=5)
        request = platform.request(prompt="none", id_token_hint=tokens["id_token"])
        answer = await browser.get("/authorize", params=request)
        code = query_of(answer.headers["location"])["code"]
        second = claims_of((await platform.redeem(browser, code)).json())
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


async def test_silence_without_consent_is_consent_required(provider: Provider) -> None:
    platform, other = await new_platform(provider), await new_platform(provider)
    person = await provider.add_person()
    async with provider.http() as browser:
        await platform.answer_for(browser, person)
        answer = await browser.get("/authorize", params=other.request(prompt="none"))
        assert query_of(answer.headers["location"])["error"] == "consent_required"
        new_account = await browser.get("/authorize", params=platform.request("acc_2", prompt="none"))
        assert query_of(new_account.headers["location"])["error"] == "consent_required"


async def test_silence_where_the_policy_refuses_tells_no_reason(provider: Provider) -> None:
    platform, person = await new_platform(provider, min_age=120), await provider.add_person()
    elsewhere = await new_platform(provider)
    async with provider.http() as browser:
        await elsewhere.answer_for(browser, person)
        answer = await browser.get("/authorize", params=platform.request(prompt="none"))
    told = query_of(answer.headers["location"])
    assert told["error"] == "access_denied"
    assert "age" not in told["error_description"]


async def test_prompt_login_always_asks_and_auth_time_moves_on(provider: Provider) -> None:
    """AUTHZ-17: also when the session is fresh, and a reload of the address does not slip past."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        before = claims_of(await platform.tokens_for(browser, person))
        provider.clock.advance(seconds=2)
        response = await browser.get("/authorize", params=platform.request(prompt="login"))
        page = response.headers["location"]
        assert "/sign-in/" in page
        past = await browser.get(page.replace("/sign-in/", "/authorize/"))
        assert "/sign-in/" in past.headers["location"], "nobody goes on without signing in"
        consent = await browser.get(page.replace("/sign-in/", "/consent/"))
        assert "/consent/" not in consent.headers["location"]
        code = query_of(await go_on(provider, browser, person, response))["code"]
        after = claims_of((await platform.redeem(browser, code)).json())
    assert after["auth_time"] > before["auth_time"]


async def test_max_age_asks_again_only_when_the_sign_in_is_older(provider: Provider) -> None:
    """AUTHZ-21."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        before = claims_of(await platform.tokens_for(browser, person))
        provider.clock.advance(seconds=5)
        enough = await browser.get("/authorize", params=platform.request(max_age="10000"))
        tokens = (await platform.redeem(browser, query_of(enough.headers["location"])["code"])).json()
        assert claims_of(tokens)["auth_time"] == before["auth_time"]
        silent = await browser.get("/authorize", params=platform.request(max_age="1", prompt="none"))
        assert query_of(silent.headers["location"])["error"] == "login_required"
        again = await platform.tokens_for(browser, person, max_age="1")
        assert claims_of(again)["auth_time"] > before["auth_time"]
        zero = await browser.get("/authorize", params=platform.request(max_age="0"))
        provider.clock.advance(seconds=1)
        zero = await browser.get("/authorize", params=platform.request(max_age="0"))
        assert "/sign-in/" in zero.headers["location"]


async def test_prompt_consent_asks_though_everything_is_remembered(provider: Provider) -> None:
    """AUTHZ-22."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        await platform.tokens_for(browser, person)
        provider.clock.advance(seconds=1)
        request = platform.request(prompt="consent", scope="openid offline_access")
        response = await browser.get("/authorize", params=request)
        assert "/consent/" in response.headers["location"]
        code = query_of(await go_on(provider, browser, person, response))["code"]
        tokens = (await platform.redeem(browser, code)).json()
    assert tokens["scope"] == "openid offline_access"


async def test_select_account_asks_who_goes_on(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        await platform.tokens_for(browser, person)
        provider.clock.advance(seconds=1)
        silent = await browser.get("/authorize", params=platform.request(prompt="none select_account"))
        assert query_of(silent.headers["location"])["error"] == "invalid_request"
        response = await browser.get("/authorize", params=platform.request(prompt="select_account"))
        page = await browser.get(response.headers["location"])
        form = Html(page.text).forms["account-choice"]
        assert ("choice", "continue") in form.buttons
        nothing = await browser.post(form.action, data={"choice": "neither"})
        assert "/account-choice/" in nothing.headers["location"]
        chosen = await browser.post(form.action, data={"choice": "continue"})
        assert "code" in query_of(await go_on(provider, browser, person, chosen))


async def test_it_is_not_me_signs_the_other_person_out(provider: Provider) -> None:
    """Abuse class 15: whoever was signed in is not any more, whether or not another follows."""
    platform, person = await new_platform(provider), await provider.add_person()
    another = await provider.add_person(name="Trần Văn Bình")
    async with provider.http() as browser:
        first = claims_of(await platform.tokens_for(browser, person))
        provider.clock.advance(seconds=1)
        response = await browser.get("/authorize", params=platform.request("acc_2", prompt="select_account"))
        other = await browser.post(response.headers["location"], data={"choice": "other"})
        assert "/sign-in/" in other.headers["location"]
        silent = await browser.get("/authorize", params=platform.request(prompt="none"))
        assert query_of(silent.headers["location"])["error"] == "login_required"
        code = query_of(await go_on(provider, browser, another, other))["code"]
        second = claims_of((await platform.redeem(browser, code)).json())
    assert second["sub"] != first["sub"]
    assert second["sid"] != first["sid"]


async def test_a_registered_default_age_holds_where_none_is_asked_for(provider: Provider) -> None:
    platform = await new_platform(provider, {"default_max_age": 60})
    person = await provider.add_person()
    async with provider.http() as browser:
        await platform.tokens_for(browser, person)
        provider.clock.advance(seconds=61)
        response = await browser.get("/authorize", params=platform.request())
    assert "/sign-in/" in response.headers["location"]


async def test_a_hint_that_means_somebody_else_is_not_answered_with_whoever_is_here(
    provider: Provider,
) -> None:
    """OIDC Core §3.1.2.1, §3.1.2.6; abuse classes 11, 15: another's token, another client's, a forged one."""
    platform, elsewhere = await new_platform(provider), await new_platform(provider)
    person, another = await provider.add_person(), await provider.add_person(name="Trần Văn Bình")
    async with provider.http() as http, provider.http() as other:
        own = await platform.tokens_for(http, person)
        of_another = await platform.tokens_for(other, another, "acc_2")
        of_another_client = await elsewhere.tokens_for(other, another)
        unsigned = own["id_token"].rpartition(".")[0] + "."
        for hint in (
            of_another["id_token"],
            of_another_client["id_token"],
            own["access_token"],
            unsigned,
            "nonsense",
        ):
            request = platform.request(id_token_hint=hint)
            silent = await http.get("/authorize", params=request | {"prompt": "none"})
            assert query_of(silent.headers["location"])["error"] == "login_required"
            assert "/sign-in/" in (await http.get("/authorize", params=request)).headers["location"]
        provider.clock.advance(hours=1)
        expired = platform.request(id_token_hint=own["id_token"])
        await platform.answer_for(http, person)
        answer = await http.get("/authorize", params=expired | {"prompt": "none"})
        assert "code" in query_of(answer.headers["location"]), "a hint may be old"
