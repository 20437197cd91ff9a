"""The sandbox: what clients that nobody approved yet may do to the provider, for their own tests.

It exists outside production alone, where `Context.sandbox` is something, and for clients in their sandbox
alone.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from idp.protocol.errors import AccessDeniedError, InvalidTokenError, OAuthError
from idp.protocol.model import Client, ClientStatus
from idp.protocol.simulation import SimulatedEndpoint
from idp.web.failures import JourneyError, Trouble, note
from idp.web.simulations import Sandbox
from idp.web.state import Context
from keys import SealedDataError

TOKEN_VALIDITY = timedelta(hours=1)
_BINDING = b"sandbox_token"
_LONGEST_TOKEN = 512


async def find_simulated(
    context: Context, http: Request, client: Client, endpoint: SimulatedEndpoint
) -> OAuthError | None:
    """Return the error that a client has simulated at an endpoint; None nearly always."""
    if context.sandbox is None or not client.is_sandbox:
        return None
    error = await context.sandbox.answer_of(client.client_id, endpoint, context.clock())
    if error is not None:
        note(http, simulated=error.error)
    return error


async def check_not_simulated(
    context: Context, http: Request, client: Client, endpoint: SimulatedEndpoint
) -> None:
    """Refuse a request whose client simulates that. Raises the OAuthError that it simulates."""
    error = await find_simulated(context, http, client, endpoint)
    if error is not None:
        raise error


def sandbox_of(context: Context) -> Sandbox:
    """Return the sandbox of this process. Raises JourneyError where there is none."""
    if context.sandbox is None:
        raise JourneyError(Trouble.NOT_FOUND)
    return context.sandbox


def check_in_sandbox(client: Client) -> None:
    """Check that a client is in its sandbox. Raises AccessDeniedError."""
    if not client.is_sandbox or client.status is not ClientStatus.ACTIVE:
        raise AccessDeniedError("this is for clients in their sandbox, before they are approved")


def seal_sandbox_token(context: Context, client: Client, now: datetime) -> str:
    """Return a token that opens the sandbox of one client for an hour, and nothing else anywhere."""
    content = f"{int((now + TOKEN_VALIDITY).timestamp())}:{client.client_id}"
    sealed = context.custody.data.seal(content.encode(), _BINDING)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


async def check_sandbox_token(context: Context, token: str, now: datetime) -> Client:
    """Return the client whose sandbox a token opens: it is looked up again at every use.

    Raises InvalidTokenError, AccessDeniedError.
    """
    client = await context.clients.find(_client_id_in(context, token, now))
    if client is None:
        raise InvalidTokenError("the sandbox token is unknown or has expired")
    check_in_sandbox(client)
    return client


def _client_id_in(context: Context, token: str, now: datetime) -> str:
    try:
        if len(token) > _LONGEST_TOKEN:
            raise InvalidTokenError("the sandbox token is unknown or has expired")
        encoded = token.encode() + b"=" * (-len(token) % 4)
        content = context.custody.data.open(base64.b64decode(encoded, b"-_", validate=True), _BINDING)
    except (SealedDataError, binascii.Error, ValueError) as error:
        raise InvalidTokenError("the sandbox token is unknown or has expired") from error
    ends, _, client_id = content.decode().partition(":")
    if now >= datetime.fromtimestamp(int(ends), UTC):
        raise InvalidTokenError("the sandbox token is unknown or has expired")
    return client_id
