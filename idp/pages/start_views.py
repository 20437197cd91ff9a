"""The view model of the start page: what needs a person now, and the way to each of their own pages."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.pages.views import Page


class AttentionKind(StrEnum):
    """What a person should look at, the most urgent first."""

    RECOVERY_OPEN = "recovery_open"
    """Somebody sets up the person's sign-in anew: they themselves, or a thief whom they can still stop."""
    CASE_ASKED = "case_asked"
    REQUESTS_WAIT = "requests_wait"
    CHILDREN_ASK = "children_ask"
    OWN_CONSENT_DUE = "own_consent_due"
    REVERIFY_ASKED = "reverify_asked"
    FROZEN = "frozen"
    PASSWORD_ALONE = "password_alone"
    """A password is all that lets the person in, and whoever learns it."""
    NO_WAY_BACK = "no_way_back"
    """There is one device and no recovery code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One thing to look at."""

    kind: AttentionKind
    uri: str
    count: int = 1
    until: datetime | None = None
    """Until when something can be done about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPage(Page):
    """What needs me now? And where is everything else? `form#sign-out`."""

    template: ClassVar[str] = "my_account/start.html"

    person: str
    attention: tuple[Attention, ...]
    has_children: bool = False
    """Speaks for a child."""
