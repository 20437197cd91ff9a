"""Everything at once: what may happen once happens once, and the losers leave nothing behind.

Fifty requests run as fifty tasks against the real application, on both engines. Domain rule R1; RFC 6749
§4.1.2, RFC 9700 §4.14.2, RFC 7523 §3, RFC 6238 §5.2; abuse cases 5, 6, 8, 18, 19, 31, P3.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from idp.protocol.grants import MAX_RETRIES
from idp.store.tables import grants, refresh_tokens
from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on, query_of
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, Person, Provider, running_provider

pytestmark = pytest.mark.anyio

AT_ONCE = 50


@pytest.fixture
async def provider(anyio_backend: str, database_url: str, tmp_path: Path) -> AsyncIterator[Provider]:
    async with running_provider(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def platform(provider: Provider) -> Platform:
    return Platform(provider, await provider.add_client(min_acr="vn-1", max_links_per_citizen=3))


async def at_once(
    ask: Callable[[int], Coroutine[Any, Any, httpx.Response]], times: int = AT_ONCE
) -> list[httpx.Response]:
    return list(await asyncio.gather(*map(ask, range(times))))


def counted(responses: list[httpx.Response]) -> Counter[str]:
    """Count answers of the token endpoint by their outcome."""
    return Counter(
        "tokens" if response.status_code == 200 else f"{response.status_code} {response.json()['error']}"
        for response in responses
    )


def won(responses: list[httpx.Response]) -> dict[str, Any]:
    (content,) = [response.json() for response in responses if response.status_code == 200]
    tokens: dict[str, Any] = content
    return tokens


async def rows(provider: Provider) -> dict[str, int]:
    """Count what the losers of a race could have left behind."""
    uow = provider.unit_of_work()
    stored = {
        "active": (await uow.account_links.counts()).get("active", 0),
        "grants": 0,
        "refresh_tokens": 0,
    }
    for table in (grants, refresh_tokens):
        (row,) = await uow.fetch_all(select(func.count().label("rows")).select_from(table))
        stored[table.name] = row["rows"]
    return stored


async def assert_revoked(platform: Platform, http: httpx.AsyncClient, tokens: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await http.get("/userinfo", headers=bearer)).status_code == 401
    assert (await platform.refresh(http, tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def code_of_new_person(platform: Platform, account_id: str | None = "acc_lan_1") -> str:
    provider = platform.provider
    async with provider.http() as browser:
        return await platform.code_for(browser, await provider.add_person(), account_id)


async def test_abuse_5_a_code_sent_fifty_times_at_once_gives_tokens_once_and_they_are_revoked(
    provider: Provider, platform: Platform
) -> None:
    code = await code_of_new_person(platform)
    async with provider.http() as backend:
        responses = await at_once(lambda _: platform.redeem(backend, code))
        assert counted(responses) == {"tokens": 1, "400 invalid_grant": AT_ONCE - 1}
        await assert_revoked(platform, backend, won(responses))
    assert await rows(provider) == {"active": 1, "grants": 1, "refresh_tokens": 1}


def assertion(client_id: str, provider: Provider, jti: str) -> dict[str, str]:
    """RFC 7523 §2.2."""
    now = provider.clock.now
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "jti": jti,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=1)).timestamp()),
    }
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sign(claims),
    }


async def signing_platform(provider: Provider) -> Platform:
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    return Platform(provider, await provider.add_client(metadata, client_id="quan-ky"))


def redemption(platform: Platform, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": platform.client.redirect_uris[0],
        "code_verifier": platform.verifier,
    }


async def test_abuse_5_the_same_with_a_fresh_assertion_each(provider: Provider) -> None:
    platform = await signing_platform(provider)
    code = await code_of_new_person(platform)
    forms = [
        redemption(platform, code) | assertion("quan-ky", provider, f"jti-{n}") for n in range(AT_ONCE + 1)
    ]
    async with provider.http() as backend:
        responses = await at_once(lambda n: backend.post("/token", data=forms[n]))
        assert counted(responses) == {"tokens": 1, "400 invalid_grant": AT_ONCE - 1}
        tokens = won(responses)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await backend.get("/userinfo", headers=bearer)).status_code == 401
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        again = assertion("quan-ky", provider, "jti-last")
        assert (await backend.post("/token", data=refresh | again)).json()["error"] == "invalid_grant"
    assert await rows(provider) == {"active": 1, "grants": 1, "refresh_tokens": 1}


async def test_abuse_8_31_one_assertion_sent_fifty_times_at_once_is_accepted_once(provider: Provider) -> None:
    platform = await signing_platform(provider)
    form = platform.request() | assertion("quan-ky", provider, "jti-1")
    async with provider.http() as backend:
        responses = await at_once(lambda _: backend.post("/par", data=form))
        assert Counter(response.status_code for response in responses) == {201: 1, 401: AT_ONCE - 1}
        refused = {response.json()["error"] for response in responses if response.status_code == 401}
        assert refused == {"invalid_client"}


async def test_abuse_p3_of_many_people_who_claim_one_account_at_once_one_has_it(
    provider: Provider, platform: Platform
) -> None:
    codes = [await code_of_new_person(platform) for _ in range(20)]
    async with provider.http() as backend:
        responses = await at_once(lambda n: platform.redeem(backend, codes[n]), len(codes))
        assert counted(responses) == {"tokens": 1, "400 invalid_grant": len(codes) - 1}
        assert await rows(provider) == {"active": 1, "grants": 1, "refresh_tokens": 1}
        userinfo = await backend.get(
            "/userinfo", headers={"Authorization": f"Bearer {won(responses)['access_token']}"}
        )
        assert userinfo.status_code == 200
        (link,) = await provider.unit_of_work().account_links.page(status="active")
        assert userinfo.json()["sub"] == link.subject
        late = [platform.redeem(backend, code) for code in codes]
        assert "tokens" not in counted(list(await asyncio.gather(*late))), "and it stays so"
    (link,) = await provider.unit_of_work().account_links.page(status="active")


async def test_abuse_p3_the_loser_is_told_why_on_a_page_and_the_platform_no_more_than_it_may_know(
    provider: Provider, platform: Platform
) -> None:
    code = await code_of_new_person(platform)
    async with provider.http() as browser:
        assert (await platform.redeem(browser, code)).status_code == 200
    loser = await provider.add_person()
    async with provider.http() as browser:
        response = await browser.get("/authorize", params=platform.request())
        with pytest.raises(AssertionError, match="403"):
            await go_on(provider, browser, loser, response)
    assert await rows(provider) == {"active": 1, "grants": 1, "refresh_tokens": 1}


async def test_abuse_p3_the_cap_holds_when_one_person_links_fifty_accounts_at_once(
    provider: Provider, platform: Platform
) -> None:
    person = await provider.add_person()
    codes = []
    async with provider.http() as browser:
        for place in range(AT_ONCE):
            provider.clock.advance(milliseconds=1)
            codes.append(await platform.code_for(browser, person, f"account-{place}"))
    async with provider.http() as backend:
        responses = await at_once(lambda n: platform.redeem(backend, codes[n]))
    assert counted(responses) == {"tokens": 3, "400 invalid_grant": AT_ONCE - 3}
    assert await rows(provider) == {"active": 3, "grants": 3, "refresh_tokens": 3}
    links = await provider.unit_of_work().account_links.page(status="active")
    assert sorted(link.place or 0 for link in links) == [1, 2, 3]


async def test_rfc9126_7_3_one_pushed_request_is_completed_once(
    provider: Provider, platform: Platform
) -> None:
    person = await provider.add_person()
    async with provider.http() as browser:
        await platform.tokens_for(browser, person)
        provider.clock.advance(seconds=1)
        request_uri = (await platform.push(browser)).json()["request_uri"]
        parameters = {"client_id": platform.client.client_id, "request_uri": request_uri}
        responses = await at_once(lambda _: browser.get("/authorize", params=parameters))
        assert Counter(response.status_code for response in responses) == {303: 1, 400: AT_ONCE - 1}
        (answer,) = [response for response in responses if response.status_code == 303]
        assert "code" in query_of(answer.headers["location"])


async def signed_in_with_password(provider: Provider, browser: httpx.AsyncClient, person: Person) -> None:
    form = {"identifier": person.personal_number, "password": person.password}
    assert (await browser.post("/sign-in/my", data=form)).status_code == 303


async def test_abuse_19_one_code_of_a_telephone_lifts_one_session(provider: Provider) -> None:
    """Somebody looked over a shoulder: the same code from many browsers, fifty times at once."""
    person = await provider.add_person()
    browsers = [provider.http() for _ in range(5)]
    for browser in browsers:
        await signed_in_with_password(provider, browser, person)
    before = [browser.cookies.get("lienket-session") for browser in browsers]
    code = {"code": person.code(provider.clock.now)}
    responses = await at_once(lambda n: browsers[n % 5].post("/second-factor/my", data=code))
    lifted = [
        response for response in responses if "lienket-session" in response.headers.get("set-cookie", "")
    ]
    assert len(lifted) == 1
    assert {response.status_code for response in responses} <= {303, 400, 429}
    uow = provider.unit_of_work()
    cookies = {browser.cookies.get("lienket-session") for browser in browsers} | set(before)
    found = [await uow.sessions.find(cookie) for cookie in cookies if cookie is not None]
    assert [one.session.context.amr for one in found if one is not None].count(("pwd", "otp", "mfa")) == 1
    for browser in browsers:
        await browser.aclose()


async def test_rfc9700_4_14_2_a_refresh_token_sent_fifty_times_has_one_successor_and_ends_its_family(
    provider: Provider, platform: Platform
) -> None:
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, await provider.add_person())
        responses = await at_once(lambda _: platform.refresh(browser, tokens["refresh_token"]))
        answered = 1 + MAX_RETRIES
        assert counted(responses) == {"tokens": answered, "400 invalid_grant": AT_ONCE - answered}
        given = [response.json() for response in responses if response.status_code == 200]
        assert len({tokens["refresh_token"] for tokens in given}) == 1
        for tokens in given:
            await assert_revoked(platform, browser, tokens)
    assert await rows(provider) == {"active": 1, "grants": 1, "refresh_tokens": 2}


async def test_abuse_18_of_a_burst_of_guesses_only_the_free_ones_are_looked_at(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as browser:

        async def guess(number: int) -> httpx.Response:
            form = {"identifier": person.personal_number, "password": f"đoán {number}"}
            return await browser.post("/sign-in/my", data=form)

        responses = await at_once(guess)
        free = provider.settings.free_password_attempts
        assert Counter(response.status_code for response in responses) == {400: free, 429: AT_ONCE - free}
        right = {"identifier": person.personal_number, "password": person.password}
        assert (await browser.post("/sign-in/my", data=right)).status_code == 429


async def test_a_link_that_ends_while_its_platform_refreshes_serves_nobody_afterwards(
    provider: Provider, platform: Platform
) -> None:
    person = await provider.add_person()
    async with provider.http() as browser, provider.http() as backend:
        tokens = await platform.tokens_for(browser, person)
        provider.clock.advance(seconds=1)
        code = await platform.code_for(browser, person)
        (link,) = await provider.unit_of_work().account_links.page(status="active")
        page = f"/my/accounts/{link.link_id}/end"
        response = await browser.get(page)
        if response.status_code == 303:
            provider.clock.advance(seconds=30)
            await browser.post("/second-factor/my", data={"code": person.code(provider.clock.now)})
            response = await browser.get(page)
        (form,) = [one.fields for one in Html(response.text).forms.values() if one.action.endswith(page)]

        async def one(number: int) -> httpx.Response:
            if number == 3:
                return await browser.post(page, data=form)
            if number % 2:
                return await platform.redeem(backend, code)
            return await platform.refresh(backend, tokens["refresh_token"])

        responses = await at_once(one, 10)
        assert responses[3].status_code == 200
        issued = [r.json() for n, r in enumerate(responses) if n != 3 and r.status_code == 200]
        for some in [tokens, *issued]:
            await assert_revoked(platform, backend, some)
        assert (await platform.redeem(backend, code)).json()["error"] == "invalid_grant"
    assert (await rows(provider))["active"] == 0
