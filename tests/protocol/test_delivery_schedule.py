"""The back-off of deliveries: growing, spread, and over after three days."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.delivery_schedule import FIRST_PAUSE, GIVEN_UP_AFTER, LONGEST_PAUSE, PAUSES, next_attempt_at
from tests.support.stores import NOW


def test_the_pauses_grow_to_some_hours_and_add_up_to_three_days() -> None:
    assert PAUSES[0] == FIRST_PAUSE
    assert sum(PAUSES, timedelta()) == GIVEN_UP_AFTER
    growing = PAUSES[:-1]
    assert list(growing) == sorted(growing)
    assert max(PAUSES) == LONGEST_PAUSE
    assert 20 <= len(PAUSES) <= 30


@given(attempts=st.integers(1, 60), chance=st.floats(0, 1))
def test_a_pause_is_spread_around_its_length(attempts: int, chance: float) -> None:
    nominal = PAUSES[attempts - 1] if attempts <= len(PAUSES) else LONGEST_PAUSE
    again_at = next_attempt_at(attempts, NOW + timedelta(days=9), NOW, chance)
    assert again_at is not None
    assert 0.75 * nominal <= again_at - NOW <= 1.25 * nominal


@given(
    attempts=st.integers(1, 60), chance=st.floats(0, 1), left=st.timedeltas(timedelta(0), timedelta(days=3))
)
def test_its_age_ends_it_and_not_the_count(attempts: int, chance: float, left: timedelta) -> None:
    again_at = next_attempt_at(attempts, NOW + left, NOW, chance)
    if left > timedelta(0):
        assert again_at is not None
        assert NOW < again_at <= NOW + left, "the last attempt is made when the time is over"
    else:
        assert again_at is None


@pytest.mark.parametrize(("attempts", "chance"), [(0, 0.5), (-1, 0.5), (1, -0.1), (1, 1.1)])
def test_what_cannot_be_is_no_pause(attempts: int, chance: float) -> None:
    with pytest.raises(ValueError, match="no pause"):
        next_attempt_at(attempts, NOW, NOW, chance)
