"""Where am I signed in? Over HTTP, on both engines: what is shown, what ends, and whose it is."""

import re

import httpx
import pytest

from tests.support.html_forms import Html
from tests.support.platform import Platform, query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def sign_in(browser: httpx.AsyncClient, person: Person) -> None:
    form = {"identifier": person.personal_number, "password": person.password}
    assert (await browser.post("/sign-in/my", data=form)).status_code == 303


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/my/sessions")).status_code == 200


def session_ids(page: httpx.Response) -> list[str]:
    return [value for name, value in _hidden(page) if name == "session"]


def _hidden(page: httpx.Response) -> list[tuple[str, str]]:
    return re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)


def token_on(page: httpx.Response) -> str:
    return dict(_hidden(page))["csrf"]


async def test_every_session_is_shown_with_its_networks_and_this_one_first(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    here_platform = await new_platform(provider, {"client_name": "Chợ Phiên"}, min_acr="vn-1")
    there_platform = await new_platform(provider, {"client_name": "Quán Gió"}, min_acr="vn-1")
    async with provider.http() as here, provider.http() as there:
        await here_platform.tokens_for(here, person, None)
        provider.clock.advance(minutes=5)
        await there_platform.tokens_for(there, person, None)
        page = await here.get("/my/sessions?lang=en")
        mine, other = page.text.split('<li class="card')[1:]
        assert "This browser" in mine
        assert ("Chợ Phiên" in mine, "Quán Gió" in mine) == (True, False)
        assert ("Chợ Phiên" in other, "Quán Gió" in other) == (False, True)
        assert f"{ISSUER}/my/sessions" in Html((await here.get("/my")).text).links


async def test_one_session_ends_in_one_click_and_this_one_lives_on(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as here, provider.http() as there:
        await sign_in(here, person)
        await sign_in(there, person)
        page = await here.get("/my/sessions")
        own, other = session_ids(page)
        form = {"csrf": token_on(page), "session": other}
        answer = await here.post("/my/sessions/end", data=form)
        assert answer.headers["location"] == f"{ISSUER}/my/sessions"
        assert not await is_signed_in(there)
        assert session_ids(await here.get("/my/sessions")) == [own]
        again = await here.post("/my/sessions/end", data=form)
        assert again.status_code == 303, "pressed twice, nothing is wrong"


async def test_ending_this_session_is_signing_out(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as here:
        await sign_in(here, person)
        page = await here.get("/my/sessions")
        form = {"csrf": token_on(page), "session": session_ids(page)[0]}
        answer = await here.post("/my/sessions/end", data=form)
        assert answer.headers["location"] == f"{ISSUER}/signed-out"
        assert "lienket-session" not in here.cookies
        assert not await is_signed_in(here)


async def test_all_others_end_at_once(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    stranger = await provider.add_person(has_totp=False)
    async with provider.http() as here, provider.http() as a, provider.http() as b, provider.http() as c:
        for browser in (here, a, b):
            await sign_in(browser, person)
        await sign_in(c, stranger)
        form = Html((await here.get("/my/sessions")).text).forms["end-others"]
        await here.post(form.action, data=form.fields)
        signed_in = [await is_signed_in(browser) for browser in (here, a, b, c)]
        assert signed_in == [True, False, False, True]
        assert "end-others" not in Html((await here.get("/my/sessions")).text).forms


async def test_class_24_nobody_ends_the_session_of_another(provider: Provider) -> None:
    person, stranger = [await provider.add_person(has_totp=False) for _ in range(2)]
    async with provider.http() as mine, provider.http() as theirs:
        await sign_in(mine, person)
        await sign_in(theirs, stranger)
        victim = session_ids(await theirs.get("/my/sessions"))[0]
        csrf = token_on(await mine.get("/my/sessions"))
        answers = [
            await mine.post("/my/sessions/end", data={"csrf": csrf, "session": wanted})
            for wanted in (victim, "unknown", "", "x" * 100, "\x01", "ü")
        ]
        assert {answer.status_code for answer in answers} == {404}, "another's looks exactly like none"
        assert await is_signed_in(theirs)


async def test_class_15_no_other_site_ends_a_session(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as here:
        await sign_in(here, person)
        page = await here.get("/my/sessions")
        good = {"csrf": token_on(page), "session": session_ids(page)[0]}
        for path in ("/my/sessions/end", "/my/sessions/end-others"):
            for fields, headers in (
                (good | {"csrf": "0" * 64}, {}),
                ({"session": good["session"]}, {}),
                (good, {"Origin": "https://evil.example"}),
            ):
                answer = await here.post(path, data=fields, headers=headers)
                assert answer.status_code == 403
        assert await is_signed_in(here)


async def test_many_sessions_are_paged_and_each_is_shown_once(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    browsers = [provider.http() for _ in range(23)]
    for number, browser in enumerate(browsers):
        await sign_in(browser, person)
        provider.clock.advance(seconds=number % 2)
    here, seen, address = browsers[11], [], "/my/sessions"
    while address:
        page = await here.get(address)
        seen += session_ids(page)
        nexts = [link for link in Html(page.text).links if "before=" in link and "lang=" not in link]
        address = nexts[0] if nexts else ""
    assert len(seen) == len(set(seen)) == 23
    for nonsense in ("x", "1.", "9" * 40 + ".x", "-1.x", "1.\x00", "²."):
        assert (await here.get("/my/sessions", params={"before": nonsense})).status_code == 200
    for browser in browsers:
        await browser.aclose()


async def test_sessions_that_are_over_are_not_shown(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as here, provider.http() as idle:
        await sign_in(idle, person)
        provider.clock.advance(minutes=31)
        await sign_in(here, person)
        assert len(session_ids(await here.get("/my/sessions"))) == 1


async def test_the_networks_of_an_ended_session_are_told(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    platform: Platform = await new_platform(provider, min_acr="vn-1")
    async with provider.http() as here, provider.http() as there:
        await sign_in(here, person)
        await platform.tokens_for(there, person, None)
        form = Html((await here.get("/my/sessions")).text).forms["end-others"]
        await here.post(form.action, data=form.fields)
        answer = await there.get("/authorize", params=platform.request(None, prompt="none"))
        assert query_of(answer.headers["location"])["error"] == "login_required"
    waiting = await provider.unit_of_work().outbox_overview.page()
    assert person.citizen_id in {delivery.content.get("citizen_id") for delivery in waiting}
