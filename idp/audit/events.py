"""The vocabulary of the audit log: who did what to which link, person or client, and when.

An event names ids and short codes only; no classified attribute of a person can be put into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

DETAIL_KEYS = frozenset(
    {
        "acr",
        "amr",
        "answered_by",
        "because",
        "changed",
        "claims",
        "consent_id",
        "done_by",
        "done_with_others_by",
        "grant_id",
        "guardianship_id",
        "kid",
        "method",
        "proofing",
        "reference",
        "request_id",
        "revision",
        "scope",
        "text_version",
        "token_id",
        "ui_locale",
    }
)
"""What an event may carry beside its ids. A new key is added here, in review, or refused."""


class ActorKind(StrEnum):
    """Who caused an event."""

    CITIZEN = "citizen"
    GUARDIAN = "guardian"
    """A citizen who acts for a child of theirs; the id is the guardian's."""
    CLIENT = "client"
    OPERATOR = "operator"
    PROVIDER = "provider"
    """The program itself: expiry, purge, replay defence."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused an event, by id: a citizen_id, a client_id, an operator's login name."""

    kind: ActorKind
    id: str


PROVIDER = Actor(ActorKind.PROVIDER, "lienket")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log. `type` is "subject:action". Raises ValueError for unknown detail keys."""

    type: str
    actor: Actor
    occurred_at: datetime
    client_id: str | None = None
    citizen_id: str | None = None
    link_id: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = self.details.keys() - DETAIL_KEYS
        if unknown:
            raise ValueError(f"an audit event may not carry {', '.join(sorted(unknown))}")
