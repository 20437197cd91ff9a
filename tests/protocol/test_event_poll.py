"""Fetching events: what a poll may say, and what it is told. RFC 8936 §2."""

from typing import Any

import pytest

from idp.protocol.event_poll import (
    MOST_ACKNOWLEDGED,
    MOST_EVENTS,
    Poll,
    PollRequestError,
    poll_answer,
    read_poll,
)


def test_an_empty_poll_waits_for_as_many_as_we_give() -> None:
    assert read_poll({}) == Poll(MOST_EVENTS, is_immediate=False, acknowledged=(), refused={})


def test_it_acknowledges_refuses_and_asks_at_once() -> None:
    """RFC 8936 §2.2, §2.4: the words beside an error are not kept, an unknown code is no code."""
    poll = read_poll(
        {
            "maxEvents": 0,
            "returnImmediately": True,
            "ack": ["a", "a", "b", "\u0000", "x" * 129],
            "setErrs": {
                "c": {"err": "invalid_audience", "description": "for somebody else"},
                "d": {"err": "<script>"},
                "ă": {"err": "invalid_key"},
            },
            "future": 1,
        }
    )
    assert poll == Poll(
        max_events=0,
        is_immediate=True,
        acknowledged=("a", "b"),
        refused={"c": "invalid_audience", "d": "other"},
    )


@pytest.mark.parametrize(
    "members",
    [
        {"maxEvents": -1},
        {"maxEvents": 1.5},
        {"maxEvents": True},
        {"maxEvents": "1"},
        {"returnImmediately": 1},
        {"returnImmediately": None},
        {"ack": "a"},
        {"ack": [1]},
        {"ack": ["a"] * (MOST_ACKNOWLEDGED + 1)},
        {"setErrs": []},
        {"setErrs": {"a": "invalid_key"}},
        {"setErrs": {"a": {}}},
        {"setErrs": {"a": {"err": 1}}},
        {"setErrs": {str(number): {"err": "x"} for number in range(MOST_ACKNOWLEDGED + 1)}},
    ],
)
def test_what_is_not_understood_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(PollRequestError):
        read_poll(members)


def test_more_than_we_give_is_never_given() -> None:
    assert read_poll({"maxEvents": 10**30}).max_events == MOST_EVENTS


def test_the_answer_names_each_set_by_its_jti() -> None:
    """RFC 8936 §2.3."""
    assert poll_answer({}, is_more=False) == {"sets": {}}
    assert poll_answer({"a": "set"}, is_more=True) == {"sets": {"a": "set"}, "moreAvailable": True}
