"""The phone as authenticator, on both engines: set up, opened, asked, and what a wrong PIN costs."""

import asyncio
import json
import re
from urllib.parse import urljoin

import pytest

from idp.authenticators.app_devices import DEVICES_PER_PERSON, PIN_TRIES, SignedPurpose
from idp.authenticators.phone_approvals import ENROLMENT_LIFETIME
from idp.identity.notices import NoticeKind
from idp.web.phones import CHALLENGE_LIFETIME, OPEN_FOR
from tests.support.decoupled import arrive, ciba_platform, known_person, press
from tests.support.html_forms import Html
from tests.support.phones import (
    Desk,
    Phone,
    add_phone,
    confirm,
    enrolment_code,
    person_with,
)
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def kinds_told(provider: Provider, citizen_id: str) -> list[str]:
    kept = await provider.unit_of_work().notices.of_citizen(citizen_id)
    return [str(each.notice.kind) for each in kept]


async def test_a_phone_is_set_up_with_a_code_and_the_number_that_it_shows(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as laptop, provider.http() as pocket:
        phone = Phone(pocket)
        await arrive(provider, laptop, person, "/my/phones")
        enrolled = await phone.enrol(await enrolment_code(laptop))
        page = Html(enrolled.text)
        assert (await phone.enter()).status_code == 403, "not before its number was told"
        listed = Html((await laptop.get("/my/phones")).text)
        assert "Máy của Lan" in listed.text
        assert page.ids["number"] not in listed.text
        confirmed = await confirm(laptop, page.ids["number"])
        done = Html((await laptop.get(confirmed.headers["location"])).text)
        assert "Điện thoại đã được cài đặt." in done.text
        assert (await phone.enter()).status_code == 200
        assert NoticeKind.AUTHENTICATOR_ADDED in await kinds_told(provider, person.citizen_id)


async def test_a_photographed_code_adds_no_strangers_phone(provider: Provider) -> None:
    """The thief is faster: the holder's phone is refused, and the page that is told a number ends it."""
    person = await provider.add_person()
    async with provider.http() as laptop, provider.http() as pocket, provider.http() as far:
        mine, thiefs = Phone(pocket), Phone(far)
        await arrive(provider, laptop, person, "/my/phones")
        code = await enrolment_code(laptop)
        shown = Html((await thiefs.enrol(code)).text).ids["number"]
        assert (await mine.enrol(code)).status_code == 400, "once"
        typed = "11" if shown != "11" else "12"
        told = await confirm(laptop, typed)
        assert told.headers["location"].endswith("?done=wrong_number")
        assert (await thiefs.enter()).status_code == 403
        assert "confirm-phone" not in (await laptop.get("/my/phones")).text
        assert NoticeKind.AUTHENTICATOR_ADDED not in await kinds_told(provider, person.citizen_id)


async def test_only_the_page_that_began_it_confirms_a_phone_and_only_for_a_while(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as laptop, provider.http() as other, provider.http() as pocket:
        phone = Phone(pocket)
        await arrive(provider, laptop, person, "/my/phones")
        enrolled = Html((await phone.enrol(await enrolment_code(laptop))).text)
        elsewhere = await arrive(provider, other, person, "/my/phones")
        assert "confirm-phone" not in elsewhere.text
        csrf = Html(elsewhere.text).forms["add-phone"].fields["csrf"]
        form = {"csrf": csrf, "device": phone.device_id, "number": enrolled.ids["number"]}
        answer = await other.post("/my/phones/confirm", data=form)
        assert answer.headers["location"].endswith("/my/phones")
        assert (await phone.enter()).status_code == 403
        provider.clock.advance(seconds=ENROLMENT_LIFETIME.total_seconds())
        assert "confirm-phone" not in (await arrive(provider, laptop, person, "/my/phones")).text


async def test_the_phone_that_is_signed_in_itself_needs_no_number(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as pocket:
        phone = Phone(pocket)
        await arrive(provider, pocket, person, "/my/phones")
        enrolled = Html((await phone.enrol(await enrolment_code(pocket))).text)
        assert "number" not in enrolled.ids
        assert (await phone.enter()).status_code == 200


async def test_what_is_wrong_when_a_phone_is_set_up_is_said_beside_the_field(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as laptop, provider.http() as pocket:
        phone = Phone(pocket)
        await arrive(provider, laptop, person, "/my/phones")
        code = await enrolment_code(laptop)
        for wrong, problem in (
            ({"pin": "123456", "pin_again": "123456"}, "pin-problem"),
            ({"pin": "12345", "pin_again": "12345"}, "pin-problem"),
            ({"pin_again": "739105"}, "pin-problem"),
            ({"code": "BBBB-BBBB"}, "code-problem"),
            ({"code": ""}, "code-problem"),
            ({"public_key": "A" * 87}, "code-problem"),
            ({"public_key": "\u202e"}, "code-problem"),
            ({"signature": "A" * 86}, "code-problem"),
        ):
            refused = await phone.enrol(code, **wrong)
            assert refused.status_code == 400, wrong
            assert problem in Html(refused.text).ids, wrong
            assert phone.pin not in refused.text
        assert (await phone.enrol(code, name="<b>\u202e")).status_code == 200, "the code is still good"
        other = await enrolment_code(laptop)
        assert (await phone.enrol(other)).status_code == 400, "one key is one phone"


async def test_nobody_hides_a_phone_among_many(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as laptop, provider.http() as pocket:
        for _ in range(DEVICES_PER_PERSON):
            await add_phone(provider, person, Phone(pocket))
        page = await arrive(provider, laptop, person, "/my/phones")
        assert "add-phone" not in Html(page.text).forms
        csrf = re.findall(r'name="csrf" value="([0-9a-f]+)"', page.text)[0]
        assert (await laptop.post("/my/phones/add", data={"csrf": csrf})).status_code == 303


async def test_a_removed_phone_opens_nothing_and_only_its_person_removes_it(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket, provider.http() as other:
        phone = Phone(pocket)
        person, stranger = await person_with(provider, phone), await provider.add_person()
        page = await arrive(provider, other, stranger, "/my/phones")
        csrf = Html(page.text).forms["add-phone"].fields["csrf"]
        form = {"csrf": csrf, "device": phone.device_id}
        assert (await other.post("/my/phones/remove", data=form)).status_code == 404
        assert (await phone.enter()).status_code == 200
        page = await arrive(provider, laptop, person, "/my/phones")
        csrf = Html(page.text).forms["add-phone"].fields["csrf"]
        removed = await laptop.post("/my/phones/remove", data=form | {"csrf": csrf})
        assert removed.headers["location"].endswith("?done=removed")
        assert (await phone.enter()).status_code == 403
        assert (await pocket.get("/app/requests")).headers["location"] == f"{ISSUER}/app"
        assert NoticeKind.AUTHENTICATOR_REMOVED in await kinds_told(provider, person.citizen_id)


async def test_five_wrong_pins_end_a_phone_however_many_come_at_once(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        person = await person_with(provider, phone)
        path = await phone.taken(await desk.ask())
        number = await desk.number()
        for left in range(PIN_TRIES - 1, 0, -1):
            answer = await phone.answer(path, number, pin="000000")
            assert answer.status_code == 400
            assert f"Số lần thử còn lại: {left}." in Html(answer.text).text
            assert await desk.mark() == "claimed", "a wrong PIN is no answer"
            provider.clock.advance(seconds=1)
        last = await phone.answer(path, number, pin="000000")
        assert last.status_code == 403
        assert (await phone.enter()).status_code == 403
        assert NoticeKind.AUTHENTICATOR_BLOCKED in await kinds_told(provider, person.citizen_id)
        await add_phone(provider, person, second := Phone(pocket))
        path = await second.taken(await desk.ask())
        number = await desk.number()
        tried = await asyncio.gather(
            *(second.answer(path, number, pin="000000") for _ in range(PIN_TRIES)), return_exceptions=True
        )
        assert len(tried) == PIN_TRIES
        assert (await second.enter()).status_code == 403


async def test_a_right_pin_forgets_the_wrong_ones(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        for _ in range(2):
            path = await phone.taken(await desk.ask())
            number = await desk.number()
            for _ in range(PIN_TRIES - 1):
                assert (await phone.answer(path, number, pin="000000")).status_code == 400
            assert (await phone.answer(path, number)).status_code == 200


async def test_the_app_opens_once_for_each_challenge_and_for_a_while(provider: Provider) -> None:
    async with provider.http() as pocket, provider.http() as thief:
        phone = Phone(pocket)
        await person_with(provider, phone)
        challenge = (await pocket.get("/app/challenge")).json()["challenge"]
        sent = {
            "device_id": phone.device_id,
            "challenge": challenge,
            "signature": phone.signed(SignedPurpose.ENTER, challenge),
        }
        assert (await pocket.post("/app/enter", data=sent)).status_code == 200
        assert (await thief.post("/app/enter", data=sent)).status_code == 403, "used before"
        assert (await pocket.get("/app/requests")).status_code == 200
        provider.clock.advance(seconds=OPEN_FOR.total_seconds())
        assert (await pocket.get("/app/requests")).status_code == 303
        assert (await pocket.get("/app/requests/state")).json() == {"mark": "closed"}
        late = (await pocket.get("/app/challenge")).json()["challenge"]
        provider.clock.advance(seconds=CHALLENGE_LIFETIME.total_seconds())
        signed = phone.signed(SignedPurpose.ENTER, late)
        assert (await phone.enter(challenge=late, signature=signed)).status_code == 403
        for broken in ("", "x", "x.y.z", challenge[:-1], "\u202e", "1" * 400):
            assert (await phone.enter(challenge=broken)).status_code == 403
            thief.cookies.set("lienket-app", broken if broken.isascii() else "x", domain="localhost")
            assert (await thief.get("/app/requests")).status_code == 303
        assert (await phone.enter(device_id="x" * 500)).status_code == 403
        assert (await phone.enter(device_id="\x00")).status_code == 400


async def test_a_step_up_stands_in_the_list_and_is_opened_there(provider: Provider) -> None:
    """RFC 9470: somebody signed in by password is asked for more, and shows the phone, with the number."""
    platform = await new_platform(provider, min_acr="vn-2")
    async with provider.http() as laptop, provider.http() as pocket, provider.http() as far:
        phone, stranger = Phone(pocket), Phone(far)
        person = await person_with(provider, phone)
        await person_with(provider, stranger)
        begun = await laptop.get("/authorize", params=platform.request())
        visit = begun.headers["location"].rpartition("/")[2]
        form = {"identifier": person.personal_number, "password": person.password}
        await laptop.post(f"/sign-in/{visit}", data=form)
        desk = Desk(laptop, f"/second-factor/{visit}/phone")
        ways = Html((await laptop.get(f"/second-factor/{visit}")).text)
        assert ways.forms["ask-phone"].action == f"{ISSUER}{desk.path}"
        await desk.ask()
        await stranger.enter()
        assert "open-request" not in (await far.get("/app/requests")).text
        await phone.enter()
        before = (await pocket.get("/app/requests/state")).json()["mark"]
        listed = await pocket.get("/app/requests")
        [action] = re.findall(r'action="([^"]+/open)"', listed.text)
        csrf = Html(listed.text).forms["scan"].fields["csrf"]
        forged = Html((await far.get("/app/requests")).text).forms["scan"].fields["csrf"]
        assert (await far.post(action, data={"csrf": forged})).status_code == 400
        opened = await pocket.post(action, data={"csrf": csrf})
        path = opened.headers["location"].removeprefix(ISSUER)
        assert (await pocket.get("/app/requests/state")).json()["mark"] != before
        assert (await phone.answer(path, await desk.number())).status_code == 200
        finished = await desk.finish()
        assert finished.headers["location"] == f"{ISSUER}/authorize/{visit}"
        living = await provider.unit_of_work().sessions.living(
            person.citizen_id, provider.context.session_limits, provider.clock.now
        )
        [shown] = [each.context for each in living if "pin" in each.context.amr]
        assert (shown.acr, "phr" in shown.amr) == ("vn-2", False)
        assert (await laptop.get(f"/authorize/{visit}")).headers["location"].endswith(f"/consent/{visit}")


async def test_a_request_to_sign_in_is_opened_by_its_code_alone(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone, desk = Phone(pocket), Desk(laptop)
        await person_with(provider, phone)
        await phone.enter()
        csrf = Html((await pocket.get("/app/requests")).text).forms["scan"].fields["csrf"]
        await desk.ask()
        for name in ("A" * 43, "x", "é" * 43, "%00", "A" * 5000):
            for path in (f"/app/requests/{name}/open", f"/app/requests/{name}"):
                assert (await pocket.post(path, data={"csrf": csrf})).status_code == 400, name
            assert (await pocket.get(f"/app/requests/{name}")).status_code == 400, name
        assert (await desk.mark()).startswith("open.")


async def test_whoever_wears_a_person_down_with_step_ups_is_stopped(provider: Provider) -> None:
    async with provider.http() as laptop, provider.http() as pocket:
        phone = Phone(pocket)
        person = await person_with(provider, phone)
        form = {"identifier": person.personal_number, "password": person.password}
        await laptop.post("/sign-in/my", data=form)
        path = "/second-factor/my/phone"
        asked = [(await laptop.post(path, data={"go": "on"})).status_code for _ in range(21)]
        assert asked == [303] * 20 + [429]
        await phone.enter()
        listed = await pocket.get("/app/requests")
        assert listed.text.count("open-request") == 1, "the last one alone"


async def test_the_phone_signs_its_own_browser_in_without_a_number(provider: Provider) -> None:
    async with provider.http() as pocket:
        phone = Phone(pocket)
        await person_with(provider, phone)
        assert (await pocket.get("/app/here/my")).headers["location"] == f"{ISSUER}/app#here/my"
        wrong = await phone.sign_in_here("my", pin="000000")
        assert (wrong.status_code, "pin-problem" in Html(wrong.text).ids) == (400, True)
        right = await phone.sign_in_here("my")
        assert right.headers["location"].startswith(f"{ISSUER}/my")
        assert (await pocket.get("/my/sessions")).status_code == 200
        again = await pocket.get("/app/here/my")
        assert again.headers["location"].startswith(f"{ISSUER}/my"), "just shown"


async def test_what_was_signed_to_sign_in_here_serves_no_other_visit_and_no_second_time(
    provider: Provider,
) -> None:
    async with provider.http() as pocket:
        phone = Phone(pocket)
        await person_with(provider, phone)
        await phone.enter()
        form = Html((await pocket.get("/app/here/my")).text).forms["here"]
        fields = json.loads(form.data["fields"])
        sent = form.fields | {"pin": phone.pin, "signature": phone.signed(SignedPurpose.SIGN_IN, *fields)}
        assert (await pocket.post("/app/here/security", data=sent)).status_code == 400
        assert (await pocket.post("/app/here/my", data=sent)).status_code == 303
        assert (await pocket.post("/app/here/my", data=sent)).status_code == 400


async def test_a_call_from_a_network_is_answered_with_the_phone(provider: Provider) -> None:
    """CIBA: it stands in the app's list, the phone signs its person in, the page says what is shared."""
    ciba = await ciba_platform(provider, min_acr="vn-2")
    async with provider.http() as http, provider.http() as pocket:
        phone = Phone(pocket)
        person = await known_person(ciba)
        await add_phone(provider, person, phone)
        auth_req_id = await ciba.asked(http, person, binding_message="Đơn 1234")
        await phone.enter()
        listed = Html((await pocket.get("/app/requests")).text)
        assert "Đơn 1234" in listed.text
        [link] = [each for each in listed.links if "/app/here/approvals." in each]
        arrived = await phone.sign_in_here(link.rpartition("/")[2])
        page = Html((await pocket.get(arrived.headers["location"])).text)
        assert (await press(pocket, page.forms["approval"])).status_code == 200
        tokens = await ciba.token(http, auth_req_id)
        assert tokens.status_code == 200, tokens.text


async def test_the_app_can_be_installed_and_says_when_there_is_no_connection(provider: Provider) -> None:
    async with provider.http() as pocket:
        door = await pocket.get("/app")
        [address] = re.findall(r'rel="manifest" href="([^"]+)"', door.text)
        manifest = await pocket.get(address)
        assert manifest.headers["content-type"] == "application/manifest+json"
        assert urljoin(address, manifest.json()["start_url"]) == "/app"
        worker = await pocket.get("/app/worker.js")
        assert worker.headers["service-worker-allowed"] == "/app"
        assert worker.headers["content-type"].startswith("text/javascript")
        assert "Không có mạng" in (await pocket.get("/app/offline")).text
