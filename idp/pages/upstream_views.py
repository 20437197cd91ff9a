"""The view models of signing in at another identity provider, and of the list of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.pages.sign_in_views import UpstreamWay
from idp.pages.views import Page


class UpstreamTrouble(StrEnum):
    """Why nobody was signed in, as it stands in the page's address."""

    CANCELLED = "cancelled"
    UNAVAILABLE = "unavailable"
    UNTRUSTED = "untrusted"
    INCOMPLETE = "incomplete"
    NOT_FRESH = "not-fresh"
    UNKNOWN_PERSON = "unknown-person"
    NOT_USABLE = "not-usable"
    PAIR_CHANGED = "pair-changed"
    THROTTLED = "throttled"
    SESSION_ENDED = "session-ended"
    DISCONNECTED = "disconnected"


REFERENCE_CODES: Mapping[UpstreamTrouble, str] = {
    trouble: f"U{number:02}" for number, trouble in enumerate(UpstreamTrouble, start=1)
}
"""What a page's reference begins with; ERRORS.md explains each."""

STATUS: Mapping[UpstreamTrouble, int] = {
    UpstreamTrouble.CANCELLED: 200,
    UpstreamTrouble.UNAVAILABLE: 503,
    UpstreamTrouble.UNTRUSTED: 502,
    UpstreamTrouble.INCOMPLETE: 502,
    UpstreamTrouble.NOT_FRESH: 403,
    UpstreamTrouble.UNKNOWN_PERSON: 403,
    UpstreamTrouble.NOT_USABLE: 403,
    UpstreamTrouble.PAIR_CHANGED: 403,
    UpstreamTrouble.THROTTLED: 429,
    UpstreamTrouble.SESSION_ENDED: 200,
    UpstreamTrouble.DISCONNECTED: 403,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamPage(Page):
    """Sign in at another provider? `form#upstream` goes there; or why that led to nobody."""

    template: ClassVar[str] = "sign_in/upstream.html"

    action: str
    name: Mapping[str, str]
    """By language."""
    domain: str
    """The host that a careful person compares before typing anything there."""
    other_ways_uri: str
    creates_account: bool = False
    """Whether somebody who is not known here is entered into the register."""
    trouble: UpstreamTrouble | None = None
    reference: str | None = None
    """By which the log line of what went wrong is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCard:
    """One provider where the person has signed in."""

    upstream_id: str
    name: Mapping[str, str]
    """By language."""
    since: datetime
    last_used_at: datetime
    is_only_way: bool = False
    """Whether nothing else would let them in; it cannot be ended then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamsPage(Page):
    """At which other providers do I sign in? A form for each, with `upstream`; links to connect another."""

    template: ClassVar[str] = "my_security/upstreams.html"

    accounts: tuple[UpstreamCard, ...]
    end_action: str
    others: tuple[UpstreamWay, ...] = ()
