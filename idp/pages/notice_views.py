"""The view models of notices, of disowning a link and of freezing new ones. Beside `views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.cases import CaseStatus
from idp.identity.notices import Channel, NoticeKind, NoticePreferences, UILocale
from idp.pages.list_views import ONE_PAGE, UNFILTERED, Filters, Paging
from idp.pages.views import AccountCard, Page
from idp.web.notice_facts import NoticeFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEntry:
    """One notice, as the person's own list says it."""

    facts: NoticeFacts
    uri: str | None = None
    """Where what it tells of can be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesPage(Page):
    """What was I told? Newest first."""

    template: ClassVar[str] = "my_account/notices.html"

    notices: tuple[NoticeEntry, ...]
    filters: Filters = UNFILTERED
    paging: Paging = ONE_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWaysPage(Page):
    """How do I want to be told? `form#notice-ways` with `channel` and `ui_locale`."""

    template: ClassVar[str] = "my_account/notice_ways.html"

    preferences: NoticePreferences
    action: str
    is_saved: bool = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every way there may be; which of them are set up is the operator's affair."""
        return tuple(Channel)

    @property
    def ui_locales(self) -> tuple[UILocale, ...]:
        """Every language."""
        return tuple(UILocale)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMePage(Page):
    """Was it not you? `form#not-me`. When it was pressed: the number of the case, and what happens next."""

    template: ClassVar[str] = "my_accounts/not_me.html"

    action: str
    network: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""
    account: AccountCard
    kind: NoticeKind | None = None
    """What the message told; None on the link's own page."""
    happened_at: datetime
    has_ended: bool = False
    reference: str | None = None
    """Of the case, in two groups; None while nobody has pressed."""
    status: CaseStatus | None = None
    due_at: datetime | None = None
    is_signed_in: bool = False
    my_accounts_uri: str = "/my/accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezePage(Page):
    """May new accounts be linked? `form#freeze` with `freeze` = on | off."""

    template: ClassVar[str] = "my_accounts/freeze.html"

    action: str
    frozen_since: datetime | None = None
    can_be_lifted: bool = True
    """Whether the person has the second proof that lifting it takes."""
    needs_sign_in: bool = False
    """Whether they must sign in anew before it is lifted."""
    my_accounts_uri: str = "/my/accounts"
