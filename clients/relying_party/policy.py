"""May this account use this feature now? Answered from what you hold, without asking anybody. Pure.

    receipt, status list ───▶ Link ───▶ Account ───┐
    /account-links/policy ──▶ read_policy ──▶ Policy.may(account, feature, now) ──▶ Decision
                                                               allowed?, why, until, what helps

The provider publishes which feature needs which assurance and by when, and never looks at your accounts;
every decision is yours to make and to explain. The only consequence there is, is to restrict a feature: do
not delete an account for want of a link.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .receipts import LinkReceipt
from .status_lists import LinkStatus

_IN_EXISTENCE = frozenset({LinkStatus.VALID, LinkStatus.SUSPENDED, LinkStatus.LAPSED})
_PROOFING: Mapping[str, int] = {"vn1": 1, "vn2": 2, "vnf": 2}
_ACR: Mapping[str, int] = {"vn-1": 1, "vn-2": 2, "vn-3": 3, "vn-4": 4}


class Reason(StrEnum):
    """Why a feature is allowed or restricted; `Decision.message` has a sentence for each."""

    MET = "met"
    NOT_DUE_YET = "not_due_yet"
    IN_GRACE = "in_grace"
    LINK_NEEDED = "link_needed"
    LINK_SUSPENDED = "link_suspended"
    LINK_LAPSED = "link_lapsed"
    PROOFING_TOO_LOW = "proofing_too_low"
    REVERIFY_DUE = "reverify_due"
    ACR_TOO_LOW = "acr_too_low"
    NOT_FRESH = "not_fresh"
    UNKNOWN_FEATURE = "unknown_feature"


class Step(StrEnum):
    """What your member can do about it."""

    LINK = "link"
    """`start_linking`."""
    SIGN_IN = "sign_in"
    """`start_linking` for the same account, with `Decision.acr_values`, `Decision.max_age` and the feature as
    its purpose: they sign in at the provider, and the link is confirmed."""
    PROVE_IN_PERSON = "prove_in_person"
    """Only the authorities can help: nothing at the provider lifts this level."""
    ASK_PROVIDER = "ask_provider"
    """Lead them to the provider's page of their linked accounts: why a link is suspended is told there."""


_STEPS: Mapping[Reason, Step] = {
    Reason.LINK_NEEDED: Step.LINK,
    Reason.LINK_LAPSED: Step.LINK,
    Reason.LINK_SUSPENDED: Step.ASK_PROVIDER,
    Reason.PROOFING_TOO_LOW: Step.PROVE_IN_PERSON,
    Reason.REVERIFY_DUE: Step.SIGN_IN,
    Reason.ACR_TOO_LOW: Step.SIGN_IN,
    Reason.NOT_FRESH: Step.SIGN_IN,
}

_MESSAGES: Mapping[Reason, str] = {
    Reason.LINK_NEEDED: "This needs an account that is linked to a verified person.",
    Reason.LINK_LAPSED: "The link of your account has run out. Please link it again.",
    Reason.LINK_SUSPENDED: "The link of your account is suspended. The provider's page says what you can do.",
    Reason.PROOFING_TOO_LOW: "This needs an identity that was verified in person.",
    Reason.REVERIFY_DUE: "Please confirm the link of your account.",
    Reason.ACR_TOO_LOW: "This needs a stronger sign-in at the provider.",
    Reason.NOT_FRESH: "Please sign in at the provider once more: this needs a recent sign-in.",
    Reason.UNKNOWN_FEATURE: "This is not available at the moment.",
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in of the account's person at the provider: in an ID token, or at linking."""

    acr: str
    """In short, such as `vn-2`, or the URI of the claim."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """What you hold of an account's link."""

    status: int
    """From the status list, a LinkStatus; anything that is none of these counts as ended."""
    assurance_level: str
    sign_ins: tuple[SignIn, ...]
    """Give those you keep; the newest and the strongest are enough."""
    expires_at: datetime | None = None
    reverify_requested_at: datetime | None = None
    """Since when the provider wants the link confirmed, if an event or the platform API told so."""

    @classmethod
    def of_receipt(
        cls,
        receipt: LinkReceipt,
        status: int,
        sign_ins: Sequence[SignIn] = (),
        *,
        reverify_requested_at: datetime | None = None,
    ) -> "Link":
        """Make a link of a verified receipt, its status now, and the sign-ins that came after it.

        A receipt names the first linking, also when the link was renewed: give the sign-in of the renewal.
        """
        at_linking = SignIn(receipt.acr, receipt.linked_at)
        return cls(
            status=status,
            assurance_level=receipt.assurance_level,
            sign_ins=(at_linking, *sign_ins),
            expires_at=receipt.expires_at,
            reverify_requested_at=reverify_requested_at,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """One account of yours."""

    created_at: datetime
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one feature needs."""

    min_proofing: str = "vn1"
    min_acr: str = "vn-1"
    max_age: timedelta | None = None
    reverify_after: timedelta | None = None
    is_put_off: bool = True
    """Whether accounts that wait for their deadline may go on without."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when the accounts that existed before a moment meet the requirements."""

    created_before: datetime
    due_at: datetime
    ends_at: datetime
    """`due_at` and the grace."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with everything to show and to do."""

    is_allowed: bool
    reason: Reason
    lack: Reason | None = None
    """What is missing, also where it may be for now: a good moment to say so kindly."""
    until: datetime | None = None
    """Until when the answer holds if nothing else happens. Ask again then; None: no end is known."""
    requirement: Requirement | None = None

    @property
    def step(self) -> Step | None:
        """What would help; None where nothing is missing, or nothing helps."""
        return None if self.lack is None else _STEPS.get(self.lack)

    @property
    def message(self) -> str | None:
        """One calm English sentence about what is missing. Translate by `lack`."""
        return None if self.lack is None else _MESSAGES[self.lack]

    @property
    def acr_values(self) -> tuple[str, ...]:
        """For `start_linking`."""
        return () if self.requirement is None else (self.requirement.min_acr,)

    @property
    def max_age(self) -> int | None:
        """For `start_linking`, in seconds."""
        span = None if self.requirement is None else self.requirement.max_age
        return None if span is None else int(span.total_seconds())


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy as it holds for your platform; `read_policy` makes it."""

    version: int
    features: Mapping[str, Requirement] = field(default_factory=dict)
    deadline: Deadline | None = None
    """None: every account meets the requirements now, or `is_waiting`."""
    is_waiting: bool = False
    """You are a cross-border platform that is not connected yet: nothing is due (D320 Art. 20(3))."""
    next_at: datetime | None = None
    """When the next version takes effect, if one is announced: fetch the document anew then."""

    def may(self, account: Account, feature: str, now: datetime) -> Decision:
        """Tell whether an account may use a feature now, and why. What is not named is not allowed.

        Times are aware. A link that is too weak is never worse than none; a suspended one is.
        """
        requirement = self.features.get(feature)
        if requirement is None:
            return Decision(is_allowed=False, reason=Reason.UNKNOWN_FEATURE, lack=Reason.UNKNOWN_FEATURE)
        lack = _lack(requirement, account.link, now)
        if lack is None:
            until = self._earliest(() if account.link is None else _ends(requirement, account.link))
            return Decision(is_allowed=True, reason=Reason.MET, until=until, requirement=requirement)
        reason, until = lack, None
        if requirement.is_put_off and lack is not Reason.LINK_SUSPENDED:
            reason, until = self._put_off(account, lack, now)
        return Decision(
            is_allowed=reason is not lack,
            reason=reason,
            lack=lack,
            until=self._earliest(() if until is None else (until,)),
            requirement=requirement,
        )

    def _put_off(self, account: Account, lack: Reason, now: datetime) -> tuple[Reason, datetime | None]:
        if self.is_waiting:
            return Reason.NOT_DUE_YET, None
        deadline = self.deadline
        if deadline is None or account.created_at >= deadline.created_before or now >= deadline.ends_at:
            return lack, None
        if now < deadline.due_at:
            return Reason.NOT_DUE_YET, deadline.due_at
        return Reason.IN_GRACE, deadline.ends_at

    def _earliest(self, ends: Sequence[datetime] | Iterator[datetime]) -> datetime | None:
        known = (*ends, *(() if self.next_at is None else (self.next_at,)))
        return min(known, default=None)


def _lack(requirement: Requirement, link: Link | None, now: datetime) -> Reason | None:
    if link is None or link.status not in _IN_EXISTENCE:
        return Reason.LINK_NEEDED
    if link.status == LinkStatus.SUSPENDED:
        return Reason.LINK_SUSPENDED
    if link.status == LinkStatus.LAPSED or (link.expires_at is not None and now >= link.expires_at):
        return Reason.LINK_LAPSED
    if _PROOFING.get(link.assurance_level, 0) < _PROOFING[requirement.min_proofing]:
        return Reason.PROOFING_TOO_LOW
    if _is_to_be_confirmed(requirement, link, now):
        return Reason.REVERIFY_DUE
    strong = _strong_enough(requirement, link)
    if not strong:
        return Reason.ACR_TOO_LOW
    if requirement.max_age is not None and now > max(strong) + requirement.max_age:
        return Reason.NOT_FRESH
    return None


def _is_to_be_confirmed(requirement: Requirement, link: Link, now: datetime) -> bool:
    last = max((signed_in.at for signed_in in link.sign_ins), default=None)
    if last is None:
        return requirement.reverify_after is not None or link.reverify_requested_at is not None
    if link.reverify_requested_at is not None and last < link.reverify_requested_at:
        return True
    return requirement.reverify_after is not None and now >= last + requirement.reverify_after


def _ends(requirement: Requirement, link: Link) -> Iterator[datetime]:
    """Yield the moments at which a requirement that is met ceases to be."""
    if link.expires_at is not None:
        yield link.expires_at
    if requirement.reverify_after is not None:
        yield max(signed_in.at for signed_in in link.sign_ins) + requirement.reverify_after
    if requirement.max_age is not None:
        yield max(_strong_enough(requirement, link)) + requirement.max_age


def _strong_enough(requirement: Requirement, link: Link) -> list[datetime]:
    least = _ACR[requirement.min_acr]
    return [each.at for each in link.sign_ins if _ACR.get(each.acr.rpartition("/")[2], 0) >= least]
