"""The view model of what a person agreed to and refused. Beside `views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.consents import AskReason, ConsentState
from idp.pages.list_views import ONE_PAGE, UNFILTERED, Filters, Paging
from idp.pages.views import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCard:
    """One decision, as it was made."""

    network: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""
    state: ConsentState
    decided_at: datetime
    withdrawn_at: datetime | None = None
    reason: AskReason
    purpose: str | None = None
    claims: tuple[str, ...] = ()
    """What was agreed to, beside the levels."""
    withheld: tuple[str, ...] = ()
    """What was asked for and not given."""
    text_version: str
    ui_locale: str
    """The language in which it was asked."""
    end_uri: str | None = None
    """Where it can be withdrawn; None for what answers for the person no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsPage(Page):
    """What did I agree to, and what did I refuse? Every decision, newest first."""

    template: ClassVar[str] = "my_account/consents.html"

    consents: tuple[ConsentCard, ...]
    filters: Filters = UNFILTERED
    paging: Paging = ONE_PAGE
