"""Why somebody is at the sign-in pages: for a network's request, or for their own linked accounts."""

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
"""Stands where an interaction's id would, when somebody signs in to see their own links."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's way through the sign-in pages."""

    visit_id: str
    onward_uri: str
    """Where to go when the page's question is answered."""
    interaction: Interaction | None = None
    client: Client | None = None

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
    if visit_id == OWN:
        return Visit(OWN, f"{context.issuer}/my/accounts")
    interaction, client = await load_interaction(context, uow, http, visit_id, now)
    return Visit(visit_id, f"{context.issuer}/authorize/{visit_id}", interaction, client)
