"""An app that shows codes, over HTTP on both engines: set up, confirmed, shown once, replaced, removed."""

import re
from dataclasses import replace

import httpx
import pyotp
import pytest

from tests.support.html_forms import Html
from tests.support.own_browser import OwnBrowser, own_browser, told, written_down
from tests.support.provider import ISSUER, Person, Provider

pytestmark = pytest.mark.anyio

PAGE = "/my/authenticator-app"


def secret_on(page: httpx.Response) -> str:
    return Html(page.text).ids["secret"].replace(" ", "")


async def begun(browser: OwnBrowser) -> tuple[httpx.Response, str]:
    page = await browser.press(PAGE, "new-app")
    assert page.status_code == 200, page.headers
    return page, secret_on(page)


async def confirmed(browser: OwnBrowser, page: httpx.Response, code: str) -> httpx.Response:
    return await browser.send(Html(page.text).forms["confirm-app"], code=code)


def code_of(secret: str, provider: Provider) -> str:
    return pyotp.TOTP(secret).at(provider.clock.now)


async def secret_kept(provider: Provider, person: Person) -> str | None:
    record = await provider.unit_of_work().authenticators.find(person.citizen_id)
    assert record is not None
    return record.totp_secret


async def test_a_new_app_counts_when_its_code_was_right_and_the_old_one_no_more(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page, secret = await begun(browser)
        assert await secret_kept(provider, person) == person.totp_secret, "not before it is confirmed"
        code = code_of(secret, provider)
        answer = await confirmed(browser, page, code)
        assert answer.headers["location"] == f"{ISSUER}/my/security?done=totp"
        assert "an authenticator app" in (await browser.page("/my/security?done=totp")).text
        assert await secret_kept(provider, person) == secret
        async with own_browser(provider, person) as another:
            with pytest.raises(AssertionError):
                await another.sign_in()  # the old app
            used = await another.http.post("/second-factor/security", data={"code": code})
            assert used.status_code == 400, "the code that confirmed it is used up"
        async with own_browser(provider, replace(person, totp_secret=secret)) as another:
            await another.sign_in()
    assert await told(provider, person) == [("authenticator_added", "totp")]
    assert await written_down(provider, person) == [("authenticator:added", "totp")]


async def test_a_secret_is_shown_while_it_is_set_up_and_never_again(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page, secret = await begun(browser)
        assert re.fullmatch(r"[A-Z2-7]{32}", secret)
        assert page.headers["cache-control"] == "no-store"
        assert 'class="qr"' in page.text
        await confirmed(browser, page, code_of(secret, provider))
        for path in (PAGE, "/my/security", "/my/activity", "/my/notices", "/my/activity/export"):
            later = await browser.page(path)
            assert secret not in later.text.replace(" ", "")
            assert "otpauth:" not in later.text
        assert (await browser.page(f"{PAGE}/confirm")).status_code in {404, 405}


async def test_a_wrong_code_changes_nothing_and_can_be_typed_again(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page, secret = await begun(browser)
        for wrong in ("000000", "", "12345", "x" * 40, "ü"):
            page = await confirmed(browser, page, wrong)
            assert page.status_code == 400
            assert secret_on(page) == secret
        assert await secret_kept(provider, person) == person.totp_secret
        assert (await confirmed(browser, page, code_of(secret, provider))).status_code == 303


async def test_a_form_confirms_once_so_that_nobody_brings_a_removed_secret_back(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page, secret = await begun(browser)
        assert (await confirmed(browser, page, code_of(secret, provider))).status_code == 303
        provider.clock.advance(seconds=1)
        assert (await browser.press(PAGE, "remove-app")).status_code == 303
        assert await secret_kept(provider, person) is None
        provider.clock.advance(seconds=30)
        again = await confirmed(browser, page, code_of(secret, provider))
        assert again.status_code == 400
        assert await secret_kept(provider, person) is None
    assert (await told(provider, person))[0] == ("authenticator_removed", "totp")


async def test_what_was_sealed_for_another_session_or_altered_confirms_nothing(provider: Provider) -> None:
    person, stranger = [await provider.add_person() for _ in range(2)]
    async with own_browser(provider, person) as browser, own_browser(provider, stranger) as other:
        await browser.sign_in()
        await other.sign_in()
        page, _ = await begun(browser)
        theirs, secret = await begun(other)
        form = Html(page.text).forms["confirm-app"]
        foreign = Html(theirs.text).forms["confirm-app"].fields["pending"]
        for pending in (foreign, form.fields["pending"][:-8], "", "?", "ü", "x" * 600, "AAAA" * 40):
            answer = await browser.send(form, pending=pending, code=code_of(secret, provider))
            assert answer.status_code == 400
        assert await secret_kept(provider, person) == person.totp_secret


async def test_a_page_that_was_open_too_long_begins_anew(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page, secret = await begun(browser)
        provider.clock.advance(minutes=15)
        await browser.sign_in()
        provider.clock.advance(minutes=15)
        await browser.sign_in()
        answer = await confirmed(browser, page, code_of(secret, provider))
        assert (answer.status_code, "Please begin anew" in answer.text) == (400, True)


async def test_a_password_alone_adds_no_app(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        answer = await browser.press(PAGE, "new-app")
        assert answer.headers["location"] == f"{ISSUER}/my/security?needs=activation"
        page = await browser.page("/my/security?needs=activation")
        assert "needs-activation" in Html(page.text).ids
        assert f"{ISSUER}/activate" in Html(page.text).links
        assert "needs-activation" not in Html((await browser.page("/my/security")).text).ids


async def test_after_ten_minutes_whoever_changes_something_signs_in_again(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        form = await browser.form(PAGE, "new-app")
        provider.clock.advance(minutes=11)
        answer = await browser.send(form)
        assert answer.headers["location"] == f"{ISSUER}/sign-in/authenticator-app"


async def test_no_other_site_sets_an_app_up_or_removes_it(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        csrf = (await browser.form(PAGE, "new-app")).fields["csrf"]
        for path in (PAGE, f"{PAGE}/confirm", f"{PAGE}/remove"):
            for fields, headers in (
                ({"csrf": "0" * 64}, {}),
                ({"csrf": ""}, {}),
                ({"csrf": csrf}, {"Origin": "https://evil.example"}),
            ):
                answer = await browser.http.post(path, data=fields, headers=headers)
                assert answer.status_code == 403
        assert await secret_kept(provider, person) == person.totp_secret


async def test_removing_twice_is_told_once(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        form = await browser.form(PAGE, "remove-app")
        for _ in range(2):
            answer = await browser.send(form)
            assert answer.headers["location"] == f"{ISSUER}{PAGE}"
        assert "remove-app" not in Html((await browser.page(PAGE)).text).forms
    assert await told(provider, person) == [("authenticator_removed", "totp")]
