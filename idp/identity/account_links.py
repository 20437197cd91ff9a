"""The account link: a platform's account bound to a verified person. The centre of this program.

States and moves stand in one table, `MOVES`. Every move gives back the changed link and the
event that must be stored in the same transaction. D320 Art. 19.

    pending ──▶ active ◀──▶ suspended
                  │  ▲
                  ▼  │
                 lapsed            any ──▶ ended (terminal: a new link is made instead)
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from idp.audit.events import Actor, Event
from idp.identity.assurance import Acr, Proofing


class Status(StrEnum):
    """The state of an account link."""

    PENDING = "pending"
    """Agreed by the citizen, not yet redeemed by the platform; vanishes when it is not."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LAPSED = "lapsed"
    """The assurance expired; renewed by linking again."""
    ENDED = "ended"


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.ACTIVE, Status.ENDED}),
    Status.ACTIVE: frozenset({Status.SUSPENDED, Status.LAPSED, Status.ENDED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.ENDED}),
    Status.LAPSED: frozenset({Status.ACTIVE, Status.ENDED}),
    Status.ENDED: frozenset(),
}

LIVE: frozenset[Status] = frozenset({Status.ACTIVE, Status.SUSPENDED, Status.LAPSED})
"""The states in which a link occupies its account and one of the citizen's places."""


@dataclass(frozen=True, slots=True)
class AccountLinkRequest:
    """What a platform asked to be linked (RFC 9396 authorization details of type `account_link`)."""

    account_id: str
    handle: str | None = None
    profile_uri: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class AccountLink:
    """One platform account, one person. Holds no nonce, code, token or session."""

    link_id: str
    client_id: str
    account_id: str
    citizen_id: str
    subject: str
    """The pairwise `sub` given to this platform."""
    status: Status
    proofing: Proofing
    acr: Acr
    requested_at: datetime
    handle: str | None = None
    profile_uri: str | None = None
    purpose: str | None = None
    place: int | None = None
    """Which of the citizen's places at this platform it occupies, 1 … the platform's cap."""
    linked_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    suspended_because: str | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None
    status_list_id: str | None = None
    """The Token Status List that tells its state, and where in it; given when it becomes active."""
    status_index: int | None = None
    policy_version: int | None = None
    """The version of the feature policy under which it was made or last renewed."""
    guardianship_id: str | None = None
    """The relation of the guardian who approved it (R10)."""
    own_consent_due_at: datetime | None = None
    """Until when a person who turned 16 must agree to it themselves (R10)."""
    mark_id: str | None = None
    """Under which its public mark is found; None where its holder does not want it found (R21)."""
    reverify_requested_at: datetime | None = None
    updated_at: datetime | None = field(default=None, compare=False)
    """When its record was last written, as read; a change within one state is told by it from any other."""

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the link's validity is over, whether or not it was already moved to lapsed."""
        return self.expires_at is not None and now >= self.expires_at


HOLDER_SUSPENDED = "citizen_suspended"
"""Why a link is suspended whose holder is. Only such links come back with the holder."""


class IllegalMoveError(ValueError):
    """The state machine has no such move."""

    def __init__(self, link: AccountLink, to: Status) -> None:
        super().__init__(f"an account link that is {link.status} cannot become {to}")
        self.link = link
        self.to = to


def move(
    link: AccountLink, to: Status, actor: Actor, because: str, now: datetime
) -> tuple[AccountLink, Event]:
    """Move a link to another state; return it changed, with the event to store beside it.

    `because` is a short code from our own vocabulary, never text about the person.
    Raises IllegalMoveError for a move that is not in MOVES.
    """
    if to not in MOVES[link.status]:
        raise IllegalMoveError(link, to)
    moved = replace(
        link,
        status=to,
        suspended_because=because if to is Status.SUSPENDED else None,
        ended_at=now if to is Status.ENDED else link.ended_at,
        ended_because=because if to is Status.ENDED else link.ended_because,
        place=None if to is Status.ENDED else link.place,
    )
    event = Event(
        type=f"account_link:{_VERBS[link.status, to]}",
        actor=actor,
        occurred_at=now,
        client_id=link.client_id,
        citizen_id=link.citizen_id,
        link_id=link.link_id,
        details={"because": because},
    )
    return moved, event


_VERBS: Mapping[tuple[Status, Status], str] = {
    (Status.PENDING, Status.ACTIVE): "activated",
    (Status.PENDING, Status.ENDED): "abandoned",
    (Status.ACTIVE, Status.SUSPENDED): "suspended",
    (Status.ACTIVE, Status.LAPSED): "lapsed",
    (Status.ACTIVE, Status.ENDED): "ended",
    (Status.SUSPENDED, Status.ACTIVE): "reinstated",
    (Status.SUSPENDED, Status.ENDED): "ended",
    (Status.LAPSED, Status.ACTIVE): "renewed",
    (Status.LAPSED, Status.ENDED): "ended",
}


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """What a platform demands of a link and of the person behind it."""

    min_proofing: Proofing = Proofing.VN1
    min_acr: Acr = Acr.VN_1
    min_age: int | None = None
    max_links_per_citizen: int = 3
    link_validity: timedelta = timedelta(days=730)


class Refusal(StrEnum):
    """Why a link is not made. The citizen is told in words; the platform is not told at all."""

    ACCOUNT_TAKEN = "account_taken"
    """Another person's live link holds this account."""
    LIMIT_REACHED = "limit_reached"
    PROOFING_TOO_LOW = "proofing_too_low"
    ACR_TOO_LOW = "acr_too_low"
    UNDER_AGE = "under_age"
    LINK_SUSPENDED = "link_suspended"
    """The person's own link to this account is suspended."""
    LINKS_FROZEN = "links_frozen"
    """The person does not want new links."""
    GUARDIAN_NEEDED = "guardian_needed"
    """The person is under 16, and no guardian of theirs has approved (R10)."""


class LinkRefusedError(Exception):
    """The policy or another link forbids this account link."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Applicant:
    """The person who asks, as far as the policy looks at them."""

    citizen_id: str
    proofing: Proofing
    acr: Acr
    age: int | None
    """Full years on the day of asking in UTC+7; None when no birth date is known."""


def check_policy(policy: LinkPolicy, applicant: Applicant) -> None:
    """Check the person against the platform's policy. Raises LinkRefusedError."""
    if not applicant.proofing.satisfies(policy.min_proofing):
        raise LinkRefusedError(Refusal.PROOFING_TOO_LOW)
    if not applicant.acr.satisfies(policy.min_acr):
        raise LinkRefusedError(Refusal.ACR_TOO_LOW)
    if policy.min_age is not None and (applicant.age is None or applicant.age < policy.min_age):
        raise LinkRefusedError(Refusal.UNDER_AGE)


def check_holder(existing: AccountLink | None, citizen_id: str) -> None:
    """Check that the account is free or already this person's. Raises LinkRefusedError."""
    if existing is None or existing.status not in LIVE:
        return
    if existing.citizen_id != citizen_id:
        raise LinkRefusedError(Refusal.ACCOUNT_TAKEN)
    if existing.status is Status.SUSPENDED:
        raise LinkRefusedError(Refusal.LINK_SUSPENDED)


def occupied_places(links: Iterable[AccountLink], citizen_id: str) -> frozenset[int]:
    """Return the places that a person's live links occupy at one platform."""
    return frozenset(
        link.place
        for link in links
        if link.citizen_id == citizen_id and link.status in LIVE and link.place is not None
    )


def free_place(occupied: AbstractSet[int], policy: LinkPolicy) -> int:
    """Return the lowest free place of this person at this platform.

    The place is written with the link, and the store holds (client, citizen, place) unique, so that
    the cap stands even when many try at once. Raises LinkRefusedError when every place is taken.
    """
    for place in range(1, policy.max_links_per_citizen + 1):
        if place not in occupied:
            return place
    raise LinkRefusedError(Refusal.LIMIT_REACHED)


def activate(
    link: AccountLink, place: int, policy: LinkPolicy, actor: Actor, now: datetime
) -> tuple[AccountLink, Event]:
    """Make a pending link active, or a lapsed one active again, at the given place.

    A suspended link is not: whoever suspended it reinstates it, and linking again is no way round that.
    Raises IllegalMoveError.
    """
    if link.status is Status.SUSPENDED:
        raise IllegalMoveError(link, Status.ACTIVE)
    moved, event = move(link, Status.ACTIVE, actor, "linked", now)
    return (
        replace(
            moved,
            place=place,
            linked_at=link.linked_at or now,
            last_used_at=now,
            expires_at=now + policy.link_validity,
            reverify_requested_at=None,
        ),
        event,
    )
