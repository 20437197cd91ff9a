"""Cases: what a person or a platform brought forward, until somebody has decided it.

A case has a reference that a person can read out on the telephone. What was written into it is sealed, and
its kinds and outcomes are short codes of ours. Its states and moves stand in one table, `MOVES`.

    open ──▶ answered ──▶ closed
      └───────────────────▶
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from idp.audit.events import Actor, Event

NOT_ME = "not_me"
"""Why a link is suspended, or ended, whose holder says that it was not them."""

VETO_ANSWERED_WITHIN = timedelta(days=3)
"""Until when our staff look at a link that its holder disowns."""


class CaseKind(StrEnum):
    """What a case is about."""

    NOT_ME = "not_me"
    """A person says that a link of theirs, or its end, was not their doing."""
    MISUSE = "misuse"
    """A platform says that a linked account is misused."""
    DISPUTE = "dispute"
    """A person says that an account is theirs which another person has linked."""
    CORRECTION = "correction"
    """A person says that the register holds something wrong about them; no network has to do with it."""


class CaseStatus(StrEnum):
    """How far a case has come."""

    OPEN = "open"
    ANSWERED = "answered"
    """Whoever was asked has answered; it waits for a decision."""
    CLOSED = "closed"


MOVES: Mapping[CaseStatus, frozenset[CaseStatus]] = {
    CaseStatus.OPEN: frozenset({CaseStatus.ANSWERED, CaseStatus.CLOSED}),
    CaseStatus.ANSWERED: frozenset({CaseStatus.CLOSED}),
    CaseStatus.CLOSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `content` is sealed where it is kept, and holds nothing that the log or a platform reads."""

    case_id: str
    reference: str
    """What people read out; see `shown_reference`."""
    kind: CaseKind
    status: CaseStatus
    client_id: str
    """Empty where no network has to do with it."""
    link_id: str | None
    account_id: str | None
    opened_by: Actor
    opened_at: datetime
    due_at: datetime | None = None
    """Until when an answer is expected."""
    citizen_id: str | None = None
    """Whose case it is."""
    holder_citizen_id: str | None = None
    """Who holds the link in question, where that is another person."""
    content: Mapping[str, str] = field(default_factory=dict)
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    """How it was decided: a short code of ours."""

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it should have been answered by now."""
        return self.status is CaseStatus.OPEN and self.due_at is not None and now >= self.due_at


class IllegalCaseMoveError(ValueError):
    """The state machine has no such move."""

    def __init__(self, case: Case, to: CaseStatus) -> None:
        super().__init__(f"a case that is {case.status} cannot become {to}")
        self.case = case
        self.to = to


def opened(case: Case) -> Event:
    """Return the event that stands beside a new case."""
    return _event(case, "opened", case.opened_by, {"because": case.kind.value}, case.opened_at)


def answer(case: Case, content: Mapping[str, str], actor: Actor, now: datetime) -> tuple[Case, Event]:
    """Record the answer of whoever was asked. Raises IllegalCaseMoveError."""
    _check_move(case, CaseStatus.ANSWERED)
    answered = replace(case, status=CaseStatus.ANSWERED, answered_at=now, content={**case.content, **content})
    return answered, _event(case, "answered", actor, {}, now)


def close(case: Case, outcome: str, actor: Actor, now: datetime) -> tuple[Case, Event]:
    """Decide a case. `outcome` is a short code, never text about a person. Raises IllegalCaseMoveError."""
    _check_move(case, CaseStatus.CLOSED)
    closed = replace(case, status=CaseStatus.CLOSED, closed_at=now, outcome=outcome)
    return closed, _event(case, "closed", actor, {"because": outcome}, now)


def _check_move(case: Case, to: CaseStatus) -> None:
    if to not in MOVES[case.status]:
        raise IllegalCaseMoveError(case, to)


def _event(case: Case, verb: str, actor: Actor, details: Mapping[str, str], now: datetime) -> Event:
    return Event(
        type=f"case:{verb}",
        actor=actor,
        occurred_at=now,
        client_id=case.client_id or None,
        citizen_id=case.citizen_id,
        link_id=case.link_id,
        details={"reference": case.reference, **details},
    )


REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Neither 0 and O, nor 1, I and L: read aloud or copied by hand, each is only itself."""
REFERENCE_LENGTH = 8


def make_reference(choice: Callable[[str], str]) -> str:
    """Return a new reference; `choice` takes one letter of a text at random."""
    return "".join(choice(REFERENCE_LETTERS) for _ in range(REFERENCE_LENGTH))


def shown_reference(reference: str) -> str:
    """Return a reference in two groups, as people read it out."""
    return f"{reference[:4]}-{reference[4:]}"


def read_reference(text: str) -> str | None:
    """Read what somebody typed or heard as a reference; None where it cannot be one."""
    reference = "".join(text.split()).replace("-", "").upper()
    is_one = len(reference) == REFERENCE_LENGTH and set(reference) <= set(REFERENCE_LETTERS)
    return reference if is_one else None
