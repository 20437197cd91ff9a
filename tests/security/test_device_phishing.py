"""Codes and requests that strangers send. Abuse cases P1, P5, P6; classes 7 (DOT #1819), 18, 26; RFC 8628."""

import asyncio

import pytest

from idp.identity.assurance import Proofing
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

pytestmark = pytest.mark.anyio


async def test_p1_an_address_with_the_code_in_it_only_fills_the_field(provider: Provider) -> None:
    """RFC 8628 §3.3.1, §5.4: whoever follows a stranger's link still compares, presses, and is warned."""
    device = await device_platform(provider)
    victim = await provider.add_person()
    async with provider.http() as tv, provider.http() as phone:
        begun = await device.begun(tv)
        path = begun["verification_uri_complete"].removeprefix(ISSUER)
        page = Html((await arrive(provider, phone, victim, path)).text)
        assert page.forms["device"].fields["user_code"] == begun["user_code"]
        assert "Có người gửi hay đọc mã này cho bạn?" in page.text
        assert (await device.token(tv, begun["device_code"])).json()["error"] == "authorization_pending"
        typed = await phone.post("/device", data=page.forms["device"].fields)
        approval = Html((await phone.get(typed.headers["location"])).text)
        assert "họ sẽ đăng nhập bằng tên bạn" in approval.text
        provider.clock.advance(seconds=5)
        assert (await device.token(tv, begun["device_code"])).json()["error"] == "authorization_pending"


async def test_p1_the_address_of_an_approval_opens_for_nobody_who_has_not_typed_the_code(
    provider: Provider,
) -> None:
    """An attacker knows the device code and so its hash: no link made of it spares the victim the code."""
    device = await device_platform(provider)
    attacker, victim = await provider.add_person(), await provider.add_person()
    async with provider.http() as tv, provider.http() as own, provider.http() as phone:
        begun = await device.begun(tv)
        typed = await type_code(provider, own, attacker, begun["user_code"])
        address = typed.headers["location"].removeprefix(ISSUER)
        for path in (address, "/approvals/" + "A" * 43, "/approvals/x"):
            answer = await arrive(provider, phone, victim, path)
            assert answer.status_code == 404, path
        own_form = Html((await own.get(address)).text).forms["approval"]
        stolen = await phone.post(own_form.action, data=own_form.fields | {"decision": "allow"})
        assert stolen.status_code in {403, 404}
        provider.clock.advance(seconds=5)
        assert (await device.token(tv, begun["device_code"])).json()["error"] == "authorization_pending"


async def test_dot_1819_a_device_belongs_to_whoever_typed_its_code_first(provider: Provider) -> None:
    device = await device_platform(provider)
    first, second = await provider.add_person(), await provider.add_person()
    async with provider.http() as tv, provider.http() as one, provider.http() as two:
        begun = await device.begun(tv)
        typed = await type_code(provider, one, first, begun["user_code"])
        late = await type_code(provider, two, second, begun["user_code"])
        never = await type_code(provider, two, second, "BBBB-BBBB")
        assert (typed.status_code, late.status_code, never.status_code) == (303, 400, 400)
        assert late.text.replace(begun["user_code"], "") == never.text.replace("BBBB-BBBB", "")
        again = await type_code(provider, one, first, begun["user_code"])
        assert again.headers["location"] == typed.headers["location"]


async def test_two_people_who_type_one_code_at_once_are_one_owner(provider: Provider) -> None:
    device = await device_platform(provider)
    people = [await provider.add_person(has_totp=False) for _ in range(4)]
    async with provider.http() as tv:
        user_code = (await device.begun(tv))["user_code"]
        browsers = [provider.http() for _ in people]
        try:
            for browser, person in zip(browsers, people, strict=True):
                await arrive(provider, browser, person, "/device")
            typed = await asyncio.gather(
                *(
                    type_code(provider, browser, person, user_code)
                    for browser, person in zip(browsers, people, strict=True)
                )
            )
        finally:
            await asyncio.gather(*(browser.aclose() for browser in browsers))
    assert sorted(each.status_code for each in typed) == [303, 400, 400, 400]


async def test_kc_cve_2026_88770_guessing_codes_is_counted_per_person(provider: Provider) -> None:
    """Class 18: right codes are not counted, wrong ones are, whatever source they come from."""
    device = await device_platform(provider)
    person = await provider.add_person(has_totp=False)
    async with provider.http() as tv, provider.http() as phone:
        for _ in range(7):
            right = await type_code(provider, phone, person, (await device.begun(tv))["user_code"])
            assert right.status_code == 303
        wrong = [(await type_code(provider, phone, person, "BBBB-BBBB")).status_code for _ in range(6)]
        assert wrong == [400] * 5 + [429]
        blocked = await type_code(provider, phone, person, (await device.begun(tv))["user_code"])
        assert blocked.status_code == 429
        assert int(blocked.headers["retry-after"]) > 0
    async with provider.http(address="198.51.100.9") as elsewhere, provider.http() as tv:
        code = (await device.begun(tv))["user_code"]
        assert (await type_code(provider, elsewhere, person, code)).status_code == 429
        provider.clock.advance(seconds=31)
        assert (await type_code(provider, elsewhere, person, code)).status_code == 303


async def test_forms_of_strangers_answer_nothing(provider: Provider) -> None:
    """Class 15: no token, a wrong token, another origin."""
    ciba = await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        await ciba.asked(http, person)
        (address,) = await waiting_for(provider, phone, person)
        form = Html((await phone.get(address)).text).forms["approval"]
        for csrf in ("", "0" * 64):
            answer = await phone.post(form.action, data={"decision": "allow", "csrf": csrf})
            assert answer.status_code == 403
        foreign = {"Origin": "https://attacker.example"}
        for path, fields in ((form.action, {"decision": "allow"}), ("/device", {"user_code": "BCDF-GHJK"})):
            sent = await phone.post(path, data=form.fields | fields, headers=foreign)
            assert sent.status_code == 403
        assert (await press(phone, form, "perhaps")).status_code == 303, "no decision, no answer"
        assert len(await waiting_for(provider, phone, person)) == 1


async def test_nobody_is_worn_down_and_what_is_agreed_to_is_not_counted(provider: Provider) -> None:
    """KC CVE-2026-9798: 20 unanswered requests an hour, atomically; one client's do not block another's."""
    ciba, other = await ciba_platform(provider), await ciba_platform(provider)
    person = await known_person(ciba)
    neighbour = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        for _ in range(3):
            await ciba.asked(http, person)
            await answer_newest(provider, phone, person)
        answers = await asyncio.gather(*(ciba.ask(http, person) for _ in range(25)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] * 20 + [403] * 5
        refused = next(answer for answer in answers if answer.status_code == 403)
        assert refused.json()["error"] == "access_denied"
        assert len(await waiting_for(provider, phone, person)) == 20
        assert (await ciba.ask(http, neighbour)).status_code == 200
        hint = {"login_hint": person.personal_number}
        assert (await other.ask(http, person, **hint)).status_code == 200
        provider.clock.advance(hours=1, seconds=1)
        assert (await ciba.ask(http, person)).status_code == 200


async def test_a_decision_and_a_refusal_at_the_same_moment_are_one(provider: Provider) -> None:
    ciba = await ciba_platform(provider)
    person = await known_person(ciba, has_totp=False)
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person)
        (address,) = await waiting_for(provider, phone, person)
        form = Html((await phone.get(address)).text).forms["approval"]
        pressed = await asyncio.gather(*(press(phone, form, decision) for decision in ("allow", "deny") * 3))
        assert sorted(each.status_code for each in pressed) == [200] + [400] * 5
        fetched = await asyncio.gather(*(ciba.token(http, auth_req_id) for _ in range(5)))
        was_allowed = pressed[0].status_code == 200 or 200 in {each.status_code for each in pressed[::2]}
        wanted = [200] + [400] * 4 if was_allowed else [400] * 5
        assert sorted(each.status_code for each in fetched) == wanted


async def test_who_may_not_by_the_networks_policy_is_told_and_nothing_is_passed_on(
    provider: Provider,
) -> None:
    """The level asked for is reached by the factors a person has, or the page says that it cannot be."""
    ciba = await ciba_platform(provider, min_acr="vn-2", min_proofing="vn2")
    weak = await known_person(ciba, has_totp=False)
    remote = await known_person(ciba, proofing=Proofing.VN1)
    strong = await known_person(ciba)
    async with provider.http() as http:
        for person in (weak, remote):
            auth_req_id = await ciba.asked(http, person)
            async with provider.http() as phone:
                (address,) = await waiting_for(provider, phone, person)
                page = await phone.get(address)
                assert page.status_code == 403
                assert "approval" not in Html(page.text).forms
            provider.clock.advance(seconds=5)
            assert (await ciba.token(http, auth_req_id)).json()["error"] == "authorization_pending"
        auth_req_id = await ciba.asked(http, strong)
        async with provider.http() as phone:
            await answer_newest(provider, phone, strong)
        assert (await ciba.token(http, auth_req_id)).status_code == 200


async def test_no_code_and_no_id_reaches_the_log(provider: Provider) -> None:
    """Class 26 (Hydra: user codes in logs)."""
    ciba, device = await ciba_platform(provider), await device_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person)
        begun = await device.begun(http)
        await arrive(provider, phone, person, begun["verification_uri_complete"].removeprefix(ISSUER))
        await type_code(provider, phone, person, begun["user_code"])
        await answer_newest(provider, phone, person)
        await ciba.token(http, auth_req_id)
    provider.context.log.flush()
    assert provider.settings.log_file is not None
    log = provider.settings.log_file.read_text()
    for secret in (
        auth_req_id,
        begun["device_code"],
        begun["user_code"],
        begun["user_code"].replace("-", ""),
    ):
        assert secret not in log
