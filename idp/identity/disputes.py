"""An account that another person has linked: sold, hijacked, registered anew. Its holder is asked, in time.

Whoever claims it has shown the network that the account is in their hands; the holder has linked it. Neither
learns anything of the other. Silence decides for the claimant, objection leaves it to our staff.

| the holder | outcome | the link |
|---|---|---|
| says that it is no longer theirs | released | ends |
| does not answer in time | unanswered | ends |
| objects, and our staff decide | kept, or moved | stays, or ends |
| has no such link any more | void | has ended already |
| is not needed: the claimant takes it back | withdrawn | stays |
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from idp.identity.account_links import LIVE, AccountLink
from idp.identity.cases import Case, CaseKind, CaseStatus

ANSWER_WITHIN = timedelta(days=14)
"""How long the holder has: long enough for a journey or an illness."""
MOST_UNDECIDED = 3
"""How many accounts one person may claim at a time; nobody is asked for sport."""
AGAIN_AFTER = timedelta(days=90)
"""How long a claim that was decided for the holder is not made again by the same person."""


class Outcome(StrEnum):
    """How a dispute was decided."""

    RELEASED = "released"
    UNANSWERED = "unanswered"
    KEPT = "kept"
    MOVED = "moved"
    VOID = "void"
    WITHDRAWN = "withdrawn"


ENDS_THE_LINK = frozenset({Outcome.RELEASED, Outcome.UNANSWERED, Outcome.MOVED})
FOR_THE_HOLDER = frozenset({Outcome.KEPT, Outcome.WITHDRAWN})


class DisputeRefusal(StrEnum):
    """Why a claim is not taken; told to the claimant in words."""

    TOO_MANY = "too_many"
    DECIDED_LATELY = "decided_lately"


class DisputeRefusedError(Exception):
    """The claim is not taken."""

    def __init__(self, refusal: DisputeRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


def find_undecided(cases: Iterable[Case], link: AccountLink, claimant_id: str) -> Case | None:
    """Return the claimant's own undecided dispute about a link: claiming twice is claiming once."""
    return next(
        (
            case
            for case in _disputes(cases)
            if case.status is not CaseStatus.CLOSED
            and case.link_id == link.link_id
            and case.citizen_id == claimant_id
        ),
        None,
    )


def check_claim(cases: Iterable[Case], link: AccountLink, claimant_id: str, now: datetime) -> None:
    """Check a new claim against the claimant's earlier ones. Raises DisputeRefusedError."""
    own = [case for case in _disputes(cases) if case.citizen_id == claimant_id]
    for case in own:
        is_same = case.client_id == link.client_id and case.account_id == link.account_id
        is_lately = case.closed_at is not None and now < case.closed_at + AGAIN_AFTER
        if is_same and is_lately and case.outcome in FOR_THE_HOLDER:
            raise DisputeRefusedError(DisputeRefusal.DECIDED_LATELY)
    if sum(case.status is not CaseStatus.CLOSED for case in own) >= MOST_UNDECIDED:
        raise DisputeRefusedError(DisputeRefusal.TOO_MANY)


def is_asked(case: Case, citizen_id: str) -> bool:
    """Tell whether this person holds the link of an undecided dispute and has not answered yet."""
    is_open = case.kind is CaseKind.DISPUTE and case.status is CaseStatus.OPEN
    return is_open and case.holder_citizen_id == citizen_id


def outcome_for(link: AccountLink | None, case: Case, wished: Outcome) -> Outcome:
    """Return the outcome as it can be: a link that its holder lost meanwhile is nobody's to give."""
    is_theirs = link is not None and link.status in LIVE and link.citizen_id == case.holder_citizen_id
    return wished if is_theirs or wished is Outcome.WITHDRAWN else Outcome.VOID


def _disputes(cases: Iterable[Case]) -> Iterable[Case]:
    return (case for case in cases if case.kind is CaseKind.DISPUTE)
