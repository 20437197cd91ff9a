"""The view models of cases: what somebody brought forward about a link, and what the holder is asked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.identity.cases import CaseKind, CaseStatus
from idp.identity.corrections import Datum, Fault
from idp.identity.disputes import DisputeRefusal
from idp.pages.list_views import ONE_PAGE, UNFILTERED, Filters, Paging
from idp.pages.views import AccountCard, Page


class CaseState(StrEnum):
    """What somebody may look for among their cases."""

    UNDECIDED = "undecided"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCard:
    """One case as the person sees it who opened it, or whose link it is about. Nothing of the other."""

    reference: str
    """In two groups, as it is read out."""
    kind: CaseKind
    status: CaseStatus
    outcome: str | None
    is_mine: bool
    """Opened by the person who looks."""
    is_asked: bool
    """The person who looks is to answer."""
    network: str = ""
    """Empty for a request to the register."""
    domain: str = ""
    logo: str | None = None
    """As in ClientHeader."""
    account: AccountCard | None = None
    datum: Datum | None = None
    """What the register holds and got wrong; with `fault`, for a request to it."""
    fault: Fault | None = None
    opened_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None
    uri: str

    @property
    def can_be_taken_back(self) -> bool:
        """Tell whether the person who looks opened it and may close it themselves."""
        return (
            self.is_mine
            and self.status is not CaseStatus.CLOSED
            and self.kind in {CaseKind.DISPUTE, CaseKind.CORRECTION}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesPage(Page):
    """What is undecided? One card per case, newest first."""

    template: ClassVar[str] = "my_account/cases.html"

    cases: tuple[CaseCard, ...]
    filters: Filters = UNFILTERED
    paging: Paging = ONE_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage(Page):
    """How does it stand? And, to a holder who is asked: is the account still yours? `form#answer`."""

    template: ClassVar[str] = "my_account/case.html"

    case: CaseCard
    action: str
    cases_uri: str = "/my/cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpenedPage(Page):
    """What happens now? The number to keep, until when the holder may answer, or why nobody is asked."""

    template: ClassVar[str] = "sign_in/dispute.html"

    account: AccountCard | None = None
    reference: str | None = None
    due_at: datetime | None = None
    refusal: DisputeRefusal | None = None
    cases_uri: str = "/my/cases"
