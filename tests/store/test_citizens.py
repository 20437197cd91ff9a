"""The register: sealed, found by keyed hash, with a history of numbers."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from idp.identity.citizens import CitizenStatus
from idp.store.tables import citizens, personal_numbers
from idp.store.writes import Change, GateClosedError, UniquenessError
from keys import SealedDataError
from tests.support.stores import NOW, Memory, data_keys, make_person

pytestmark = pytest.mark.anyio

NUMBER = "000190123456"
PHONE = "+84000123456"
FULL = {
    "name": "Trần Văn Đức",
    "birthdate": "1987",
    "gender": "male",
    "nationality": "VNM",
    "phone_number": PHONE,
    "email": "duc@thu.example",
    "address": "12 Ngõ Huyện, Hà Nội",
}


async def test_a_person_comes_back_as_they_went_by_id_and_number(memory: Memory) -> None:
    person = make_person(personal_number=NUMBER, personal_data=FULL)
    await memory.add_people(person, make_person("citizen-2"))
    found = memory.unit_of_work().citizens
    assert await found.find("citizen-1") == person.citizen
    assert await found.find_by_number(NUMBER) == person.citizen
    assert await found.personal_number("citizen-1") == NUMBER


async def test_nobody_is_found_who_is_not_there(memory: Memory) -> None:
    found = memory.unit_of_work().citizens
    assert await found.find("citizen-1") is None
    assert await found.find_by_number(NUMBER) is None
    assert await found.personal_number("citizen-1") is None


async def test_no_column_of_any_table_tells_who_a_person_is(memory: Memory) -> None:
    await memory.add_people(
        make_person(personal_number=NUMBER, personal_data=FULL, totp_secret="JBSWY3DPEHPK3PXP")
    )
    uow = memory.unit_of_work()
    uow.citizens.change_number("citizen-1", "000190654321", NOW)
    await uow.commit()
    for secret in (*FULL.values(), NUMBER, "000190654321", PHONE[1:], "JBSWY3DPEHPK3PXP"):
        if secret not in {"1987", "male", "VNM"}:
            assert await memory.contains(secret) == [], secret
    (row,) = (await memory.everything())["citizens"]
    assert b"male" not in row["personal_data"]
    assert b"VNM" not in row["personal_data"]


async def test_a_sealed_value_opens_for_its_own_person_only(memory: Memory) -> None:
    await memory.add_people(make_person("citizen-1"), make_person("citizen-2"))
    rows = await memory.database.fetch_all(select(citizens).order_by(citizens.c.citizen_id), {})
    swap = Change(
        "swap",
        citizens,
        where=lambda bind: citizens.c.citizen_id == bind("id"),
        values=lambda bind: {"personal_data": bind("data")},
    )
    await memory.database.execute(swap, {"id": "citizen-1", "data": rows[1]["personal_data"]}, ["citizen_id"])
    with pytest.raises(SealedDataError):
        await memory.unit_of_work().citizens.find("citizen-1")


async def test_a_reissued_number_finds_its_new_holder_and_the_old_one_stays_in_the_history(
    memory: Memory,
) -> None:
    await memory.add_people(make_person("citizen-1", personal_number=NUMBER))
    uow = memory.unit_of_work()
    uow.citizens.change_number("citizen-1", "000190654321", NOW)
    await uow.commit()
    assert await uow.citizens.find_by_number(NUMBER) is None
    assert await uow.authenticators.find_for_sign_in("personal_number", NUMBER) is None
    assert await uow.citizens.personal_number("citizen-1") == "000190654321"
    await memory.add_people(make_person("citizen-2", personal_number=NUMBER))
    holder = await uow.citizens.find_by_number(NUMBER)
    assert holder is not None
    assert holder.citizen_id == "citizen-2"
    history = await memory.database.fetch_all(
        select(personal_numbers).where(personal_numbers.c.citizen_id == "citizen-1"), {}
    )
    lookup = data_keys().lookup("personal_number", NUMBER)
    assert [row["valid_until"] is None for row in history if bytes(row["number_lookup"]) == lookup] == [False]
    assert len(history) == 2


async def test_a_number_changes_to_itself(memory: Memory) -> None:
    await memory.add_people(make_person("citizen-1", personal_number=NUMBER))
    uow = memory.unit_of_work()
    uow.citizens.change_number("citizen-1", NUMBER, NOW)
    await uow.commit()
    assert await uow.citizens.personal_number("citizen-1") == NUMBER


async def test_a_number_has_one_holder(memory: Memory) -> None:
    await memory.add_people(make_person("citizen-1", personal_number=NUMBER))
    before = await memory.everything()
    with pytest.raises(UniquenessError) as refused:
        await memory.add_people(
            make_person("citizen-2"), make_person("citizen-3", personal_number=NUMBER, totp_secret="A")
        )
    assert refused.value.index == "uq_personal_numbers_number_lookup"
    uow = memory.unit_of_work()
    uow.citizens.change_number("citizen-9", NUMBER, NOW)
    with pytest.raises(GateClosedError, match="personal_number_closed"):
        await uow.commit()
    assert await memory.everything() == before


async def test_a_status_changes_from_what_it_was(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    uow.citizens.set_status("citizen-1", CitizenStatus.ACTIVE, CitizenStatus.LOCKED, NOW)
    await uow.commit()
    uow.citizens.set_status("citizen-1", CitizenStatus.ACTIVE, CitizenStatus.REVOKED, NOW)
    with pytest.raises(GateClosedError, match="citizen_status"):
        await uow.commit()
    found = await uow.citizens.find("citizen-1")
    assert found is not None
    assert found.status is CitizenStatus.LOCKED


async def test_the_register_says_the_latest(memory: Memory) -> None:
    person = make_person(
        personal_number=NUMBER, personal_data=FULL, password_hash="old", totp_secret="JBSWY3DP"
    )
    await memory.add_people(person)
    uow = memory.unit_of_work()
    uow.authenticators.use_totp_step("citizen-1", 7)
    moved_on = replace(person.citizen.personal_data, phone_number="+84000999999", email=None)
    uow.citizens.update_many(
        [replace(person, citizen=replace(person.citizen, personal_data=moved_on), password_hash="new")], NOW
    )
    await uow.commit()
    found = await uow.citizens.find("citizen-1")
    assert found is not None
    assert found.personal_data == moved_on
    assert await uow.authenticators.find_for_sign_in("phone_number", PHONE) is None
    record = await uow.authenticators.find_for_sign_in("phone_number", "+84000999999")
    assert record is not None
    assert (record.password_hash, record.totp_secret) == ("new", "JBSWY3DP")
    assert record.totp_last_used_step == 7, "the same secret: a code that was used stays used"
