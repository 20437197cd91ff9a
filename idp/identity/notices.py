"""Notices: what a person is told about their links, in their language and on the ways they chose. R13, R22.

What the holder of a link cannot stop, they must at least learn of at once (abuse cases P1, P4). A notice is
recorded with the change that it tells of, kept in the person's own list, and sent by every way they chose.
It names the network, the account and the time, and nothing about the person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from idp.identity.cases import NOT_ME
from idp.identity.link_changes import ChangeKind


class NoticeKind(StrEnum):
    """What a person is told."""

    LINK_ESTABLISHED = "link_established"
    LINK_RENEWED = "link_renewed"
    LINK_SUSPENDED = "link_suspended"
    LINK_REINSTATED = "link_reinstated"
    LINK_LAPSED = "link_lapsed"
    LINK_ENDED = "link_ended"
    REATTACHED = "reattached"
    """The network gave a linked account another name or id."""
    REVERIFY_REQUESTED = "reverify_requested"
    LINKS_QUICKLY = "links_quickly"
    """Many accounts were linked at many networks in a short time."""
    FREEZE_ON = "freeze_on"
    FREEZE_OFF = "freeze_off"
    PREFERENCES_CHANGED = "preferences_changed"
    """Told on the ways that were chosen before."""
    CASE_OPENED = "case_opened"
    CASE_CLOSED = "case_closed"
    CORRECTION_ASKED = "correction_asked"
    """The person asked the register to correct something about them."""
    NEW_REQUEST_WAITING = "new_request_waiting"
    """Something waits for the person's answer on the page of requests."""
    GUARDIAN_REQUEST = "guardian_request"
    """A child asks; told to a guardian."""
    GUARDIAN_DECIDED = "guardian_decided"
    """Told to the child."""
    HAND_OVER_DUE = "hand_over_due"
    """A person turned 16 and is to agree to a link themselves."""
    MISUSE_REPORTED = "misuse_reported"
    """A network suspects that a linked account is misused; nothing happened to the link."""
    DISPUTE_OPENED = "dispute_opened"
    """Somebody else says that an account is theirs; told to its holder, who is asked."""
    DISPUTE_DECIDED = "dispute_decided"
    AUTHENTICATOR_ADDED = "authenticator_added"
    """There is another way to sign in; `details["what"]` is a `Credential`."""
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    AUTHENTICATOR_BLOCKED = "authenticator_blocked"
    """It was removed by us, for somebody guessed at it or it was copied."""
    PASSWORD_CHANGED = "password_changed"
    ACTIVATION_ISSUED = "activation_issued"
    """Whoever holds the code can set up how the person signs in."""
    ACCOUNT_ACTIVATED = "account_activated"
    RECOVERY_OPENED = "recovery_opened"
    """After a wait, new ways to sign in can be set up; until then it can be stopped."""
    RECOVERY_STOPPED = "recovery_stopped"
    RECOVERY_DONE = "recovery_done"


LINK_NOTICES: Mapping[ChangeKind, NoticeKind] = {
    ChangeKind.ESTABLISHED: NoticeKind.LINK_ESTABLISHED,
    ChangeKind.RENEWED: NoticeKind.LINK_RENEWED,
    ChangeKind.SUSPENDED: NoticeKind.LINK_SUSPENDED,
    ChangeKind.REINSTATED: NoticeKind.LINK_REINSTATED,
    ChangeKind.LAPSED: NoticeKind.LINK_LAPSED,
    ChangeKind.ENDED: NoticeKind.LINK_ENDED,
    ChangeKind.REATTACHED: NoticeKind.REATTACHED,
    ChangeKind.REVERIFY_REQUESTED: NoticeKind.REVERIFY_REQUESTED,
}
"""What a change of a link is told as. A new handle or another level is no news to the holder."""


class Credential(StrEnum):
    """What lets somebody in, as a notice names it."""

    PASSKEY = "passkey"
    PHONE = "phone"
    TOTP = "totp"
    RECOVERY_CODES = "recovery_codes"
    PASSWORD = "password"
    BROWSER = "browser"
    UPSTREAM = "upstream"


STOPPABLE = frozenset({NoticeKind.ACTIVATION_ISSUED, NoticeKind.RECOVERY_OPENED})
"""What can be stopped from the message itself, without signing in."""
SECURITY_NOTICES = STOPPABLE | {
    NoticeKind.AUTHENTICATOR_ADDED,
    NoticeKind.AUTHENTICATOR_REMOVED,
    NoticeKind.AUTHENTICATOR_BLOCKED,
    NoticeKind.PASSWORD_CHANGED,
    NoticeKind.ACCOUNT_ACTIVATED,
    NoticeKind.RECOVERY_STOPPED,
    NoticeKind.RECOVERY_DONE,
}
"""What is told on every way there is, whatever was chosen: whoever took an account over chose it, too."""


class Channel(StrEnum):
    """A way to reach a person. Their own list of notices is not among these: it is always kept."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    """A message in the provider's app."""


EVERY_CHANNEL = frozenset(Channel)


class UILocale(StrEnum):
    """A language in which notices are written, the default first (R23)."""

    VI = "vi"
    EN = "en"


@dataclass(frozen=True, slots=True)
class NoticePreferences:
    """How a person wants to be told. Without any, whoever reached their pages could silence everything."""

    channels: frozenset[Channel] = EVERY_CHANNEL
    ui_locale: UILocale = UILocale.VI


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a person is told.

    `details` holds short codes and what a network wrote about the account; never a fact about the person.
    """

    kind: NoticeKind
    citizen_id: str
    client_id: str | None = None
    link_id: str | None = None
    case_id: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A notice as it stands in the person's own list."""

    notice_id: str
    notice: Notice
    created_at: datetime
    expires_at: datetime
    vetoed_at: datetime | None = None
    """When "this was not me" was pressed in it; from then on `notice.case_id` is the case of that."""


def what_of(notice: Notice) -> Credential | None:
    """Return what lets somebody in that a notice is about, if it is about one."""
    what = notice.details.get("what")
    return None if what is None else Credential(what)


VETO_VALIDITY = timedelta(days=30)
"""How long "this was not me" works from the message itself."""
KEPT_FOR = timedelta(days=365)
"""How long a notice stays in the person's own list. The history of the links themselves stays longer."""


def link_notice(kind: ChangeKind, ended_or_suspended_because: str | None) -> NoticeKind | None:
    """Return what a change is told to its holder as; None where they need not hear of it.

    Whoever said "this was not me" is told of the case, with its number, and not of the suspension besides.
    """
    if ended_or_suspended_because == NOT_ME and kind in {ChangeKind.SUSPENDED, ChangeKind.ENDED}:
        return None
    return LINK_NOTICES.get(kind)


def can_be_vetoed(kept: KeptNotice, now: datetime) -> bool:
    """Tell whether "this was not me" may still be pressed, or what it led to be looked at."""
    return kept.notice.link_id is not None and now < kept.created_at + VETO_VALIDITY


def channels_to_use(preferences: NoticePreferences, reachable: Iterable[Channel]) -> tuple[Channel, ...]:
    """Return the ways by which a message leaves, in a fixed order.

    `reachable` are those that are set up and for which the register knows an address. When none of these was
    chosen the message leaves by all of them: what was chosen may have ceased to exist.
    """
    found = frozenset(reachable)
    return tuple(sorted(found & preferences.channels or found))


QUICK_WITHIN = timedelta(days=1)


def links_quickly(networks: int, most: int) -> bool:
    """Tell whether somebody linked accounts at more networks within a day than people do (abuse case P4)."""
    return networks > most
