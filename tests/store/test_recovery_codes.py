"""Codes on paper: each used once, by its person alone, and void when there are newer ones."""

import asyncio
from datetime import timedelta

import pytest

from idp.store.recovery_codes import RECOVERY_CODE_GATE, RecoveryCodeSet
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

CODES = tuple(f"BCDFGHJKMBCDFG{digit}" for digit in "2346789BCD")
OTHER_CODES = tuple(f"WWWWWWWWWWWWWW{digit}" for digit in "2346789BCD")


async def is_used(memory: Memory, citizen_id: str, code: str) -> bool:
    uow = memory.unit_of_work()
    uow.recovery_codes.use(citizen_id, code, NOW)
    try:
        await uow.commit()
    except GateClosedError as closed:
        return closed.gate != RECOVERY_CODE_GATE
    return True


async def give(memory: Memory, citizen_id: str, codes: tuple[str, ...], minutes: int = 0) -> None:
    uow = memory.unit_of_work()
    uow.recovery_codes.replace(citizen_id, codes, NOW + timedelta(minutes=minutes))
    await uow.commit()


async def test_a_code_works_once_and_for_its_person_alone(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    await give(memory, "citizen-1", CODES)
    await give(memory, "citizen-2", OTHER_CODES)
    assert not await is_used(memory, "citizen-2", CODES[0])
    assert await is_used(memory, "citizen-1", "bcdfg-hjkmb-cdfg2")
    assert not await is_used(memory, "citizen-1", CODES[0])
    sets = memory.unit_of_work().recovery_codes
    assert await sets.find_set("citizen-1") == RecoveryCodeSet(9, 10, NOW)
    assert await sets.find_set("citizen-2") == RecoveryCodeSet(10, 10, NOW)
    assert await sets.find_set("nobody") is None
    assert await sets.find_owner(CODES[1].lower()) == "citizen-1"
    assert await sets.find_owner(OTHER_CODES[0]) == "citizen-2"
    assert await sets.find_owner(CODES[0]) is None, "used"


async def test_a_new_set_voids_the_one_before(memory: Memory) -> None:
    await memory.add_people(make_person())
    await give(memory, "citizen-1", CODES)
    await give(memory, "citizen-1", OTHER_CODES, minutes=1)
    assert not await is_used(memory, "citizen-1", CODES[3])
    assert await memory.unit_of_work().recovery_codes.find_owner(CODES[3]) is None
    assert await is_used(memory, "citizen-1", OTHER_CODES[3])


async def test_of_two_sets_made_at_once_one_is_good(memory: Memory) -> None:
    await memory.add_people(make_person())
    first, second = memory.unit_of_work(), memory.unit_of_work()
    first.recovery_codes.replace("citizen-1", CODES, NOW)
    second.recovery_codes.replace("citizen-1", OTHER_CODES, NOW + timedelta(microseconds=1))
    await asyncio.gather(second.commit(), first.commit())
    found = await memory.unit_of_work().recovery_codes.find_set("citizen-1")
    assert found is not None
    assert found.issued == 10
    good = [await is_used(memory, "citizen-1", codes[0]) for codes in (CODES, OTHER_CODES)]
    assert good.count(True) == 1


async def test_twenty_redeem_one_code_at_once_and_one_does(memory: Memory) -> None:
    await memory.add_people(make_person())
    await give(memory, "citizen-1", CODES)
    outcomes = await asyncio.gather(*(is_used(memory, "citizen-1", CODES[5]) for _ in range(20)))
    assert outcomes.count(True) == 1


async def test_no_code_stands_in_the_database(memory: Memory) -> None:
    await memory.add_people(make_person())
    await give(memory, "citizen-1", CODES)
    assert [await memory.contains(code) for code in CODES] == [[]] * 10


async def test_removed_codes_are_gone(memory: Memory) -> None:
    await memory.add_people(make_person())
    await give(memory, "citizen-1", CODES)
    uow = memory.unit_of_work()
    uow.recovery_codes.remove("citizen-1")
    await uow.commit()
    assert await uow.recovery_codes.find_set("citizen-1") is None
