"""Consent: what was shown, what was decided, and when to ask again. PDPL Art. 9; rules R7, R8."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.withdrawals import PlatformClock

TEXT_VERSION = "2026-11"
"""The version of the consent page's words; a new one asks everybody again."""

VALIDITY = timedelta(days=365)
"""How long a remembered consent answers for the person."""


class Decision(StrEnum):
    """What the person decided."""

    ALLOW = "allow"
    DENY = "deny"


class ConsentState(StrEnum):
    """How a decision stands."""

    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """It was agreed to, and answers for the person no more."""


class AskReason(StrEnum):
    """Why the consent page is shown; named on the page and in the record."""

    FIRST_TIME = "first_time"
    NEW_ACCOUNT = "new_account"
    """A new account is to be linked."""
    NEW_CLAIMS = "new_claims"
    NEW_PURPOSE = "new_purpose"
    NEW_TEXT = "new_text"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REQUESTED = "requested"
    """The platform asked for it with prompt=consent."""
    CAME_OF_AGE = "came_of_age"
    """The person turned 16 and decides about a link that a guardian once approved."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One decision as it was made, kept as its proof. `claims` are names, never values."""

    consent_id: str
    citizen_id: str
    client_id: str
    decision: Decision
    reason: AskReason
    purpose: str | None
    scope: frozenset[str]
    claims: frozenset[str]
    """What was granted; what was asked and refused stands in `offered` alone."""
    offered: frozenset[str]
    text_version: str
    ui_locale: str
    decided_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def state(self) -> ConsentState:
        """How it stands."""
        if self.decision is not Decision.ALLOW:
            return ConsentState.REFUSED
        return ConsentState.AGREED if self.withdrawn_at is None else ConsentState.WITHDRAWN


def reason_to_ask(
    remembered: Consent | None,
    *,
    scope: AbstractSet[str],
    claims: AbstractSet[str],
    purpose: str | None,
    links_new_account: bool,
    consent_prompted: bool,
    now: datetime,
) -> AskReason | None:
    """Decide whether the person must be asked, and name the reason; None lets the memory answer.

    `remembered` is the person's latest positive consent for this client. `claims` are all that the request
    asks for; those offered before and not ticked count as answered.
    """
    if links_new_account:
        return AskReason.NEW_ACCOUNT
    if consent_prompted:
        return AskReason.REQUESTED
    if remembered is None:
        return AskReason.FIRST_TIME
    if remembered.withdrawn_at is not None:
        return AskReason.WITHDRAWN
    if now >= remembered.decided_at + VALIDITY:
        return AskReason.EXPIRED
    if remembered.text_version != TEXT_VERSION:
        return AskReason.NEW_TEXT
    if not scope <= remembered.scope or not claims <= remembered.offered:
        return AskReason.NEW_CLAIMS
    if purpose is not None and purpose != remembered.purpose:
        return AskReason.NEW_PURPOSE
    return None


def decision_event(consent: Consent) -> Event:
    """Return the audit event that tells of a decision, wherever it was made (R7: proof is kept)."""
    return Event(
        type="consent:given" if consent.decision is Decision.ALLOW else "consent:refused",
        actor=Actor(ActorKind.CITIZEN, consent.citizen_id),
        occurred_at=consent.decided_at,
        client_id=consent.client_id,
        citizen_id=consent.citizen_id,
        details={
            "consent_id": consent.consent_id,
            "because": consent.reason.value,
            "claims": " ".join(sorted(consent.claims)),
            "text_version": consent.text_version,
            "ui_locale": consent.ui_locale,
        },
    )


def withdrawal_event(citizen_id: str, client_id: str, clock: PlatformClock, now: datetime) -> Event:
    """Return the audit event that tells of a withdrawal, and by when the platform has to follow (R8)."""
    return Event(
        type="consent:withdrawn",
        actor=Actor(ActorKind.CITIZEN, citizen_id),
        occurred_at=now,
        client_id=client_id,
        citizen_id=citizen_id,
        details={
            "answered_by": clock.answered_by.isoformat(),
            "done_by": clock.done_by.isoformat(),
            "done_with_others_by": clock.done_with_others_by.isoformat(),
        },
    )
