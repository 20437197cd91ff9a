"""Counters of sign-in attempts, counted before the credential is looked at.

The rule decides from the counters as they were read; the write carries them as its condition. When
somebody else counted meanwhile the gate closes and the handler reads again, so that a burst of
guesses cannot slip through between reading and counting.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select

from idp.authenticators.throttling import Attempts
from idp.store.encoding import micros, moment
from idp.store.recorder import Recorder
from idp.store.tables import attempts as t
from idp.store.writes import Change, Insert, Remove

_COLUMNS = ("attempt_key", "failures", "counted_since", "last_attempt_at", "expires_at")
_FIRST = Insert("first_attempt", t, _COLUMNS, gate=True, unless_exists=True)
_NEXT = Change(
    "next_attempt",
    t,
    where=lambda bind: (
        (t.c.attempt_key == bind("key"))
        & (t.c.failures == bind("failures_before"))
        & (t.c.last_attempt_at == bind("last_attempt_before"))
    ),
    values=lambda bind: {name: bind(name) for name in _COLUMNS[1:]},
    gate=True,
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
    merge=(("attempt_key",), lambda proposed, _: {"expires_at": proposed.expires_at}),
)
_FIND = select(t).where(
    or_(*(t.c.attempt_key == bindparam(name) for name in ("first", "second", "third", "fourth")))
)


class AttemptCounters:
    """Counters by keyed hash: the store never sees an identifier or an address."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, first: bytes, second: bytes, third: bytes, fourth: bytes) -> dict[bytes, Attempts]:
        """Return the counters that stand under four keys; fewer keys are given by repeating one."""
        rows = await self._recorder.fetch_all(_FIND, first=first, second=second, third=third, fourth=fourth)
        return {
            bytes(row["attempt_key"]): Attempts(
                row["failures"], moment(row["counted_since"]), moment(row["last_attempt_at"])
            )
            for row in rows
        }

    def count(self, key: bytes, before: Attempts | None, after: Attempts, window: timedelta) -> None:
        """Record a counter's next value; the gate closes when it was not as `before` any more."""
        values = {
            "failures": after.failures,
            "counted_since": micros(after.counted_since),
            "last_attempt_at": micros(after.last_attempt_at),
            "expires_at": micros(after.last_attempt_at + window),
        }
        if before is None:
            self._recorder.record(_FIRST, attempt_key=key, **values)
            return
        self._recorder.record(
            _NEXT,
            key=key,
            failures_before=before.failures,
            last_attempt_before=micros(before.last_attempt_at),
            **values,
        )

    def forget(self, key: bytes) -> None:
        """Record that a counter starts anew, after a success."""
        self._recorder.record(_FORGET, key=key)

    def take_back(self, key: bytes) -> None:
        """Record that one attempt was no failure after all."""
        self._recorder.record(_TAKE_BACK, key=key, none=0, one=1)

    def mark(self, key: bytes, now: datetime, validity: timedelta) -> None:
        """Record that a source signed a person in; found again as a counter without failures."""
        at = micros(now)
        self._recorder.record(
            _MARK,
            attempt_key=key,
            failures=0,
            counted_since=at,
            last_attempt_at=at,
            expires_at=micros(now + validity),
        )
