"""The view models of whom a person trusts: linked accounts, and networks without one. Beside `views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.withdrawals import PlatformClock
from idp.pages.list_views import ONE_PAGE, UNFILTERED, Filters, Paging
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

    template: ClassVar[str] = "my_account/linked_accounts.html"

    person: str
    """Whose accounts these are: several people may share a telephone."""
    links: tuple[LinkCard, ...]
    networks: tuple[NetworkCard, ...] = ()
    filters: Filters = UNFILTERED
    paging: Paging = ONE_PAGE
    """Of the links, and back to the beginning of both lists."""
    networks_paging: Paging = ONE_PAGE


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
