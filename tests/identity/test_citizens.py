"""Citizens: ages by Viet Nam's calendar, and who may be vouched for."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Proofing
from idp.identity.citizens import VIET_NAM, Citizen, CitizenStatus, PersonalData, age_claims, age_on

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BIRTHS = st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 11, 21))
DAYS = st.dates(min_value=date(2026, 11, 22), max_value=date(2100, 1, 1))


@pytest.mark.parametrize(
    ("now", "age"),
    [
        pytest.param(datetime(2026, 11, 20, 16, 59, 59, tzinfo=UTC), 15, id="a second before midnight there"),
        pytest.param(
            datetime(2026, 11, 20, 17, tzinfo=UTC), 16, id="midnight there, 17:00 UTC the day before"
        ),
        pytest.param(datetime(2026, 11, 21, tzinfo=VIET_NAM), 16, id="the same moment told there"),
        pytest.param(datetime(2026, 11, 21, 0, tzinfo=UTC), 16, id="midnight UTC"),
    ],
)
def test_r11_ages_change_at_midnight_in_viet_nam(now: datetime, age: int) -> None:
    assert age_on("2010-11-21", now) == age


@pytest.mark.parametrize(
    ("now", "age"),
    [
        pytest.param(datetime(2026, 12, 30, 16, 59, 59, tzinfo=UTC), 15, id="30 December there"),
        pytest.param(datetime(2026, 12, 30, 17, tzinfo=UTC), 16, id="31 December there"),
    ],
)
def test_r11_a_year_alone_is_the_latest_possible_day(now: datetime, age: int) -> None:
    assert age_on("2010", now) == age


@pytest.mark.parametrize(
    ("day", "age"),
    [
        pytest.param("2026-02-28", 17, id="28 February of a common year: not yet"),
        pytest.param("2026-03-01", 18, id="1 March of a common year"),
        pytest.param("2028-02-28", 19, id="28 February of a leap year: not yet"),
        pytest.param("2028-02-29", 20, id="29 February"),
    ],
)
def test_who_was_born_on_a_leap_day_is_older_from_the_first_of_march(day: str, age: int) -> None:
    assert age_on("2008-02-29", datetime.fromisoformat(f"{day}T00:00:00+07:00")) == age


@given(BIRTHS, DAYS, st.times())
def test_an_age_is_the_number_of_birthdays_that_have_begun(born: date, day: date, clock: time) -> None:
    now = datetime.combine(day, clock, VIET_NAM)
    birthdays = sum(
        (year, born.month, born.day) <= (day.year, day.month, day.day)
        for year in range(born.year + 1, day.year + 1)
    )
    assert age_on(born.isoformat(), now) == birthdays


@given(BIRTHS)
def test_a_year_alone_never_makes_older(born: date) -> None:
    assert age_on(str(born.year), NOW) <= age_on(born.isoformat(), NOW)


@pytest.mark.parametrize(
    "birthdate",
    ["", "99", "19990228", "1999-W01-1", "1999-02", "1999-02-29", "0000", "-100", " 199", "1999-02-28T00:00"],
)
def test_what_is_no_birth_date_has_no_age(birthdate: str) -> None:
    with pytest.raises(ValueError, match=r"a birth date is|out of range"):
        age_on(birthdate, NOW)


@pytest.mark.parametrize(
    ("birthdate", "over"),
    [
        pytest.param("2012-11-22", (False, False, False), id="13, fourteen tomorrow"),
        pytest.param("2012-11-21", (True, False, False), id="14 today"),
        pytest.param("2010-11-21", (True, True, False), id="16 today"),
        pytest.param("2008-11-21", (True, True, True), id="18 today"),
        pytest.param("2008", (True, True, False), id="18 this year, day unknown"),
    ],
)
def test_r11_only_booleans_leave_the_provider(birthdate: str, over: tuple[bool, bool, bool]) -> None:
    claims = age_claims(birthdate, NOW)
    assert claims == dict(zip(("age_over_14", "age_over_16", "age_over_18"), over, strict=True))


@pytest.mark.parametrize("status", CitizenStatus)
def test_r13_only_an_active_person_is_vouched_for(status: CitizenStatus) -> None:
    person = Citizen("citizen-1", status, Proofing.VN2, NOW, PersonalData("Lan", "1999"))
    assert person.is_active() is (status is CitizenStatus.ACTIVE)
