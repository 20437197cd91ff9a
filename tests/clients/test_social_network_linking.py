"""A link on the sample network: how it comes back, fails kindly, is checked and ends."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from clients.relying_party import (
    AuthorizationRefusedError,
    GrantRefusedError,
    ProviderUnavailableError,
    RelyingPartyError,
    RequestRefusedError,
    TokenError,
)
from clients.social_network import Settings, create_app
from clients.social_network.words import VIETNAMESE
from tests.clients.fake_party import ADDRESS, ISSUER, FakeRelyingParty, link, send, sign_in

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (AuthorizationRefusedError("access_denied"), "error_access_denied"),
        (AuthorizationRefusedError("temporarily_unavailable"), "error_unavailable"),
        (AuthorizationRefusedError("invalid_scope"), "error_other"),
        (ProviderUnavailableError("no answer"), "error_unavailable"),
        (GrantRefusedError("invalid_grant"), "error_late"),
        (RequestRefusedError("invalid_client"), "error_other"),
        (TokenError("another account"), "error_other"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_a_linking_that_fails_is_explained_and_links_nothing(
    browser: httpx.AsyncClient, party: FakeRelyingParty, failure: RelyingPartyError, words: str
) -> None:
    await sign_in(browser)
    await send(browser, "/link")
    party.failure = failure
    back = await browser.get(f"/callback?error=x&iss={ISSUER}&state=state-1")
    assert back.headers["location"] == "/settings"
    page = (await browser.get("/settings")).text
    assert 'id="link-error"' in page
    assert VIETNAMESE[words] in page
    assert str(failure) not in page
    assert 'id="badge-verified"' not in page


async def test_a_provider_that_is_away_at_the_start_is_explained(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    party.failure = ProviderUnavailableError("no answer")
    assert (await send(browser, "/link")).headers["location"] == "/settings"
    assert VIETNAMESE["error_unavailable"] in (await browser.get("/settings")).text


async def test_an_answer_serves_once_and_only_in_its_own_session(
    settings: Settings, browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    again = await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-1")
    assert again.status_code == 400
    assert 'id="link-error"' in again.text

    await send(browser, "/link")
    victim = httpx.AsyncClient(transport=browser._transport, base_url=ADDRESS)
    await sign_in(victim, "minh")
    forged = await victim.get(f"/callback?code=c&iss={ISSUER}&state=state-2")
    assert forged.status_code == 400
    assert party.calls.count("finish") == 1
    assert (await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-2")).status_code == 303


async def test_an_answer_that_comes_an_hour_late_is_not_used(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await send(browser, "/link")
    party.now += timedelta(hours=1)
    assert (await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-1")).status_code == 400


async def test_the_provider_is_asked_only_when_the_member_asks(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    await send(browser, "/sign-out")
    await sign_in(browser)
    await send(browser, "/posts", text="Vẫn đây")
    assert party.calls == ["start_linking", "finish"]
    assert (await send(browser, "/check-link")).headers["location"] == "/settings"
    assert party.calls[2:] == ["refresh rt-2 pairwise-lan", "userinfo at pairwise-lan"]
    assert VIETNAMESE["notice_checked"] in (await browser.get("/settings")).text
    await send(browser, "/check-link")
    assert party.calls[4] == "refresh rt-3 pairwise-lan", "the new refresh token was kept"


@pytest.mark.parametrize(
    "told", [None, {"account_link": {"status": "suspended"}}, {"account_link": "?"}], ids=repr
)
async def test_a_link_that_the_provider_no_longer_knows_locks_the_composer(
    browser: httpx.AsyncClient, party: FakeRelyingParty, told: dict[str, Any] | None
) -> None:
    await sign_in(browser)
    await link(browser, party)
    if told is None:
        party.failure = GrantRefusedError("invalid_grant")
    else:
        party.told = told
    await send(browser, "/check-link")
    page = (await browser.get("/settings")).text
    assert VIETNAMESE["notice_ended"] in page
    assert VIETNAMESE["status_ended"] in page
    assert '<form id="link-account"' in page
    assert 'id="composer-locked"' in (await browser.get("/")).text
    assert (await send(browser, "/posts", text="Còn không?")).status_code == 403
    calls = len(party.calls)
    await send(browser, "/check-link")
    assert len(party.calls) == calls, "an ended link is not asked about again"
    await link(browser, party)
    assert '<form id="composer"' in (await browser.get("/")).text


@pytest.mark.parametrize("has_refresh_token", [True, False])
async def test_an_outage_over_there_locks_nobody_out(
    browser: httpx.AsyncClient, party: FakeRelyingParty, *, has_refresh_token: bool
) -> None:
    party.has_refresh_token = has_refresh_token
    await sign_in(browser)
    await link(browser, party)
    party.now += timedelta(minutes=20)
    party.failure = ProviderUnavailableError("no answer")
    await send(browser, "/check-link")
    assert VIETNAMESE["error_unavailable"] in (await browser.get("/settings")).text
    assert '<form id="composer"' in (await browser.get("/")).text


async def test_a_link_past_its_date_is_not_worn(browser: httpx.AsyncClient, party: FakeRelyingParty) -> None:
    await sign_in(browser)
    await link(browser, party)
    party.now += timedelta(days=731)
    await sign_in(browser)
    assert VIETNAMESE["status_lapsed"] in (await browser.get("/settings")).text
    assert 'id="badge-verified"' not in (await browser.get("/@lan")).text


async def test_a_restart_keeps_members_and_links(
    settings: Settings, browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    app = create_app(settings, connect=party.connect, clock=lambda: party.now)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=ADDRESS, cookies=browser.cookies
        ) as later,
    ):
        assert 'id="badge-verified"' in (await later.get("/")).text
