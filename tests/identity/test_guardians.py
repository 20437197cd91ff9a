"""Guardians: ages by Viet Nam's calendar, and who speaks for whom. R10, R11."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Proofing
from idp.identity.citizens import VIET_NAM, Citizen, CitizenStatus, PersonalData, age_on
from idp.identity.guardians import (
    Guardianship,
    Oversight,
    Source,
    Unfit,
    UnfitGuardianError,
    check_guardian,
    oversight_of,
    turns_16_at,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
BIRTHDAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2110, 12, 31))
BIRTHDATES = BIRTHDAYS.map(date.isoformat) | st.integers(1900, 2110).map(str)


def born(birthdate: str, citizen_id: str = "citizen-1", **changes: Any) -> Citizen:
    data = PersonalData(name="Nguyễn Thị Lan", birthdate=birthdate)
    return replace(Citizen(citizen_id, CitizenStatus.ACTIVE, Proofing.VN2, NOW, data), **changes)


MOTHER, CHILD = born("1990-01-02", "mother"), born("2013-05-01", "child")


@pytest.mark.parametrize(
    ("birthdate", "oversight"),
    [
        pytest.param("2012-11-22", Oversight.GUARDIAN_FIRST, id="14 tomorrow"),
        pytest.param("2012-11-21", Oversight.BOTH, id="14 today"),
        pytest.param("2010-11-22", Oversight.BOTH, id="16 tomorrow"),
        pytest.param("2010-11-21", Oversight.NONE, id="16 today"),
        pytest.param("2010", Oversight.BOTH, id="a year alone is its last day"),
        pytest.param("2009", Oversight.NONE, id="a year alone, long enough ago"),
        pytest.param("2026-11-21", Oversight.GUARDIAN_FIRST, id="born today"),
    ],
)
def test_r10_what_an_age_demands(birthdate: str, oversight: Oversight) -> None:
    assert oversight_of(birthdate, NOW) is oversight


@given(BIRTHDATES)
def test_somebody_turns_16_at_the_very_moment_at_which_their_age_is_16(birthdate: str) -> None:
    """Years alone and 29 February included, and told in any time zone."""
    at = turns_16_at(birthdate)
    assert (age_on(birthdate, at - INSTANT), age_on(birthdate, at)) == (15, 16)
    assert oversight_of(birthdate, at.astimezone(UTC)) is Oversight.NONE
    assert oversight_of(birthdate, at.astimezone(UTC) - INSTANT) is Oversight.BOTH


@given(BIRTHDATES, BIRTHDAYS, st.times())
def test_nobody_needs_more_oversight_tomorrow_than_today(birthdate: str, day: date, clock: time) -> None:
    order, now = list(Oversight), datetime.combine(day, clock, UTC)
    today, tomorrow = (order.index(oversight_of(birthdate, at)) for at in (now, now + timedelta(days=1)))
    assert today <= tomorrow


@pytest.mark.parametrize(
    ("birthdate", "at"),
    [
        pytest.param("2010-11-21", datetime(2026, 11, 20, 17, tzinfo=UTC), id="17:00 UTC the day before"),
        pytest.param("2010", datetime(2026, 12, 31, tzinfo=VIET_NAM), id="a year alone"),
        pytest.param("2012-02-29", datetime(2028, 2, 29, tzinfo=VIET_NAM), id="a leap day in a leap year"),
        pytest.param("2084-02-29", datetime(2100, 3, 1, tzinfo=VIET_NAM), id="2100 has no leap day"),
    ],
)
def test_when_somebody_turns_16(birthdate: str, at: datetime) -> None:
    assert turns_16_at(birthdate) == at


@pytest.mark.parametrize(
    ("guardian", "child", "unfit"),
    [
        pytest.param(CHILD, CHILD, Unfit.SAME_PERSON, id="nobody is their own guardian"),
        pytest.param(MOTHER, born("2010-11-21", "x"), Unfit.CHILD_DECIDES_ALONE, id="16 today"),
        pytest.param(born("2008-11-22", "x"), CHILD, Unfit.GUARDIAN_UNDER_AGE, id="18 tomorrow"),
        *[
            pytest.param(replace(MOTHER, status=status), CHILD, Unfit.GUARDIAN_NOT_ACTIVE, id=status.value)
            for status in CitizenStatus
            if status is not CitizenStatus.ACTIVE
        ],
    ],
)
def test_p10_who_speaks_for_nobody(guardian: Citizen, child: Citizen, unfit: Unfit) -> None:
    with pytest.raises(UnfitGuardianError) as refused:
        check_guardian(guardian, child, NOW)
    assert refused.value.unfit is unfit


def test_an_active_adult_may_speak_for_a_child() -> None:
    check_guardian(MOTHER, CHILD, NOW)
    check_guardian(born("2008-11-21", "18 today"), born("2010-11-22", "16 tomorrow"), NOW)


@pytest.mark.parametrize(
    ("at", "is_in_force"),
    [
        pytest.param(NOW - INSTANT, False, id="not yet"),
        pytest.param(NOW, True, id="from the beginning"),
        pytest.param(NOW + timedelta(days=9), True, id="later"),
        pytest.param(NOW + timedelta(days=10), False, id="ended"),
    ],
)
def test_a_relation_has_a_beginning_and_an_end(at: datetime, *, is_in_force: bool) -> None:
    relation = make_guardianship(ended_at=NOW + timedelta(days=10))
    assert relation.is_in_force(at) is is_in_force


def test_a_relation_ends_by_itself_when_the_child_turns_16() -> None:
    relation = make_guardianship()
    at = relation.child_turns_16_at
    assert [relation.is_in_force(when) for when in (at - INSTANT, at)] == [True, False]


def make_guardianship(ended_at: datetime | None = None) -> Guardianship:
    return Guardianship(
        guardianship_id="guardianship-1",
        guardian_citizen_id="mother",
        child_citizen_id="child",
        source=Source.REGISTER,
        child_turns_16_at=turns_16_at("2013-05-01"),
        valid_from=NOW,
        ended_at=ended_at,
    )
