"""The relay attack on sign-in by phone, and what stands around it. Issue 5, point 2; abuse cases P1, P5, P6.

What the number match stops is held here, and what it does not stop as well: an attacker who shows the victim
the number of their own session is believed (`idp.authenticators.phone_approvals`). So nothing here is `phr`.
"""

import asyncio
import re

import httpx
import pytest

from idp.authenticators.phone_approvals import ANSWER_LIFETIME, ASKING_LIFETIME, CODE_LIFETIME, CODE_STEP
from idp.identity.citizens import CitizenStatus
from idp.web.phone_approvals import approval_hash_of
from tests.support.html_forms import Html
from tests.support.phones import Desk, Phone, person_with
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform, set_citizen_status

pytestmark = pytest.mark.anyio

ATTACKER = "198.51.100.66"
FIREFOX = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0"}


def wrong(number: str) -> str:
    return "11" if number != "11" else "12"


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/my/sessions")).status_code == 200


async def test_whoever_stands_in_front_of_the_page_signs_in_and_it_is_no_phr(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        person = await person_with(provider, phone)
        path = await phone.taken(await desk.ask())
        page = await pocket.get(path)
        number = await desk.number()
        assert number not in Html(page.text).ids.values(), "the number is shown on one screen alone"
        done = await phone.answer(path, number)
        assert done.status_code == 200, done.text
        assert await desk.mark() == "approved"
        finished = await desk.finish()
        assert finished.headers["location"].startswith(f"{ISSUER}/my")
        assert await is_signed_in(laptop)
        assert not await is_signed_in(pocket)
        limits = provider.context.session_limits
        sessions = await provider.unit_of_work().sessions.living(
            person.citizen_id, limits, provider.clock.now
        )
        shown = sessions[0].context
        assert (shown.acr, shown.amr) == ("vn-2", ("pin", "swk", "mfa"))
        assert (await desk.finish()).headers["location"].endswith(desk.path), "once"


async def test_the_number_stands_nowhere_before_the_scan(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        code = await desk.ask()
        assert "number" not in (await desk.page()).ids
        assert (await desk.mark()).startswith("open.")
        await phone.taken(code)
        assert re.fullmatch(r"[1-9][0-9]", await desk.number())
        assert "<code>" not in (await laptop.get(desk.path)).text, "the code is gone with the scan"


async def test_a_stolen_picture_takes_the_request_for_the_thief_who_does_not_see_the_number(
    provider: Provider,
) -> None:
    """The victim's page shows that somebody scanned; the thief's one guess ends it; nobody is signed in."""
    async with provider.http() as laptop, provider.http(address=ATTACKER) as pocket:
        thief, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, thief)
        path = await thief.taken(await desk.ask())
        right = await desk.number()
        answer = await thief.answer(path, wrong(right))
        assert "error-reference" not in Html(answer.text).ids
        assert await desk.mark() == "wrong_number"
        again = await pocket.get(path)
        assert "answer" not in Html(again.text).forms, "there is no second guess"
        assert (await desk.finish()).headers["location"].endswith(desk.path)
        assert not await is_signed_in(laptop)


async def test_a_code_sent_to_the_victim_signs_the_attacker_in_with_no_guessed_number(
    provider: Provider,
) -> None:
    """The victim's phone says from where it was asked, and asks for what stands on the attacker's screen."""
    async with provider.http(address=ATTACKER) as far, provider.http() as pocket:
        far.headers.update(FIREFOX)
        victim, desk = Phone(pocket), Desk(far)
        await person_with(provider, victim)
        path = await victim.taken(await desk.ask())
        page = Html((await pocket.get(path)).text)
        assert ATTACKER in page.text
        assert "Firefox, Windows" in page.text
        assert page.ids["same-network"] == "khác mạng với điện thoại này"
        await victim.answer(path, wrong(await desk.number()))
        assert await desk.mark() == "wrong_number"
        await desk.finish()
        assert not await is_signed_in(far)
        assert (await victim.answer_blindly(path, "10")).status_code == 400


async def test_every_number_but_one_refuses_and_so_does_no(provider: Provider) -> None:
    """A wrong number costs no PIN and tells nothing of the right one; a no needs neither."""
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        for typed, pin in (("", phone.pin), ("1", phone.pin), ("010", phone.pin), ("\uff14\uff12", "000000")):
            path = await phone.taken(await desk.ask())
            answer = await phone.answer(path, typed, pin=pin)
            assert answer.status_code == 200
            assert await desk.mark() == "wrong_number", typed
        path = await phone.taken(await desk.ask())
        await phone.answer(path, "", "deny", pin="")
        assert await desk.mark() == "refused"
        device = await provider.unit_of_work().app_devices.find(phone.device_id)
        assert device is not None
        assert device.pin_failures == 0


async def test_the_answer_reaches_only_the_browser_that_asked(provider: Provider) -> None:
    """Another browser at the same address, with no cookie or its own, finds nothing to finish."""
    async with provider.http() as laptop, provider.http() as pocket, provider.http() as other:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        path = await phone.taken(await desk.ask())
        await phone.answer(path, await desk.number())
        elsewhere = Desk(other)
        assert await elsewhere.mark() == "begin"
        await elsewhere.finish()
        await elsewhere.ask()
        assert (await elsewhere.mark()).startswith("open.")
        await elsewhere.finish()
        assert not await is_signed_in(other)
        await desk.finish()
        assert await is_signed_in(laptop)


async def test_the_answer_reaches_only_the_visit_on_which_it_was_asked(provider: Provider) -> None:
    """Two tabs of one browser: what was approved for one network's request answers no other."""
    platform = await new_platform(provider)
    async with provider.http() as laptop, provider.http() as pocket:
        phone = Phone(pocket)
        await person_with(provider, phone)
        begun = await laptop.get("/authorize", params=platform.request())
        visit_id = begun.headers["location"].rpartition("/")[2]
        tab, own = Desk(laptop, f"/sign-in/{visit_id}/phone"), Desk(laptop)
        code = await tab.ask()
        await own.ask()
        path = await phone.taken(code)
        page = Html((await pocket.get(path)).text)
        assert "@lan" in page.text, "the account that is to be linked"
        assert platform.client.client_uri is not None
        assert platform.client.client_uri.removeprefix("https://") in page.text
        await phone.answer(path, await tab.number())
        await own.finish()
        assert not await is_signed_in(laptop)
        assert "/authorize/" in (await tab.finish()).headers["location"]


async def test_a_live_relay_with_the_number_shown_is_believed_and_so_is_never_phr(provider: Provider) -> None:
    """What no number match stops. A platform that asks for `phr` is not answered by a phone."""
    platform = await new_platform(provider)
    wish = {"acr_values": "phr", "claims": '{"id_token":{"acr":{"essential":true,"values":["phr"]}}}'}
    async with provider.http(address=ATTACKER) as far, provider.http() as pocket:
        victim = Phone(pocket)
        await person_with(provider, victim)
        begun = await far.get("/authorize", params=platform.request(account_id=None, **wish))
        desk = Desk(far, f"/sign-in/{begun.headers['location'].rpartition('/')[2]}/phone")
        path = await victim.taken(await desk.ask())
        relayed = await desk.number()
        await victim.answer(path, relayed)
        onward = (await desk.finish()).headers["location"]
        assert await is_signed_in(far)
        answer = await far.get(onward)
        assert "code=" not in answer.headers.get("location", "")


async def test_a_code_lives_a_minute_changes_before_and_is_taken_once(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket, provider.http() as other:
        phone, second, desk = Phone(pocket), Phone(other), Desk(laptop)
        await person_with(provider, phone)
        await person_with(provider, second)
        first = await desk.ask()
        assert await desk.code() == first
        mark = await desk.mark()
        provider.clock.advance(seconds=CODE_STEP.total_seconds())
        assert await desk.mark() != mark, "the page knows that it is to change"
        next_code = await desk.code()
        assert next_code != first
        provider.clock.advance(seconds=(CODE_LIFETIME - CODE_STEP).total_seconds())
        assert (await phone.scan(first)).status_code == 400, "over"
        scanned = await asyncio.gather(phone.scan(next_code), second.scan(next_code))
        assert sorted(each.status_code for each in scanned) == [303, 400]
        for never in ("BBBB-BBBB", "", "x" * 500, "\u202e", "<script>"):
            answer = await phone.scan(never)
            assert answer.status_code == 400
            assert "<script>" not in answer.text


async def test_what_nobody_answers_is_over_and_its_place_is_gone_with_the_answer(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        code = await desk.ask()
        provider.clock.advance(seconds=ASKING_LIFETIME.total_seconds())
        assert await desk.mark() == "begin"
        assert (await phone.scan(code)).status_code == 400
        path = await phone.taken(await desk.ask())
        number = await desk.number()
        provider.clock.advance(seconds=ANSWER_LIFETIME.total_seconds())
        assert await desk.mark() == "begin"
        assert (await phone.answer_blindly(path, number)).status_code in {303, 400}
        path = await phone.taken(await desk.ask())
        await phone.answer(path, await desk.number())
        approval_hash = approval_hash_of(path.rpartition("/")[2])
        assert approval_hash is not None
        kept = await provider.unit_of_work().phone_approvals.find(approval_hash)
        assert kept is not None
        assert (kept.asked_from, kept.number) == (None, None)
        provider.clock.advance(seconds=ANSWER_LIFETIME.total_seconds())
        await desk.finish()
        assert not await is_signed_in(laptop), "an approval waits no longer than its request"


async def test_another_phone_cannot_answer_and_a_signature_is_for_what_was_decided(
    provider: Provider,
) -> None:
    async with provider.http() as laptop, provider.http() as pocket, provider.http() as other:
        phone, stranger, desk = Phone(pocket), Phone(other), Desk(laptop)
        await person_with(provider, phone)
        await person_with(provider, stranger)
        path = await phone.taken(await desk.ask())
        number = await desk.number()
        await stranger.enter()
        assert "answer" not in Html((await other.get(path)).text).forms
        assert (await stranger.answer_blindly(path, number)).status_code == 400
        assert (await other.post(f"{path}/open", data={"go": "on"})).status_code == 403, "no form of this app"
        for forged in ({"decision": "deny"}, {"number": wrong(number)}, {"signature": "A" * 86}):
            refused = await phone.answer(path, number, sent_instead=forged)
            assert refused.status_code == 400
            assert await desk.mark() == "claimed"
        no_token = await phone.answer(path, number, sent_instead={"csrf": ""})
        assert no_token.status_code == 403
        assert (await phone.answer(path, number)).status_code == 200


async def test_two_answers_at_once_are_one_and_two_tabs_finish_once(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        path = await phone.taken(await desk.ask())
        number = await desk.number()
        answers = await asyncio.gather(phone.answer(path, number), phone.answer(path, "", "deny"))
        assert sorted(each.status_code for each in answers) == [200, 400]
        path = await phone.taken(await desk.ask())
        await phone.answer(path, await desk.number())
        finished = await asyncio.gather(*(desk.finish() for _ in range(3)))
        onward = [answer for answer in finished if not answer.headers["location"].endswith(desk.path)]
        assert len(onward) == 1


async def test_a_phone_or_a_person_that_ends_meanwhile_signs_nobody_in(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        person = await person_with(provider, phone)
        path = await phone.taken(await desk.ask())
        await phone.answer(path, await desk.number())
        await set_citizen_status(provider, person, CitizenStatus.LOCKED)
        assert (await desk.finish()).status_code == 403
        await set_citizen_status(provider, person, CitizenStatus.ACTIVE)
        uow = provider.unit_of_work()
        device = await uow.app_devices.find(phone.device_id)
        assert device is not None
        uow.app_devices.revoke(device, "removed", provider.clock.now)
        await uow.commit()
        await desk.finish()
        assert not await is_signed_in(laptop)
        assert (await phone.enter()).status_code == 403
        assert (await pocket.get("/app/requests")).status_code == 303, "its cookie is worth nothing now"


async def test_no_code_number_or_pin_reaches_the_log_and_no_address_holds_a_code(provider: Provider) -> None:
    """Class 26. The code stands behind `#` of an address, where no server sees it."""
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        code = await desk.ask()
        path = await phone.taken(code)
        await phone.answer(path, await desk.number())
        await desk.finish()
    provider.context.log.flush()
    assert provider.settings.log_file is not None
    log = provider.settings.log_file.read_text()
    assert "/app/requests" in log
    for secret in (code, code.replace("-", ""), phone.pin):
        assert secret not in log


async def test_class_15_whoever_used_the_machine_before_does_not_take_the_answer(provider: Provider) -> None:
    """All cookies that the browser had before it asked are copied or planted: none of them leads anywhere."""
    async with provider.http() as laptop, provider.http() as pocket, provider.http(address=ATTACKER) as thief:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        await laptop.get("/sign-in/my")
        before = dict(laptop.cookies)
        path = await phone.taken(await desk.ask())
        await phone.answer(path, await desk.number())
        for planted in (before, dict.fromkeys(laptop.cookies, "planted")):
            thief.cookies.clear()
            thief.cookies.update(planted)
            assert await Desk(thief).mark() == "begin"
            assert (await Desk(thief).finish()).headers["location"].endswith(desk.path)
            assert not await is_signed_in(thief)
        asked_first, _ = laptop.cookies["lienket-asking-my"], await desk.ask()
        assert laptop.cookies["lienket-asking-my"] != asked_first, "made anew whenever somebody asks"
        path = await phone.taken(await desk.code())
        await phone.answer(path, await desk.number())
        assert (await desk.finish()).headers["location"].startswith(f"{ISSUER}/my")
        assert await is_signed_in(laptop)
