"""Counters of sign-in attempts, counted before the credential is looked at.

The rule is `authenticators.throttling.register`; here it stands as one upsert, so that a burst of
guesses cannot slip through between reading and counting. A test holds the two against each other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, case, or_, select

from idp.authenticators.throttling import AttemptLimits, Attempts, pauses
from idp.store.encoding import micros, moment
from idp.store.recorder import Recorder
from idp.store.tables import attempts as t
from idp.store.writes import Change, Insert, Merge, Remove

ATTEMPT_GATE = "attempt"
"""Closed for an attempt that comes too early; it is then not counted."""

_COLUMNS = ("attempt_key", "failures", "counted_since", "last_attempt_at", "expires_at")


def _later(kept: ColumnElement[int], new: ColumnElement[int]) -> ColumnElement[int]:
    return case((kept > new, kept), else_=new)


@cache
def _count(limits: AttemptLimits) -> Insert:
    """Return `register(…, limits, …)` as an upsert."""
    window = limits.window // timedelta(microseconds=1)
    waits = [(failures, pause // timedelta(microseconds=1)) for failures, pause in pauses(limits)]

    def is_over(proposed: Any, row: Table) -> ColumnElement[bool]:
        over: ColumnElement[bool] = row.c.counted_since <= proposed.last_attempt_at - window
        return over

    def changed(proposed: Any, row: Table) -> dict[str, ColumnElement[Any]]:
        over = is_over(proposed, row)
        return {
            "failures": case((over, proposed.failures), else_=row.c.failures + 1),
            "counted_since": case((over, proposed.counted_since), else_=row.c.counted_since),
            "last_attempt_at": _later(row.c.last_attempt_at, proposed.last_attempt_at),
            "expires_at": _later(row.c.expires_at, proposed.expires_at),
        }

    def may_go_on(proposed: Any, row: Table) -> ColumnElement[bool]:
        pause = case(*((row.c.failures >= failures, wait) for failures, wait in waits), else_=0)
        # Requests may commit in another order than they arrived: a free attempt is never too early.
        is_free = row.c.failures < limits.free
        return or_(is_over(proposed, row), is_free, row.c.last_attempt_at + pause <= proposed.last_attempt_at)

    merge = Merge(("attempt_key",), changed, may_go_on)
    return Insert(ATTEMPT_GATE, t, _COLUMNS, gate=True, merge=merge)


_COUNT_ONLY = Insert(
    "attempt_noted",
    t,
    _COLUMNS,
    merge=Merge(
        ("attempt_key",),
        lambda proposed, row: {
            "failures": case((row.c.expires_at <= proposed.last_attempt_at, 1), else_=row.c.failures + 1),
            "counted_since": case(
                (row.c.expires_at <= proposed.last_attempt_at, proposed.counted_since),
                else_=row.c.counted_since,
            ),
            "last_attempt_at": proposed.last_attempt_at,
            "expires_at": case(
                (row.c.expires_at <= proposed.last_attempt_at, proposed.expires_at), else_=row.c.expires_at
            ),
        },
    ),
)
_FORGET = Remove("attempts_forgotten", t, where=lambda bind: t.c.attempt_key == bind("key"))
_TAKE_BACK = Change(
    "attempt_taken_back",
    t,
    where=lambda bind: (t.c.attempt_key == bind("key")) & (t.c.failures > bind("none")),
    values=lambda bind: {"failures": t.c.failures - bind("one")},
)
_MARK = Insert(
    "source_marked",
    t,
    _COLUMNS,
    merge=Merge(("attempt_key",), lambda proposed, _: {"expires_at": proposed.expires_at}),
)
_FOUND_AT_ONCE = 6
_FIND = select(t).where(
    or_(*(t.c.attempt_key == bindparam(f"key_{number}") for number in range(_FOUND_AT_ONCE))),
    t.c.expires_at > bindparam("now"),
)


class AttemptCounters:
    """Counters by keyed hash: the store never sees an identifier or an address."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, keys: Sequence[bytes], now: datetime) -> dict[bytes, Attempts]:
        """Return the counters that stand under one to six keys."""
        six = [*keys, *[keys[0]] * (_FOUND_AT_ONCE - len(keys))]
        wanted = {f"key_{number}": key for number, key in enumerate(six)}
        rows = await self._recorder.fetch_all(_FIND, now=micros(now), **wanted)
        return {
            bytes(row["attempt_key"]): Attempts(
                row["failures"], moment(row["counted_since"]), moment(row["last_attempt_at"])
            )
            for row in rows
        }

    def count(self, key: bytes, limits: AttemptLimits, now: datetime) -> None:
        """Record one more attempt; the gate `attempt` closes when it comes too early."""
        self._record(_count(limits), key, 1, now, limits.window)

    def note(self, key: bytes, now: datetime, window: timedelta) -> None:
        """Record one more attempt on a counter that never refuses."""
        self._record(_COUNT_ONLY, key, 1, now, window)

    def mark(self, key: bytes, now: datetime, validity: timedelta) -> None:
        """Record that a source signed a person in; found again as a counter without failures."""
        self._record(_MARK, key, 0, now, validity)

    def forget(self, key: bytes) -> None:
        """Record that a counter starts anew, after a success."""
        self._recorder.record(_FORGET, key=key)

    def take_back(self, key: bytes) -> None:
        """Record that one attempt was no failure after all."""
        self._recorder.record(_TAKE_BACK, key=key, none=0, one=1)

    def _record(self, write: Insert, key: bytes, failures: int, now: datetime, window: timedelta) -> None:
        at = micros(now)
        self._recorder.record(
            write,
            attempt_key=key,
            failures=failures,
            counted_since=at,
            last_attempt_at=at,
            expires_at=micros(now + window),
        )
