"""Activations: how somebody who cannot sign in comes to ways of signing in. Rule R19; NIST SP 800-63B §4.2.

One mechanism for three purposes. *Enrolment*: a person of the register who never signed in gets a code, by
post or in person, and chooses a password or makes a passkey with it. *Addition*: whoever has a password alone
shows, with it, a code that came another way, and may add what proves more; else a stolen password could.
*Recovery*: whoever lost what they signed in with gets one as well, by a recovery code of theirs, from a
session that a strong sign-in began, or in person, seen by one operator and approved by another. A recovery is
told at once by every way we know and can be used only after a time in which its holder can stop it.

    proposed ──▶ issued ──▶ used
        │           │
        └───────────┴─────▶ stopped

Waiting, usable and expired are not stored: they follow from the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from idp.audit.events import Actor, Event
from idp.identity.activation_grounds import BY_OPERATORS, Ground, Identified, Purpose, SeenDocument

APPROVED_WITHIN = timedelta(hours=24)
"""How long a proposal waits for the second person: the papers were seen on that day."""
CLAIM_VALIDITY = timedelta(minutes=30)
"""How long after typing a code its browser may go on without typing it again."""
SHORTEST_WAITING = timedelta(hours=24)
"""How long a recovery of a real person waits at least: a night, for whoever reads messages in the morning."""


_VALIDITY: Mapping[Ground, timedelta] = {
    Ground.POST: timedelta(days=30),
    Ground.IN_PERSON: timedelta(days=7),
    Ground.ASSISTED_DESK: timedelta(hours=2),
    Ground.RECOVERY_CODE: timedelta(days=7),
    Ground.STRONG_SESSION: timedelta(days=7),
}


class ActivationStatus(StrEnum):
    """What is stored of how far it has come."""

    PROPOSED = "proposed"
    """A recovery that waits for the second operator; there is no code yet."""
    ISSUED = "issued"
    USED = "used"
    STOPPED = "stopped"


class Standing(StrEnum):
    """How it stands now."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    """Its holder can stop it, and nobody can use it yet."""
    USABLE = "usable"
    EXPIRED = "expired"
    USED = "used"
    STOPPED = "stopped"


class StopReason(StrEnum):
    """Why an activation was stopped."""

    HOLDER_MESSAGE = "holder_message"
    """By the address in a message, without signing in."""
    HOLDER_SESSION = "holder_session"
    WITHDRAWN = "withdrawn"
    """By an operator."""
    SUPERSEDED = "superseded"
    """Another one took its place, or was used."""


class ActivationError(ValueError):
    """The activation cannot take this step; the message says why, to the operator."""


class NotUsableError(Exception):
    """The code is right and cannot be used now; told to nobody but whoever holds it."""

    def __init__(self, standing: Standing, usable_from: datetime) -> None:
        super().__init__(standing.value)
        self.standing = standing
        self.usable_from = usable_from


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation. Its code and the token that stops it are not here: people hold them."""

    activation_id: str
    citizen_id: str
    purpose: Purpose
    ground: Ground
    status: ActivationStatus
    issued_by: str
    """The operator's name; HOLDER where the person opened it themselves."""
    issued_at: datetime
    usable_from: datetime
    expires_at: datetime
    """Of a proposal: until when it waits for the second operator."""
    evidence: SeenDocument | None = None
    approved_by: str | None = None
    claimed_at: datetime | None = None
    """When its code was typed the last time."""
    used_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_because: StopReason | None = None

    def standing(self, now: datetime) -> Standing:
        """Return how it stands."""
        if self.status is ActivationStatus.USED:
            return Standing.USED
        if self.status is ActivationStatus.STOPPED:
            return Standing.STOPPED
        if now >= self.expires_at:
            return Standing.EXPIRED
        if self.status is ActivationStatus.PROPOSED:
            return Standing.PROPOSED
        return Standing.USABLE if now >= self.usable_from else Standing.WAITING

    def can_be_stopped(self, now: datetime) -> bool:
        """Tell whether there is something to stop."""
        return self.standing(now) in {Standing.PROPOSED, Standing.WAITING, Standing.USABLE}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person still has when a recovery is done; everything else that let them in ends with it."""

    passkeys: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    upstreams: frozenset[str] = frozenset()
    """Other identity providers, by id: the account there lets its holder in here."""
    has_totp: bool = False
    has_recovery_codes: bool = False


HOLDER = "holder"
"""Stands in `issued_by` for the person themselves."""


def validity_of(purpose: Purpose, ground: Ground) -> timedelta:
    """Return how long a code can be used once it can be; who waits for a recovery has to come back first."""
    is_later = purpose is Purpose.RECOVERY and ground is Ground.ASSISTED_DESK
    return _VALIDITY[Ground.IN_PERSON if is_later else ground]


def issued(
    activation_id: str, citizen_id: str, purpose: Purpose, found: Identified, by: Actor, now: datetime
) -> Activation:
    """Return an activation that one operator gives a code for; used at once, for it ends nothing."""
    return Activation(
        activation_id=activation_id,
        citizen_id=citizen_id,
        purpose=purpose,
        ground=found.ground,
        status=ActivationStatus.ISSUED,
        issued_by=by.id,
        issued_at=now,
        usable_from=now,
        expires_at=now + validity_of(purpose, found.ground),
        evidence=found.evidence,
    )


def proposal(activation_id: str, citizen_id: str, found: Identified, by: Actor, now: datetime) -> Activation:
    """Return a recovery that one operator proposes; without the second one it comes to nothing."""
    return Activation(
        activation_id=activation_id,
        citizen_id=citizen_id,
        purpose=Purpose.RECOVERY,
        ground=found.ground,
        status=ActivationStatus.PROPOSED,
        issued_by=by.id,
        issued_at=now,
        usable_from=now + APPROVED_WITHIN,
        expires_at=now + APPROVED_WITHIN,
        evidence=found.evidence,
    )


def approve(activation: Activation, approver: Actor, waiting: timedelta, now: datetime) -> Activation:
    """Approve a proposed recovery as the second operator. Raises ActivationError."""
    standing = activation.standing(now)
    if standing is Standing.EXPIRED:
        raise ActivationError("the proposal is older than 24 hours; see the papers and propose it anew")
    if standing is not Standing.PROPOSED:
        raise ActivationError(f"a recovery that is {standing} cannot be approved")
    if approver.id == activation.issued_by:
        raise ActivationError("whoever proposed a recovery cannot approve it: a second person must")
    usable_from = now + waiting
    return replace(
        activation,
        status=ActivationStatus.ISSUED,
        approved_by=approver.id,
        usable_from=usable_from,
        expires_at=usable_from + validity_of(activation.purpose, activation.ground),
    )


def opened_by_holder(
    activation_id: str, citizen_id: str, ground: Ground, waiting: timedelta, now: datetime
) -> Activation:
    """Return a recovery that its holder opened, by a recovery code or from a strong session."""
    return Activation(
        activation_id=activation_id,
        citizen_id=citizen_id,
        purpose=Purpose.RECOVERY,
        ground=ground,
        status=ActivationStatus.ISSUED,
        issued_by=HOLDER,
        issued_at=now,
        usable_from=now + waiting,
        expires_at=now + waiting + validity_of(Purpose.RECOVERY, ground),
    )


def check_usable(activation: Activation, now: datetime) -> None:
    """Check that a code can be used now. Raises NotUsableError."""
    standing = activation.standing(now)
    if standing is not Standing.USABLE:
        raise NotUsableError(standing, activation.usable_from)


def check_reprint(activation: Activation, by: Actor, now: datetime) -> None:
    """Check that a letter may be printed once more, with another code. Raises ActivationError.

    Of a recovery only by one of the two who answered for it: the code is as good as the one they gave.
    """
    if activation.ground not in BY_OPERATORS:
        raise ActivationError("the holder opened this recovery and has its code; there is no letter of it")
    standing = activation.standing(now)
    if standing not in {Standing.WAITING, Standing.USABLE}:
        raise ActivationError(f"an activation that is {standing} has no letter")
    if activation.purpose is Purpose.RECOVERY and by.id not in {activation.issued_by, activation.approved_by}:
        raise ActivationError("only whoever proposed or approved a recovery prints its letter anew")


def activation_event(activation: Activation, verb: str, actor: Actor, now: datetime, **details: str) -> Event:
    """Return the event that stands beside a step: ids and short codes, never a code that opens anything."""
    return Event(
        type=f"activation:{verb}",
        actor=actor,
        occurred_at=now,
        citizen_id=activation.citizen_id,
        details={"reference": activation.activation_id, "because": activation.ground.value, **details},
    )
