"""Counting attempts at credentials before they are verified. NIST SP 800-63B §3.2.2; the rule is pure.

Whatever takes a secret from a browser calls `count_credential_attempt` before it looks at the secret, and
records `succeeded` in the commit of what the secret opened. Counted elsewhere, each for a reason:

* what a client asks of a person (CIBA): per client and person, in the commit of the request itself
  (`endpoints.backchannel_authentication`), for it is no guess at a secret but a nuisance;
* device requests of public clients: per source, in the commit of the request itself, as it fills a table;
* one-time codes of operators: per operator by `count_attempts`, for a command line has no source;
* look-ups of public marks, and what is done in the sandbox: by `count_attempts`, as no secret is tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from idp.authenticators.throttling import (
    IDENTIFIER_WINDOW,
    STRICT_PAIR_LIMITS,
    AttemptLimits,
    Attempts,
    CredentialPath,
    PathLimits,
    ThrottledError,
    pair_limits,
    path_limits,
    source_of,
)
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.cookies import Cookies
from idp.web.requests import address_of
from idp.web.state import Context

KNOWN_VALIDITY = timedelta(days=400)
"""How long a source or a browser that signed a person in is remembered as theirs."""

Waits = Sequence[tuple[Attempts | None, AttemptLimits]]
"""Counters as they were read, each with the limits that hold for it."""


@dataclass(frozen=True, slots=True)
class AttemptKeys:
    """The keyed hashes under which one attempt is counted; no identifier, address or cookie is stored."""

    source: bytes
    identifier: bytes
    pair: bytes
    known_source: bytes
    browser: bytes
    known_browser: bytes


@dataclass(frozen=True, slots=True)
class CredentialAttempt:
    """One attempt that was let through and counted. Nothing was verified yet."""

    limits: PathLimits
    keys: AttemptKeys
    brake: bytes | None
    """The counter that holds guesses back; None where the source alone does."""
    noted: tuple[bytes, ...]
    """The other counters that it stands in."""
    attempts_left: int | None
    """How many more are free, should this one be wrong; None where nothing is guessed."""

    def succeeded(self, uow: UnitOfWork, now: datetime) -> None:
        """Record, beside a success, that this was no failure, and that source and browser are the person's.

        The brake starts anew; the others are lowered by one: never emptied, or an attacker would sign in
        to an account of their own to begin anew.
        """
        for key in self.noted:
            uow.attempts.take_back(key)
        if self.brake is not None and self.limits.forgets:
            uow.attempts.forget(self.brake)
        elif self.brake is not None:
            uow.attempts.take_back(self.brake)
        if self.limits.pair is not None:
            uow.attempts.mark(self.keys.known_source, now, KNOWN_VALIDITY)
        if self.limits.browser is not None and self.keys.browser:
            uow.attempts.mark(self.keys.known_browser, now, KNOWN_VALIDITY)


def attempt_keys(
    context: Context, path: CredentialPath, identifier: str, source: str, browser: str | None
) -> AttemptKeys:
    """Return the keys of an attempt on a path; without a browser's cookie those of the browser are empty."""
    # Passwords keep the keys that they had before there were other paths: what is counted stays counted.
    suffix = "" if path is CredentialPath.PASSWORD else f" on {path.value}"

    def key(purpose: str, value: str) -> bytes:
        return context.custody.data.lookup(purpose + suffix, value)

    at_source, in_browser = f"{identifier}\x00{source}", f"{identifier}\x00{browser}"
    return AttemptKeys(
        source=key("attempts_of_source", source),
        identifier=key("attempts_of_identifier", identifier),
        pair=key("attempts_of_pair", at_source),
        known_source=key("known_source", at_source),
        browser=b"" if browser is None else key("attempts_in_browser", in_browser),
        known_browser=b"" if browser is None else key("known_browser", in_browser),
    )


async def count_credential_attempt(
    context: Context,
    uow: UnitOfWork,
    path: CredentialPath,
    identifier: str | None,
    http: Request,
    now: datetime,
) -> CredentialAttempt:
    """Count an attempt before anything is verified, known identifier or not, and commit.

    `identifier` is what stands before the secret: as it was typed and normalised, or the id of whoever is
    known already (`CredentialPath` says which); None where the secret alone is sent. It never refuses by
    itself where strangers can try: only a source at an identifier, and a source, do.

    Raises ThrottledError; an attempt that is refused is not counted.
    """
    limits = path_limits(path, password=context.pair_limits, source=context.source_limits)
    cookies = Cookies(context.is_secure)
    browser = None if limits.browser is None else cookies.read(http, cookies.browser)
    keys = attempt_keys(context, path, identifier or "", source_of(address_of(http)), browser)
    counters = await uow.attempts.find(_read_for(keys, identifier), now)
    gates, noted = _gates(limits, keys, counters, identifier)
    await _count(uow, gates, noted, counters, now)
    brake, braked = gates[0]
    if brake == keys.source:
        return CredentialAttempt(limits, keys, None, (keys.source,), None)
    before = counters.get(brake)
    return CredentialAttempt(
        limits,
        keys,
        brake,
        (*(key for key, _ in gates[1:]), *noted),
        attempts_left=max(0, braked.free - 1 - (0 if before is None else before.failures)),
    )


def _read_for(keys: AttemptKeys, identifier: str | None) -> list[bytes]:
    of_identifier = () if identifier is None else (keys.identifier, keys.pair, keys.known_source)
    return [key for key in (keys.source, *of_identifier, keys.browser, keys.known_browser) if key]


def _gates(
    limits: PathLimits, keys: AttemptKeys, counters: dict[bytes, Attempts], identifier: str | None
) -> tuple[list[tuple[bytes, AttemptLimits]], list[bytes]]:
    """Return the counters that may refuse, the one that brakes first, and those that only count along."""
    at_source = (keys.source, limits.source)
    if limits.browser is not None and keys.known_browser in counters:
        return [(keys.browser, limits.browser)], [] if identifier is None else [keys.identifier]
    if identifier is None or (limits.pair is None and limits.holder is None):
        return [at_source], []
    if limits.holder is not None:
        return [(keys.identifier, limits.holder), at_source], []
    at_identifier = counters.get(keys.identifier)
    ruled = pair_limits(
        0 if at_identifier is None else at_identifier.failures,
        is_known_source=keys.known_source in counters,
    )
    pair = ruled if ruled is STRICT_PAIR_LIMITS or limits.pair is None else limits.pair
    return [(keys.pair, pair), at_source], [keys.identifier]


async def count_attempts(
    uow: UnitOfWork, counters: Sequence[tuple[bytes, AttemptLimits]], now: datetime
) -> None:
    """Count one attempt under at most six keys. Raises ThrottledError; a refused one is not counted."""
    found = await uow.attempts.find([key for key, _ in counters], now)
    await _count(uow, counters, (), found, now)


async def _count(
    uow: UnitOfWork,
    gates: Sequence[tuple[bytes, AttemptLimits]],
    noted: Sequence[bytes],
    found: dict[bytes, Attempts],
    now: datetime,
) -> None:
    waits = [(found.get(key), limits) for key, limits in gates]
    if _ends_ahead(waits, now):
        # The gates below keep what stands before them: the pause of one counter would be counted at another.
        raise ThrottledError(_retry_at(waits, now))
    for key, limits in gates:
        uow.attempts.count(key, limits, now)
    for key in noted:
        uow.attempts.note(key, now, IDENTIFIER_WINDOW)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise ThrottledError(_retry_at(waits, now)) from closed


def _retry_at(waits: Waits, now: datetime) -> datetime:
    """Return when the longest pause is over; lost to a burst not yet read, the first pause from now."""
    return max(_ends_ahead(waits, now), default=now + waits[0][1].first_pause)


def _ends_ahead(waits: Waits, now: datetime) -> list[datetime]:
    ends = [attempts.blocked_until(limits) for attempts, limits in waits if attempts is not None]
    return [end for end in ends if end > now]
