"""The view models of the file to read: its beginning, and one paragraph for each thing in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.audit.events import ActorKind
from idp.identity.account_links import AccountLink
from idp.identity.consents import Consent, Decision
from idp.identity.corrections import Datum
from idp.pages.views import Page
from idp.store.activity import Total
from idp.store.holdings import Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage(Page):
    """What is in the file, and where is it? Asked before it is taken along."""

    template: ClassVar[str] = "my_account/export.html"

    json_uri: str
    file_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Page):
    """A part of the file; no page of its own."""

    can_switch_language: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportBegin(Section):
    """From whom, and as of when."""

    template: ClassVar[str] = "my_activity/export/begin.html"

    issuer: str
    exported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDatum(Section):
    """One datum, as the register says it."""

    template: ClassVar[str] = "my_activity/export/datum.html"

    datum: Datum
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportHolding(Section):
    """One thing beside links, decisions and history: a way to sign in, a message, a case."""

    template: ClassVar[str] = "my_activity/export/holding.html"

    holding: Holding

    @property
    def moments(self) -> tuple[tuple[str, datetime], ...]:
        """What happened to it when, by the names of the columns."""
        facts = self.holding.facts.items()
        return tuple((name, value) for name, value in facts if isinstance(value, datetime))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLink(Section):
    """One account link."""

    template: ClassVar[str] = "my_activity/export/link.html"

    network: str
    link: AccountLink


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportConsent(Section):
    """One decision, with the version of the words that were shown."""

    template: ClassVar[str] = "my_activity/export/consent.html"

    network: str
    consent: Consent

    @property
    def is_agreed(self) -> bool:
        """Tell whether the person agreed."""
        return self.consent.decision is Decision.ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTotal(Section):
    """How often something happened."""

    template: ClassVar[str] = "my_activity/export/total.html"

    network: str | None
    total: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEvent(Section):
    """One event."""

    template: ClassVar[str] = "my_activity/export/event.html"

    network: str | None
    type: str
    occurred_at: datetime
    actor: ActorKind
    sequence: int | None
