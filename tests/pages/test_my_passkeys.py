"""With which passkeys do I sign in? Over HTTP on both engines: added, named, removed, and whose they are."""

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest

from idp.authenticators.passkey_models import AuthenticatorModel, PasskeyPolicy
from idp.web import passkeys as rules
from tests.support.html_forms import Html
from tests.support.own_browser import OwnBrowser, own_browser, told, written_down
from tests.support.passkeys import (
    ROAMING,
    authenticator_of,
    credential_ids,
    give_passkey,
    options_on,
    sign_in_by_passkey,
)
from tests.support.provider import ISSUER, Provider
from tests.support.software_authenticator import SoftwareAuthenticator

pytestmark = pytest.mark.anyio

PAGE, NEW = "/my/passkeys", "/my/passkeys/new"


async def add(
    browser: OwnBrowser,
    authenticator: SoftwareAuthenticator,
    name: str = "",
    page: httpx.Response | None = None,
) -> httpx.Response:
    page = page or await browser.page(NEW)
    form = Html(page.text).forms["passkey"]
    sent = {**form.fields, "name": name, "credential": authenticator.create(options_on(page))}
    return await browser.http.post(form.action, data=sent)


async def addresses(browser: OwnBrowser) -> list[str]:
    """Return where each passkey has its own page."""
    links = Html((await browser.page(PAGE)).text).links
    return [link for link in links if link.startswith(f"{ISSUER}{PAGE}/") and not link.endswith("/new")]


async def test_a_passkey_is_added_told_and_signs_in(provider: Provider) -> None:
    person, authenticator = await provider.add_person(), authenticator_of(provider)
    async with own_browser(provider, person) as browser, provider.http() as other:
        await browser.sign_in()
        page = await browser.page(NEW)
        asked = json.loads(options_on(page))
        assert asked["user"]["name"] == "Nguyễn Thị Lan (giả lập)"
        assert person.personal_number not in page.text
        added = await add(browser, authenticator, "  Điện thoại\tcủa mẹ ", page)
        assert added.headers["location"] == f"{ISSUER}{PAGE}?done=added"
        listed = await browser.page(f"{PAGE}?done=added")
        assert "Điện thoại của mẹ" in listed.text
        assert (await sign_in_by_passkey(other, authenticator)).status_code == 303
    assert await told(provider, person) == [("authenticator_added", "passkey")]
    assert await written_down(provider, person) == [("authenticator:added", "passkey")]


async def test_several_devices_have_one_each(provider: Provider) -> None:
    person = await provider.add_person()
    phone, key = authenticator_of(provider), authenticator_of(provider, **ROAMING)
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        await add(browser, phone, "Điện thoại")
        again = await browser.page(NEW)
        assert len(credential_ids(options_on(again), "excludeCredentials")) == 1
        await add(browser, key, "Chìa khoá", again)
        page = await browser.page(f"{PAGE}?lang=en")
        assert "with your provider, for all your devices there" in page.text
        assert "on one device or security key" in page.text
        accepted = json.loads(unescape(re.findall(r'data-accepted="([^"]*)"', page.text)[0]))
        assert len(accepted["allAcceptedCredentialIds"]) == 2
        assert len(await addresses(browser)) == 2


async def test_without_a_name_it_is_called_by_its_place(provider: Provider) -> None:
    person = await provider.add_person()
    aaguid = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        await add(browser, authenticator_of(provider, aaguid=aaguid))
        await add(browser, authenticator_of(provider))
        page = await browser.page(f"{PAGE}?lang=en")
    assert "Google Password Manager" in page.text
    assert "Passkey without a name" in page.text


async def test_a_name_is_changed_and_is_only_text(provider: Provider) -> None:
    person = await provider.add_person()
    await give_passkey(provider, person, authenticator_of(provider), "Cũ")
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        [address] = await addresses(browser)
        form = Html((await browser.page(address)).text).forms["name"]
        name = "<b>" + "Mới\x07\u202e" * 20
        done = await browser.http.post(form.action, data={**form.fields, "name": name})
        assert done.headers["location"] == f"{ISSUER}{PAGE}?done=named"
        page = await browser.page(PAGE)
        assert "&lt;b&gt;Mới" in page.text
        assert ("<b>Mới" in page.text, "\u202e" in page.text, "Cũ" in page.text) == (False, False, False)


async def test_a_removed_passkey_lets_nobody_in(provider: Provider) -> None:
    person, authenticator = await provider.add_person(), authenticator_of(provider)
    await give_passkey(provider, person, authenticator)
    async with own_browser(provider, person) as browser, provider.http() as other:
        await browser.sign_in()
        [address] = await addresses(browser)
        form = Html((await browser.page(address)).text).forms["remove"]
        done = await browser.http.post(form.action, data=form.fields)
        assert done.headers["location"] == f"{ISSUER}{PAGE}?done=removed"
        assert await addresses(browser) == []
        assert (await sign_in_by_passkey(other, authenticator)).status_code == 400
        twice = await browser.http.post(form.action, data=form.fields)
        assert twice.status_code == 404
    assert (await told(provider, person))[0] == ("authenticator_removed", "passkey")


async def test_the_last_way_in_stays(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    authenticator, second = authenticator_of(provider), authenticator_of(provider)
    await give_passkey(provider, person, authenticator)
    async with own_browser(provider, person) as browser:
        await sign_in_by_passkey(browser.http, authenticator)
        [address] = await addresses(browser)
        page = await browser.page(f"{address}?lang=en")
        assert "remove" not in Html(page.text).forms
        assert "your only way to sign in" in page.text
        csrf = Html(page.text).forms["name"].fields["csrf"]
        refused = await browser.http.post(f"{address}/remove", data={"csrf": csrf})
        assert refused.headers["location"] == address
        await add(browser, second)
        first, _ = await addresses(browser)
        done = await browser.http.post(f"{first}/remove", data={"csrf": csrf})
        assert done.headers["location"].endswith("done=removed")


async def test_another_persons_passkey_looks_like_none(provider: Provider) -> None:
    """Abuse case 24."""
    person, other = await provider.add_person(), await provider.add_person()
    theirs = await give_passkey(provider, other, authenticator_of(provider), "Của người khác")
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        csrf = Html((await browser.page(NEW)).text).forms["passkey"].fields["csrf"]
        address = f"{PAGE}/{theirs.passkey_id}"
        unknown = await browser.http.get(f"{PAGE}/nothing")
        found = await browser.http.get(address)
        assert (found.status_code, unknown.status_code) == (404, 404)
        for action in ("name", "remove"):
            for path in (address, f"{PAGE}/%00"):
                answer = await browser.http.post(f"{path}/{action}", data={"csrf": csrf, "name": "x"})
                assert answer.status_code == 404
    assert "Của người khác" in [
        each.name for each in await provider.unit_of_work().passkeys.of_citizen(other.citizen_id, limit=9)
    ]


async def test_adding_takes_two_proofs_of_these_minutes(provider: Provider) -> None:
    """NIST SP 800-63B 4.1.2: a stolen password alone does not make two factors of itself."""
    strong, weak = await provider.add_person(), await provider.add_person(has_totp=False)
    async with own_browser(provider, strong) as browser, own_browser(provider, weak) as thief:
        await thief.sign_in()
        assert "needs=activation" in (await thief.http.get(NEW)).headers["location"]
        await browser.sign_in()
        page = await browser.page(NEW)
        provider.clock.advance(minutes=11)
        late = await add(browser, authenticator_of(provider), page=page)
        assert late.headers["location"] == f"{ISSUER}/sign-in/passkeys.new"
        assert (await browser.http.get(NEW)).headers["location"] == f"{ISSUER}/sign-in/passkeys.new"
    assert await provider.unit_of_work().passkeys.count(strong.citizen_id) == 0


async def test_a_sign_in_on_the_way_leads_back_to_the_passkey(provider: Provider) -> None:
    person, authenticator = await provider.add_person(), authenticator_of(provider)
    passkey = await give_passkey(provider, person, authenticator)
    async with provider.http() as http:
        asked = await http.get(f"{PAGE}/{passkey.passkey_id}")
        answer = await sign_in_by_passkey(http, authenticator, asked.headers["location"])
    assert answer.headers["location"] == f"{ISSUER}{PAGE}/{passkey.passkey_id}"


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        ({"verifies": False}, "not_verified"),
        ({"origin": "https://attacker.example"}, "failed"),
        ({"aaguid": "0d3a6b5e-7f0c-4c8e-9a52-2f6b3f1f7c11"}, "not_trusted"),
    ],
)
async def test_what_is_wrong_with_a_new_one_is_said_and_the_name_stays(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, lie: dict[str, Any], problem: str
) -> None:
    person, authenticator = await provider.add_person(), authenticator_of(provider)
    for name, value in lie.items():
        setattr(authenticator, name, value)
    refused = AuthenticatorModel(authenticator.aaguid, "Hỏng", is_refused=problem == "not_trusted")
    policy = PasskeyPolicy(models={authenticator.aaguid: refused})
    monkeypatch.setitem(provider.state, "context", replace(provider.context, passkey_policy=policy))
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        answer = await add(browser, authenticator, "Máy bảng")
    assert answer.status_code == 400
    assert f'data-problem="{problem}"' in answer.text
    assert Html(answer.text).forms["passkey"].fields["name"] == "Máy bảng"
    assert "lienket" not in answer.headers.get("set-cookie", "")


async def test_a_page_answers_once_and_an_id_is_known_once(provider: Provider) -> None:
    """WebAuthn 7.1 step 26."""
    person, other = await provider.add_person(), await provider.add_person()
    authenticator = authenticator_of(provider)
    async with own_browser(provider, person) as browser, own_browser(provider, other) as stranger:
        await browser.sign_in()
        page = await browser.page(NEW)
        sent = authenticator.create(options_on(page))
        fields = {**Html(page.text).forms["passkey"].fields, "credential": sent}
        first = await browser.http.post(NEW, data=fields)
        second = await browser.http.post(NEW, data=fields)
        assert first.headers["location"].endswith("done=added")
        assert 'data-problem="known"' in second.text
        uow = provider.unit_of_work()
        [passkey] = await uow.passkeys.of_citizen(person.citizen_id, limit=2)
        uow.passkeys.revoke(person.citizen_id, passkey.passkey_id, "removed", provider.clock.now)
        await uow.commit()
        third = await browser.http.post(NEW, data=fields)
        assert 'data-problem="known"' in third.text
        await stranger.sign_in()
        theirs = Html((await stranger.page(NEW)).text).forms["passkey"].fields
        fourth = await stranger.http.post(NEW, data={**theirs, "credential": sent})
        assert 'data-problem="outdated"' in fourth.text


async def test_there_is_an_end_to_how_many(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_PASSKEYS", 1)
    monkeypatch.setattr("idp.pages.my_passkeys.MOST_PASSKEYS", 1)
    person = await provider.add_person()
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        page = await browser.page(NEW)
        await add(browser, authenticator_of(provider), page=page)
        refused = await add(browser, authenticator_of(provider))
        assert 'data-problem="too_many"' in refused.text
        assert f"{ISSUER}{NEW}" not in Html((await browser.page(PAGE)).text).links


async def test_no_form_without_its_token(provider: Provider) -> None:
    person = await provider.add_person()
    passkey = await give_passkey(provider, person, authenticator_of(provider))
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        for path in (NEW, f"{PAGE}/{passkey.passkey_id}/name", f"{PAGE}/{passkey.passkey_id}/remove"):
            assert (await browser.http.post(path, data={"csrf": "x"})).status_code == 403


async def test_what_many_windows_added_at_once_is_all_shown_and_can_all_be_removed(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Additions at the same moment all count twenty at most: whoever was in once hides none behind them."""
    person, many = await provider.add_person(), range(rules.MOST_PASSKEYS + 2)
    with monkeypatch.context() as unbounded:
        unbounded.setattr(rules, "MOST_PASSKEYS", len(many))
        given = [await give_passkey(provider, person, authenticator_of(provider)) for _ in many]
    async with own_browser(provider, person) as browser:
        await browser.sign_in()
        assert len(await addresses(browser)) == len(given)
        csrf = (await browser.form("/my/security", "sign-out")).fields["csrf"]
        for each in given:
            path = f"{PAGE}/{each.passkey_id}"
            assert (await browser.http.get(path)).status_code == 200
            removed = await browser.http.post(f"{path}/remove", data={"csrf": csrf})
            assert removed.headers["location"].endswith("done=removed")
