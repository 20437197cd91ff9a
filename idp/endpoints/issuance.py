"""The choke-point: `issue_tokens` is the one place where tokens come into being.

It begins by checking that everything behind them still stands: client, grant, citizen, account link, consent,
assurance, session, and the key that they are to be bound to. Every grant type ends here.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import AccountLink
from idp.protocol.account_link_details import enriched
from idp.protocol.claims import id_token_released_claims
from idp.protocol.confirmation import Confirmation
from idp.protocol.errors import InvalidGrantError
from idp.protocol.grants import Backing, check_client, check_subject
from idp.protocol.link_receipt import RECEIPT_TYPE, has_receipt, receipt_claims
from idp.protocol.model import Client, Grant, RefreshToken
from idp.protocol.sender_constraint import check_binding
from idp.protocol.tokens import (
    ACCESS_TOKEN_ALGORITHM,
    ACCESS_TOKEN_TYPE,
    ID_TOKEN_TYPE,
    access_token_claims,
    id_token_claims,
    token_response,
)
from idp.store.encoding import hash_secret
from idp.store.unit_of_work import UnitOfWork
from idp.web.encryption import encrypt_to_client
from idp.web.state import Context


@dataclass(frozen=True, slots=True)
class Issue:
    """What the choke-point needs to issue tokens."""

    client: Client
    scope: frozenset[str]
    audience: str
    """Whom the access token is for: the issuer, or one of our resources."""
    confirmation: Confirmation | None
    grant: Grant | None = None
    """None where the client acts for itself (client_credentials)."""
    backing: Backing | None = None
    """How everything behind the grant stands *after* this request's own moves."""
    refresh_token: str | None = None
    is_refresh: bool = False
    needs_session: bool = False


def issue_tokens(context: Context, uow: UnitOfWork, issue: Issue, now: datetime) -> dict[str, object]:
    """Issue tokens: the only place that does. Raises InvalidGrantError when anything behind them fell.

    The answer is worthless until the commit that follows has succeeded: the grant it names is not stored yet.
    """
    _check(issue, now)
    access_token = _access_token(context, uow, issue, now)
    link = None if issue.backing is None else issue.backing.link
    return token_response(
        context.policy,
        access_token=access_token,
        scope=issue.scope,
        confirmation=issue.confirmation,
        id_token=_id_token(context, issue, access_token, link, now),
        refresh_token=issue.refresh_token,
        authorization_details=None if link is None else enriched(link, _receipt(context, issue, link, now)),
    )


def _check(issue: Issue, now: datetime) -> None:
    check_binding(issue.confirmation, issue.client)
    if issue.grant is None:
        check_client(issue.client)
        return
    if issue.backing is None:
        raise InvalidGrantError("the authorization is no longer in force", detail="nothing behind the grant")
    check_subject(issue.grant, issue.client, issue.backing, now, needs_session=issue.needs_session)


def _access_token(context: Context, uow: UnitOfWork, issue: Issue, now: datetime) -> str:
    claims = access_token_claims(
        context.policy,
        client_id=issue.client.client_id,
        grant=issue.grant,
        audience=issue.audience,
        scope=issue.scope,
        confirmation=issue.confirmation,
        jti=secrets.token_urlsafe(16),
        now=now,
    )
    if issue.client.access_token_format == "opaque":
        opaque = secrets.token_urlsafe(32)
        uow.access_tokens.add(opaque, claims, now + context.policy.lifetimes.access_token)
        return opaque
    return context.custody.signing.signer(ACCESS_TOKEN_ALGORITHM).sign(claims, typ=ACCESS_TOKEN_TYPE)


def _id_token(
    context: Context, issue: Issue, access_token: str, link: AccountLink | None, now: datetime
) -> str | None:
    grant, backing = issue.grant, issue.backing
    if grant is None or backing is None or "openid" not in issue.scope:
        return None
    citizen = backing.citizen
    claims = id_token_claims(
        grant,
        issue.client,
        context.policy,
        access_token=access_token,
        link=link,
        released=id_token_released_claims(grant, citizen, now),
        refreshed=issue.is_refresh,
        now=now,
    )
    client = issue.client
    signed = context.custody.signing.signer(client.id_token_signed_response_alg).sign(
        claims, typ=ID_TOKEN_TYPE
    )
    algorithm, encryption = client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc
    if algorithm is None:
        return signed
    return encrypt_to_client(context, client, signed, algorithm=algorithm, encryption=encryption)


def _receipt(context: Context, issue: Issue, link: AccountLink, now: datetime) -> str | None:
    """Return the receipt of a link that was made, renewed or shown again; a refresh gives none."""
    if issue.is_refresh or not has_receipt(link):
        return None
    signer = context.custody.signing.signer(issue.client.id_token_signed_response_alg)
    return signer.sign(receipt_claims(link, context.issuer, now), typ=RECEIPT_TYPE)


def first_refresh_token(
    context: Context, client: Client, grant: Grant, now: datetime
) -> tuple[str, RefreshToken] | None:
    """Return a family's first refresh token and what is stored; None for a client that may not refresh."""
    if "refresh_token" not in client.grant_types:
        return None
    return stored_refresh_token(context, secrets.token_urlsafe(32), grant, 1, now)


def stored_refresh_token(
    context: Context, value: str, grant: Grant, generation: int, now: datetime
) -> tuple[str, RefreshToken]:
    """Return a refresh token and what is stored of it: its hash, and an end no later than the grant's."""
    expires_at = min(now + context.policy.lifetimes.refresh_token, grant.expires_at)
    return value, RefreshToken(hash_secret(value), grant.grant_id, generation, now, expires_at)


def used(grant: Grant, event: str, now: datetime) -> Event:
    """Return the audit event that tells of a grant's use."""
    return Event(
        type=event,
        actor=Actor(ActorKind.CLIENT, grant.client_id),
        occurred_at=now,
        client_id=grant.client_id,
        citizen_id=grant.citizen_id,
        link_id=grant.link_id,
        details={"grant_id": grant.grant_id},
    )
