"""Counting sign-in attempts before they are verified. NIST SP 800-63B §3.2.2; the rule is pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.authenticators.throttling import (
    IDENTIFIER_WINDOW,
    SECOND_FACTOR_LIMITS,
    STRICT_PAIR_LIMITS,
    AttemptLimits,
    Attempts,
    ThrottledError,
    pair_limits,
)
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.state import Context

KNOWN_SOURCE_VALIDITY = timedelta(days=400)
"""How long a source that signed a person in is remembered as theirs."""

Waits = tuple[tuple[Attempts | None, AttemptLimits], ...]
"""Counters as they were read, each with the limits that hold for it."""


@dataclass(frozen=True, slots=True)
class AttemptKeys:
    """The keyed hashes under which one attempt is counted; no identifier or address is stored."""

    pair: bytes
    source: bytes
    identifier: bytes
    known: bytes


def attempt_keys(context: Context, identifier: str, source: str) -> AttemptKeys:
    """Return the keys of a password attempt."""
    lookup = context.custody.data.lookup
    both = f"{identifier}\x00{source}"
    return AttemptKeys(
        pair=lookup("attempts_of_pair", both),
        source=lookup("attempts_of_source", source),
        identifier=lookup("attempts_of_identifier", identifier),
        known=lookup("known_source", both),
    )


async def count_password_attempt(context: Context, uow: UnitOfWork, keys: AttemptKeys, now: datetime) -> None:
    """Count an attempt, known identifier or not. Raises ThrottledError; a refused one is not counted."""
    counters = await uow.attempts.find((keys.pair, keys.source, keys.identifier, keys.known), now)
    at_identifier = counters.get(keys.identifier)
    limits = pair_limits(
        0 if at_identifier is None else at_identifier.failures, is_known_source=keys.known in counters
    )
    pair = limits if limits is STRICT_PAIR_LIMITS else context.pair_limits
    waits = ((counters.get(keys.pair), pair), (counters.get(keys.source), context.source_limits))
    if _ends_ahead(waits, now):
        # The gates below keep what stands before them: the pause of one counter would be counted at another.
        raise ThrottledError(_retry_at(waits, now))
    uow.attempts.count(keys.pair, pair, now)
    uow.attempts.count(keys.source, context.source_limits, now)
    uow.attempts.note(keys.identifier, now, IDENTIFIER_WINDOW)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise ThrottledError(_retry_at(waits, now)) from closed


async def count_attempts(
    uow: UnitOfWork, counters: Sequence[tuple[bytes, AttemptLimits]], now: datetime
) -> None:
    """Count one attempt under at most four keys. Raises ThrottledError; a refused one is not counted."""
    keys = [key for key, _ in counters]
    four = (keys * 4)[:4]
    found = await uow.attempts.find((four[0], four[1], four[2], four[3]), now)
    waits = tuple((found.get(key), limits) for key, limits in counters)
    if _ends_ahead(waits, now):
        raise ThrottledError(_retry_at(waits, now))
    for key, limits in counters:
        uow.attempts.count(key, limits, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise ThrottledError(_retry_at(waits, now)) from closed


async def count_second_factor_attempt(
    context: Context, uow: UnitOfWork, citizen_id: str, now: datetime
) -> bytes:
    """Count a one-time code against its person; return the key. Raises ThrottledError."""
    key = context.custody.data.lookup("attempts_at_second_factor", citizen_id)
    uow.attempts.count(key, SECOND_FACTOR_LIMITS, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        counters = await uow.attempts.find((key, key, key, key), now)
        raise ThrottledError(_retry_at(((counters.get(key), SECOND_FACTOR_LIMITS),), now)) from closed
    return key


def _retry_at(waits: Waits, now: datetime) -> datetime:
    """Return when the longest pause is over; lost to a burst not yet read, the first pause from now."""
    return max(_ends_ahead(waits, now), default=now + waits[0][1].first_pause)


def _ends_ahead(waits: Waits, now: datetime) -> list[datetime]:
    ends = [attempts.blocked_until(limits) for attempts, limits in waits if attempts is not None]
    return [end for end in ends if end > now]


def forgive(uow: UnitOfWork, keys: AttemptKeys, now: datetime) -> None:
    """Record, beside a success, that this attempt was no failure and that the source is the person's."""
    uow.attempts.forget(keys.pair)
    uow.attempts.take_back(keys.source)
    uow.attempts.take_back(keys.identifier)
    uow.attempts.mark(keys.known, now, KNOWN_SOURCE_VALIDITY)
