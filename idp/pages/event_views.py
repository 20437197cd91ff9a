"""The view model of the page that explains our own security events. Beside `views`, under the same rules."""

from dataclasses import dataclass
from typing import ClassVar

from idp.pages.views import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage(Page):
    """What one event means: the document its URI resolves to."""

    template: ClassVar[str] = "event.html"

    name: str
    """One of `security_events.OWN_EVENTS`, or the namespace of the levels they name."""
    uri: str
