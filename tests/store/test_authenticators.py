"""Authenticators: whom a number or a phone signs in, and one-time codes that are used once."""

from datetime import timedelta

import pytest

from idp.store.encoding import moment
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

NUMBER = "000190123456"
PHONE = "+84000123456"


async def test_a_person_is_found_by_number_phone_and_id_with_what_lets_them_in(memory: Memory) -> None:
    person = make_person(
        personal_number=NUMBER,
        personal_data={"phone_number": PHONE},
        password_hash="$argon2id$x",
        totp_secret="JBSWY3DP",
    )
    await memory.add_people(person, make_person("citizen-2"))
    found = memory.unit_of_work().authenticators
    by_number = await found.find_for_sign_in("personal_number", NUMBER)
    assert by_number is not None
    assert (by_number.citizen_id, by_number.password_hash, by_number.totp_secret) == (
        "citizen-1",
        "$argon2id$x",
        "JBSWY3DP",
    )
    assert await found.find_for_sign_in("phone_number", PHONE) == by_number
    assert await found.find("citizen-1") == by_number
    without = await found.find("citizen-2")
    assert without is not None
    assert (without.password_hash, without.totp_secret, without.totp_last_used_step) == (None, None, None)


async def test_nobody_is_found_who_is_not_there(memory: Memory) -> None:
    found = memory.unit_of_work().authenticators
    assert await found.find_for_sign_in("personal_number", NUMBER) is None
    assert await found.find_for_sign_in("phone_number", PHONE) is None
    assert await found.find("citizen-1") is None


async def test_a_new_password_replaces_the_old_one_alone(memory: Memory) -> None:
    await memory.add_people(make_person(password_hash="old", totp_secret="A"))
    uow = memory.unit_of_work()
    uow.authenticators.put_password("citizen-1", "new", NOW)
    await uow.commit()
    found = await uow.authenticators.find("citizen-1")
    assert found is not None
    assert (found.password_hash, found.totp_secret) == ("new", "A")


async def test_a_shared_phone_signs_nobody_in(memory: Memory) -> None:
    shared = {"phone_number": PHONE}
    await memory.add_people(
        *(make_person(f"citizen-{n}", personal_data=shared, password_hash="x") for n in range(3))
    )
    assert await memory.unit_of_work().authenticators.find_for_sign_in("phone_number", PHONE) is None


async def test_rfc6238_5_2_a_step_is_used_once_and_none_before_it_afterwards(memory: Memory) -> None:
    await memory.add_people(make_person(totp_secret="A"), make_person("citizen-2", totp_secret="B"))
    uow = memory.unit_of_work()
    outcomes = []
    for step in (100, 100, 99, 101, 101):
        uow.authenticators.use_totp_step("citizen-1", step)
        try:
            await uow.commit()
            outcomes.append("used")
        except GateClosedError as closed:
            outcomes.append(closed.gate)
    assert outcomes == ["used", "totp_step", "totp_step", "used", "totp_step"]
    record, other = (
        await uow.authenticators.find("citizen-1"),
        await uow.authenticators.find("citizen-2"),
    )
    assert record is not None
    assert other is not None
    assert (record.totp_last_used_step, other.totp_last_used_step) == (101, None)


async def test_a_step_of_somebody_without_a_secret_is_not_used(memory: Memory) -> None:
    await memory.add_people(make_person(password_hash="x"))
    uow = memory.unit_of_work()
    uow.authenticators.use_totp_step("citizen-1", 1)
    with pytest.raises(GateClosedError, match="totp_step"):
        await uow.commit()


async def test_a_new_secret_of_codes_begins_with_the_step_that_confirmed_it(memory: Memory) -> None:
    await memory.add_people(make_person(totp_secret="A"), make_person("citizen-2"))
    for citizen_id in ("citizen-1", "citizen-2"):
        uow = memory.unit_of_work()
        uow.authenticators.set_totp(citizen_id, "B", 70, NOW)
        await uow.commit()
        record = await uow.authenticators.find(citizen_id)
        assert record is not None
        assert (record.totp_secret, record.totp_last_used_step) == ("B", 70)
        uow.authenticators.use_totp_step(citizen_id, 70)
        with pytest.raises(GateClosedError, match="totp_step"):
            await uow.commit()


async def test_a_chosen_password_is_as_new_as_the_choice_and_a_hash_made_anew_is_not(memory: Memory) -> None:
    await memory.add_people(make_person(password_hash="old"))
    uow = memory.unit_of_work()
    uow.authenticators.set_password("citizen-1", "chosen", NOW + timedelta(days=1))
    await uow.commit()
    uow.authenticators.put_password("citizen-1", "made anew", NOW + timedelta(days=2))
    await uow.commit()
    (row,) = (await memory.everything())["authenticators"]
    assert (bytes(row["secret"]), moment(row["created_at"])) == (b"made anew", NOW + timedelta(days=1))


async def test_what_was_removed_lets_nobody_in_and_is_removed_once(memory: Memory) -> None:
    await memory.add_people(make_person(password_hash="x", totp_secret="A"))
    uow = memory.unit_of_work()
    uow.authenticators.remove("citizen-1", "totp")
    await uow.commit()
    record = await uow.authenticators.find("citizen-1")
    assert record is not None
    assert (record.password_hash, record.totp_secret) == ("x", None)
    uow.authenticators.remove("citizen-1", "totp")
    with pytest.raises(GateClosedError, match="authenticator_removed"):
        await uow.commit()
