"""From a letter to a way of signing in: first activation, more beside a password, on both engines. R19."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from idp.identity.activation_codes import shown_activation_code
from idp.identity.activation_grounds import Ground, Purpose
from idp.identity.activations import CLAIM_VALIDITY, ActivationStatus
from idp.identity.citizens import CitizenStatus
from idp.identity.notices import NoticeKind
from idp.store.encoding import load_mapping
from tests.support.activations import CHOSEN, chosen, issue, state_of, typed, use
from tests.support.html_forms import Html
from tests.support.provider import ISSUER, PASSWORD, Person, Provider
from tests.support.shared_provider import new_platform, set_citizen_status

pytestmark = pytest.mark.anyio


async def notices_of(provider: Provider, person: Person) -> set[NoticeKind]:
    found = await provider.unit_of_work().notices.of_citizen(person.citizen_id)
    return {kept.notice.kind for kept in found}


async def signs_in(provider: Provider, person: Person, password: str) -> bool:
    async with provider.http(address="198.51.100.9") as browser:
        data = {"identifier": person.personal_number, "password": password}
        return (await browser.post("/sign-in/my", data=data)).status_code == 303


@pytest.mark.parametrize("ground", [Ground.POST, Ground.IN_PERSON, Ground.ASSISTED_DESK])
async def test_a_letter_a_number_and_a_password_make_an_account(provider: Provider, ground: Ground) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person, ground=ground)
    async with provider.http() as browser:
        page = Html((await browser.get("/activate")).text)
        assert set(page.forms["activate"].fields) == {"identifier", "code"}
        answer = await typed(browser, person.personal_number, shown_activation_code(handed.code).lower())
        address = answer.headers["location"]
        assert handed.code not in address
        form = await browser.get(address)
        assert "Nguyễn Thị Lan" in form.text, "whose account it is"
        assert person.personal_number not in form.text
        assert set(Html(form.text).forms["set-up"].fields) == {"password", "password_again"}
        done = await chosen(browser, address)
        assert (done.status_code, done.headers["location"]) == (303, address)
        assert f"{ISSUER}/my/security" in Html((await browser.get(address)).text).links
        own = await browser.get("/my/sessions")
        assert own.status_code == 200, "signed in, at two factors"
    assert await signs_in(provider, person, CHOSEN)
    assert (await state_of(provider, handed)).status is ActivationStatus.USED
    assert await notices_of(provider, person) == {NoticeKind.ACCOUNT_ACTIVATED, NoticeKind.ACTIVATION_ISSUED}


async def test_the_log_says_which_level_was_reached_and_no_code_stands_anywhere(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser:
        await use(browser, person, handed)
    uow = provider.unit_of_work()
    used = next(
        event
        for event in await uow.ledger.unsealed(100_000)
        if event.type == "activation:used" and event.citizen_id == person.citizen_id
    )
    assert load_mapping(used.details) == {
        "reference": handed.activation.activation_id,
        "because": "in_person",
        "acr": "vn-2",
        "amr": "pwd otp mfa",
        "proofing": "vn2",
    }
    provider.context.log.flush()
    assert provider.settings.log_file is not None
    log = provider.settings.log_file.read_text()
    for secret in (handed.code, shown_activation_code(handed.code), CHOSEN, person.personal_number):
        assert secret not in log


async def test_whoever_came_from_a_network_goes_on_to_it(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    platform = await new_platform(provider)
    handed = await issue(provider, person)
    async with provider.http() as browser:
        begun = await browser.get("/authorize", params=platform.request(prompt="create"))
        while begun.status_code == 303 and "/enrolment/" not in begun.headers["location"]:
            begun = await browser.get(begun.headers["location"])
        enrolment = Html((await browser.get(begun.headers["location"])).text)
        (activate,) = [link for link in enrolment.links if "/activate/" in link]
        visit = activate.rpartition("/")[2]
        assert "back-to-network" in Html((await browser.get(activate)).text).forms
        answer = await typed(browser, person.personal_number, handed.code, visit=visit)
        address = answer.headers["location"]
        await chosen(browser, address)
        done = Html((await browser.get(address)).text)
        onward = f"{ISSUER}/authorize/{visit}"
        assert onward in done.links
        asked = await browser.get(onward)
        assert "/consent/" in asked.headers["location"], "the question that comes next"


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("ngắn", "ngắn", "ít nhất tám ký tự"),
        ("12345678", "12345678", "đoán nó trước tiên"),
        (CHOSEN, CHOSEN + "!", "không giống nhau"),
        ("Nguyễn Thị Lan", "Nguyễn Thị Lan", "Tên hoặc số"),
        ("a\x01bcdefghij", "a\x01bcdefghij", "bàn phím"),
        ("", "", "ít nhất tám ký tự"),
        ("ả" * 300, "ả" * 300, "quá dài"),
    ],
)
async def test_a_password_that_may_not_be_chosen_costs_no_code(
    provider: Provider, password: str, again: str, said: str
) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser:
        refused = await use(browser, person, handed, password=password, password_again=again)
        assert refused.answer.status_code == 400
        page = Html(refused.answer.text)
        assert said in page.text
        assert set(page.forms["set-up"].fields.values()) == {""}, "no password is repeated"
        assert (await state_of(provider, handed)).status is ActivationStatus.ISSUED
        assert (await chosen(browser, refused.address)).status_code == 303
    assert await signs_in(provider, person, CHOSEN)


async def test_whoever_has_a_password_alone_shows_it_beside_the_code_and_may_add_more(
    provider: Provider,
) -> None:
    person = await provider.add_person(has_totp=False)
    handed = await issue(provider, person, Purpose.ADDITION)
    async with provider.http() as browser:
        wrong = await use(browser, person, handed, password="không phải")
        assert wrong.answer.status_code == 400
        assert "không phải mật khẩu" in wrong.answer.text
        assert (await browser.get("/my/sessions")).status_code == 303, "nobody is signed in"
        right = await chosen(browser, wrong.address, password=PASSWORD)
        assert right.status_code == 303
        assert "thêm cách đăng nhập" in (await browser.get(wrong.address)).text
        assert (await browser.get("/my/sessions")).status_code == 200
        assert (await typed(browser, person.personal_number, handed.code)).status_code == 400
    assert await signs_in(provider, person, PASSWORD), "nothing was replaced"
    assert NoticeKind.ACCOUNT_ACTIVATED not in await notices_of(provider, person)


async def test_a_password_beside_a_code_is_counted_as_any(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    handed = await issue(provider, person, Purpose.ADDITION)
    async with provider.http(address="198.51.100.77") as browser:
        address = (await use(browser, person, handed, password="a")).address
        for _ in range(4):
            assert (await chosen(browser, address, password="b")).status_code == 400
        throttled = await chosen(browser, address, password=PASSWORD)
        assert throttled.status_code == 429
        assert int(throttled.headers["retry-after"]) > 0


async def test_a_code_goes_on_in_the_browser_that_typed_it_last_for_half_an_hour(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as left_open, provider.http() as browser:
        left = (await typed(left_open, person.personal_number, handed.code)).headers["location"]
        again = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        assert left == again
        for answer in (await left_open.get(left), await chosen(left_open, left)):
            assert answer.headers["location"] == f"{ISSUER}/activate/my?again=1"
        assert "nhập lại số" in (await left_open.get(f"{ISSUER}/activate/my?again=1")).text
        provider.clock.advance(seconds=CLAIM_VALIDITY.total_seconds())
        assert (await chosen(browser, again)).headers["location"] == f"{ISSUER}/activate/my?again=1"
        await use(browser, person, handed)
        assert (await chosen(browser, again)).status_code == 200, "it is done, whatever is sent again"
    assert await signs_in(provider, person, CHOSEN)


async def test_of_twenty_that_finish_at_once_one_does(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser:
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        words = [f"{CHOSEN} {place}" for place in range(20)]
        cookies = {name: value for name, value in browser.cookies.items() if "browser" in name}

        async def finish(word: str) -> httpx.Response:
            async with provider.http() as window:
                window.cookies.update(cookies)
                return await chosen(window, address, password=word, password_again=word)

        answers = await asyncio.gather(*map(finish, words))
        begun = [answer for answer in answers if "lienket-session" in answer.headers.get("set-cookie", "")]
        assert len(begun) == 1
        assert {answer.status_code for answer in answers} <= {200, 303, 503}
    assert await notices_of(provider, person) == {NoticeKind.ACCOUNT_ACTIVATED, NoticeKind.ACTIVATION_ISSUED}
    sessions = await provider.unit_of_work().sessions.living(
        person.citizen_id, provider.context.session_limits, provider.clock.now
    )
    assert len(sessions) == 1


async def test_two_whose_names_look_alike_each_open_their_own_account_with_their_own_letter(
    provider: Provider,
) -> None:
    """Hoà and Hòa: born on one day, living in one street. Only the number tells them apart."""
    hoa = await provider.add_person(name="Phạm Đức Hoà", has_password=False, has_totp=False)
    other = await provider.add_person(name="Phạm Đức Hòa", has_password=False, has_totp=False)
    letters = [await issue(provider, person, ground=Ground.POST) for person in (hoa, other)]
    async with provider.http() as browser:
        for person, letter in ((hoa, letters[1]), (other, letters[0])):
            assert (await typed(browser, person.personal_number, letter.code)).status_code == 400
        address = (await typed(browser, hoa.personal_number, letters[0].code)).headers["location"]
        page = (await browser.get(address)).text
        assert "Phạm Đức Hoà" in page
        assert "Phạm Đức Hòa" not in page
        await chosen(browser, address)
    assert await signs_in(provider, hoa, CHOSEN)
    assert not await signs_in(provider, other, CHOSEN)
    async with provider.http() as browser:
        await use(browser, other, letters[1])


async def test_a_new_letter_voids_the_one_before(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    lost, found = await issue(provider, person), await issue(provider, person)
    async with provider.http() as browser:
        refused = await typed(browser, person.personal_number, lost.code)
        assert "không dùng được nữa" in refused.text
        await use(browser, person, found)


async def test_what_is_right_and_cannot_be_used_is_told_to_its_holder_alone(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser, provider.http(address="192.0.2.44") as stranger:
        await set_citizen_status(provider, person, CitizenStatus.LOCKED)
        locked = await typed(browser, person.personal_number, handed.code)
        assert "Hiện chưa dùng được" in locked.text
        await set_citizen_status(provider, person, CitizenStatus.ACTIVE)
        provider.clock.now += timedelta(days=8)
        over = await typed(browser, person.personal_number, handed.code)
        assert "hết hạn" in over.text
        other = await provider.add_person(has_password=False)
        wrong = await typed(stranger, other.personal_number, handed.code)
        assert "Số hoặc mã không đúng" in wrong.text


async def test_without_a_script_everything_works_and_the_language_can_be_changed(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser:
        english = await browser.get("/activate?lang=en")
        assert "Use your code" in english.text
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        assert "Choose how you sign in" in (await browser.get(address)).text
        assert "Chọn cách đăng nhập" in (await browser.get(f"{address}?lang=vi")).text
        await chosen(browser, address)
        assert "sẵn sàng" in (await browser.get(address)).text
