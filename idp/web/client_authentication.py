"""Client authentication as the endpoints use it: the rule verifies, this fetches what the rule needs."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

from starlette.requests import Request

from idp.protocol.client_authentication import (
    AuthenticatedClient,
    UnknownClientKeyError,
    live_sealed_secrets,
    read_credentials,
    verify_credentials,
)
from idp.protocol.errors import InvalidClientError, InvalidGrantError, OAuthError
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import CLIENT_SECRET_JWT
from idp.store.client_secrets import secret_context
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.failures import note
from idp.web.state import Context

SPENT_GATE = "spent"
"""The store's gate that closes when an assertion is seen for the second time."""


async def authenticate_client(
    context: Context, http: Request, parameters: Parameters, now: datetime
) -> AuthenticatedClient:
    """Return the client that proved itself. Raises InvalidClientError, InvalidRequestError (RFC 6749 §2.3).

    An unknown `kid` makes the client's jwks_uri be fetched once more before it is refused.
    """
    credentials = read_credentials(http.headers.get("authorization"), parameters)
    note(http, client_id=credentials.client_id)
    client = await context.clients.find(credentials.client_id)
    if client is None or credentials.assertion is None:
        return verify_credentials(credentials, client, (), issuer=context.issuer, now=now)
    if client.token_endpoint_auth_method == CLIENT_SECRET_JWT:
        opened = [
            context.custody.data.open(sealed, secret_context(client.client_id))
            for sealed in live_sealed_secrets(client, now)
        ]
        return verify_credentials(
            credentials, client, (), issuer=context.issuer, now=now, shared_secrets=opened
        )
    keys = await context.clients.keys_of(client, now)
    try:
        return verify_credentials(credentials, client, keys, issuer=context.issuer, now=now)
    except UnknownClientKeyError:
        if client.jwks_uri is None:
            raise
    keys = await context.clients.keys_of(client, now, again=True)
    return verify_credentials(credentials, client, keys, issuer=context.issuer, now=now)


def spend_assertion(uow: UnitOfWork, authenticated: AuthenticatedClient) -> None:
    """Record the single use of the assertion, as the first gate of the commit (RFC 7523 §3)."""
    if authenticated.assertion is not None:
        client_id, assertion = authenticated.client.client_id, authenticated.assertion
        uow.grants.spend("client_assertion", f"{client_id}\x00{assertion.jti}", assertion.expires_at)


@contextlib.asynccontextmanager
async def spent_if_refused(context: Context, authenticated: AuthenticatedClient) -> AsyncIterator[None]:
    """Spend the assertion of a request that is refused, too: one proof is no licence to try codes."""
    try:
        yield
    except OAuthError:
        uow = context.unit_of_work()
        spend_assertion(uow, authenticated)
        # The gate is closed where the request had come as far as spending it itself.
        with contextlib.suppress(GateClosedError):
            await uow.commit()
        raise


def closed_gate_refusal(closed: GateClosedError) -> OAuthError:
    """Translate a gate that closed at the token endpoint: a spent proof, or something moved meanwhile."""
    if closed.gate == SPENT_GATE:
        return replayed_assertion()
    return InvalidGrantError("the authorization is no longer in force", detail=closed.gate)


def spend_proofs(uow: UnitOfWork, authenticated: AuthenticatedClient) -> None:
    """Record the single use of everything that this request proved itself with."""
    spend_assertion(uow, authenticated)


def replayed_assertion() -> InvalidClientError:
    """Return the refusal of an assertion whose `jti` was seen before."""
    return InvalidClientError("the client assertion was used before; send a fresh jti", detail="jti replayed")
