"""A request at the token endpoint, after its client and its sender were proven."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from idp.protocol.client_authentication import AuthenticatedClient
from idp.protocol.confirmation import Confirmation
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters
from idp.web.state import Context


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What every grant is given."""

    context: Context
    http: Request
    authenticated: AuthenticatedClient
    parameters: Parameters
    confirmation: Confirmation | None
    """The key that the tokens of this request will be bound to."""
    now: datetime

    @property
    def client(self) -> Client:
        """Return the client that asks."""
        return self.authenticated.client
