"""Approving on the phone what was begun elsewhere, and how far that withstands a relay. Issue 5, point 2.

**The way.** A browser asks and shows a code that lives a minute and is replaced before it ends. The phone
takes the code; from then on the request is that phone's, and only then the asking page shows two digits.
They are typed on the phone, with the PIN, and the answer is signed. It reaches only the browser that asked:
the one with the cookie that was made when it asked, at the address of its visit.

**A stolen picture, a code sent by chat.** Whoever scans it takes the request for *themselves*, as their own
person, and still needs the digits that stand on a page they do not see: one in ninety. One wrong number
refuses the request, so there is no second guess. A thief gains nothing: the answer would sign in the
browser of the victim, and that as the thief, who does not know the number either.

**A request forwarded to the victim.** The attacker asks in their own browser and sends the code to the
victim, who scans it. The phone names the network, the account, when and from where it was asked (address
and kind of browser of the asking side, and whether it is the phone's own network), and asks for a number
that the victim does not see: whoever stands in front of the real page has it on that page, and nobody else
should name it.

**What is not stopped.** An attacker who talks to the victim at that moment, by phone or by a page that
imitates ours and shows the number of the attacker's own session, may be believed. No number match stops a
live relay: the phone says where the request came from, and warns, and that is all it can do. So an approval
never counts as `phr`; a platform that needs this stopped asks for `phr`, and a passkey answers it.

**The end.** What is remembered of the asking side is sealed, shown on the phone alone, and removed when the
request is answered or over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from idp.authenticators.throttling import AttemptLimits, source_of

CODE_LIFETIME = timedelta(seconds=60)
CODE_STEP = timedelta(seconds=45)
"""A new code is shown this long after the one before, which still is good for whoever is just scanning it."""
ASKING_LIFETIME = timedelta(minutes=10)
"""How long a page shows codes before it asks whether anybody is still there."""
ANSWER_LIFETIME = timedelta(minutes=3)
"""From the scan on: time to compare, type and think, with a screen reader too."""
ENROLMENT_LIFETIME = timedelta(minutes=10)
CODE_LIMITS = AttemptLimits(free=5, window=timedelta(days=1))
"""Per device: wrong codes. A code is 34.5 bits, and a right one is not counted."""

NUMBERS = range(10, 100)
"""Two digits, the first no zero: what is read aloud is what is typed."""


class ApprovalKind(StrEnum):
    """What an approval is for."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    """The person is signed in where they ask, and shows more."""


class ApprovalStatus(StrEnum):
    """How far an approval is."""

    OPEN = "open"
    """The page shows codes."""
    CLAIMED = "claimed"
    """A phone has it; the page shows the number."""
    APPROVED = "approved"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"
    """Refused by us: another number was typed."""


@dataclass(frozen=True, slots=True)
class AskedFrom:
    """The asking side, as the phone shows it."""

    address: str
    browser: str
    """Kind of browser and of system, or empty: never the whole `User-Agent`."""
    network: str | None = None
    """Which platform sent the person there; None for a page of their own."""
    domain: str | None = None
    account: str | None = None
    """The account that is to be linked."""


@dataclass(frozen=True, slots=True)
class PhoneApproval:
    """A request that a phone may answer. What was asked never changes."""

    approval_hash: bytes
    kind: ApprovalKind
    visit_id: str
    """Where it was asked; empty when the browser asks there anew, and will not hear of this one."""
    browser_hash: bytes
    """Of the cookie that the browser got when it asked."""
    created_at: datetime
    expires_at: datetime
    status: ApprovalStatus = ApprovalStatus.OPEN
    asked_from: AskedFrom | None = None
    """None when it was answered."""
    client_id: str | None = None
    citizen_id: str | None = None
    """Whom it is for: of a sign-in whoever's phone took it."""
    device_id: str | None = None
    number: str | None = None
    claimed_at: datetime | None = None
    decided_at: datetime | None = None
    consumed_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether a phone may take it."""
        return self.status is ApprovalStatus.OPEN and now < self.expires_at

    def is_answerable(self, device_id: str, now: datetime) -> bool:
        """Tell whether this device may answer it."""
        is_its = self.device_id == device_id and self.status is ApprovalStatus.CLAIMED
        return is_its and now < self.expires_at

    def is_approved(self, now: datetime) -> bool:
        """Tell whether the asking browser may go on with it, once."""
        is_agreed = self.status is ApprovalStatus.APPROVED and self.consumed_at is None
        return is_agreed and now < self.expires_at


def code_window(approval: PhoneApproval, now: datetime) -> tuple[int, datetime, datetime]:
    """Return which code a page shows now, by number; until when it is good, and when the next replaces it."""
    number = (now - approval.created_at) // CODE_STEP
    begins_at = approval.created_at + number * CODE_STEP
    return number, begins_at + CODE_LIFETIME, begins_at + CODE_STEP


def is_same_network(asking: str, answering: str) -> bool:
    """Tell whether two addresses are one source: a household's router, most often."""
    return source_of(asking) == source_of(answering)


_BROWSERS = (
    ("coc_coc", "Cốc Cốc"),
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("chromium", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS = (
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os", "Mac"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
)
_LONGEST_USER_AGENT = 512


def browser_kind(user_agent: str) -> str:
    """Return which browser on which system a `User-Agent` claims to be; empty when it names none we know.

    A claim and no proof: an attacker writes what they like. It helps whoever is not attacked to know their
    own request again.
    """
    text = user_agent[:_LONGEST_USER_AGENT].lower()
    browser = next((name for mark, name in _BROWSERS if mark in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    return ", ".join(filter(None, (browser, system)))
