"""The back-off of deliveries: growing, spread, and over after three days."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.delivery_schedule import FIRST_PAUSE, GIVEN_UP_AFTER, LONGEST_PAUSE, PAUSES, pause_after


def test_the_pauses_grow_to_some_hours_and_add_up_to_three_days() -> None:
    assert PAUSES[0] == FIRST_PAUSE
    assert sum(PAUSES, timedelta()) == GIVEN_UP_AFTER
    growing = PAUSES[:-1]
    assert list(growing) == sorted(growing)
    assert max(PAUSES) == LONGEST_PAUSE
    assert 20 <= len(PAUSES) <= 30


@given(attempts=st.integers(1, len(PAUSES)), chance=st.floats(0, 1))
def test_a_pause_is_spread_around_its_length(attempts: int, chance: float) -> None:
    pause, nominal = pause_after(attempts, chance), PAUSES[attempts - 1]
    assert pause is not None
    assert 0.75 * nominal <= pause <= 1.25 * nominal


def test_after_the_last_attempt_it_is_given_up() -> None:
    assert pause_after(len(PAUSES), 1.0) is not None
    assert pause_after(len(PAUSES) + 1, 0.0) is None


@pytest.mark.parametrize(("attempts", "chance"), [(0, 0.5), (-1, 0.5), (1, -0.1), (1, 1.1)])
def test_what_cannot_be_is_no_pause(attempts: int, chance: float) -> None:
    with pytest.raises(ValueError, match="no pause"):
        pause_after(attempts, chance)
