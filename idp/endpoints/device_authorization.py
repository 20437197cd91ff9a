"""The device authorization endpoint. RFC 8628 §3.1, §3.2.

A public client proves nothing here, so whoever can reach it could fill the table: requests of public clients
are counted per source.
"""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import source_of
from idp.protocol.client_authentication import AuthenticatedClient
from idp.protocol.decoupled_request import (
    DEVICE_LIFETIME,
    POLL_INTERVAL,
    DecoupledRequest,
    Kind,
)
from idp.protocol.device_request import (
    USER_CODE_ALPHABET,
    USER_CODE_LENGTH,
    read_device_request,
    shown_user_code,
)
from idp.protocol.errors import OAuthError, SlowDownError, TemporarilyUnavailableError
from idp.protocol.model import AuthorizationRequest
from idp.store.attempts import ATTEMPT_GATE
from idp.store.backchannel_requests import USER_CODE_INDEX
from idp.store.encoding import hash_secret
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.answers import json_answer
from idp.web.client_authentication import (
    authenticate_client,
    closed_gate_refusal,
    spend_proofs,
    spent_if_refused,
)
from idp.web.requests import address_of, read_form
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

_DRAWS = 5
"""Draws of a user code; that one is in use happens once in a million with ten thousand codes alive."""


@router.post("/device-authorization")
async def device_authorization(http: Request) -> Response:
    """Give a device a code to ask with, and one for its person to type: RFC 8628 §3.2."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    authenticated = await authenticate_client(context, http, parameters, now)
    async with spent_if_refused(context, authenticated):
        asked = read_device_request(parameters, authenticated.client, context.policy)
        source = source_of(address_of(http))
        device_code, user_code = await _keep(context, authenticated, asked, source, now)
    address = f"{context.issuer}/device"
    return json_answer(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?user_code={user_code}",
            "expires_in": int(DEVICE_LIFETIME.total_seconds()),
            "interval": int(POLL_INTERVAL.total_seconds()),
        }
    )


async def _keep(
    context: Context,
    authenticated: AuthenticatedClient,
    asked: AuthorizationRequest,
    source: str,
    now: datetime,
) -> tuple[str, str]:
    """Record a request under codes of its own; return them. Raises OAuthError."""
    device_code = secrets.token_urlsafe(32)
    request = DecoupledRequest(
        request_hash=hash_secret(device_code),
        kind=Kind.DEVICE,
        asked=asked,
        interval=POLL_INTERVAL,
        created_at=now,
        expires_at=now + DEVICE_LIFETIME,
    )
    for _ in range(_DRAWS):
        user_code = "".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LENGTH))
        uow = context.unit_of_work()
        spend_proofs(uow, authenticated)
        if authenticated.client.is_public:
            key = context.custody.data.lookup("device_requests_of_source", source)
            uow.attempts.count(key, context.source_limits, now)
        uow.backchannel_requests.add(request, user_code=user_code)
        try:
            await uow.commit()
        except GateClosedError as closed:
            raise _refusal(closed) from closed
        except UniquenessError as taken:
            if taken.index != USER_CODE_INDEX:
                raise
        else:
            return device_code, shown_user_code(user_code)
    raise TemporarilyUnavailableError("no free user code was found; try again", detail="every code taken")


def _refusal(closed: GateClosedError) -> OAuthError:
    if closed.gate == ATTEMPT_GATE:
        return SlowDownError("too many device requests from this address; try again later")
    return closed_gate_refusal(closed)
