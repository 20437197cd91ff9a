"""The brake on guessing, and that it is not a weapon against holders (abuse cases 18, P5)."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.authenticators.throttling import (
    PAIR_LIMITS,
    PATH_LIMITS,
    SECOND_FACTOR_LIMITS,
    SOURCE_LIMITS,
    STRICT_PAIR_LIMITS,
    UNDER_ATTACK_FROM,
    UNKNOWN_SOURCE,
    AttemptLimits,
    Attempts,
    CredentialPath,
    PathLimits,
    ThrottledError,
    blocked_for,
    check_attempt,
    pair_limits,
    path_limits,
    pauses,
    register,
    source_of,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def count_let_through(limits: AttemptLimits, span: timedelta, every: timedelta) -> int:
    attempts: Attempts | None = None
    let_through = 0
    for beat in range(span // every):
        try:
            attempts = register(attempts, limits, NOW + beat * every)
        except ThrottledError:
            continue
        let_through += 1
    return let_through


def test_five_attempts_are_free_and_the_sixth_waits_thirty_seconds() -> None:
    attempts: Attempts | None = None
    for _ in range(5):
        attempts = register(attempts, PAIR_LIMITS, NOW)
    with pytest.raises(ThrottledError) as refused:
        register(attempts, PAIR_LIMITS, NOW + timedelta(seconds=29))
    assert refused.value.retry_at == NOW + timedelta(seconds=30)
    assert register(attempts, PAIR_LIMITS, NOW + timedelta(seconds=30)).failures == 6


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 900), (11, 900), (10**9, 900)],
)
def test_pauses_double_from_thirty_seconds_to_fifteen_minutes(failures: int, seconds: int) -> None:
    assert blocked_for(failures, PAIR_LIMITS) == timedelta(seconds=seconds)


@pytest.mark.parametrize("limits", [PAIR_LIMITS, STRICT_PAIR_LIMITS, SOURCE_LIMITS, SECOND_FACTOR_LIMITS])
def test_the_rows_for_the_store_say_the_same_as_the_rule(limits: AttemptLimits) -> None:
    rows = pauses(limits)
    for failures in range(limits.free + 20):
        from_rows = next((pause for threshold, pause in rows if failures >= threshold), timedelta(0))
        assert from_rows == blocked_for(failures, limits)


def test_a_refused_attempt_is_not_counted_and_does_not_lengthen_the_pause() -> None:
    attempts = Attempts(failures=5, counted_since=NOW, last_attempt_at=NOW)
    for second in range(30):
        with pytest.raises(ThrottledError):
            register(attempts, PAIR_LIMITS, NOW + timedelta(seconds=second))
    assert register(attempts, PAIR_LIMITS, NOW + timedelta(seconds=30)).failures == 6


def test_abuse_18_one_source_has_about_a_hundred_guesses_a_day_at_one_person() -> None:
    assert count_let_through(PAIR_LIMITS, DAY, timedelta(seconds=30)) <= 105


def test_abuse_19_a_second_factor_is_guessed_a_hundred_times_a_day_at_most() -> None:
    assert count_let_through(SECOND_FACTOR_LIMITS, DAY, timedelta(seconds=30)) <= 105


def test_abuse_p5_strangers_never_stop_a_source_that_signed_the_holder_in() -> None:
    assert pair_limits(10**6, is_known_source=True) == PAIR_LIMITS


def test_abuse_p5_even_a_new_source_has_a_first_attempt_under_attack() -> None:
    limits = pair_limits(UNDER_ATTACK_FROM, is_known_source=False)
    attempts = register(None, limits, NOW)
    with pytest.raises(ThrottledError):
        register(attempts, limits, NOW)


def test_a_new_source_has_five_attempts_while_nobody_is_under_attack() -> None:
    assert pair_limits(UNDER_ATTACK_FROM - 1, is_known_source=False) == PAIR_LIMITS


def test_a_carriers_address_has_a_hundred_failures_in_ten_minutes_and_begins_anew() -> None:
    attempts: Attempts | None = None
    for _ in range(100):
        attempts = register(attempts, SOURCE_LIMITS, NOW)
    with pytest.raises(ThrottledError):
        register(attempts, SOURCE_LIMITS, NOW)
    assert register(attempts, SOURCE_LIMITS, NOW + timedelta(minutes=10)).failures == 1


def test_a_busy_carrier_below_its_limit_is_never_refused() -> None:
    every = timedelta(seconds=7)
    assert count_let_through(SOURCE_LIMITS, timedelta(hours=3), every) == timedelta(hours=3) // every


def test_blocked_until_never_reaches_beyond_the_window() -> None:
    attempts = Attempts(failures=10**6, counted_since=NOW, last_attempt_at=NOW + timedelta(minutes=9))
    assert attempts.blocked_until(SOURCE_LIMITS) == NOW + timedelta(minutes=10)


def test_the_first_attempt_of_all_is_let_through() -> None:
    check_attempt(1, None, PAIR_LIMITS, NOW)


def test_an_attempt_counted_by_the_store_is_judged_by_the_one_before_it() -> None:
    check_attempt(5, NOW, PAIR_LIMITS, NOW)
    with pytest.raises(ThrottledError) as refused:
        check_attempt(7, NOW, PAIR_LIMITS, NOW + timedelta(seconds=59))
    assert refused.value.retry_at == NOW + timedelta(minutes=1)
    check_attempt(7, NOW, PAIR_LIMITS, NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("address", "source"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="IPv4 as it is"),
        pytest.param("::ffff:192.0.2.7", "192.0.2.7", id="IPv4 mapped into IPv6"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6 by /64"),
        pytest.param("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64", id="another host of the same /64"),
        pytest.param("2001:db8:1:3::1", "2001:db8:1:3::/64", id="the neighbour"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="zone id"),
        pytest.param("", UNKNOWN_SOURCE, id="no address"),
        pytest.param("testclient", UNKNOWN_SOURCE, id="no address but a name"),
    ],
)
def test_source_of(address: str, source: str) -> None:
    assert source_of(address) == source


STATEMENT = """
INSERT INTO attempts (key, failures, counted_since, last_attempt_at) VALUES ('k', 1, :now, :now)
ON CONFLICT (key) DO UPDATE SET
  failures = CASE WHEN counted_since <= :window_start THEN 1 ELSE failures + 1 END,
  counted_since = CASE WHEN counted_since <= :window_start THEN :now ELSE counted_since END,
  last_attempt_at = :now
WHERE counted_since <= :window_start OR last_attempt_at + {pause} <= :now
RETURNING failures, counted_since
"""


def seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


@given(st.lists(st.integers(min_value=0, max_value=400), max_size=60))
def test_one_statement_in_a_database_decides_as_the_rule(gaps: list[int]) -> None:
    limits = AttemptLimits(free=3, window=timedelta(minutes=20), longest_pause=timedelta(minutes=5))
    whens = " ".join(f"WHEN failures >= {n} THEN {pause.seconds}" for n, pause in pauses(limits))
    statement = STATEMENT.format(pause=f"CASE {whens} ELSE 0 END")
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE attempts (key PRIMARY KEY, failures, counted_since, last_attempt_at)")
    attempts: Attempts | None = None
    now = NOW
    for gap in gaps:
        now += timedelta(seconds=gap)
        row = database.execute(
            statement, {"now": seconds(now), "window_start": seconds(now - limits.window)}
        ).fetchall()
        try:
            attempts = register(attempts, limits, now)
        except ThrottledError:
            assert row == []
        else:
            assert row == [(attempts.failures, seconds(attempts.counted_since))]
    database.close()


@pytest.mark.parametrize("path", list(CredentialPath))
def test_every_path_has_limits_and_one_brake_at_most(path: CredentialPath) -> None:
    limits = PATH_LIMITS[path]
    assert limits.pair is None or limits.holder is None
    assert limits.pair is None or limits.browser is not None, "strangers could lock the holder out"
    assert limits.forgets or limits.holder is not None


def test_an_operator_sets_what_passwords_and_sources_may_cost_and_nothing_else() -> None:
    password, source = replace(PAIR_LIMITS, free=3), replace(SOURCE_LIMITS, free=7)
    chosen = {path: path_limits(path, password=password, source=source) for path in CredentialPath}
    assert chosen[CredentialPath.PASSWORD] == PathLimits(source=source, pair=password, browser=password)
    assert chosen[CredentialPath.ONE_TIME_PASSWORD].source == source
    assert chosen[CredentialPath.ONE_TIME_PASSWORD].holder == SECOND_FACTOR_LIMITS
    assert chosen[CredentialPath.PASSKEY] == PATH_LIMITS[CredentialPath.PASSKEY]
