"""The view models of whom a person trusts: linked accounts, and networks without one. Beside `views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.withdrawals import PlatformClock
from idp.pages.views import LinkCard, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCard:
    """One network that a person agreed to without linking an account there."""

    network: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""
    agreed_at: datetime
    claims: tuple[str, ...] = ()
    """As in LinkCard."""
    end_uri: str
    """The page that asks to confirm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccountsPage(Page):
    """Who do I trust? One card per link, then one per network without a link."""

    template: ClassVar[str] = "my_accounts/linked_accounts.html"

    person: str
    links: tuple[LinkCard, ...]
    networks: tuple[NetworkCard, ...] = ()
    sign_out_action: str = "/my/sign-out"
    sessions_uri: str = "/my/sessions"
    activity_uri: str = "/my/activity"
    notices_uri: str = "/my/notices"
    cases_uri: str = "/my/cases"
    freeze_uri: str = "/my/freeze"
    is_frozen: bool = False
    """Whether no new account can be linked with this person."""
    approvals_uri: str = "/approvals"
    children_uri: str | None = None
    """For whoever speaks for a child."""
    waiting: int = 0
    """Requests that wait for this person's answer; counted up to a page of them."""
    first_page_uri: str | None = None
    """Given on every page but the first."""
    next_page_uri: str | None = None
    next_networks_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndNetworkPage(Page):
    """Really withdraw it? `form#end-network`."""

    template: ClassVar[str] = "my_accounts/end_network.html"

    card: NetworkCard
    action: str
    my_accounts_uri: str = "/my/accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEndedPage(Page):
    """Is it done? Yes, and since when."""

    template: ClassVar[str] = "my_accounts/network_ended.html"

    network: str
    ended_at: datetime
    clock: PlatformClock
    my_accounts_uri: str = "/my/accounts"
