"""The pages on which a person answers requests from elsewhere, on both engines."""

import pytest

from tests.support.decoupled import (
    answer_newest,
    arrive,
    ciba_platform,
    device_platform,
    known_person,
    press,
    type_code,
    waiting_for,
)
from tests.support.html_forms import Html
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import suspend_client

pytestmark = pytest.mark.anyio


async def test_signing_in_comes_first_and_leads_to_what_was_wanted(provider: Provider) -> None:
    """Back to the request, the list or the device's code, over both factors."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        await ciba.asked(http, person)
        (address,) = await waiting_for(provider, phone, person)
    for path, form in (
        ("/approvals", "sign-out"),
        (address.removeprefix(ISSUER), "approval"),
        ("/device", "device"),
        ("/device?user_code=bcdf+ghjk", "device"),
    ):
        async with provider.http() as browser:
            first = await browser.get(path)
            sign_in = await browser.get(first.headers["location"])
            assert "Đăng nhập để trả lời" in sign_in.text
            page = Html((await arrive(provider, browser, person, path)).text)
            assert form in page.forms, path
            if "user_code" in path:
                assert page.forms["device"].fields["user_code"] == "BCDF-GHJK"


@pytest.mark.parametrize("visit", ["approvals.", "approvals.a/b", "device.<x>", "my.x", "elsewhere", "."])
async def test_an_address_of_no_visit_is_none(provider: Provider, visit: str) -> None:
    """Abuse class 3: whatever stands there, nobody is led away from here."""
    async with provider.http() as browser:
        answer = await browser.get(f"/sign-in/{visit}")
    assert answer.status_code in {200, 400, 404}
    assert "location" not in answer.headers


async def test_the_page_says_who_asks_what_for_and_since_when_and_ticks_nothing(provider: Provider) -> None:
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    claims = {"userinfo": {"age_over_18": {"purpose": "bán rượu"}, "name": None}}
    async with provider.http() as http, provider.http() as phone:
        await ciba.asked(http, person, binding_message="Đơn hàng 1234", claims=claims)
        (address,) = await waiting_for(provider, phone, person)
        listed = await phone.get("/approvals")
        page = await phone.get(address)
        read = Html(page.text)
        assert "Đơn hàng 1234" in Html(listed.text).text
        assert read.ids["binding-message"] == "Đơn hàng 1234"
        for said in ("Quán Cóc", f"{ciba.client_id}.example", "bán rượu", "Nguyễn Thị Lan (giả lập)"):
            assert said in read.text, said
        form = read.forms["approval"]
        assert form.checkboxes == {"name": False}
        assert form.buttons == [("decision", "deny"), ("decision", "allow")]
        assert page.headers["cache-control"] == "no-store"
        assert page.text.count("<script") == page.text.count("/static/connection.js") == 1
        english = await phone.get(address, params={"lang": "en"})
        assert "Did you ask" in english.text


async def test_my_accounts_says_that_something_waits(provider: Provider) -> None:
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        quiet = await arrive(provider, phone, person, "/my")
        assert f"{ISSUER}/approvals" in Html(quiet.text).links
        assert "đang chờ bạn trả lời" not in quiet.text
        for _ in range(2):
            await ciba.asked(http, person)
        busy = await phone.get("/my")
        assert "Số yêu cầu đang chờ bạn trả lời: 2." in Html(busy.text).text
        assert f"{ISSUER}/approvals" in Html(busy.text).links


async def test_an_answer_is_kept_as_the_proof_of_what_was_shown(provider: Provider) -> None:
    """PDPL Art. 9; rule R7: agreed to, offered and refused, in words of one version and one language."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    claims = {"userinfo": {"name": None, "birthdate": None}}
    async with provider.http() as http, provider.http() as phone:
        await ciba.asked(http, person, claims=claims)
        await answer_newest(provider, phone, person, ticked=("birthdate", "phone_number"))
        provider.clock.advance(seconds=1)
        await ciba.asked(http, person, claims=claims)
        done = await answer_newest(provider, phone, person, "deny")
        assert "Xong: không có gì được chuyển đi" in done.text
    decided = await provider.unit_of_work().consents.of_citizen(person.citizen_id, 10)
    denied, allowed = [consent for consent in decided if consent.client_id == ciba.client_id]
    assert (allowed.decision, allowed.claims) == ("allow", frozenset({"birthdate"}))
    assert allowed.offered == frozenset({"name", "birthdate"})
    assert (denied.decision, denied.claims) == ("deny", frozenset())
    assert {allowed.ui_locale, denied.ui_locale} == {"vi"}
    assert allowed.reason == "first_time"


async def test_what_was_answered_or_is_over_or_suspended_is_a_kind_page(provider: Provider) -> None:
    """Two windows, the back button, a bookmark: never a fault, never a second answer."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        await ciba.asked(http, person)
        (address,) = await waiting_for(provider, phone, person)
        form = Html((await phone.get(address)).text).forms["approval"]
        assert (await press(phone, form, "deny")).status_code == 200
        for again in (await phone.get(address), await press(phone, form)):
            assert again.status_code == 400
            assert "error-reference" in Html(again.text).ids
        await ciba.asked(http, person)
        (address,) = await waiting_for(provider, phone, person)
        form = Html((await phone.get(address)).text).forms["approval"]
        provider.clock.advance(minutes=5)
        assert (await press(phone, form)).status_code == 400
        await ciba.asked(http, person)
        (address,) = await waiting_for(provider, phone, person)
        await suspend_client(provider, ciba.client_id)
        assert (await phone.get(address)).status_code == 403
        assert await waiting_for(provider, phone, person) == []


async def test_the_codes_page_says_what_is_wrong_beside_the_field(provider: Provider) -> None:
    device = await device_platform(provider)
    person = await provider.add_person(has_totp=False)
    async with provider.http() as tv, provider.http() as phone:
        begun = await device.begun(tv)
        wrong = await type_code(provider, phone, person, "BCDF")
        assert wrong.status_code == 400
        assert "user-code-problem" in Html(wrong.text).ids
        provider.clock.advance(minutes=10)
        late = await type_code(provider, phone, person, begun["user_code"])
        assert late.status_code == 400
        for typed in ("", "x" * 500, "\u202e", "<script>", "BCDF-GHJ\u212a"):
            answer = await type_code(provider, phone, person, typed)
            assert answer.status_code in {400, 429}
            assert "<script>" not in answer.text


async def test_no_address_of_these_pages_is_a_fault(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as phone:
        await arrive(provider, phone, person, "/approvals")
        for name in ("x", "A" * 43, "A" * 42 + "=", "é" * 43, "%00", "-" * 43, "A" * 42 + "B", "A" * 5000):
            for answer in (
                await phone.get(f"/approvals/{name}"),
                await phone.post(f"/approvals/{name}", data={"decision": "allow"}),
            ):
                assert answer.status_code == 404, name
