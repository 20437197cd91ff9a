"""The view models of a person's history: who used what, for what, how often and when. Beside `views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.audit.events import ActorKind
from idp.pages.list_views import ONE_PAGE, UNFILTERED, Filters, Paging
from idp.pages.views import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class UseTotal:
    """How often one network used what it was given."""

    network: str
    count: int
    last_at: datetime | None
    purpose: str | None
    claims: tuple[str, ...]
    """As in LinkCard."""
    uri: str
    """Shows what concerns this network alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEntry:
    """One event, told in words by its `type`."""

    type: str
    occurred_at: datetime
    actor: ActorKind
    network: str | None
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage(Page):
    """What was done with my data? Newest first."""

    template: ClassVar[str] = "my_activity/activity.html"

    network: str | None = None
    """The one network that is looked at."""
    filters: Filters = UNFILTERED
    totals: tuple[UseTotal, ...] = ()
    timeline: tuple[ActivityEntry, ...]
    paging: Paging = ONE_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage(Page):
    """What exactly was it, and is it in the public log? Checked when it is shown."""

    template: ClassVar[str] = "my_activity/entry.html"

    entry: ActivityEntry
    claims: tuple[str, ...] = ()
    place: int | None = None
    """Its number in the log; None while it is not signed yet."""
    signed_at: datetime | None = None
    is_altered: bool = False
    """It is not what was sealed, or a part of the log is missing."""
    leaf: str | None = None
    proof_uri: str = ""
    activity_uri: str = "/my/activity"
