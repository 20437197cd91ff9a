"""What a minor asks their guardian: one account at one network, decided once and used once. R10.

Waiting, it is approved or refused, or it runs out. An approval is used by the link that is made; unused, it
runs out as well. Nothing is repeated by itself.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import AccountLinkRequest

ANSWER_WITHIN = timedelta(days=7)
"""How long guardians have; also how long a refusal stands before the same may be asked again."""
APPROVAL_VALIDITY = timedelta(days=30)
"""How long the child has to go back to the network and complete it."""
MAX_WAITING = 10
"""How many questions of one child may wait at once; whoever starts more has to wait for answers."""

TEXT_VERSION = "2026-11"
"""The version of the words before which a guardian decides."""


class RequestStatus(StrEnum):
    """What became of a question, as it is stored."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    CLOSED = "closed"
    """Nobody answered in time, or the same account was asked about in another way."""


class Verdict(StrEnum):
    """What a guardian decides."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Outlook(StrEnum):
    """How it stands with an account that a child wants linked."""

    NOT_ASKED = "not_asked"
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class GuardianRequest:
    """One question to the guardians of one child."""

    request_id: str
    child_citizen_id: str
    client_id: str
    account: AccountLinkRequest = field(repr=False)
    """What the guardian sees, and the only thing that is approved."""
    claims: frozenset[str]
    """Names of the items that the network would learn; nothing beyond them is approved."""
    created_at: datetime
    expires_at: datetime
    """Of what waits: until when it may be answered. Of an answer: until when it stands."""
    status: RequestStatus = RequestStatus.PENDING
    consent_id: str | None = None
    """The young person's own consent that came before (14 and 15)."""
    guardianship_id: str | None = None
    """By which relation it was decided."""
    decided_at: datetime | None = None
    used_at: datetime | None = None
    """When the link was made: an approval is good for one."""
    is_backed: bool = True
    """Whether whoever decided still speaks for the child."""

    def stands(self, now: datetime) -> bool:
        """Tell whether this still means anything."""
        return self.is_backed and self.used_at is None and now < self.expires_at


def is_covered(request: GuardianRequest, account: AccountLinkRequest, claims: AbstractSet[str]) -> bool:
    """Tell whether a question was about just this: the account as it was shown, and no more than was named.

    Another handle or address is another picture than the one the guardian saw (abuse cases P2, P10).
    """
    return request.account == account and claims <= request.claims


def find_approval(
    requests: Iterable[GuardianRequest], account: AccountLinkRequest, claims: AbstractSet[str], now: datetime
) -> GuardianRequest | None:
    """Return the approval that lets this account be linked; None where there is none."""
    for request in requests:
        is_approval = request.status is RequestStatus.APPROVED and request.stands(now)
        if is_approval and is_covered(request, account, claims):
            return request
    return None


def outlook(
    requests: Iterable[GuardianRequest], account: AccountLinkRequest, claims: AbstractSet[str], now: datetime
) -> tuple[Outlook, GuardianRequest | None]:
    """Return how it stands with an account, and the question that says so.

    A refusal counts for the account, whatever else was asked with it: nobody is worn down by variations.
    """
    standing = [request for request in requests if request.stands(now)]
    approval = find_approval(standing, account, claims, now)
    if approval is not None:
        return Outlook.APPROVED, approval
    for request in standing:
        if request.status is RequestStatus.REFUSED and request.account.account_id == account.account_id:
            return Outlook.REFUSED, request
    for request in standing:
        if request.status is RequestStatus.PENDING and is_covered(request, account, claims):
            return Outlook.WAITING, request
    return Outlook.NOT_ASKED, None


def decided_until(verdict: Verdict, now: datetime) -> datetime:
    """Return until when an answer stands that is given now."""
    return now + (APPROVAL_VALIDITY if verdict is Verdict.APPROVE else ANSWER_WITHIN)


def asked_event(request: GuardianRequest) -> Event:
    """Return the audit event of a question."""
    child = request.child_citizen_id
    return Event(
        type="guardian_request:asked",
        actor=Actor(ActorKind.CITIZEN, child),
        occurred_at=request.created_at,
        client_id=request.client_id,
        citizen_id=child,
        details={"request_id": request.request_id, "claims": " ".join(sorted(request.claims))},
    )


def verdict_event(
    request: GuardianRequest,
    guardianship_id: str,
    guardian_citizen_id: str,
    verdict: Verdict,
    ui_locale: str,
    now: datetime,
) -> Event:
    """Return the audit event of an answer: who decided what, before which words (R7)."""
    verb = "approved" if verdict is Verdict.APPROVE else "refused"
    return Event(
        type=f"guardian_request:{verb}",
        actor=Actor(ActorKind.GUARDIAN, guardian_citizen_id),
        occurred_at=now,
        client_id=request.client_id,
        citizen_id=request.child_citizen_id,
        details={
            "request_id": request.request_id,
            "guardianship_id": guardianship_id,
            "claims": " ".join(sorted(request.claims)),
            "text_version": TEXT_VERSION,
            "ui_locale": ui_locale,
        },
    )
