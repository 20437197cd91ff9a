"""The platform's clock after a withdrawal: rule R8."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.withdrawals import platform_clock

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
TET = frozenset(date(2027, 2, day) for day in range(4, 11))


@pytest.mark.parametrize(
    ("withdrawn_at", "answered", "done", "with_others"),
    [
        pytest.param("2026-11-16T03:00Z", "2026-11-18", "2026-12-01", "2026-12-07", id="a Monday"),
        pytest.param("2026-11-19T03:00Z", "2026-11-23", "2026-12-04", "2026-12-09", id="over a weekend"),
        pytest.param("2026-11-21T03:00Z", "2026-11-24", "2026-12-07", "2026-12-11", id="on a Saturday"),
        pytest.param("2026-11-16T17:30Z", "2026-11-19", "2026-12-02", "2026-12-07", id="Tuesday in UTC+7"),
        pytest.param("2027-02-02T03:00Z", "2027-02-11", "2027-02-17", "2027-02-22", id="over the holidays"),
    ],
)
def test_the_days_of_the_law(withdrawn_at: str, answered: str, done: str, with_others: str) -> None:
    clock = platform_clock(datetime.fromisoformat(withdrawn_at), TET)
    days = (clock.answered_by, clock.done_by, clock.done_with_others_by)
    assert [day.isoformat() for day in days] == [answered, done, with_others]


@given(
    st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: BEGINNING + timedelta(minutes=minutes)),
    st.frozensets(st.dates(date(2026, 1, 1), date(2030, 3, 1)), max_size=20),
)
def test_every_day_named_is_one_on_which_people_work(
    withdrawn_at: datetime, holidays: frozenset[date]
) -> None:
    clock = platform_clock(withdrawn_at, holidays)
    days = (clock.answered_by, clock.done_by, clock.done_with_others_by)
    assert all(day.weekday() < 5 and day not in holidays for day in days)
    local = (withdrawn_at + timedelta(hours=7)).date()
    assert clock.answered_by >= local + timedelta(days=2)
    assert clock.done_by >= local + timedelta(days=15)
    assert clock.done_with_others_by >= local + timedelta(days=20)
