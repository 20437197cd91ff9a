"""Many links moved at once: proposed by one operator, approved by another, done in batches, undone in time.

An end is an end for good, so a mass end first suspends and becomes final when the time to undo it is over.
Abuse case P9.

    proposed ──▶ approved ──▶ running ◀──▶ paused
        │            │           │            │
        └────────────┴─▶ withdrawn            │
                            finished ◀────────┘
                               ├──▶ undoing ──▶ undone
                               └──▶ final
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from idp.audit.events import Actor, Event
from idp.identity.account_links import HOLDER_SUSPENDED, AccountLink, Status, move
from idp.identity.assurance import Proofing
from idp.identity.cases import NOT_ME
from idp.identity.link_changes import ChangeKind
from idp.identity.link_upkeep import StateConflictError, request_reverification

UNDO_WITHIN = timedelta(hours=72)
"""How long a finished action can be undone; counted from its last batch."""
APPROVED_WITHIN = timedelta(hours=24)
"""How long a proposal waits for the second person, and an approval for its run: what was previewed ages."""
REVERIFY_WITHIN = timedelta(days=30)
"""Until when a link that must be verified again still counts."""


class MassKind(StrEnum):
    """What is done to every link that a query finds."""

    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    END = "end"
    REVERIFY = "reverify"


class MassStatus(StrEnum):
    """How far an action has come."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    UNDOING = "undoing"
    UNDONE = "undone"
    FINAL = "final"
    """The time to undo it is over."""
    WITHDRAWN = "withdrawn"


MOVES: Mapping[MassStatus, frozenset[MassStatus]] = {
    MassStatus.PROPOSED: frozenset({MassStatus.APPROVED, MassStatus.WITHDRAWN}),
    MassStatus.APPROVED: frozenset({MassStatus.RUNNING, MassStatus.WITHDRAWN}),
    MassStatus.RUNNING: frozenset({MassStatus.PAUSED, MassStatus.FINISHED}),
    MassStatus.PAUSED: frozenset({MassStatus.RUNNING, MassStatus.FINISHED}),
    MassStatus.FINISHED: frozenset({MassStatus.UNDOING, MassStatus.FINAL}),
    MassStatus.UNDOING: frozenset({MassStatus.UNDONE}),
    MassStatus.UNDONE: frozenset(),
    MassStatus.FINAL: frozenset(),
    MassStatus.WITHDRAWN: frozenset(),
}

FITTING: Mapping[MassKind, frozenset[Status]] = {
    MassKind.SUSPEND: frozenset({Status.ACTIVE}),
    MassKind.REINSTATE: frozenset({Status.SUSPENDED}),
    MassKind.END: frozenset({Status.ACTIVE, Status.SUSPENDED, Status.LAPSED}),
    MassKind.REVERIFY: frozenset({Status.ACTIVE}),
}
"""The states in which a link can be met by each kind."""

_PREFIX = "mass_action:"
OWN_REASONS = frozenset({HOLDER_SUSPENDED, NOT_ME})
"""Suspended with its holder or by its holder: such a link comes back in its own way, never in a mass."""


class MassActionError(ValueError):
    """The action cannot take this step; the message says why, to the operator."""


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Which links are meant. Every condition that is given must hold."""

    client_id: str | None = None
    proofing: Proofing | None = None
    proofed_before: datetime | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MassAction:
    """One action and how far it has come."""

    action_id: str
    kind: MassKind
    query: LinkQuery
    reason: str
    status: MassStatus
    proposed_by: str
    proposed_at: datetime
    expected: int
    """How many links the query found when it was proposed."""
    approved_by: str | None = None
    approved_at: datetime | None = None
    finished_at: datetime | None = None
    undone_at: datetime | None = None
    done: int = 0
    skipped: int = 0
    """Links that were found, but had changed before their turn came."""
    cursor: str = ""
    """The last link that was looked at, in the order of ids."""
    revision: int = 1

    @property
    def because(self) -> str:
        """The short code under which its moves stand with the links."""
        return f"{_PREFIX}{self.action_id}"


def check_query(query: LinkQuery) -> None:
    """Check that a query narrows something down. Raises MassActionError."""
    if query == LinkQuery():
        raise MassActionError("a mass action needs at least one condition: nobody means every link there is")
    start, end = query.created_from, query.created_until
    if start is not None and end is not None and start >= end:
        raise MassActionError("the time from which links were made must lie before the time until which")


def approve(action: MassAction, approver: Actor, now: datetime) -> MassAction:
    """Approve a proposal as the second person. Raises MassActionError."""
    if approver.id == action.proposed_by:
        raise MassActionError("whoever proposed an action cannot approve it: a second person must")
    if now > action.proposed_at + APPROVED_WITHIN:
        raise MassActionError("the proposal is older than 24 hours; propose it anew")
    return replace(step(action, MassStatus.APPROVED), approved_by=approver.id, approved_at=now)


def begin(action: MassAction, now: datetime) -> MassAction:
    """Begin or go on with an approved action. Raises MassActionError."""
    if action.status is MassStatus.RUNNING:
        return action  # whoever ran it was stopped: the links that were done stay done
    is_new = action.status is MassStatus.APPROVED
    if is_new and action.approved_at is not None and now > action.approved_at + APPROVED_WITHIN:
        raise MassActionError("the approval is older than 24 hours; propose it anew")
    return step(action, MassStatus.RUNNING)


def begin_undoing(action: MassAction, now: datetime) -> MassAction:
    """Begin or go on with undoing. Raises MassActionError."""
    if action.status is MassStatus.UNDOING:
        return action
    if action.finished_at is not None and now > action.finished_at + UNDO_WITHIN:
        raise MassActionError("the action was finished more than 72 hours ago and cannot be undone any more")
    return replace(step(action, MassStatus.UNDOING), cursor="")


def is_due_to_be_final(action: MassAction, now: datetime) -> bool:
    """Tell whether the time to undo a finished action is over."""
    is_finished = action.status is MassStatus.FINISHED and action.finished_at is not None
    return is_finished and now > (action.finished_at or now) + UNDO_WITHIN


def step(action: MassAction, to: MassStatus) -> MassAction:
    """Move an action to another state. Raises MassActionError."""
    if to not in MOVES[action.status]:
        raise MassActionError(f"an action that is {action.status} cannot become {to}")
    return replace(action, status=to)


@dataclass(frozen=True, slots=True)
class Turn:
    """What an action makes of one link. `kind` is what is told of a change within a state."""

    after: AccountLink
    event: Event | None
    kind: ChangeKind | None = None


def do(action: MassAction, link: AccountLink, actor: Actor, now: datetime) -> Turn | None:
    """Return what becomes of a link; None for one that changed before its turn came."""
    if link.status not in FITTING[action.kind] or link.suspended_because in OWN_REASONS:
        return None
    match action.kind:
        case MassKind.SUSPEND:
            return Turn(*_named(action, move(link, Status.SUSPENDED, actor, action.because, now)))
        case MassKind.REINSTATE:
            return Turn(*_named(action, move(link, Status.ACTIVE, actor, action.because, now)))
        case MassKind.END:
            if link.status is not Status.ACTIVE:
                return Turn(link, None)  # it serves nobody already; it ends when the action is final
            return Turn(*_named(action, move(link, Status.SUSPENDED, actor, action.because, now)))
        case MassKind.REVERIFY:
            return _asked_again(action, link, actor, now)


def undo(
    action: MassAction,
    link: AccountLink,
    before: AccountLink,
    actor: Actor,
    now: datetime,
    *,
    is_holder_active: bool,
) -> Turn | None:
    """Return what undoing makes of a link; None where it has moved on since: that is the newer truth.

    The link of somebody who was suspended meanwhile rests on, and comes back with its holder.
    """
    match action.kind:
        case MassKind.SUSPEND | MassKind.END:
            if link.status is not Status.SUSPENDED or link.suspended_because != action.because:
                return None
            if not is_holder_active:
                return Turn(replace(link, suspended_because=HOLDER_SUSPENDED), None)
            return Turn(*_named(action, move(link, Status.ACTIVE, actor, action.because, now)))
        case MassKind.REINSTATE:
            if link.status is not Status.ACTIVE:
                return None
            moved, event = _named(action, move(link, Status.SUSPENDED, actor, action.because, now))
            return Turn(replace(moved, suspended_because=before.suspended_because), event)
        case MassKind.REVERIFY:
            if link.status is not Status.ACTIVE or link.reverify_requested_at is None:
                return None
            restored = replace(
                link, expires_at=before.expires_at, reverify_requested_at=before.reverify_requested_at
            )
            return Turn(restored, None, ChangeKind.UPDATED)


def finish(
    action: MassAction, link: AccountLink, before: AccountLink, actor: Actor, now: datetime
) -> Turn | None:
    """Return what the end of the time to undo makes of a link: a mass end becomes one.

    One that was reinstated or linked again since is no longer meant, whatever became of it then.
    """
    if action.kind is not MassKind.END:
        return None
    is_at_rest = link.status is Status.SUSPENDED and link.suspended_because in {
        action.because,
        before.suspended_because,
    }
    if not is_at_rest and not (link.status is before.status is Status.LAPSED):
        return None
    return Turn(*_named(action, move(link, Status.ENDED, actor, action.because, now)))


def _asked_again(action: MassAction, link: AccountLink, actor: Actor, now: datetime) -> Turn | None:
    try:
        asked, event = request_reverification(link, now + REVERIFY_WITHIN, actor, now)
    except StateConflictError:
        return None
    return Turn(*_named(action, (asked, event)), kind=ChangeKind.REVERIFY_REQUESTED)


def _named(action: MassAction, moved: tuple[AccountLink, Event]) -> tuple[AccountLink, Event]:
    """Let the event say which action moved the link."""
    link, event = moved
    return link, replace(event, details={"because": "mass_action", "reference": action.action_id})
