"""Remembered browsers, over HTTP on both engines: what they are good for, what not, and their end."""

import re

import pytest

from tests.support.html_forms import Html
from tests.support.own_browser import OwnBrowser, own_browser, told
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PAGE = "/my/browsers"
COOKIE = "lienket-trusted"
PHONE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"


async def with_password_alone(browser: OwnBrowser) -> None:
    browser.http.cookies.delete("lienket-session")
    form = {"identifier": browser.person.personal_number, "password": browser.person.password}
    assert (await browser.http.post("/sign-in/my", data=form)).status_code == 303


def ids_on(text: str) -> list[str]:
    return re.findall(r'name="browser" value="([^"]*)"', text)


async def test_there_one_factor_is_enough_to_read_and_never_to_change(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        browser.http.headers["User-Agent"] = PHONE
        await browser.sign_in()
        answer = await browser.press(PAGE, "remember")
        assert answer.headers["location"] == f"{ISSUER}{PAGE}"
        cookie = answer.headers["set-cookie"]
        assert all(part in cookie for part in (COOKIE, "HttpOnly", "SameSite=lax", "Max-Age=7776000"))
        page = await browser.page(PAGE)
        assert "Chrome, Android" in page.text
        assert "remember" not in Html(page.text).forms, "it is remembered already"
        await with_password_alone(browser)
        for path in ("/my/accounts", "/my/security", "/my/notices", PAGE):
            assert (await browser.page(path)).status_code == 200
        forget = Html(page.text).forms["forget-all"]
        form = await browser.form("/my/authenticator-app", "remove-app")
        for path in ("/my/browsers/forget-all", "/my/sessions/end-others", "/my/authenticator-app/remove"):
            changed = await browser.http.post(path, data=form.fields)
            assert "/second-factor/" in changed.headers["location"]
        assert forget.action.endswith("/forget-all")
    assert await told(provider, person) == [("authenticator_added", "browser")]


async def test_it_never_lifts_the_level_that_a_network_is_told(provider: Provider) -> None:
    person = await provider.add_person()
    platform = await new_platform(provider, min_acr="vn-2")
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        await browser.press(PAGE, "remember")
        await with_password_alone(browser)
        answer = await browser.http.get("/authorize", params=platform.request(None))
        while "/authorize/" in answer.headers["location"]:
            answer = await browser.http.get(answer.headers["location"].removeprefix(ISSUER))
        assert "/second-factor/" in answer.headers["location"]


async def test_it_is_good_for_its_person_and_its_time_alone(provider: Provider) -> None:
    person, stranger = [await provider.add_person() for _ in range(2)]
    async with own_browser(provider, person) as browser, own_browser(provider, stranger) as other:
        await browser.sign_in()
        await browser.press(PAGE, "remember")
        other.http.cookies.set(COOKIE, browser.http.cookies[COOKIE])
        await with_password_alone(other)
        assert (await other.page("/my/accounts")).status_code == 303, "another person's cookie"
        await with_password_alone(browser)
        assert (await browser.page("/my/accounts")).status_code == 200
        provider.clock.advance(days=91)
        await with_password_alone(browser)
        assert (await browser.page("/my/accounts")).status_code == 303, "too old"


async def test_a_forgotten_browser_is_one_like_any_other(provider: Provider) -> None:
    person, stranger = [await provider.add_person() for _ in range(2)]
    async with own_browser(provider, person) as browser, own_browser(provider, stranger) as other:
        await browser.sign_in()
        await browser.press(PAGE, "remember")
        (browser_id,) = ids_on((await browser.page(PAGE)).text)
        await other.sign_in()
        await other.press(PAGE, "remember")
        csrf = (await other.form(PAGE, "forget-all")).fields["csrf"]
        for wanted in (browser_id, "unknown"):
            form = {"csrf": csrf, "browser": wanted}
            assert (await other.http.post(f"{PAGE}/forget", data=form)).status_code == 303
        for nonsense in ("", "x" * 100, "\x01", "ü"):
            form = {"csrf": csrf, "browser": nonsense}
            assert (await other.http.post(f"{PAGE}/forget", data=form)).status_code == 404
        assert ids_on((await browser.page(PAGE)).text) == [browser_id], "nobody forgets another's"
        csrf = (await browser.form(PAGE, "forget-all")).fields["csrf"]
        for _ in range(2):
            form = {"csrf": csrf, "browser": browser_id}
            assert (await browser.http.post(f"{PAGE}/forget", data=form)).status_code == 303
        await with_password_alone(browser)
        assert (await browser.page("/my/accounts")).status_code == 303
    assert await told(provider, person) == [
        ("authenticator_removed", "browser"),
        ("authenticator_added", "browser"),
    ]


async def test_all_are_forgotten_with_one_press_and_with_a_new_password(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser, own_browser(provider, person) as another:
        for each in (browser, another):
            await each.sign_in()
            await each.press(PAGE, "remember")
        form = await browser.form(PAGE, "forget-all")
        for _ in range(2):
            await browser.send(form)
        assert COOKIE not in browser.http.cookies
        assert ids_on((await browser.page(PAGE)).text) == []
        await browser.press(PAGE, "remember")
        new = "con cò bay lả bay la 7"
        await browser.press("/my/password", "password", password=new, again=new, elsewhere="yes")
        assert ids_on((await browser.page(PAGE)).text) == []


async def test_many_browsers_are_paged_and_nonsense_begins_at_the_beginning(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        for _ in range(23):
            browser.http.cookies.delete(COOKIE) if COOKIE in browser.http.cookies else None
            await browser.press(PAGE, "remember")
        seen, address = [], PAGE
        while address:
            page = await browser.page(address)
            seen += ids_on(page.text)
            nexts = [link for link in Html(page.text).links if "from=" in link]
            address = nexts[0].removeprefix(ISSUER) if nexts else ""
        assert len(seen) == len(set(seen)) == 23
        for nonsense in ("x", "-1", "9" * 40, "²", "\x00", "99999"):
            assert (await browser.http.get(PAGE, params={"from": nonsense})).status_code == 200


async def test_with_a_password_alone_there_is_nothing_to_remember(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        assert "remember" not in Html((await browser.page(PAGE)).text).forms


async def test_who_stole_a_password_reads_nothing_once_its_holder_added_a_second_factor(
    provider: Provider,
) -> None:
    """The form is not shown, and sent all the same: what is remembered must outlast no lack of a factor."""
    person = await provider.add_person(has_totp=False)
    async with own_browser(provider, person) as thief:
        await thief.sign_in()
        csrf = (await thief.form("/my/security", "sign-out")).fields["csrf"]
        refused = await thief.http.post(PAGE, data={"csrf": csrf})
        assert refused.headers["location"] == f"{ISSUER}/my/security?needs=activation"
        assert COOKIE not in thief.http.cookies
