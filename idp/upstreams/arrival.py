"""Whether somebody who comes from an upstream is a person of ours. Abuse class 16. Pure.

Two things have to agree: the personal number, which finds the person in the register, and the upstream's own
`sub`, which was remembered when they first came. Names decide nothing: many people share one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from idp.identity.citizens import Citizen
from idp.identity.register import InvalidRegisterLineError, RegisterEntry, read_line
from idp.store.upstream_accounts import UpstreamAccount
from idp.upstreams.exchange import UpstreamIdentity

_OPTIONAL = frozenset({"gender", "nationality", "phone_number", "email", "address", "proofed_at"})


class Arrival(StrEnum):
    """What is to be remembered of an arrival that is let in."""

    KNOWN = "known"
    CONNECTED = "connected"
    """The person is known, and comes from this upstream for the first time."""
    RECONNECTED = "reconnected"
    """As CONNECTED, after the same account had been disconnected; only for whoever is signed in already."""
    NEWCOMER = "newcomer"
    """Nobody holds the number; the person is entered into the register."""


class ArrivalRefusal(StrEnum):
    """Why somebody whom an upstream vouches for is not let in."""

    UNKNOWN_PERSON = "unknown_person"
    """Nobody holds the number, and this upstream creates nobody."""
    NOT_USABLE = "not_usable"
    """The person's e-ID account is locked, revoked or closed."""
    PAIR_CHANGED = "pair_changed"
    """Number and `sub` do not go together as they did: a swapped subject, or an error of the upstream."""
    DISCONNECTED = "disconnected"
    """The account lets nobody in since its person, a recovery or an operator ended that."""
    UNREADABLE = "unreadable"
    """Too little, or nothing that can be believed, is told of a person who would be new."""


class ArrivalRefusedError(Exception):
    """Somebody is not let in."""

    def __init__(self, refusal: ArrivalRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Found:
    """What the store knows about an arrival."""

    holder: Citizen | None
    """Whoever holds the number now."""
    account: UpstreamAccount | None
    """The account of this `sub`, connected or not."""
    connected: UpstreamAccount | None
    """The holder's connected account at this upstream, whatever its `sub`."""
    is_signed_in: bool = False
    """Whether the holder is signed in here, in this browser, at `vn-2` at least."""


def check_arrival(found: Found, *, may_create: bool) -> Arrival:
    """Return what an arrival is. Raises ArrivalRefusedError.

    A `sub` that once came with one person never comes with another, and a person who is connected comes with
    no other `sub`. Both are told before whether the person may sign in: whoever brings a wrong pair learns
    nothing about its number. A disconnected account does not come back by itself, for it may be a thief who
    has it: only beside another way in, which shows as much as any that is added (NIST SP 800-63B §4.1.2).
    """
    holder, account = found.holder, found.account
    holder_id = None if holder is None else holder.citizen_id
    if account is not None and account.citizen_id != holder_id:
        raise ArrivalRefusedError(ArrivalRefusal.PAIR_CHANGED)
    is_connected = account is not None and account.disconnected_at is None
    if found.connected is not None and not is_connected:
        raise ArrivalRefusedError(ArrivalRefusal.PAIR_CHANGED)
    if holder is None:
        if not may_create:
            raise ArrivalRefusedError(ArrivalRefusal.UNKNOWN_PERSON)
        return Arrival.NEWCOMER
    if not holder.is_active():
        raise ArrivalRefusedError(ArrivalRefusal.NOT_USABLE)
    if account is None:
        return Arrival.CONNECTED
    if not is_connected and not found.is_signed_in:
        raise ArrivalRefusedError(ArrivalRefusal.DISCONNECTED)
    return Arrival.KNOWN if is_connected else Arrival.RECONNECTED


def read_newcomer(identity: UpstreamIdentity, mode: str, now: datetime) -> RegisterEntry:
    """Read a newcomer as strictly as a line of the register. Raises ArrivalRefusedError.

    Where the upstream does not tell when the identity was proofed, it is now: that is never too early. What
    can be done without and cannot be read is left out.
    """
    line: dict[str, object] = {"proofed_at": now.isoformat(), **identity.line}
    try:
        return read_line(line, mode, now)
    except InvalidRegisterLineError as error:
        wrong = {reason.partition(":")[0] for reason in error.reasons}
    if not wrong <= _OPTIONAL:
        raise ArrivalRefusedError(ArrivalRefusal.UNREADABLE)
    kept = {name: value for name, value in line.items() if name not in wrong}
    return read_line({"proofed_at": now.isoformat(), **kept}, mode, now)
