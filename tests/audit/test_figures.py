"""Public figures: nobody can be singled out, and the same month gives the same figures."""

from datetime import UTC, datetime

import pytest

from idp.audit.figures import STEPS, month_of, shown, step_of


def test_small_counts_are_not_told() -> None:
    assert [shown(count) for count in (0, 1, 9, 10, 1000)] == [0, "<10", "<10", 10, 1000]


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-11", datetime(2026, 10, 31, 17, tzinfo=UTC), datetime(2026, 11, 30, 17, tzinfo=UTC)),
        ("2026-12", datetime(2026, 11, 30, 17, tzinfo=UTC), datetime(2026, 12, 31, 17, tzinfo=UTC)),
        ("2028-02", datetime(2028, 1, 31, 17, tzinfo=UTC), datetime(2028, 2, 29, 17, tzinfo=UTC)),
    ],
)
def test_a_month_is_one_of_viet_nam(text: str, begins: datetime, ends: datetime) -> None:
    assert month_of(text) == (begins, ends)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "x", "2026-11-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        month_of(text)


def test_delivery_times_are_told_by_the_step_they_fall_into() -> None:
    assert step_of({1: 98, 5: 1, 60: 1}, 0.5) == 1
    assert step_of({1: 98, 5: 1, 60: 1}, 0.99) == 5
    assert step_of({60: 10}, 0.99) == 60
    assert step_of({STEPS[-1]: 9}, 0.5) is None, "too few to tell"
    assert step_of({}, 0.5) is None
