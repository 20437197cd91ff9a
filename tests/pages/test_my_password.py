"""A new password, over HTTP on both engines: what is refused, what ends, what is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.authenticators.hashing_pool import HashingOverloadedError, HashingPool
from tests.support.html_forms import Html
from tests.support.own_browser import OwnBrowser, own_browser, told, written_down
from tests.support.provider import ISSUER, PASSWORD, Provider

pytestmark = pytest.mark.anyio

PAGE = "/my/password"
NEW = "con cò bay lả bay la 7"


async def is_signed_in(browser: OwnBrowser) -> bool:
    return (await browser.page("/my/sessions")).status_code == 200


async def test_a_new_password_lets_in_and_the_old_one_no_more(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser, own_browser(provider, person) as elsewhere:
        await elsewhere.sign_in()
        await browser.sign_in()
        answer = await browser.press(PAGE, "password", password=NEW, again=NEW, elsewhere="yes")
        assert answer.headers["location"] == f"{ISSUER}/my/security?done=password"
        assert "a password" in (await browser.page("/my/security?done=password")).text
        assert await is_signed_in(browser)
        assert not await is_signed_in(elsewhere), "whoever was in with the old one is out"
        old = {"identifier": person.personal_number, "password": PASSWORD}
        assert (await elsewhere.http.post("/sign-in/my", data=old)).status_code == 400
        await replace(elsewhere, person=replace(person, password=NEW)).sign_in()
    assert await told(provider, person) == [("password_changed", "password")]
    assert await written_down(provider, person) == [("authenticator:changed", "password")]


async def test_others_stay_signed_in_where_that_is_wished(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser, own_browser(provider, person) as elsewhere:
        await elsewhere.sign_in()
        await browser.sign_in()
        form = await browser.form(PAGE, "password")
        assert form.checkboxes == {"yes": True}, "the careful answer is given beforehand"
        await browser.send(form, password=NEW, again=NEW)
        assert await is_signed_in(elsewhere)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("ngắn", "too short"),
        ("x" * 300, "too long"),
        ("maatjkhaaur123", "Many people use"),
        ("iloveyou", "Many people use"),
        ("nguyenthilan1990", "Your name or your number"),
        ("+84000765432", "Your name or your number"),
        ("tab\tulator giữa", "no keyboard types"),
    ],
)
async def test_what_is_guessed_first_is_refused_with_the_reason(
    provider: Provider, password: str, words: str
) -> None:
    person = await provider.add_person(phone_number="+84000765432")
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        answer = await browser.press(PAGE, "password", password=password, again=password)
        page = Html(answer.text)
        assert answer.status_code == 400
        assert words in page.ids["password-problem"]
        assert password not in answer.text
        assert await told(provider, person) == []
        number = await browser.press(
            PAGE, "password", password=person.personal_number, again=person.personal_number
        )
        assert "Your name or your number" in number.text


async def test_two_different_passwords_change_nothing(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        answer = await browser.press(PAGE, "password", password=NEW, again=f"{NEW}x")
        assert answer.status_code == 400
        assert "not the same" in Html(answer.text).ids["again-problem"]
        assert Html(answer.text).forms["password"].checkboxes == {"yes": False}, "as it was sent"
        assert await told(provider, person) == []


async def test_whoever_has_a_password_alone_may_change_it(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        assert (await browser.press(PAGE, "password", password=NEW, again=NEW)).status_code == 303


async def test_the_page_asks_for_a_fresh_sign_in_before_anything_is_typed(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        form = await browser.form(PAGE, "password")
        provider.clock.advance(minutes=11)
        for answer in (await browser.page(PAGE), await browser.send(form, password=NEW, again=NEW)):
            assert answer.headers["location"] == f"{ISSUER}/sign-in/password"


async def test_when_too_many_passwords_are_hashed_nothing_is_lost(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        form = await browser.form(PAGE, "password")
        full = HashingPool.run

        async def overloaded(pool: HashingPool, *args: object) -> None:
            raise HashingOverloadedError(timedelta(seconds=2))

        monkeypatch.setattr(HashingPool, "run", overloaded)
        answer = await browser.send(form, password=NEW, again=NEW)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        monkeypatch.setattr(HashingPool, "run", full)
        assert (await browser.send(form, password=NEW, again=NEW)).status_code == 303


async def test_no_other_site_changes_a_password(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        csrf = (await browser.form(PAGE, "password")).fields["csrf"]
        typed = {"password": NEW, "again": NEW}
        for fields, headers in (
            (typed, {}),
            (typed | {"csrf": "0" * 64}, {}),
            (typed | {"csrf": csrf}, {"Origin": "https://evil.example"}),
        ):
            assert (await browser.http.post(PAGE, data=fields, headers=headers)).status_code == 403
    assert await told(provider, person) == []
