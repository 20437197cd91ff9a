"""Activations in memory: what is found by which secret, and the gates that decide races, on both engines."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.activation_grounds import Ground, Identified, Purpose, SeenDocument
from idp.identity.activations import (
    CLAIM_VALIDITY,
    Activation,
    ActivationStatus,
    StopReason,
    approve,
    issued,
    opened_by_holder,
    proposal,
)
from idp.identity.evidence import DocumentType
from idp.store.activations import APPROVED_GATE, CLAIMED_GATE, REPRINTED_GATE, STOPPED_GATE, USED_GATE
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

NGA, HOA = Actor(ActorKind.OPERATOR, "nga"), Actor(ActorKind.OPERATOR, "hoa")
CODE, OTHER_CODE = "ABCDEFGHJKMNPQRSTUV2", "BBCDEFGHJKMNPQRSTUV2"
LATER = NOW + timedelta(days=4)
FOUND = Identified(Ground.IN_PERSON, "1990-01-02", SeenDocument(DocumentType.IDCARD, "HS-7/2026"))


def first_code(name: str = "first", **changes: Any) -> Activation:
    return replace(issued(name, "citizen-1", Purpose.ENROLMENT, FOUND, NGA, NOW), **changes)


def recovery(name: str = "recovery", **changes: Any) -> Activation:
    waiting = timedelta(days=3)
    return replace(opened_by_holder(name, "citizen-1", Ground.RECOVERY_CODE, waiting, NOW), **changes)


async def kept(
    memory: Memory, activation: Activation, code: str | None = CODE, stop: str | None = None
) -> None:
    await memory.add_people(*map(make_person, ("citizen-1", "citizen-2")))
    uow = memory.unit_of_work()
    uow.activations.add(activation, code=code, stop_token=stop)
    await uow.commit()


async def claimed(memory: Memory, code: str = CODE, browser: str = "browser", **at: Any) -> None:
    uow = memory.unit_of_work()
    uow.activations.claim(code, browser, at.get("now", NOW))
    await uow.commit()


async def used(memory: Memory, name: str = "first", browser: str = "browser", **at: Any) -> None:
    uow = memory.unit_of_work()
    uow.activations.use(name, browser, at.get("now", NOW))
    await uow.commit()


async def test_it_comes_back_as_it_went_and_no_secret_can_be_read(memory: Memory) -> None:
    full = first_code(approved_by="hoa", stopped_because=StopReason.WITHDRAWN, stopped_at=NOW, used_at=NOW)
    await kept(memory, full, stop="stop-token")
    store = memory.unit_of_work().activations
    assert await store.find("first") == full
    assert await store.find_by_code(CODE) == full
    assert await store.find_by_stop_token("stop-token") == full
    for missing in (store.find("x"), store.find_by_code(OTHER_CODE), store.find_by_stop_token("x")):
        assert await missing is None
    assert await memory.contains(CODE) == []
    assert await memory.contains("stop-token") == []
    assert await store.was_ever_used("citizen-1")
    assert not await store.was_ever_used("citizen-2")


async def test_only_the_browser_that_typed_the_code_last_goes_on(memory: Memory) -> None:
    await kept(memory, first_code())
    with pytest.raises(GateClosedError, match=USED_GATE):
        await used(memory)
    await claimed(memory, browser="lost")
    await claimed(memory)
    store = memory.unit_of_work().activations
    assert await store.find_claimed("first", "lost") is None
    found = await store.find_claimed("first", "browser")
    assert found is not None
    assert found.claimed_at == NOW
    with pytest.raises(GateClosedError, match=USED_GATE):
        await used(memory, browser="lost")
    with pytest.raises(GateClosedError, match=USED_GATE):
        await used(memory, now=NOW + CLAIM_VALIDITY)
    await used(memory)
    for again in (used(memory), claimed(memory)):
        with pytest.raises(GateClosedError):
            await again
    assert await memory.unit_of_work().activations.open_of_citizen("citizen-1", NOW) == []


async def test_too_early_too_late_and_stopped_is_no_use(memory: Memory) -> None:
    waits = recovery()
    await kept(memory, waits)
    for wrong in (NOW, waits.usable_from - timedelta(microseconds=1), waits.expires_at):
        with pytest.raises(GateClosedError, match=CLAIMED_GATE):
            await claimed(memory, now=wrong)
    await claimed(memory, now=waits.usable_from)
    uow = memory.unit_of_work()
    uow.activations.stop("recovery", StopReason.HOLDER_MESSAGE, LATER)
    await uow.commit()
    with pytest.raises(GateClosedError, match=USED_GATE):
        await used(memory, "recovery", now=waits.usable_from)
    uow.activations.stop("recovery", StopReason.WITHDRAWN, LATER)
    with pytest.raises(GateClosedError, match=STOPPED_GATE):
        await uow.commit()
    stopped = await uow.activations.find("recovery")
    assert stopped is not None
    assert (stopped.status, stopped.stopped_because) == (ActivationStatus.STOPPED, StopReason.HOLDER_MESSAGE)


async def test_a_proposal_has_no_code_until_it_is_approved_and_that_once(memory: Memory) -> None:
    proposed = proposal("recovery", "citizen-1", FOUND, NGA, NOW)
    await kept(memory, proposed, code=None)
    approved = approve(proposed, HOA, timedelta(days=3), NOW)
    uow = memory.unit_of_work()
    uow.activations.reprint("recovery", CODE)
    with pytest.raises(GateClosedError, match=REPRINTED_GATE):
        await uow.commit()
    uow.activations.approve(approved, CODE, "stop")
    await uow.commit()
    assert await uow.activations.find("recovery") == approved
    assert await uow.activations.find_by_stop_token("stop") == approved
    uow.activations.approve(approved, OTHER_CODE, "stop-2")
    with pytest.raises(GateClosedError, match=APPROVED_GATE):
        await uow.commit()


async def test_a_letter_printed_again_voids_the_code_before_and_whoever_typed_it(memory: Memory) -> None:
    await kept(memory, first_code())
    await claimed(memory)
    uow = memory.unit_of_work()
    uow.activations.reprint("first", OTHER_CODE)
    await uow.commit()
    with pytest.raises(GateClosedError, match=USED_GATE):
        await used(memory)
    assert await uow.activations.find_by_code(CODE) is None
    told_anew = await uow.activations.find_by_stop_token(uow.activations.stop_token("first"))
    assert told_anew is not None
    assert told_anew.activation_id == "first"
    await claimed(memory, OTHER_CODE)
    await used(memory)


async def test_one_use_stops_everything_else_of_the_person_in_the_same_commit(memory: Memory) -> None:
    await kept(memory, first_code())
    uow = memory.unit_of_work()
    uow.activations.add(recovery("second"), code=OTHER_CODE)
    uow.activations.add(recovery("anothers", citizen_id="citizen-2"))
    await uow.commit()
    assert [each.activation_id for each in await uow.activations.open(None, NOW, 9)] == [
        "anothers",
        "first",
        "second",
    ]
    assert [each.activation_id for each in await uow.activations.open(Purpose.ENROLMENT, NOW, 9)] == ["first"]
    await claimed(memory)
    uow.activations.use("first", "browser", NOW)
    uow.activations.stop_others("citizen-1", NOW, but="first")
    await uow.commit()
    states = {
        each.activation_id: each.stopped_because for each in await uow.activations.of_citizen("citizen-1")
    }
    assert states == {"first": None, "second": StopReason.SUPERSEDED}
    assert [each.activation_id for each in await uow.activations.open(None, NOW, 9)] == ["anothers"]
    assert await uow.activations.open(None, LATER + timedelta(days=9), 9) == []


async def test_of_twenty_uses_at_once_one_succeeds(memory: Memory) -> None:
    await kept(memory, first_code())
    await claimed(memory)
    outcomes = await asyncio.gather(*(used(memory) for _ in range(20)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, GateClosedError) for outcome in outcomes)


async def test_a_use_and_a_stop_at_once_are_one_of_both(memory: Memory) -> None:
    await kept(memory, first_code())
    await claimed(memory)

    async def stopped() -> None:
        uow = memory.unit_of_work()
        uow.activations.stop("first", StopReason.HOLDER_MESSAGE, NOW)
        await uow.commit()

    outcomes = await asyncio.gather(used(memory), stopped(), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
