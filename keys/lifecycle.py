"""The life of a signing key: next → active → retiring → retired, or compromised. Pure: time is passed in.

NIST SP 800-57 part 1 §7 (key states), RFC 7517 §5 (a verifier chooses among several published keys).

A key is published while it is *next*, so that verifiers hold it before it signs, and while it is
*retiring*, so that what it signed still verifies. The functions take and return whole rings, as tuples
of records: at every moment each algorithm has exactly one active key and exactly one next key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from keys.errors import LifecycleError, UnknownKeyError


class KeyState(StrEnum):
    """Where a signing key stands in its life."""

    NEXT = "next"
    """Published, does not sign yet."""
    ACTIVE = "active"
    """Published, signs."""
    RETIRING = "retiring"
    """Published, signs no more; its private half is erased."""
    RETIRED = "retired"
    """Published among the historical keys: what it signed for years is still verified, and nothing else."""
    COMPROMISED = "compromised"
    """Told among the historical keys as revoked: since the report nothing that it signed is believed."""


MOVES: Mapping[KeyState, frozenset[KeyState]] = {
    KeyState.NEXT: frozenset({KeyState.ACTIVE, KeyState.COMPROMISED}),
    KeyState.ACTIVE: frozenset({KeyState.RETIRING, KeyState.COMPROMISED}),
    KeyState.RETIRING: frozenset({KeyState.RETIRED, KeyState.COMPROMISED}),
    KeyState.RETIRED: frozenset({KeyState.COMPROMISED}),
    KeyState.COMPROMISED: frozenset(),
}
"""The only moves there are."""

PUBLISHED = (KeyState.ACTIVE, KeyState.NEXT, KeyState.RETIRING)
"""The states whose public keys stand in the JWK set, in the order in which they stand there."""

HISTORICAL = (KeyState.RETIRED, KeyState.COMPROMISED)
"""The states in which a key that once signed is told among the historical ones."""

HOLDS_PRIVATE_KEY = frozenset({KeyState.NEXT, KeyState.ACTIVE})
"""The states in which the private key is still needed; in all others it is erased."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is publicly known about one signing key. It holds no private material."""

    kid: str
    """The RFC 7638 thumbprint of `jwk`."""
    algorithm: str
    state: KeyState
    jwk: Mapping[str, str]
    """The required public members of RFC 7518 §6, nothing else."""
    created_at: datetime
    activated_at: datetime | None = None
    retires_at: datetime | None = None
    """When a retiring key stops being published: fixed when it begins to retire, as a promise."""
    ended_at: datetime | None = None
    """When it was retired or reported as compromised."""

    @property
    def changed_at(self) -> datetime:
        """Return when the key last moved from one state to the next."""
        return self.ended_at or self.activated_at or self.created_at

    def is_due_to_retire(self, now: datetime) -> bool:
        """Tell whether a retiring key has been published for as long as was promised."""
        return self.state is KeyState.RETIRING and self.retires_at is not None and self.retires_at <= now


Records = tuple[KeyRecord, ...]


def get_in_state(records: Iterable[KeyRecord], algorithm: str, state: KeyState) -> KeyRecord:
    """Return the one next or active key of an algorithm. Raises UnknownKeyError."""
    for record in records:
        if record.algorithm == algorithm and record.state is state:
            return record
    raise UnknownKeyError(f"there is no {state} key for {algorithm}")


def get_record(records: Iterable[KeyRecord], kid: str) -> KeyRecord:
    """Return the key with this kid. Raises UnknownKeyError."""
    for record in records:
        if record.kid == kid:
            return record
    raise UnknownKeyError(f"there is no key with kid {kid}")


def begin(records: Records, first: KeyRecord, successor: KeyRecord, now: datetime) -> Records:
    """Give an algorithm that has no keys its first two: one that signs at once, one that waits."""
    if any(record.algorithm == first.algorithm for record in records):
        raise LifecycleError(f"{first.algorithm} has keys already; they are rotated, not begun again")
    return (*records, _activated(first, now), successor)


def rotate(records: Records, successor: KeyRecord, now: datetime, retiring_for: timedelta) -> Records:
    """Move next → active and active → retiring for the algorithm of `successor`, the new next key."""
    active = get_in_state(records, successor.algorithm, KeyState.ACTIVE)
    waiting = get_in_state(records, successor.algorithm, KeyState.NEXT)
    retiring = replace(_moved(active, KeyState.RETIRING), retires_at=now + retiring_for)
    return (*_exchanged(records, retiring, _activated(waiting, now)), successor)


def retire(records: Records, now: datetime) -> Records:
    """Move every retiring key whose publication has lasted as promised to retired."""
    return tuple(
        replace(_moved(record, KeyState.RETIRED), ended_at=now) if record.is_due_to_retire(now) else record
        for record in records
    )


def compromise(records: Records, kid: str, successor: KeyRecord | None, now: datetime) -> Records:
    """Unpublish a key at once. `successor` is the new next key where the key was next or active.

    An active key is followed by the next key, which verifiers already hold.
    """
    lost = get_record(records, kid)
    ended = replace(_moved(lost, KeyState.COMPROMISED), ended_at=now)
    if lost.state not in HOLDS_PRIVATE_KEY:
        return _exchanged(records, ended)
    if successor is None or successor.algorithm != lost.algorithm:
        raise LifecycleError(f"a compromised {lost.state} key needs a new next key of its algorithm")
    if lost.state is KeyState.NEXT:
        return (*_exchanged(records, ended), successor)
    waiting = get_in_state(records, lost.algorithm, KeyState.NEXT)
    return (*_exchanged(records, ended, _activated(waiting, now)), successor)


def _activated(record: KeyRecord, now: datetime) -> KeyRecord:
    return replace(_moved(record, KeyState.ACTIVE), activated_at=now)


def _moved(record: KeyRecord, to: KeyState) -> KeyRecord:
    if to not in MOVES[record.state]:
        raise LifecycleError(f"key {record.kid} is {record.state} and cannot become {to}")
    return replace(record, state=to)


def _exchanged(records: Records, *changed: KeyRecord) -> Records:
    by_kid = {record.kid: record for record in changed}
    return tuple(by_kid.get(record.kid, record) for record in records)
