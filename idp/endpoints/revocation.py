"""The revocation endpoint. RFC 7009.

A refresh token takes its whole family along, access tokens included (§2.1); an access token goes alone.
"""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.protocol.errors import InvalidTokenError, UnauthorizedClientError, UnsupportedTokenTypeError
from idp.protocol.model import Client
from idp.protocol.parameters import check_not_repeated, required
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.access_tokens import read_access_token
from idp.web.answers import NO_STORE
from idp.web.client_authentication import (
    authenticate_client,
    closed_gate_refusal,
    spend_proofs,
    spent_if_refused,
)
from idp.web.failures import note
from idp.web.requests import read_form
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

_TYPES = frozenset({"access_token", "refresh_token"})
"""What the registry of RFC 7009 §4.1.2 names."""

_BECAUSE = "revoked_by_client"


@router.post("/revoke")
async def revocation(http: Request) -> Response:
    """Make a token worth nothing: RFC 7009 §2. What is unknown or over is answered alike (§2.2)."""
    context = context_of(http)
    now = context.clock()
    parameters = await read_form(http)
    check_not_repeated(parameters)
    authenticated = await authenticate_client(context, http, parameters, now)
    client = authenticated.client
    uow = context.unit_of_work()
    spend_proofs(uow, authenticated)
    async with spent_if_refused(context, authenticated):
        value = required(parameters, "token")
        # The hint itself is not needed (§2.1): what a token is can be seen, and where not, is looked up.
        if parameters.get("token_type_hint", "access_token") not in _TYPES:
            raise UnsupportedTokenTypeError("only access tokens and refresh tokens can be revoked")
        event = await _revoke_access_token(context, uow, client, value, now)
        if event is None and "." not in value:
            event = await _revoke_family(uow, client, value, now)
        if event is not None:
            note(http, grant_id=event.details.get("grant_id"))
            uow.ledger.append(event)
        try:
            await uow.commit()
        except GateClosedError as closed:
            raise closed_gate_refusal(closed) from closed
    return Response(b"", headers=NO_STORE)


async def _revoke_access_token(
    context: Context, uow: UnitOfWork, client: Client, value: str, now: datetime
) -> Event | None:
    try:
        read = await read_access_token(context, uow, value, now)
    except InvalidTokenError:
        return None
    token = read.token
    _check_own(client, token.client_id)
    if read.is_opaque:
        uow.access_tokens.remove(value)
    else:
        uow.access_tokens.revoke(token.jti, token.expires_at)
    details = {} if token.grant_id is None else {"grant_id": token.grant_id}
    return _event("access_token:revoked", client, now, details)


async def _revoke_family(uow: UnitOfWork, client: Client, value: str, now: datetime) -> Event | None:
    found = await uow.grants.find_refresh_token(value, now)
    if found is None:
        return None
    grant = found.grant
    _check_own(client, grant.client_id)
    if grant.revoked_at is not None:
        return None
    uow.grants.revoke(grant.grant_id, _BECAUSE, now)
    return _event(
        "grant:revoked",
        client,
        now,
        {"grant_id": grant.grant_id, "because": _BECAUSE},
        citizen_id=grant.citizen_id,
        link_id=grant.link_id,
    )


def _check_own(client: Client, client_id: str) -> None:
    """RFC 7009 §2.1: a token of another client is refused, and stays what it is."""
    if client.client_id != client_id:
        raise UnauthorizedClientError("the token was issued to another client")


def _event(
    kind: str,
    client: Client,
    now: datetime,
    details: dict[str, str],
    *,
    citizen_id: str | None = None,
    link_id: str | None = None,
) -> Event:
    return Event(
        type=kind,
        actor=Actor(ActorKind.CLIENT, client.client_id),
        occurred_at=now,
        client_id=client.client_id,
        citizen_id=citizen_id,
        link_id=link_id,
        details=details,
    )
