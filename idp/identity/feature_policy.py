"""Which feature of a network needs which assurance, and by when. D147 Art. 23(3)(e); D320 Art. 20(3).

The law names neither levels nor sanctions, so both are configuration: one versioned document for everybody
(domain rules R2, R3). Nothing of an account ever comes here (R17): each platform asks `may` of its own copy,
from what it holds. The only consequence there is, is to restrict: no document can say that an account is
deleted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Acr, Proofing


class BeforeDeadline(StrEnum):
    """What an account whose deadline is not over may do while it does not meet a feature's requirement."""

    ALLOW = "allow"
    RESTRICT = "restrict"
    """The feature has a legal ground of its own, which no deadline for linking puts off."""


class Consequence(StrEnum):
    """What happens when a deadline is over. There is no second value, and there must not be one (R3)."""

    RESTRICT = "restrict"


class Mode(StrEnum):
    """Under which rule a platform's deadline falls: D320 Art. 20(3)."""

    DOMESTIC = "domestic"
    CROSS_BORDER = "cross_border"
    """Links "when the platform meets the conditions and is connected": due on a date of its own."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one feature needs."""

    min_proofing: Proofing = Proofing.VN1
    min_acr: Acr = Acr.VN_1
    max_age: timedelta | None = None
    """How long ago the sign-in that reached `min_acr` may be."""
    reverify_after: timedelta | None = None
    """How long after the person was last here they confirm the link again."""
    before_deadline: BeforeDeadline = BeforeDeadline.ALLOW


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when the accounts that existed before a moment meet what the features need."""

    created_before: datetime
    due_at: datetime
    grace: timedelta = timedelta(0)
    consequence: Consequence = Consequence.RESTRICT

    @property
    def ends_at(self) -> datetime:
        """The moment from which features are restricted."""
        return self.due_at + self.grace


@dataclass(frozen=True, slots=True)
class FeaturePolicy:
    """The whole document, without its version."""

    features: Mapping[str, Requirement]
    domestic: Deadline | None = None
    """None: there is nothing to wait for, every account meets the requirements now."""
    cross_border: Mapping[str, Deadline | None] = field(default_factory=dict)
    """Cross-border platforms by client_id; None while one is not connected, and nothing is due there."""

    def mode_of(self, client_id: str) -> Mode:
        """Return the mode of a platform; whoever is not named as cross-border is domestic."""
        return Mode.CROSS_BORDER if client_id in self.cross_border else Mode.DOMESTIC


DEFAULT = FeaturePolicy(
    features={
        "post": Requirement(),
        "comment": Requirement(),
        "share": Requirement(),
        "livestream": Requirement(),
        # Law 122/2025: whoever sells in a livestream is identified; D320 does not put that off.
        "livestream_commerce": Requirement(
            min_proofing=Proofing.VN2,
            min_acr=Acr.VN_2,
            max_age=timedelta(minutes=15),
            before_deadline=BeforeDeadline.RESTRICT,
        ),
    },
    # D320 Art. 20(3): what existed before 28 September 2026 is due before 31 December 2026, in UTC+7.
    domestic=Deadline(
        created_before=datetime(2026, 9, 27, 17, tzinfo=UTC), due_at=datetime(2026, 12, 30, 17, tzinfo=UTC)
    ),
)
"""Version 1: what holds where nothing was published yet."""


class Reason(StrEnum):
    """Why a feature is allowed or restricted: a code that a platform turns into its own words."""

    MET = "met"
    NOT_DUE_YET = "not_due_yet"
    """Something is missing, and the account's deadline has not come."""
    IN_GRACE = "in_grace"
    """Something is missing, and the deadline has passed; the grace has not."""
    LINK_NEEDED = "link_needed"
    LINK_SUSPENDED = "link_suspended"
    LINK_LAPSED = "link_lapsed"
    PROOFING_TOO_LOW = "proofing_too_low"
    REVERIFY_DUE = "reverify_due"
    ACR_TOO_LOW = "acr_too_low"
    NOT_FRESH = "not_fresh"
    """A sign-in was strong enough, but too long ago."""
    UNKNOWN_FEATURE = "unknown_feature"
    """The policy does not name it, and what is not named is not allowed."""


class Step(StrEnum):
    """What the person can do about it."""

    LINK = "link"
    SIGN_IN = "sign_in"
    """Sign in again, at the level and age that the requirement names; it also confirms the link."""
    PROVE_IN_PERSON = "prove_in_person"
    ASK_PROVIDER = "ask_provider"
    """Only the provider's own pages say what can be done about a suspended link."""


STEPS: Mapping[Reason, Step] = {
    Reason.LINK_NEEDED: Step.LINK,
    Reason.LINK_LAPSED: Step.LINK,
    Reason.LINK_SUSPENDED: Step.ASK_PROVIDER,
    Reason.PROOFING_TOO_LOW: Step.PROVE_IN_PERSON,
    Reason.REVERIFY_DUE: Step.SIGN_IN,
    Reason.ACR_TOO_LOW: Step.SIGN_IN,
    Reason.NOT_FRESH: Step.SIGN_IN,
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in of the link's person that the platform was told of."""

    acr: Acr
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What is known of a link where the question is asked."""

    status: Status
    proofing: Proofing
    sign_ins: tuple[SignIn, ...]
    expires_at: datetime | None = None
    reverify_requested_at: datetime | None = None
    """Since when the link is to be confirmed again, whatever its age."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account of a platform."""

    client_id: str
    created_at: datetime
    link: LinkFacts | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of `may`."""

    is_allowed: bool
    reason: Reason
    lack: Reason | None = None
    """What is missing, also where it may be for now."""
    until: datetime | None = None
    """Until when the answer holds if nothing else happens; None where no end is known."""

    @property
    def step(self) -> Step | None:
        """What would help."""
        return None if self.lack is None else STEPS.get(self.lack)


def link_facts(link: AccountLink) -> LinkFacts:
    """Return what a link says of itself; later sign-ins are the platform's to add."""
    signed_in = () if link.linked_at is None else (SignIn(link.acr, link.linked_at),)
    return LinkFacts(link.status, link.proofing, signed_in, link.expires_at, link.reverify_requested_at)


def may(policy: FeaturePolicy, feature: str, account: AccountFacts, now: datetime) -> Decision:
    """Tell whether an account may use a feature now, and why.

    A link that is too weak is never worse than none: until an account's deadline is over, both may do what
    the deadline puts off. A suspended link is: somebody had a reason to suspend it, and waiting is not one.
    """
    requirement = policy.features.get(feature)
    if requirement is None:
        return Decision(is_allowed=False, reason=Reason.UNKNOWN_FEATURE, lack=Reason.UNKNOWN_FEATURE)
    lack = _lack(requirement, account.link, now)
    if lack is None:
        ends = [] if account.link is None else list(_ends(requirement, account.link))
        return Decision(is_allowed=True, reason=Reason.MET, until=min(ends, default=None))
    restricted = Decision(is_allowed=False, reason=lack, lack=lack)
    if lack is Reason.LINK_SUSPENDED or requirement.before_deadline is BeforeDeadline.RESTRICT:
        return restricted
    return _patience(policy, account, lack, now) or restricted


def _patience(policy: FeaturePolicy, account: AccountFacts, lack: Reason, now: datetime) -> Decision | None:
    """D320 Art. 20(3): say how long the account may go on without; None when it may not."""
    deadline = policy.domestic
    if account.client_id in policy.cross_border:
        deadline = policy.cross_border[account.client_id]
        if deadline is None:
            return Decision(is_allowed=True, reason=Reason.NOT_DUE_YET, lack=lack)
    if deadline is None or account.created_at >= deadline.created_before or now >= deadline.ends_at:
        return None
    if now < deadline.due_at:
        return Decision(is_allowed=True, reason=Reason.NOT_DUE_YET, lack=lack, until=deadline.due_at)
    return Decision(is_allowed=True, reason=Reason.IN_GRACE, lack=lack, until=deadline.ends_at)


def _lack(requirement: Requirement, link: LinkFacts | None, now: datetime) -> Reason | None:
    """Return what is missing first; None when nothing is."""
    if link is None or link.status in {Status.ENDED, Status.PENDING}:
        return Reason.LINK_NEEDED
    if link.status is Status.SUSPENDED:
        return Reason.LINK_SUSPENDED
    if link.status is Status.LAPSED or (link.expires_at is not None and now >= link.expires_at):
        return Reason.LINK_LAPSED
    if not link.proofing.satisfies(requirement.min_proofing):
        return Reason.PROOFING_TOO_LOW
    if _is_to_be_confirmed(requirement, link, now):
        return Reason.REVERIFY_DUE
    strong = [signed_in for signed_in in link.sign_ins if signed_in.acr.satisfies(requirement.min_acr)]
    if not strong:
        return Reason.ACR_TOO_LOW
    if requirement.max_age is not None and now > max(each.at for each in strong) + requirement.max_age:
        return Reason.NOT_FRESH
    return None


def _is_to_be_confirmed(requirement: Requirement, link: LinkFacts, now: datetime) -> bool:
    last = max((signed_in.at for signed_in in link.sign_ins), default=None)
    if last is None:
        return requirement.reverify_after is not None or link.reverify_requested_at is not None
    if link.reverify_requested_at is not None and last < link.reverify_requested_at:
        return True
    return requirement.reverify_after is not None and now >= last + requirement.reverify_after


def _ends(requirement: Requirement, link: LinkFacts) -> Iterator[datetime]:
    """Yield the moments at which a requirement that is met ceases to be, if nothing else happens."""
    if link.expires_at is not None:
        yield link.expires_at
    if requirement.reverify_after is not None:
        yield max(signed_in.at for signed_in in link.sign_ins) + requirement.reverify_after
    if requirement.max_age is not None:
        strong = [each.at for each in link.sign_ins if each.acr.satisfies(requirement.min_acr)]
        yield max(strong) + requirement.max_age
