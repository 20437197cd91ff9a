"""Login that begins here: the way to a network's own sign-in. OpenID Connect Core §4.

The address is the one that the network registered, so that nobody can have us redirect elsewhere; what is
sent along is the issuer alone.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.authorization_response import redirect_location
from idp.protocol.model import Client
from idp.web.answers import see_other
from idp.web.failures import JourneyError, Trouble, check_client_is_open, note
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


def login_initiation_uri(issuer: str, client: Client | None) -> str | None:
    """Return our address that leads to a network's sign-in; None for one that registered none."""
    if client is None or client.initiate_login_uri is None:
        return None
    return f"{issuer}/open/{client.client_id}"


@router.get("/open/{client_id}")
async def open_network(http: Request, client_id: str) -> Response:
    """Send the person to the network's `initiate_login_uri`, which asks us to sign them in."""
    context = context_of(http)
    client = await context.clients.find(client_id)
    if client is None or client.initiate_login_uri is None:
        raise JourneyError(Trouble.NOT_FOUND)
    note(http, client_id=client.client_id)
    check_client_is_open(client)
    return see_other(redirect_location(client.initiate_login_uri, {"iss": context.issuer}))
