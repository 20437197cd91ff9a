"""Codes on paper, over HTTP on both engines: shown once, counted, replaced, void."""

import re

import httpx
import pytest

from idp.store.writes import GateClosedError
from tests.support.html_forms import Html
from tests.support.own_browser import OwnBrowser, own_browser, told, written_down
from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio

PAGE = "/my/recovery-codes"
CODE = re.compile(r"[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{5}")


def codes_on(page: httpx.Response) -> list[str]:
    return CODE.findall(page.text)


async def made(browser: OwnBrowser) -> list[str]:
    page = await browser.press(PAGE, "new-codes")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    return codes_on(page)


async def test_ten_codes_are_shown_once_and_never_again(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        codes = await made(browser)
        assert len(set(codes)) == 10
        assert (await provider.unit_of_work().recovery_codes.find_owner(codes[0])) == person.citizen_id
        for path in (PAGE, "/my/security", "/my/activity", "/my/notices", "/my/activity/export"):
            page = await browser.page(path)
            assert not set(codes_on(page)) & set(codes)
            assert not any(code.replace("-", "") in page.text for code in codes)
        assert "10 of 10" in (await browser.page(PAGE)).text
        assert "10 codes left" in (await browser.page("/my/security")).text
    assert await told(provider, person) == [("authenticator_added", "recovery_codes")]
    assert await written_down(provider, person) == [("authenticator:added", "recovery_codes")]


async def test_new_codes_void_the_old_ones_and_used_ones_are_counted(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        old = await made(browser)
        provider.clock.advance(seconds=1)
        new = await made(browser)
        uow = provider.unit_of_work()
        uow.recovery_codes.use(person.citizen_id, old[0], provider.clock.now)
        with pytest.raises(GateClosedError):
            await uow.commit()
        uow.recovery_codes.use(person.citizen_id, new[0].lower(), provider.clock.now)
        await uow.commit()
        assert "9 of 10" in (await browser.page(PAGE)).text


async def test_codes_are_made_void(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        codes = await made(browser)
        form = await browser.form(PAGE, "remove-codes")
        provider.clock.advance(seconds=1)
        for _ in range(2):
            assert (await browser.send(form)).headers["location"] == f"{ISSUER}{PAGE}"
        assert await provider.unit_of_work().recovery_codes.find_owner(codes[0]) is None
        assert "remove-codes" not in Html((await browser.page(PAGE)).text).forms
    assert await told(provider, person) == [
        ("authenticator_removed", "recovery_codes"),
        ("authenticator_added", "recovery_codes"),
    ]


async def test_a_password_alone_makes_no_codes(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        answer = await browser.press(PAGE, "new-codes")
        assert answer.headers["location"] == f"{ISSUER}/my/security?needs=activation"
        assert await provider.unit_of_work().recovery_codes.find_set(person.citizen_id) is None


async def test_no_other_site_makes_codes_or_voids_them(provider: Provider) -> None:
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        codes = await made(browser)
        csrf = (await browser.form(PAGE, "new-codes")).fields["csrf"]
        for path in (PAGE, f"{PAGE}/remove"):
            for fields, headers in (
                ({"csrf": "x"}, {}),
                ({"csrf": csrf}, {"Origin": "https://evil.example"}),
            ):
                assert (await browser.http.post(path, data=fields, headers=headers)).status_code == 403
        assert await provider.unit_of_work().recovery_codes.find_owner(codes[0]) == person.citizen_id
