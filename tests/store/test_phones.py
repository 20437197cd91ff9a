"""Phones and what they are asked, on both engines: each step once, however many try at once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.authenticators.app_devices import PIN_TRIES, AppDevice
from idp.authenticators.phone_approvals import ApprovalKind, ApprovalStatus, AskedFrom, PhoneApproval
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio
MINUTE = timedelta(minutes=1)
PLACE = AskedFrom("203.0.113.7", "Firefox, Windows", "Quán Cóc", "quan-coc.example", "@lan")
DEVICE = AppDevice(
    "device-1", "citizen-1", "point", "hash", "Máy của Lan", NOW, number="42", session_id="s-1"
)
APPROVAL = PhoneApproval(
    b"a" * 32,
    ApprovalKind.SIGN_IN,
    "my",
    b"b" * 32,
    NOW,
    NOW + 10 * MINUTE,
    asked_from=PLACE,
    client_id="net",
)


async def done(memory: Memory, *records: Callable[[UnitOfWork], None]) -> str:
    """The gate that closed, or nothing."""
    uow = memory.unit_of_work()
    for record in records:
        record(uow)
    try:
        await uow.commit()
    except GateClosedError as closed:
        return closed.gate
    return ""


async def set_up(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.citizens.add_many([make_person()], NOW)
    uow.app_devices.add(DEVICE)
    uow.phone_approvals.add(APPROVAL)
    await uow.commit()


def claim(device_id: str, approval: PhoneApproval = APPROVAL) -> Callable[[UnitOfWork], None]:
    return lambda uow: uow.phone_approvals.claim(
        approval, citizen_id="citizen-1", device_id=device_id, number="42", until=NOW + MINUTE, now=NOW
    )


async def test_a_phone_is_read_back_and_confirmed_by_its_own_session(memory: Memory) -> None:
    await set_up(memory)
    assert await memory.unit_of_work().app_devices.find("device-1") == DEVICE
    assert await memory.unit_of_work().app_devices.find("device-2") is None
    assert await done(memory, lambda uow: uow.app_devices.count_pin("device-1")) == "app_pin_counted"
    stranger = await done(memory, lambda uow: uow.app_devices.confirm(DEVICE, "s-2", NOW))
    assert stranger == "app_device_confirmed"
    other = replace(DEVICE, citizen_id="citizen-2")
    assert (
        await done(memory, lambda uow: uow.app_devices.confirm(other, "s-1", NOW)) == "app_device_confirmed"
    )
    assert await done(memory, lambda uow: uow.app_devices.confirm(DEVICE, "s-1", NOW)) == ""
    assert await done(memory, lambda uow: uow.app_devices.confirm(DEVICE, "s-1", NOW)) != ""
    confirmed = await memory.unit_of_work().app_devices.find("device-1")
    assert confirmed is not None
    assert (confirmed.confirmed_at, confirmed.number, confirmed.is_usable) == (NOW, None, True)


async def test_pins_are_counted_before_they_are_verified_however_many_come_at_once(memory: Memory) -> None:
    await set_up(memory)
    await done(memory, lambda uow: uow.app_devices.confirm(DEVICE, "s-1", NOW))
    counting = [done(memory, lambda uow: uow.app_devices.count_pin("device-1")) for _ in range(2 * PIN_TRIES)]
    closed = await asyncio.gather(*counting)
    assert sorted(closed) == [""] * PIN_TRIES + ["app_pin_counted"] * PIN_TRIES
    await done(memory, lambda uow: uow.app_devices.use("device-1", NOW))
    used = await memory.unit_of_work().app_devices.find("device-1")
    assert used is not None
    assert (used.pin_failures, used.last_used_at) == (0, NOW)


async def test_a_phone_ends_once_and_for_its_person_alone(memory: Memory) -> None:
    await set_up(memory)
    since = NOW - MINUTE
    listed = await memory.unit_of_work().app_devices.of_citizen("citizen-1", since)
    assert [device.device_id for device in listed] == ["device-1"]
    assert await memory.unit_of_work().app_devices.of_citizen("citizen-1", NOW) == [], "never confirmed"
    other = replace(DEVICE, citizen_id="citizen-2")
    assert await done(memory, lambda uow: uow.app_devices.revoke(other, "removed", NOW)) != ""
    assert await done(memory, lambda uow: uow.app_devices.revoke(DEVICE, "removed", NOW)) == ""
    assert await done(memory, lambda uow: uow.app_devices.revoke(DEVICE, "removed", NOW)) != ""
    assert await done(memory, lambda uow: uow.app_devices.use("device-1", NOW)) == "app_device_used"
    assert await memory.unit_of_work().app_devices.of_citizen("citizen-1", since) == []


async def test_a_request_goes_its_way_once(memory: Memory) -> None:
    await set_up(memory)
    uow = memory.unit_of_work()
    assert await uow.phone_approvals.find(APPROVAL.approval_hash) == APPROVAL
    assert await uow.phone_approvals.asked_by(b"b" * 32, "my", ApprovalKind.SIGN_IN) == APPROVAL
    assert await uow.phone_approvals.asked_by(b"c" * 32, "my", ApprovalKind.SIGN_IN) is None
    assert await uow.phone_approvals.asked_by(b"b" * 32, "other", ApprovalKind.SIGN_IN) is None
    closed = await asyncio.gather(*(done(memory, claim(f"device-{number}")) for number in range(4)))
    assert sorted(closed) == ["", *["phone_approval_claimed"] * 3]
    taken = await memory.unit_of_work().phone_approvals.find(APPROVAL.approval_hash)
    assert taken is not None
    assert (taken.status, taken.number, taken.asked_from) == ("claimed", "42", PLACE)
    assert [each.number for each in await memory.unit_of_work().phone_approvals.waiting("citizen-1", NOW, 5)]
    stranger = replace(taken, device_id="another")
    agree = ApprovalStatus.APPROVED
    assert await done(memory, lambda uow: uow.phone_approvals.decide(stranger, agree, NOW)) != ""
    late = NOW + MINUTE
    assert await done(memory, lambda uow: uow.phone_approvals.decide(taken, agree, late)) != ""
    answers = [ApprovalStatus.APPROVED, ApprovalStatus.REFUSED, ApprovalStatus.WRONG_NUMBER]
    closed = await asyncio.gather(
        *(
            done(memory, lambda uow, status=status: uow.phone_approvals.decide(taken, status, NOW))
            for status in answers
        )
    )
    assert sorted(closed) == ["", *["phone_approval_decided"] * 2]
    decided = await memory.unit_of_work().phone_approvals.find(APPROVAL.approval_hash)
    assert decided is not None
    assert (decided.asked_from, decided.number, decided.decided_at) == (None, None, NOW)
    assert await memory.unit_of_work().phone_approvals.waiting("citizen-1", NOW, 5) == []


async def test_an_approval_is_used_once_by_the_browser_that_asked(memory: Memory) -> None:
    await set_up(memory)
    await done(memory, claim("device-1"))
    taken = replace(APPROVAL, device_id="device-1")
    unanswered = await done(memory, lambda uow: uow.phone_approvals.consume(taken, b"b" * 32, NOW))
    assert unanswered == "phone_approval_consumed"
    await done(memory, lambda uow: uow.phone_approvals.decide(taken, ApprovalStatus.APPROVED, NOW))
    other = await done(memory, lambda uow: uow.phone_approvals.consume(taken, b"c" * 32, NOW))
    late = await done(memory, lambda uow: uow.phone_approvals.consume(taken, b"b" * 32, NOW + MINUTE))
    assert (other, late) == ("phone_approval_consumed", "phone_approval_consumed")
    using = [done(memory, lambda uow: uow.phone_approvals.consume(taken, b"b" * 32, NOW)) for _ in range(4)]
    assert sorted(await asyncio.gather(*using)) == ["", *["phone_approval_consumed"] * 3]


async def test_a_browser_that_asks_anew_withdraws_what_it_asked(memory: Memory) -> None:
    await set_up(memory)
    await done(memory, lambda uow: uow.phone_approvals.withdraw(b"b" * 32, "my", NOW))
    withdrawn = await memory.unit_of_work().phone_approvals.find(APPROVAL.approval_hash)
    assert withdrawn is not None
    assert (withdrawn.is_open(NOW), withdrawn.asked_from) == (False, None)
    assert await done(memory, claim("device-1")) == "phone_approval_claimed"


async def test_a_code_leads_where_it_was_made_for_once_and_in_time(memory: Memory) -> None:
    def add(subject: str) -> Callable[[UnitOfWork], None]:
        return lambda uow: uow.phone_approvals.add_code(
            "approval", "BCDFGHJK", subject, created_at=NOW, expires_at=NOW + MINUTE
        )

    assert await done(memory, add("one")) == ""
    assert await done(memory, add("two")) == "", "shown again, it is the same code"
    find = memory.unit_of_work().phone_approvals.find_code
    assert await find("approval", "BCDFGHJK", NOW) == "one"
    assert await find("enrolment", "BCDFGHJK", NOW) is None
    assert await find("approval", "BCDFGHJK", NOW + MINUTE) is None
    using = [
        done(memory, lambda uow: uow.phone_approvals.use_code("approval", "BCDFGHJK", NOW)) for _ in range(3)
    ]
    assert sorted(await asyncio.gather(*using)) == ["", "phone_code_used", "phone_code_used"]
    assert await find("approval", "BCDFGHJK", NOW) is None


async def test_a_phone_that_nobody_confirmed_is_forgotten_after_a_day(memory: Memory) -> None:
    await set_up(memory)
    confirmed = replace(DEVICE, device_id="device-2", confirmed_at=NOW, number=None)
    assert await done(memory, lambda uow: uow.app_devices.add(confirmed)) == ""
    for hours, known in ((1, {"device-1", "device-2"}), (25, {"device-2"})):
        later = NOW + timedelta(hours=hours)
        assert await done(memory, lambda uow, at=later: uow.remains.remove(at)) == ""
        kept = await memory.unit_of_work().app_devices.of_citizen("citizen-1", NOW - MINUTE)
        assert {device.device_id for device in kept} == known
