"""The backchannel authentication endpoint. CIBA Core 1.0 §7, FAPI: CIBA Profile 1.0 §5.2.2.

A client asks for a person whom it knows already; the person answers on a page of ours, on any device where
they sign in. How often one client may ask one person without being agreed to is bounded (`ASKING_LIMITS`), in
the same commit that records the request, so that no burst gets by; beyond it the answer is access_denied.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.protocol.ciba_request import (
    CIBARequest,
    SignedRequest,
    UnknownCIBAKeyError,
    check_ciba_client,
    check_is_signed_where_required,
    read_ciba_request,
    verify_signed_request,
)
from idp.protocol.client_authentication import AuthenticatedClient
from idp.protocol.decoupled_request import POLL_INTERVAL, DecoupledRequest, Kind, lifetime_of
from idp.protocol.errors import AccessDeniedError, InvalidRequestError, OAuthError, UnknownUserIdError
from idp.protocol.login_hint import read_hint
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.store.attempts import ATTEMPT_GATE
from idp.store.backchannel_requests import Notification
from idp.store.encoding import hash_secret
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import json_answer
from idp.web.approvals import asking_key
from idp.web.client_authentication import (
    authenticate_client,
    closed_gate_refusal,
    spend_proofs,
    spent_if_refused,
)
from idp.web.hinted_person import find_hinted_person, verify_hint
from idp.web.requests import read_form
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that was read, from a client that proved itself, to a person who is known."""

    authenticated: AuthenticatedClient
    ciba: CIBARequest
    signed: SignedRequest | None
    citizen_id: str


@router.post("/backchannel-authentication")
async def backchannel_authentication(http: Request) -> Response:
    """Keep a request for its person to answer: CIBA Core §7.3."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    check_not_repeated(parameters)
    authenticated = await authenticate_client(context, http, parameters, now)
    async with spent_if_refused(context, authenticated):
        asking = await _read(context, authenticated, parameters, now)
        auth_req_id = secrets.token_urlsafe(32)
        request = DecoupledRequest(
            request_hash=hash_secret(auth_req_id),
            kind=Kind.CIBA,
            asked=asking.ciba.asked,
            interval=POLL_INTERVAL,
            created_at=now,
            expires_at=now + lifetime_of(asking.ciba.requested_expiry),
            citizen_id=asking.citizen_id,
            binding_message=asking.ciba.binding_message,
        )
        await _keep(context, asking, request, auth_req_id, now)
    return json_answer(
        {
            "auth_req_id": auth_req_id,
            "expires_in": int((request.expires_at - now).total_seconds()),
            "interval": int(request.interval.total_seconds()),
        }
    )


async def _read(
    context: Context, authenticated: AuthenticatedClient, parameters: Parameters, now: datetime
) -> Asking:
    client = authenticated.client
    check_ciba_client(client)
    check_is_signed_where_required(parameters, client)
    signed = await _read_signed(context, client, parameters, now)
    asked = parameters if signed is None else signed.parameters
    ciba = read_ciba_request(asked, client, context.policy)
    hint = read_hint(asked, client, context.policy, context.published.verification_keys)
    if isinstance(hint, str):
        hint = await verify_hint(context, client, hint, now)
    citizen_id = await find_hinted_person(context, context.unit_of_work(), client, hint, now)
    if citizen_id is None:
        raise UnknownUserIdError("nobody can be told from this hint")
    return Asking(authenticated, ciba, signed, citizen_id)


async def _read_signed(
    context: Context, client: Client, parameters: Parameters, now: datetime
) -> SignedRequest | None:
    """Verify the signed request, fetching the client's keys once more for a `kid` that they lack."""
    token = parameters.get("request")
    if token is None:
        return None
    keys = await context.clients.keys_of(client, now)
    try:
        return verify_signed_request(token, client, keys, issuer=context.issuer, now=now)
    except UnknownCIBAKeyError:
        if client.jwks_uri is None:
            raise
    keys = await context.clients.keys_of(client, now, again=True)
    return verify_signed_request(token, client, keys, issuer=context.issuer, now=now)


async def _keep(
    context: Context, asking: Asking, request: DecoupledRequest, auth_req_id: str, now: datetime
) -> None:
    uow = context.unit_of_work()
    client_id = request.client_id
    _spend(uow, asking)
    uow.attempts.count(asking_key(context, client_id, asking.citizen_id), context.asking_limits, now)
    token = asking.ciba.client_notification_token
    uow.backchannel_requests.add(
        request, notification=None if token is None else Notification(auth_req_id, token)
    )
    uow.ledger.append(
        Event(
            type="backchannel_request:made",
            actor=Actor(ActorKind.CLIENT, client_id),
            occurred_at=now,
            client_id=client_id,
            citizen_id=asking.citizen_id,
        )
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise _refusal(closed) from closed


def _spend(uow: UnitOfWork, asking: Asking) -> None:
    """Record the single use of the client's proof and of its signed request (FAPI: CIBA §5.2.2)."""
    spend_proofs(uow, asking.authenticated)
    if asking.signed is not None:
        client_id = asking.authenticated.client.client_id
        uow.grants.spend_request(client_id, asking.signed.jti, asking.signed.expires_at)


def _refusal(closed: GateClosedError) -> OAuthError:
    if closed.gate == "request_spent":
        return InvalidRequestError("the signed request was used before; send a fresh jti")
    if closed.gate == ATTEMPT_GATE:
        return AccessDeniedError("this person was asked too often; try again later", detail="throttled")
    return closed_gate_refusal(closed)
