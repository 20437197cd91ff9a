"""Why somebody is at the sign-in pages: for a network's request, or for a page of their own."""

import re
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from idp.pages.frame import client_header
from idp.pages.views import ClientHeader
from idp.protocol.model import AuthorizationRequest, Client
from idp.store.interactions import Interaction
from idp.store.unit_of_work import UnitOfWork
from idp.web.journey import load_interaction
from idp.web.state import Context

OWN = "my"
"""Stands where an interaction's id would, when somebody signs in to see their own pages."""
APPROVALS = "approvals"
"""As OWN, for what waits for their answer."""
DEVICE = "device"
"""As OWN, for the page that takes a device's code."""
CHILDREN = "children"
"""As OWN, for the children for whom somebody speaks."""
FREEZE = "freeze"
"""As OWN, for the page where new links are frozen."""
NOTICES = "notices"
"""As OWN, for the messages that somebody was sent."""
OWN_PAGES = frozenset(
    {
        "accounts",
        "activity",
        "authenticator-app",
        "browsers",
        "cases",
        "consents",
        "correction",
        "export",
        "freeze",
        "networks",
        "notice-ways",
        "notices",
        "passkeys",
        "password",
        "phones",
        "recovery",
        "recovery-codes",
        "security",
        "sessions",
        "upstreams",
    }
)
"""The pages under /my to which a sign-in can lead back; the visit's id is the page's name."""
PASSKEYS = "passkeys"
"""Of these, the page that has pages below it: after a dot stands which."""
_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's way through the sign-in pages."""

    visit_id: str
    onward_uri: str
    """Where to go when the page's question is answered."""
    interaction: Interaction | None = None
    client: Client | None = None

    @property
    def is_for_approval(self) -> bool:
        """Tell whether the person comes to answer a request from elsewhere."""
        return self.visit_id.startswith((APPROVALS, DEVICE, CHILDREN)) and self.interaction is None

    @property
    def request(self) -> AuthorizationRequest | None:
        """The authorization request behind it, if a network sent the person."""
        return None if self.interaction is None else self.interaction.request

    @property
    def client_id(self) -> str | None:
        """The network behind it, if any."""
        return None if self.client is None else self.client.client_id

    def header(self, context: Context) -> ClientHeader | None:
        """Return the header of its pages."""
        return None if self.client is None else client_header(context, self.client, self.visit_id)


async def load_visit(context: Context, uow: UnitOfWork, http: Request, visit_id: str, now: datetime) -> Visit:
    """Return the visit that an address names. Raises JourneyError as `load_interaction` does."""
    own = own_visit(context.issuer, visit_id)
    if own is not None:
        return own
    interaction, client = await load_interaction(context, uow, http, visit_id, now)
    return Visit(visit_id, f"{context.issuer}/authorize/{visit_id}", interaction, client)


def own_visit(issuer: str, visit_id: str) -> Visit | None:
    """Return the visit to a page of a person's own; None for an interaction's id, which holds no dot.

    After a dot stands what the page is about: which request, or which code a device shows.
    """
    page, _, subject = visit_id.partition(".")
    if subject and not _SUBJECT.fullmatch(subject):
        return None
    if page == PASSKEYS and subject:
        return Visit(visit_id, f"{issuer}/my/{PASSKEYS}/{subject}")
    if page in OWN_PAGES:
        return None if subject else Visit(visit_id, f"{issuer}/my/{page}")
    match page:
        case "my" if not subject:
            return Visit(OWN, f"{issuer}/my")
        case "approvals":
            return Visit(visit_id, f"{issuer}/approvals/{subject}" if subject else f"{issuer}/approvals")
        case "device":
            return Visit(visit_id, f"{issuer}/device?user_code={subject}" if subject else f"{issuer}/device")
        case "children":
            page_uri = f"{issuer}/my/children"
            return Visit(visit_id, f"{page_uri}/requests/{subject}" if subject else page_uri)
    return None


def visit_about(page: str, subject: str) -> str:
    """Return the id of a visit to a page about something; the page's own where that cannot be its name."""
    return f"{page}.{subject}" if _SUBJECT.fullmatch(subject) else page
