"""Signing out of the sample network: here, in both places, and when the provider says so."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from clients.relying_party import LoggedOut, ProviderUnavailableError
from clients.social_network import Settings, create_app
from tests.clients.fake_party import ADDRESS, ISSUER, FakeRelyingParty, csrf, link, send, sign_in
from tests.clients.scripted_provider import NOW

pytestmark = pytest.mark.anyio


def over(subject: str = "pairwise-lan", sid: str | None = "sid-lan", jti: str = "jti-1") -> LoggedOut:
    return LoggedOut(subject, sid, jti, NOW + timedelta(minutes=3))


async def tell(browser: httpx.AsyncClient, token: str = "t") -> httpx.Response:
    """Post a logout token as the provider does: without cookie, origin or form token."""
    transport = browser._transport
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as provider:
        return await provider.post("/backchannel-logout", data={"logout_token": token})


async def is_member(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/settings")).status_code == 200


async def test_a_session_that_is_over_at_the_provider_is_over_here(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    party.over = over()
    answer = await tell(browser)
    assert (answer.status_code, answer.headers["cache-control"], answer.content) == (200, "no-store", b"")
    assert not await is_member(browser)


@pytest.mark.parametrize(
    "told", [over(sid="another"), over(subject="another"), over(subject="another", sid=None)]
)
async def test_nobody_elses_session_is_ended(
    browser: httpx.AsyncClient, party: FakeRelyingParty, told: LoggedOut
) -> None:
    await sign_in(browser)
    await link(browser, party)
    party.over = told
    assert (await tell(browser)).status_code == 200
    assert await is_member(browser)


async def test_without_a_session_named_all_of_the_person_end(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    party.over = over(sid=None)
    await tell(browser)
    assert not await is_member(browser)


async def test_a_session_that_was_never_linked_lives_on(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    party.over = over(sid=None)
    await tell(browser)
    assert await is_member(browser)


async def test_a_copy_of_a_token_is_refused(browser: httpx.AsyncClient, party: FakeRelyingParty) -> None:
    party.over = over()
    assert (await tell(browser)).status_code == 200
    again = await tell(browser)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_request"})
    party.now += timedelta(minutes=4)
    assert (await tell(browser)).status_code == 200, "by then the token itself is too old to pass"


async def test_what_cannot_be_verified_ends_nothing(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    assert (await tell(browser, "forged")).status_code == 400
    for body in (b"", b"logout_token=a&logout_token=b", b"\xff", b"x" * 10_000):
        answer = await browser.post("/backchannel-logout", content=body)
        assert answer.status_code == 400
    party.failure = ProviderUnavailableError("no keys")
    assert (await tell(browser)).status_code == 503, "it comes again"
    assert await is_member(browser)


async def test_signing_out_in_both_places_ends_here_first(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    assert "sign-out-everywhere" not in (await browser.get("/settings")).text, "nothing to end there"
    await link(browser, party)
    assert "sign-out-everywhere" in (await browser.get("/settings")).text
    answer = await send(browser, "/sign-out-everywhere")
    assert answer.headers["location"] == f"{ISSUER}/end_session?id_token_hint=id-token-lan"
    assert party.calls[-1] == f"end_session_url id-token-lan {ADDRESS}/"
    assert not await is_member(browser)


async def test_a_provider_that_is_away_locks_nobody_in(settings: Settings, tmp_path: Path) -> None:
    party = FakeRelyingParty()
    app = create_app(settings, connect=party.connect, clock=lambda: party.now)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as browser:
        await sign_in(browser)
        await link(browser, party)
        party.failure = ProviderUnavailableError("no answer")
        answer = await send(browser, "/sign-out-everywhere")
        assert answer.headers["location"] == "/"
        assert not await is_member(browser)


async def test_signing_out_here_leaves_the_provider_alone(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    await link(browser, party)
    calls = list(party.calls)
    assert (await send(browser, "/sign-out")).headers["location"] == "/"
    assert party.calls == calls
    assert not await is_member(browser)


async def test_no_other_site_signs_anybody_out(browser: httpx.AsyncClient, party: FakeRelyingParty) -> None:
    await sign_in(browser)
    await link(browser, party)
    good = await csrf(browser)
    for path in ("/sign-out", "/sign-out-everywhere"):
        assert (await browser.post(path, data={"csrf": "0" * 64})).status_code == 400
        answer = await browser.post(path, data={"csrf": good}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 400
    assert await is_member(browser)
