"""The introspection endpoint. RFC 7662; signed responses as in RFC 9701.

What is active here opens the resource, and nothing else is: both ask `idp.web.access_tokens`.
"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.errors import (
    InsufficientUserAuthenticationError,
    InvalidClientError,
    InvalidGrantError,
    InvalidTokenError,
)
from idp.protocol.grants import check_subject
from idp.protocol.introspection import (
    INACTIVE,
    MEDIA_TYPE,
    RESPONSE_TYPE,
    access_token_introspection,
    is_signed_response_due,
    may_introspect,
    refresh_token_introspection,
    signed_response_claims,
    signing_algorithm,
)
from idp.protocol.model import Client
from idp.protocol.parameters import check_not_repeated, required
from idp.protocol.simulation import SimulatedEndpoint
from idp.store.unit_of_work import UnitOfWork
from idp.web.access_tokens import check_standing, read_access_token
from idp.web.answers import NO_STORE, json_answer
from idp.web.client_authentication import authenticate_client, spend_alone
from idp.web.requests import read_form
from idp.web.sandbox import check_not_simulated
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@router.post("/introspect")
async def introspection(http: Request) -> Response:
    """Say what a token is worth now: RFC 7662 §2."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    check_not_repeated(parameters)
    authenticated = await authenticate_client(context, http, parameters, now)
    client = authenticated.client
    if client.is_public:
        raise InvalidClientError("a client without a credential may not introspect")  # RFC 7662 §2.1
    uow = context.unit_of_work()
    await spend_alone(uow, authenticated)
    await check_not_simulated(context, http, client, SimulatedEndpoint.INTROSPECT)
    value = required(parameters, "token")
    response = await _introspected(context, uow, client, value, parameters.get("token_type_hint"), now)
    if not is_signed_response_due(client, http.headers.get("accept", "")):
        return json_answer(response)
    signer = context.custody.signing.signer(signing_algorithm(client))
    claims = signed_response_claims(response, client, context.policy, now)
    return Response(signer.sign(claims, typ=RESPONSE_TYPE), headers=NO_STORE, media_type=MEDIA_TYPE)


async def _introspected(
    context: Context, uow: UnitOfWork, client: Client, value: str, hint: str | None, now: datetime
) -> dict[str, Any]:
    """Look where the hint points first (RFC 7662 §2.1: it saves time and decides nothing), then elsewhere."""
    kinds = [_access_token, _refresh_token]
    if hint == "refresh_token":
        kinds.reverse()
    for kind in kinds:
        response = await kind(context, uow, client, value, now)
        if response is not None:
            return response
    return INACTIVE


async def _access_token(
    context: Context, uow: UnitOfWork, client: Client, value: str, now: datetime
) -> dict[str, Any] | None:
    try:
        read = await read_access_token(context, uow, value, now)
        if not may_introspect(client, read.token, context.policy):
            return INACTIVE
        access = await check_standing(context, uow, read, now)
    except InvalidTokenError:
        # Looks no further where it cannot be a refresh token.
        return INACTIVE if "." in value else None
    except InsufficientUserAuthenticationError:
        return INACTIVE
    return access_token_introspection(access.token, access.grant, context.policy)


async def _refresh_token(
    context: Context, uow: UnitOfWork, client: Client, value: str, now: datetime
) -> dict[str, Any] | None:
    """Refresh tokens are for their own client alone; one that was rotated is over, grace or not."""
    if "." in value:
        return None
    found = await uow.grants.find_refresh_token(value, now)
    if found is None:
        return None
    token, grant = found.token, found.grant
    if grant.client_id != client.client_id or token.consumed_at is not None or now >= token.expires_at:
        return INACTIVE
    needs_session = "offline_access" not in grant.scope & client.scope
    try:
        check_subject(grant, client, found.backing, now, needs_session=needs_session)
    except InvalidGrantError:
        return INACTIVE
    return refresh_token_introspection(token, grant, context.policy)
