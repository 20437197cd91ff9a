"""Counters of sign-in attempts, counted before the credential is looked at.

The rule decides from the counters as they were read; the write carries them as its condition. When
somebody else counted meanwhile the gate closes and the handler reads again, so that a burst of
guesses cannot slip through between reading and counting.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from idp.store.encoding import micros, moment
from idp.store.recorder import Recorder
from idp.store.tables import attempts as t
from idp.store.writes import Change, Insert, Remove

_FIRST = Insert(
    "first_attempt",
    t,
    ("attempt_key", "failures", "last_attempt_at", "expires_at"),
    gate=True,
    unless_exists=True,
)
_NEXT = Change(
    "next_attempt",
    t,
    where=lambda bind: (
        (t.c.attempt_key == bind("key"))
        & (t.c.failures == bind("failures_before"))
        & (t.c.last_attempt_at == bind("last_attempt_before"))
    ),
    values=lambda bind: {
        "failures": bind("failures"),
        "last_attempt_at": bind("last_attempt_at"),
        "expires_at": bind("expires_at"),
    },
    gate=True,
)
_FORGET = Remove("attempts_forgotten", t, where=lambda bind: t.c.attempt_key == bind("key"))
_TAKE_BACK = Change(
    "attempt_taken_back",
    t,
    where=lambda bind: (t.c.attempt_key == bind("key")) & (t.c.failures > bind("none")),
    values=lambda bind: {"failures": t.c.failures - bind("one")},
)
_FIND = select(t).where(
    or_(t.c.attempt_key == bindparam("first"), t.c.attempt_key == bindparam("second")),
)


@dataclass(frozen=True, slots=True)
class CountedAttempts:
    """A counter as it was read."""

    failures: int
    last_attempt_at: datetime
    expires_at: datetime


class Attempts:
    """Counters by keyed hash: the store never sees an identifier or an address."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, first: bytes, second: bytes) -> dict[bytes, CountedAttempts]:
        """Return the counters of two keys, those that have run out included."""
        rows = await self._recorder.fetch_all(_FIND, first=first, second=second)
        return {
            bytes(row["attempt_key"]): CountedAttempts(
                row["failures"], moment(row["last_attempt_at"]), moment(row["expires_at"])
            )
            for row in rows
        }

    def count(
        self, key: bytes, before: CountedAttempts | None, failures: int, now: datetime, expires_at: datetime
    ) -> None:
        """Record that a counter now stands at `failures`; the gate closes when it was not as `before`."""
        times = {"last_attempt_at": micros(now), "expires_at": micros(expires_at)}
        if before is None:
            self._recorder.record(_FIRST, attempt_key=key, failures=failures, **times)
            return
        self._recorder.record(
            _NEXT,
            key=key,
            failures=failures,
            failures_before=before.failures,
            last_attempt_before=micros(before.last_attempt_at),
            **times,
        )

    def forget(self, key: bytes) -> None:
        """Record that a counter starts anew, after a success."""
        self._recorder.record(_FORGET, key=key)

    def take_back(self, key: bytes) -> None:
        """Record that one attempt was no failure after all."""
        self._recorder.record(_TAKE_BACK, key=key, none=0, one=1)
