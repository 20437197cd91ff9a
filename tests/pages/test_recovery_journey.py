"""Without the old phone: every way to a new sign-in, its wait, its stop, what it ends. R19; both engines."""

import re
from datetime import timedelta

import httpx
import pytest

from idp.identity.activation_codes import read_activation_code
from idp.identity.activation_grounds import Ground
from idp.identity.activations import Activation, ActivationStatus, StopReason
from idp.identity.notices import NoticeKind
from tests.support.activations import (
    CHOSEN,
    chosen,
    give_sheet,
    opened_recovery,
    recover_in_person,
    state_of,
    stop_address,
    typed,
    use,
)
from tests.support.html_forms import Html
from tests.support.passkeys import authenticator_of, give_passkey, sign_in_by_passkey
from tests.support.people import CONTACTS, all_ways, told
from tests.support.provider import ISSUER, PASSWORD, Person, Provider

pytestmark = pytest.mark.anyio


async def by_sheet(browser: httpx.AsyncClient, person: Person, code: str) -> httpx.Response:
    return await browser.post("/recovery/code", data={"identifier": person.personal_number, "code": code})


def shown_code(page: httpx.Response) -> str:
    assert page.status_code == 200, Html(page.text).text
    code = read_activation_code(Html(page.text).ids["activation-code"])
    assert code is not None
    return code


async def only(provider: Provider, person: Person) -> Activation:
    (found,) = await provider.unit_of_work().activations.of_citizen(person.citizen_id)
    return found


async def wait(provider: Provider) -> None:
    provider.clock.now += provider.context.recovery_waiting


async def sign_in(provider: Provider, browser: httpx.AsyncClient, person: Person) -> None:
    data = {"identifier": person.personal_number, "password": PASSWORD}
    assert (await browser.post("/sign-in/recovery", data=data)).status_code == 303
    if person.totp_secret is not None:
        # A step is used once: sign-ins of one person are half a minute apart.
        provider.clock.advance(seconds=30)
        code = {"code": person.code(provider.clock.now)}
        assert (await browser.post("/second-factor/recovery", data=code)).status_code == 303


async def lets_in(provider: Provider, person: Person, password: str) -> bool:
    async with provider.http(address="198.51.100.19") as browser:
        data = {"identifier": person.personal_number, "password": password}
        return (await browser.post("/sign-in/my", data=data)).status_code == 303


async def test_a_recovery_code_opens_a_recovery_that_waits_and_ends_what_was_lost(provider: Provider) -> None:
    person = await provider.add_person(**CONTACTS)
    sheet = await give_sheet(provider, person)
    async with provider.http() as old_browser, provider.http() as browser:
        await sign_in(provider, old_browser, person)
        code = shown_code(await by_sheet(browser, person, sheet[0]))
        assert (await browser.get("/my")).status_code == 303, "the code signed nobody in"
        assert (await old_browser.get("/my/recovery")).status_code == 200, "until then nothing changes"
        early = await typed(browser, person.personal_number, code)
        assert early.status_code == 400
        assert "Mã đúng" in early.text
        await wait(provider)
        address = (await typed(browser, person.personal_number, code)).headers["location"]
        form = Html((await browser.get(address)).text).forms["set-up"]
        assert form.checkboxes == {"totp": False, "recovery_codes": False}
        assert (await chosen(browser, address, keep="recovery_codes")).status_code == 303
        assert "thiết lập lại" in (await browser.get(address)).text
        assert (await browser.get("/my/sessions")).status_code == 200
        assert (await old_browser.get("/my/sessions")).status_code == 303, "signed out elsewhere"
        record = await provider.unit_of_work().authenticators.find(person.citizen_id)
        assert record is not None
        assert record.totp_secret is None, "not ticked"
        left = await provider.unit_of_work().recovery_codes.find_set(person.citizen_id)
        assert left is not None
        assert left.remaining == len(sheet) - 1
    assert await lets_in(provider, person, CHOSEN)
    assert not await lets_in(provider, person, PASSWORD)


async def test_two_operators_and_papers_lead_to_a_code_that_waits_as_well(provider: Provider) -> None:
    person = await provider.add_person(**CONTACTS)
    handed = await recover_in_person(provider, person)
    async with provider.http() as browser:
        assert "Mã đúng" in (await typed(browser, person.personal_number, handed.code)).text
        await wait(provider)
        await use(browser, person, handed, keep="totp")
    record = await provider.unit_of_work().authenticators.find(person.citizen_id)
    assert record is not None
    assert record.totp_secret == person.totp_secret, "ticked"
    assert await lets_in(provider, person, CHOSEN)


async def test_whoever_has_another_strong_way_in_opens_one_signed_in(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as browser:
        await sign_in(provider, browser, person)
        form = Html((await browser.get("/my/recovery")).text).forms["open-recovery"]
        assert (await browser.post(form.action, data={"csrf": "0" * 64})).status_code == 403
        code = shown_code(await browser.post(form.action, data=form.fields))
        assert (await only(provider, person)).ground is Ground.STRONG_SESSION
        provider.clock.now += timedelta(minutes=11)
        old = await browser.post(form.action, data=form.fields)
        assert old.headers["location"] == f"{ISSUER}/sign-in/recovery", "not just shown any more"
    await wait(provider)
    async with provider.http() as elsewhere:
        assert (await typed(elsewhere, person.personal_number, code)).status_code == 303


async def test_a_password_alone_opens_none(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as browser:
        await sign_in(provider, browser, person)
        form = Html((await browser.get("/my/recovery")).text).forms["open-recovery"]
        answer = await browser.post(form.action, data=form.fields)
        assert answer.status_code == 303
        assert await provider.unit_of_work().activations.of_citizen(person.citizen_id) == []


@pytest.mark.parametrize("ground", [Ground.RECOVERY_CODE, Ground.STRONG_SESSION, Ground.IN_PERSON])
async def test_it_is_told_by_every_way_at_once_whatever_was_chosen_and_stopped_from_the_message(
    provider: Provider, ground: Ground
) -> None:
    person = await provider.add_person(**CONTACTS)
    await give_sheet(provider, person)
    if ground is Ground.IN_PERSON:
        handed = await recover_in_person(provider, person)
    else:
        handed = await opened_recovery(provider, person, ground)
    async with all_ways() as ways, provider.http() as owner, provider.http() as reader:
        await sign_in(provider, owner, person)
        await told(provider, ways.people)
        address = await stop_address(provider, person.citizen_id)
        texts = [mail.text for mail in ways.mail.received]
        for way in (texts, [each.body.decode() for each in ways.sms.received + ways.push.received]):
            assert any(address in text for text in way)
            assert not any(handed.code in text for text in way)
        assert any(address in each.body.decode() for each in ways.push.received)
        page = await reader.get(address)
        for hidden in (person.personal_number, "Nguyễn Thị Lan", handed.code):
            assert hidden not in page.text
        assert (await state_of(provider, handed)).status is ActivationStatus.ISSUED, "looking changes nothing"
        form = Html(page.text).forms["stop-recovery"]
        assert (await reader.post(form.action, data={"x": "y"})).headers["location"] == address
        assert "Đã dừng lại" in (await reader.get(address)).text
        assert (await owner.get("/my")).status_code == 303, "signed out everywhere"
    stopped = await state_of(provider, handed)
    assert stopped.stopped_because is StopReason.HOLDER_MESSAGE
    left = await provider.unit_of_work().recovery_codes.find_set(person.citizen_id)
    assert (left is None) is (ground is Ground.RECOVERY_CODE), "somebody else has the sheet"
    await wait(provider)
    async with provider.http() as thief:
        assert "không dùng được nữa" in (await typed(thief, person.personal_number, handed.code)).text
    kinds = {kept.notice.kind for kept in await provider.unit_of_work().notices.of_citizen(person.citizen_id)}
    assert {NoticeKind.RECOVERY_OPENED, NoticeKind.RECOVERY_STOPPED} <= kinds


async def test_whoever_is_signed_in_stops_it_there_and_stays_signed_in(provider: Provider) -> None:
    person = await provider.add_person()
    handed = await opened_recovery(provider, person)
    async with provider.http() as owner, provider.http() as elsewhere:
        await sign_in(provider, owner, person)
        await sign_in(provider, elsewhere, person)
        form = Html((await owner.get("/my/recovery")).text).forms["stop-1"]
        assert (await owner.post(form.action, data={"csrf": "0" * 64})).status_code == 403
        assert (await owner.post(form.action, data=form.fields)).status_code == 303
        assert "Không ai đang" in (await owner.get("/my/recovery")).text
        assert (await elsewhere.get("/my/recovery")).status_code == 303
    assert (await state_of(provider, handed)).stopped_because is StopReason.HOLDER_SESSION


async def test_the_first_recovery_that_is_used_stops_the_others(provider: Provider) -> None:
    person = await provider.add_person()
    ours, theirs = await opened_recovery(provider, person), await opened_recovery(provider, person)
    await wait(provider)
    async with provider.http() as browser, provider.http() as thief:
        claimed = (await typed(thief, person.personal_number, theirs.code)).headers["location"]
        await use(browser, person, ours)
        assert (await chosen(thief, claimed)).headers["location"].endswith("?again=1")
    assert (await state_of(provider, theirs)).stopped_because is StopReason.SUPERSEDED


async def test_the_ways_are_named_to_everybody_and_each_leads_somewhere(provider: Provider) -> None:
    async with provider.http() as browser:
        sign_in_page = Html((await browser.get("/sign-in/my")).text)
        assert f"{ISSUER}/recovery" in sign_in_page.links
        page = await browser.get("/recovery")
        for named in ("hộ chiếu", "Không có điện thoại thông minh", "bị khoá", "ngày sinh", "72 giờ"):
            assert named in page.text
        for link in Html(page.text).links:
            if link.startswith(ISSUER):
                assert (await browser.get(link)).status_code in {200, 303}, link


async def test_the_code_of_a_recovery_is_shown_once_and_kept_by_nobody(provider: Provider) -> None:
    person = await provider.add_person()
    sheet = await give_sheet(provider, person)
    async with provider.http() as browser:
        page = await by_sheet(browser, person, sheet[0])
        code = shown_code(page)
        assert page.headers["cache-control"] == "no-store"
        assert "?lang=" not in page.text
        assert (await by_sheet(browser, person, sheet[0])).status_code == 400, "sent again by a reload"
    provider.context.log.flush()
    assert provider.settings.log_file is not None
    log = provider.settings.log_file.read_text()
    for secret in (code, sheet[0], person.personal_number):
        assert secret not in log
    assert re.search(r'"route":"/recovery/code"', log)


async def test_a_passkey_that_was_ticked_signs_in_still_and_the_other_does_not(provider: Provider) -> None:
    person = await provider.add_person()
    kept, lost = authenticator_of(provider), authenticator_of(provider)
    passkey = await give_passkey(provider, person, kept, "Khoá xanh")
    await give_passkey(provider, person, lost, "Máy cũ")
    handed = await opened_recovery(provider, person)
    await wait(provider)
    async with provider.http() as browser:
        await use(browser, person, handed, keep=f"passkey.{passkey.passkey_id}")
    async with provider.http() as holder, provider.http() as thief:
        assert (await sign_in_by_passkey(holder, kept)).status_code == 303
        assert (await sign_in_by_passkey(thief, lost)).status_code == 400


async def test_nobody_keeps_what_is_anothers(provider: Provider) -> None:
    person, other = await provider.add_person(), await provider.add_person()
    theirs = authenticator_of(provider)
    passkey = await give_passkey(provider, other, theirs)
    handed = await opened_recovery(provider, person)
    await wait(provider)
    async with provider.http() as browser:
        await use(browser, person, handed, keep=f"passkey.{passkey.passkey_id}")
    async with provider.http() as holder:
        assert (await sign_in_by_passkey(holder, theirs)).status_code == 303, "nor ends it"
    listed = await provider.unit_of_work().passkeys.of_citizen(person.citizen_id, limit=5)
    assert listed == []
