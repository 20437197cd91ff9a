"""Sessions: how long they live, and when an authentication is recent enough."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.identity.assurance import Method, authentication_context
from idp.identity.sessions import Session, SessionLimits, is_fresh

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIMITS = SessionLimits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
TICK = timedelta(microseconds=1)
CONTEXT = authentication_context([Method.PASSWORD], NOW)


def session(*, last_seen_at: datetime = NOW, ended_at: datetime | None = None) -> Session:
    return Session("sid-1", "citizen-1", CONTEXT, NOW, last_seen_at, ended_at)


@pytest.mark.parametrize(
    ("last_seen_at", "at", "is_alive"),
    [
        pytest.param(NOW, NOW, True, id="at once"),
        pytest.param(NOW, NOW + LIMITS.idle - TICK, True, id="the last idle moment"),
        pytest.param(NOW, NOW + LIMITS.idle, False, id="idle too long"),
        pytest.param(NOW + LIMITS.absolute - TICK, NOW + LIMITS.absolute - TICK, True, id="the last moment"),
        pytest.param(NOW + LIMITS.absolute - TICK, NOW + LIMITS.absolute, False, id="used all the time"),
    ],
)
def test_a_session_lives_until_it_is_idle_or_old(
    last_seen_at: datetime, at: datetime, *, is_alive: bool
) -> None:
    assert session(last_seen_at=last_seen_at).is_alive(LIMITS, at) is is_alive


def test_an_ended_session_is_dead_at_once() -> None:
    assert not session(ended_at=NOW).is_alive(LIMITS, NOW)


@pytest.mark.parametrize(
    ("max_age", "after", "is_recent"),
    [
        pytest.param(None, timedelta(days=300), True, id="no max_age"),
        pytest.param(60, timedelta(seconds=60), True, id="exactly max_age"),
        pytest.param(60, timedelta(seconds=60) + TICK, False, id="a moment more"),
        pytest.param(0, timedelta(0), True, id="max_age=0 at that moment"),
        pytest.param(0, TICK, False, id="max_age=0 a moment later"),
        pytest.param(0, -TICK, True, id="max_age=0 asked before the person signed in"),
    ],
)
def test_oidc_core_3_1_2_1_max_age(max_age: int | None, after: timedelta, *, is_recent: bool) -> None:
    assert is_fresh(CONTEXT, max_age=max_age, not_before=None, now=NOW + after) is is_recent


@pytest.mark.parametrize(
    ("not_before", "is_recent"),
    [
        pytest.param(NOW - TICK, True, id="signed in after the request"),
        pytest.param(NOW, True, id="at the same moment"),
        pytest.param(NOW + TICK, False, id="signed in before the request"),
    ],
)
def test_oidc_core_3_1_2_1_prompt_login(not_before: datetime, *, is_recent: bool) -> None:
    assert is_fresh(CONTEXT, max_age=None, not_before=not_before, now=NOW + timedelta(hours=1)) is is_recent


def test_prompt_login_and_max_age_both_count() -> None:
    later = NOW + timedelta(minutes=2)
    assert not is_fresh(CONTEXT, max_age=60, not_before=NOW, now=later)
    assert not is_fresh(CONTEXT, max_age=600, not_before=later, now=later)
