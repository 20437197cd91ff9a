"""What a member of the sample network may do, why not, and what helps: by the policy, on the pages."""

from datetime import timedelta

import httpx
import pytest

from clients.relying_party import AccountLink, RequestRefusedError
from clients.social_network import Settings, create_app
from clients.social_network.words import VIETNAMESE
from tests.clients.fake_party import ADDRESS, ISSUER, FakeRelyingParty, link, send, sign_in
from tests.clients.scripted_provider import NOW

pytestmark = pytest.mark.anyio


async def test_selling_live_needs_a_link_first(browser: httpx.AsyncClient, party: FakeRelyingParty) -> None:
    assert (await browser.get("/live")).headers["location"] == "/"
    assert (await send(browser, "/live", text="x")).headers["location"] == "/"
    await sign_in(browser)
    page = (await browser.get("/live")).text
    assert 'id="live-locked"' in page
    assert 'value="livestream_commerce"' in page
    await send(browser, "/link", feature="livestream_commerce")
    assert (party.asked[0]["purpose"], party.asked[0]["max_age"]) == ("livestream_commerce", None)
    back = await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-1")
    assert back.headers["location"] == "/live"
    assert '<form id="live"' in (await browser.get("/live")).text


async def test_a_sign_in_that_is_too_old_is_asked_for_anew(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    party.receipt = "kept as it came"
    await sign_in(browser)
    await link(browser, party)
    assert "read_receipt kept as it came" in party.calls
    assert (await send(browser, "/live", text="Chè sen")).status_code == 303
    assert f"{VIETNAMESE['live_post']} Chè sen" in (await browser.get("/")).text
    party.now += timedelta(minutes=16)
    page = (await browser.get("/live")).text
    assert VIETNAMESE["lack_not_fresh"] in page
    assert '<form id="step-up"' in page
    assert (await send(browser, "/live", text="Chè sen")).status_code == 403
    assert '<form id="composer"' in (await browser.get("/")).text, "a post needs no fresh sign-in"
    await send(browser, "/link", feature="livestream_commerce")
    asked = party.asked[-1]
    assert (asked["acr_values"], asked["max_age"], asked["claims"]) == (["vn-2"], 900, None)
    await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-2")
    page = (await browser.get("/live")).text
    assert VIETNAMESE["notice_confirmed"] in page
    assert '<form id="live"' in page
    assert 'class="wrong"' in (await send(browser, "/live", text=" ")).text


async def test_what_only_an_office_lifts_has_no_button(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    party.level = "vn1"
    await sign_in(browser)
    await link(browser, party)
    page = (await browser.get("/live")).text
    assert VIETNAMESE["lack_proofing_too_low"] in page
    assert 'action="/link"' not in page


async def test_a_feature_that_is_none_begins_nothing(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    assert (await send(browser, "/link", feature="delete")).headers["location"] == "/"
    assert party.calls == []


@pytest.mark.parametrize(
    ("status", "notice"),
    [("suspended", "notice_suspended"), ("lapsed", "notice_ended"), ("active", "notice_checked"), (None, "")],
)
async def test_tokens_that_are_over_are_not_taken_for_an_end(
    settings: Settings, party: FakeRelyingParty, status: str | None, notice: str
) -> None:
    async def read_link(link_id: str) -> AccountLink:
        if status is None:
            raise RequestRefusedError("no_such_link", status=404)
        return AccountLink(
            *(link_id, "acc", None, None, "pairwise-lan", status, "vn2", "vn-2", NOW, None, None, None)
        )

    app = create_app(settings, connect=party.connect, clock=lambda: party.now, read_link=read_link)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as browser:
        await sign_in(browser)
        await link(browser, party)
        for _ in range(2):
            party.now += timedelta(seconds=2)
            party.told = {"account_link": {"status": "?"}}
            await send(browser, "/check-link")
            page = (await browser.get("/settings")).text
            assert VIETNAMESE[notice or "notice_ended"] in page
            assert VIETNAMESE[f"status_{status or 'ended'}"] in page
            assert 'id="check-link"' in page
    app.state.network.store.close()
