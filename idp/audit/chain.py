"""The hash chain over the audit log: whoever changes the past has to change everything after it.

Each sealed event carries SHA-256 over a domain tag, the hash before it and its own canonical JSON
(RFC 8785: sorted keys, no spaces; all keys are ASCII and all numbers integers below 2^53). The head,
kept apart, pins the end. The chain uses no key, so that anybody can verify it from the table alone.

What that proves: no event was altered, removed or slipped in by somebody who did not also write the
head. Who can write the table *and* the head can write a whole new chain; against them stands a head
that was noted elsewhere. Events not yet sealed are not protected, which is why that takes seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from hashlib import sha256

import orjson

_DOMAIN = b"lienket audit chain\x00"
"""Keeps these hashes apart from every other SHA-256 over the same bytes."""

GENESIS = sha256(_DOMAIN + b"genesis").digest()
"""What the first event follows."""


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """One row of the audit log. Before it is sealed, `sequence` is 0 and `chain_hash` empty."""

    sequence: int
    event_id: str
    occurred_at: int
    """Microseconds since 1970, as stored."""
    type: str
    actor_kind: str
    actor_id: str
    client_id: str | None
    citizen_id: str | None
    link_id: str | None
    details: str
    """JSON as stored, byte for byte; it is hashed as text and never read again for that."""
    chain_hash: bytes


_COVERED = tuple(field.name for field in fields(SealedEvent) if field.name != "chain_hash")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain."""

    sequence: int
    chain_hash: bytes


START = Head(0, GENESIS)


class FindingKind(StrEnum):
    """What is wrong with a chain."""

    ALTERED = "altered"
    """This event does not follow: it was changed, or the one before it was and got a new hash."""
    REMOVED = "removed"
    SLIPPED_IN = "slipped_in"
    REWRITTEN = "rewritten"
    """The chain holds together but ends otherwise than its head: this event or earlier ones were
    altered, and all after them sealed anew."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The first event at which a chain is wrong; `event_id` is None for one that is not there."""

    kind: FindingKind
    sequence: int
    event_id: str | None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """The outcome of a verification; the chain is intact when there is no finding."""

    events: int
    """How many were read, up to the finding."""
    verified: Head
    """The last event that follows; a head to note elsewhere, where all is well."""
    finding: Finding | None


def encode(event: SealedEvent) -> bytes:
    """Return the canonical JSON of everything that a hash covers: all but the hash itself."""
    row = {name: getattr(event, name) for name in _COVERED}
    # A forger may have stored what no JSON holds. That has to be a finding, not an end of the search.
    return orjson.dumps(row, default=repr, option=orjson.OPT_SORT_KEYS)


def chain_hash(previous: bytes, event_bytes: bytes) -> bytes:
    """Return the hash of an event that follows `previous`."""
    # The tag and the hash before have fixed lengths: no two inputs run together into the same bytes.
    return sha256(_DOMAIN + previous + event_bytes).digest()


def seal(events: Iterable[SealedEvent], before: Head) -> list[SealedEvent]:
    """Give events, in this order, their places in the chain after `before`."""
    sealed: list[SealedEvent] = []
    for event in events:
        placed = replace(event, sequence=before.sequence + 1)
        placed = replace(placed, chain_hash=chain_hash(before.chain_hash, encode(placed)))
        before = Head(placed.sequence, placed.chain_hash)
        sealed.append(placed)
    return sealed


class ChainVerifier:
    """A verification from the start that takes one event at a time and remembers two: for any length.

    The events come by sequence, every row that has one included. `start` is the last event that was purged.
    """

    def __init__(self, head: Head, start: Head = START) -> None:
        self._head = head
        self._events = 0
        self._good = start
        """The last event that follows."""
        self._last: SealedEvent | None = None
        """That event itself."""
        self._before_last = start
        self._suspect: SealedEvent | None = None
        """An event that does not follow; the next one tells whether it was altered or slipped in."""
        self._rival: SealedEvent | None = None
        """A second event sealed in the place of the last; the next one tells which of them it knows."""
        self._finding: Finding | None = None

    def add(self, event: SealedEvent) -> None:
        """Take the next event by sequence; after a finding there is nothing more to learn."""
        if self._finding is not None:
            return
        self._events += 1
        if self._suspect is not None:
            slipped_in = _follows(self._good, event)
            kind = FindingKind.SLIPPED_IN if slipped_in else FindingKind.ALTERED
            self._finding = _found(kind, self._suspect)
        elif self._rival is not None:
            self._finding = self._intruder(
                self._rival, is_last=_follows(self._place_of_last(self._rival), event)
            )
        elif (
            event.sequence == self._next and self._next <= self._head.sequence and _follows(self._good, event)
        ):
            self._before_last, self._last = self._good, event
            self._good = Head(event.sequence, event.chain_hash)
        else:
            self._look_into(event)

    def report(self) -> ChainReport:
        """Compare the end with the head and say how it went."""
        finding = self._finding
        if finding is None and self._suspect is not None:
            finding = _found(FindingKind.ALTERED, self._suspect)
        if finding is None and self._rival is not None:
            is_last = self._place_of_last(self._rival) == self._head
            finding = self._intruder(self._rival, is_last=is_last)
        if finding is None and self._good.sequence < self._head.sequence:
            finding = Finding(FindingKind.REMOVED, self._next, None)
        if finding is None and self._good != self._head:
            finding = self._rewritten()
        return ChainReport(self._events, self._good, finding)

    @property
    def _next(self) -> int:
        return self._good.sequence + 1

    def _look_into(self, event: SealedEvent) -> None:
        if self._last is not None and _follows(self._before_last, event):
            self._rival = event
        elif event.sequence < self._next:
            self._finding = _found(FindingKind.SLIPPED_IN, event)
        elif self._next > self._head.sequence:
            ends_well = self._good == self._head
            self._finding = _found(FindingKind.SLIPPED_IN, event) if ends_well else self._rewritten()
        elif event.sequence > self._next:
            self._finding = Finding(FindingKind.REMOVED, self._next, None)
        else:
            self._suspect = event

    def _place_of_last(self, event: SealedEvent) -> Head:
        return Head(self._good.sequence, event.chain_hash)

    def _intruder(self, rival: SealedEvent, *, is_last: bool) -> Finding:
        """Name whichever of two events in one place the chain does not go on from."""
        return _found(FindingKind.SLIPPED_IN, self._last if is_last and self._last else rival)

    def _rewritten(self) -> Finding:
        event_id = None if self._last is None else self._last.event_id
        return Finding(FindingKind.REWRITTEN, self._good.sequence, event_id)


def _follows(before: Head, event: SealedEvent) -> bool:
    """Tell whether an event was sealed in the place after `before`, whatever place it claims now."""
    placed = replace(event, sequence=before.sequence + 1)
    return chain_hash(before.chain_hash, encode(placed)) == event.chain_hash


def _found(kind: FindingKind, event: SealedEvent) -> Finding:
    return Finding(kind, event.sequence, event.event_id)
