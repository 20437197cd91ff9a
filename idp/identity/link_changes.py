"""What happened to an account link: one change, told to everybody who follows links. R9, R12.

Recorded in the commit of the change itself. Everything that follows from it — the platform's change feed and
events, status lists, notices to the citizen — is derived from it later, in one order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from idp.identity.account_links import AccountLink, Status


class ChangeKind(StrEnum):
    """What became of a link."""

    ESTABLISHED = "established"
    RENEWED = "renewed"
    """It had lapsed, or was to be verified again, and its holder linked again."""
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    LAPSED = "lapsed"
    ENDED = "ended"
    UPDATED = "updated"
    """The platform changed handle or profile address."""
    REATTACHED = "reattached"
    """The platform gave the account another id."""
    ASSURANCE_CHANGED = "assurance_changed"
    """The holder's proofing level changed in the register."""
    REVERIFY_REQUESTED = "reverify_requested"


@dataclass(frozen=True, slots=True)
class LinkChange:
    """One change. `details` holds short codes and earlier values, never a reason or a person's data."""

    change_id: str
    client_id: str
    link_id: str
    kind: ChangeKind
    occurred_at: datetime
    status: Status
    """The state that the link had from then on."""
    details: Mapping[str, str] = field(default_factory=dict)
    position: int | None = None
    """Its place among all changes, given once it is certain that none comes before it any more."""


_KINDS: Mapping[tuple[Status, Status], ChangeKind] = {
    (Status.PENDING, Status.ACTIVE): ChangeKind.ESTABLISHED,
    (Status.ACTIVE, Status.ACTIVE): ChangeKind.RENEWED,
    (Status.LAPSED, Status.ACTIVE): ChangeKind.RENEWED,
    (Status.SUSPENDED, Status.ACTIVE): ChangeKind.REINSTATED,
}
_KINDS_BY_STATE: Mapping[Status, ChangeKind] = {
    Status.SUSPENDED: ChangeKind.SUSPENDED,
    Status.LAPSED: ChangeKind.LAPSED,
    Status.ENDED: ChangeKind.ENDED,
}


def kind_of_move(before: AccountLink, after: AccountLink) -> ChangeKind | None:
    """Return what a move is to those who follow links; None for a link that was never theirs to see."""
    if before.status is Status.PENDING and after.status is not Status.ACTIVE:
        return None
    return _KINDS.get((before.status, after.status)) or _KINDS_BY_STATE.get(after.status)
