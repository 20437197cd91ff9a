"""How many deliveries a receiver is given at once, by how it answers."""

from hypothesis import given
from hypothesis import strategies as st

from idp.deliveries.lanes import (
    FIRST_PLACES,
    GONE_AFTER,
    MOST_PLACES,
    MOST_SLOW_PLACES,
    SLOW,
    Lane,
)


def lane() -> Lane:
    return Lane("kind", "client")


def test_who_answers_is_given_more_and_who_is_slow_not_as_many() -> None:
    quick, slow = lane(), lane()
    for _ in range(200):
        assert not quick.succeeded(0.01)
        assert not slow.succeeded(SLOW)
    assert (quick.places, quick.is_sick) == (MOST_PLACES, False)
    assert (slow.places, slow.is_sick) == (MOST_SLOW_PLACES, True)
    quick.succeeded(SLOW)
    assert quick.places == MOST_SLOW_PLACES


def test_who_does_not_answer_is_tried_one_at_a_time_until_it_is_back() -> None:
    gone = lane()
    for number in range(GONE_AFTER):
        assert gone.is_gone is False, number
        gone.failed()
    assert (gone.is_gone, gone.is_sick, gone.places) == (True, True, 1)
    assert gone.succeeded(0.01) is True, "it is back"
    assert (gone.is_sick, gone.places) == (False, 2)
    assert gone.succeeded(0.01) is False


@given(st.lists(st.one_of(st.none(), st.floats(0, 5)), max_size=200), st.integers(0, 100))
def test_a_receiver_has_always_a_place_and_never_too_many(
    answers: list[float | None], under_way: int
) -> None:
    one = lane()
    for seconds in answers:
        if seconds is None:
            one.failed()
        else:
            one.succeeded(seconds)
        assert 1 <= one.places <= MOST_PLACES
    one.under_way = under_way
    assert one.free == max(0, one.places - under_way)
    assert lane().places == FIRST_PLACES
