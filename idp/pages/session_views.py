"""The view models of signing out and of a person's sessions. Beside `views`, under the same rules."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.assurance import Acr
from idp.pages.list_views import ONE_PAGE, UNFILTERED, Filters, Paging
from idp.pages.views import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutPage(Page):
    """Sign out here? `form#sign-out`."""

    template: ClassVar[str] = "sign_in/sign_out.html"

    action: str
    person: str
    my_accounts_uri: str = "/my/accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOutPage(Page):
    """It is done: nobody is signed in here."""

    template: ClassVar[str] = "sign_in/signed_out.html"

    is_signed_in: bool = False
    """Somebody signed in again meanwhile; then the page must not claim otherwise."""
    my_accounts_uri: str = "/my/accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkName:
    """A network as a session's card names it."""

    name: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCard:
    """One signed-in browser. Which device it is on is not known here, and not collected."""

    session_id: str
    is_current: bool
    signed_in_at: datetime
    last_used_at: datetime
    acr: Acr
    networks: tuple[NetworkName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsPage(Page):
    """Where am I signed in? One card per session; `form.end-session` with `session`, `form#end-others`."""

    template: ClassVar[str] = "my_account/sessions.html"

    person: str
    sessions: tuple[SessionCard, ...]
    end_action: str = "/my/sessions/end"
    end_others_action: str | None = None
    """Given where there are others."""
    filters: Filters = UNFILTERED
    paging: Paging = ONE_PAGE
