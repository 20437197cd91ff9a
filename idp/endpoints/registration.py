"""Registration and its management. RFC 7591, RFC 7592, OpenID Connect Registration §3, §4; abuse class 14."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.protocol.client_authentication import is_client_id, matches_live_secret
from idp.protocol.errors import AccessDeniedError, InvalidTokenError, RefusedClientMetadataError
from idp.protocol.model import Client, ClientSecret, ClientStatus
from idp.protocol.profiles import SECRET_METHODS
from idp.protocol.registration import read_registration, registered_metadata
from idp.protocol.registration_policy import RegistrationPolicy, check_change
from idp.protocol.sector_identifier import check_sector_document
from idp.protocol.software_statement import verify_software_statement
from idp.protocol.strict_json import StrictJSONError, read_json
from idp.store.client_secrets import draw_client_secret, new_client_secret, secrets_still_usable
from idp.store.clients import StoredClient
from idp.store.encoding import hash_secret
from idp.store.registrations import ROTATED_GATE, USED_GATE, ClientRegistration
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import NO_STORE, json_answer
from idp.web.failures import note
from idp.web.requests import read_body
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

OPEN = RegistrationPolicy()
"""What may be registered by somebody whom nobody let in, where that is allowed at all."""
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Managed:
    """A registration whose own token was shown."""

    stored: StoredClient
    registration: ClientRegistration


@router.post("/register")
async def register(http: Request) -> Response:
    """Register a client: RFC 7591 §3. An initial access token says what may be registered."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    initial_token_id, policy = await _find_licence(context, uow, http, now)
    metadata = await _read_metadata(context, http, policy, now)
    client_id = secrets.token_hex(16)
    client = read_registration(metadata, policy, client_id, context.issuer)
    await _check_sector(context, client)
    client, secret = _with_secrets(context, client, (), now)
    token = secrets.token_urlsafe(32)
    if initial_token_id != NOBODY:
        uow.registrations.use_token(initial_token_id, now)
    uow.clients.add(client, now)
    uow.registrations.add(client_id, token, initial_token_id, now)
    _record(uow, "client:registered", client, now, token_id=initial_token_id, revision="1")
    await _commit(uow)
    note(http, client_id=client_id)
    return json_answer(_document(context, client, now, token, secret, metadata), 201)


@router.get("/register/{client_id}")
async def read(http: Request, client_id: str) -> Response:
    """Return the registration as it stands: RFC 7592 §2.1. Of its secret only a hash is kept."""
    context = context_of(http)
    managed = await _find_managed(context.unit_of_work(), http, client_id)
    stored = managed.stored
    return json_answer(_document(context, stored.client, stored.registered_at, _read_bearer(http)))


@router.put("/register/{client_id}")
async def update(http: Request, client_id: str) -> Response:
    """Replace the registration, and the token that does so: RFC 7592 §2.2.

    The policy that let the client in judges what results; what is left out goes back to its default.
    """
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    managed = await _find_managed(uow, http, client_id)
    before = managed.stored.client
    policy = await _policy_of(uow, managed.registration)
    metadata = await _read_metadata(context, http, policy, now)
    _check_credentials_named(metadata, before, now)
    # What an operator decided about the client stays decided; a client cannot state it.
    after = replace(
        read_registration(metadata, policy, client_id, context.issuer),
        is_sandbox=before.is_sandbox,
        policy=before.policy,
    )
    check_change(before, after)
    if _names_another_sector(before, after):
        await _check_sector(context, after)
    after, secret = _with_secrets(context, after, before.secrets, now)
    token = secrets.token_urlsafe(32)
    uow.registrations.rotate(managed.registration, token)
    uow.clients.update(managed.stored, after, now)
    _record(uow, "client:updated", after, now, revision=str(managed.stored.revision + 1))
    await _commit(uow)
    return json_answer(_document(context, after, managed.stored.registered_at, token, secret, metadata))


@router.delete("/register/{client_id}")
async def remove(http: Request, client_id: str) -> Response:
    """End the client for good: RFC 7592 §2.3. Every token it holds is refused from now on."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    managed = await _find_managed(uow, http, client_id)
    gone = replace(managed.stored.client, status=ClientStatus.REMOVED, secrets=())
    uow.registrations.remove(managed.registration)
    uow.clients.update(managed.stored, gone, now)
    _record(uow, "client:removed", gone, now, revision=str(managed.stored.revision + 1))
    await _commit(uow)
    return Response(status_code=204, headers=NO_STORE)


async def _find_licence(
    context: Context, uow: UnitOfWork, http: Request, now: datetime
) -> tuple[str, RegistrationPolicy]:
    """Return the initial access token and its policy. Raises InvalidTokenError: RFC 7591 §3."""
    if context.registration.is_open and "authorization" not in http.headers:
        return NOBODY, OPEN
    token = await uow.registrations.find_token_by_secret(_read_bearer(http))
    if token is None or not token.is_usable(now):
        raise InvalidTokenError("the initial access token is unknown, used up or over")
    return token.token_id, token.policy


async def _find_managed(uow: UnitOfWork, http: Request, client_id: str) -> Managed:
    """Return the registration that the token is for: this one, or it is as good as unknown.

    Raises InvalidTokenError; AccessDeniedError for a client that an operator suspended (RFC 7592 §2).
    """
    token = _read_bearer(http)
    registration = await uow.registrations.find(client_id) if is_client_id(client_id) else None
    kept = b"" if registration is None else registration.token_hash
    is_its_own = hmac.compare_digest(hash_secret(token), kept)
    stored = await uow.clients.find(client_id) if is_its_own else None
    if registration is None or stored is None:
        raise InvalidTokenError("the registration access token is not one for this client")
    note(http, client_id=client_id)
    if stored.client.status is not ClientStatus.ACTIVE:
        raise AccessDeniedError("this client is suspended")
    return Managed(stored, registration)


async def _policy_of(uow: UnitOfWork, registration: ClientRegistration) -> RegistrationPolicy:
    """Return the policy that let the client in; it judges as long as the client lives."""
    if registration.initial_token_id == NOBODY:
        return OPEN
    token = await uow.registrations.find_token(registration.initial_token_id)
    if token is None:
        raise InvalidTokenError("the registration access token is not one for this client")
    return token.policy


def _read_bearer(http: Request) -> str:
    """RFC 6750 §2.1: the header is the only place here."""
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.isascii() or not token:
        raise InvalidTokenError("an access token is required")
    return token


async def _read_metadata(
    context: Context, http: Request, policy: RegistrationPolicy, now: datetime
) -> Mapping[str, Any]:
    """Return the metadata that was sent, under what a software statement says of it: RFC 7591 §2.3, §3.1."""
    if http.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedClientMetadataError("the request body must be application/json")
    try:
        document = read_json((await read_body(http)).decode())
    except (UnicodeDecodeError, StrictJSONError) as error:
        raise RefusedClientMetadataError(
            "the request body is not JSON that every reader understands"
        ) from error
    if not isinstance(document, dict):
        raise RefusedClientMetadataError("the request body must be a JSON object")
    statement = document.get("software_statement")
    if statement is None:
        if policy.is_software_statement_required:
            raise RefusedClientMetadataError("software_statement is required")
        return document
    if not isinstance(statement, str):
        raise RefusedClientMetadataError("software_statement must be a string")
    issuers = context.registration.statement_issuers
    return document | dict(verify_software_statement(statement, issuers, context.issuer, now))


async def _check_sector(context: Context, client: Client) -> None:
    """OpenID Connect Registration §5. Raises RefusedClientMetadataError."""
    if client.sector_identifier_uri is not None:
        listed = await context.registration.fetch_sector(client.sector_identifier_uri)
        check_sector_document(client, listed)


def _names_another_sector(before: Client, after: Client) -> bool:
    """Tell whether an update has to be held against the sector's list; changing keys alone has not."""
    return any(
        getattr(before, name) != getattr(after, name)
        for name in (
            "sector_identifier_uri",
            "redirect_uris",
            "grant_types",
            "jwks_uri",
            "token_endpoint_auth_method",
        )
    )


def _with_secrets(
    context: Context, client: Client, kept: tuple[ClientSecret, ...], now: datetime
) -> tuple[Client, str | None]:
    """Return the client with the secrets its method can use, and a new one in the clear where it has none."""
    usable = secrets_still_usable(client, kept)
    if usable or client.token_endpoint_auth_method not in SECRET_METHODS:
        return replace(client, secrets=usable), None
    secret = draw_client_secret()
    return replace(client, secrets=(new_client_secret(context.custody.data, client, secret, now),)), secret


def _check_credentials_named(metadata: Mapping[str, Any], before: Client, now: datetime) -> None:
    """RFC 7592 §2.2: the request names its client, and a secret that it names is the present one."""
    if metadata.get("client_id") != before.client_id:
        raise RefusedClientMetadataError("client_id must be that of this client")
    secret = metadata.get("client_secret")
    if secret is not None and not (isinstance(secret, str) and matches_live_secret(secret, before, now)):
        raise RefusedClientMetadataError("client_secret is not that of this client; leave it out to keep it")


def _document(
    context: Context,
    client: Client,
    registered_at: datetime,
    token: str,
    secret: str | None = None,
    sent: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the client information response: RFC 7591 §3.2.1, RFC 7592 §3."""
    document = registered_metadata(client) | {
        "client_id_issued_at": int(registered_at.timestamp()),
        "registration_client_uri": f"{context.issuer}/register/{client.client_id}",
        "registration_access_token": token,
    }
    if secret is not None:
        document |= {"client_secret": secret, "client_secret_expires_at": 0}
    if sent is not None and "software_statement" in sent:
        document["software_statement"] = sent["software_statement"]
    return document


def _record(uow: UnitOfWork, event_type: str, client: Client, now: datetime, **details: str) -> None:
    actor = Actor(ActorKind.CLIENT, client.client_id)
    uow.ledger.append(Event(event_type, actor, now, client_id=client.client_id, details=details))


async def _commit(uow: UnitOfWork) -> None:
    """Commit. Raises InvalidTokenError, RefusedClientMetadataError where somebody else was faster."""
    try:
        await uow.commit()
    except GateClosedError as closed:
        if closed.gate == USED_GATE:
            raise InvalidTokenError("the initial access token is unknown, used up or over") from closed
        if closed.gate == ROTATED_GATE:
            raise InvalidTokenError("the registration access token is not one for this client") from closed
        raise RefusedClientMetadataError(
            "the registration was changed at the same moment; read it and try again", detail=closed.gate
        ) from closed
