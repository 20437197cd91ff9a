"""The answer to an authorization request: a code or an error, by redirect or by form, plain or signed.

RFC 6749 §4.1.2; Form Post Response Mode; JARM.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import AccountLink, Status, free_place, occupied_places
from idp.protocol.authorization_response import (
    SIGNED_RESPONSE_TYPE,
    error_parameters,
    redirect_location,
    signed_response_algorithm,
    signed_response_claims,
    success_parameters,
)
from idp.protocol.claims import granted_claims, granted_scope
from idp.protocol.errors import OAuthError
from idp.protocol.journey import Presence
from idp.protocol.model import AuthorizationCode, AuthorizationRequest, Client, Grant
from idp.protocol.response_modes import is_form_post, is_signed
from idp.store.encoding import hash_secret
from idp.store.interactions import Interaction
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import page_answer, see_other
from idp.web.failures import JourneyError, Trouble, note
from idp.web.journey import Standing, commit_step
from idp.web.state import Context


def form_targets_of(uri: str) -> tuple[str, ...]:
    """Return where a form may lead whose answer goes to a platform's address, as `form-action` names it.

    By its scheme alone: Chromium and Safari hold the policy against every redirect that follows a form, those
    of the platform included, and a callback may well go on to another host of the platform's. A page that
    named the callback's host would hold people fast there. http is this machine's (RFC 8252 §7.3), from
    where it may go on to https; a private scheme is an app's, and ends there.
    """
    scheme = urlsplit(uri).scheme
    return ("http:", "https:") if scheme == "http" else (f"{scheme}:",)


@dataclass(frozen=True, slots=True)
class Return:
    """The way back to a platform: proven redirect URI, response mode, and the state that goes along."""

    client: Client
    redirect_uri: str
    response_mode: str
    state: str | None


def way_back(request: AuthorizationRequest, client: Client) -> Return:
    """Return the way back of a request that was accepted."""
    return Return(client, request.redirect_uri, request.response_mode, request.state)


def error_answer(context: Context, http: Request, back: Return, error: OAuthError) -> Response:
    """Return an error to the platform: RFC 6749 §4.1.2.1, with `iss` (RFC 9207 §2)."""
    return _answer(context, http, back, error_parameters(error, back.state, context.issuer))


def _answer(context: Context, http: Request, back: Return, parameters: Mapping[str, str]) -> Response:
    redirect_uri = back.redirect_uri
    if is_signed(back.response_mode):
        parameters = {"response": _signed(context, back.client, parameters)}
    if is_form_post(back.response_mode):
        content = context.render_form_post(http, redirect_uri, parameters)
        return page_answer(http, content, form_targets=form_targets_of(redirect_uri))
    return see_other(redirect_location(redirect_uri, parameters))


def _signed(context: Context, client: Client, parameters: Mapping[str, str]) -> str:
    """Return the one parameter of a signed response: JARM §2.1, §2.2."""
    signer = context.custody.signing.signer(signed_response_algorithm(client))
    claims = signed_response_claims(parameters, client, context.issuer, context.clock())
    return signer.sign(claims, typ=SIGNED_RESPONSE_TYPE)


async def grant_authorization(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    standing: Standing,
    request_uri_hash: bytes | None,
    interaction: Interaction | None,
    now: datetime,
) -> Response:
    """Issue a code for what was agreed: code, pending link and audit event in one commit.

    The gates of the interaction and of the pushed request make a second answer impossible.
    """
    request, client, presence = standing.request, standing.client, standing.presence
    if presence is None:
        raise JourneyError(Trouble.EXPIRED, client_id=client.client_id, detail="nobody is signed in")
    if interaction is not None:
        uow.interactions.finish(interaction, now)
    if request_uri_hash is not None:
        uow.codes.use_pushed_request(request_uri_hash, now)
    subject = context.custody.data.pairwise_subject(client.sector, presence.citizen.citizen_id)
    link = standing.own_link or _pending_link(standing, presence, subject, now)
    if link is not None and link.status is Status.PENDING:
        uow.account_links.add(link, now)
    grant = _grant(context, request, presence, subject, link, now)
    code = secrets.token_urlsafe(32)
    uow.codes.add(
        AuthorizationCode(
            code_hash=hash_secret(code),
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            grant=grant,
            expires_at=now + context.policy.lifetimes.code,
            dpop_jkt=request.dpop_jkt,
        )
    )
    uow.sessions.seen(presence.session, now)
    uow.ledger.append(
        Event(
            type="authorization:granted",
            actor=Actor(ActorKind.CITIZEN, presence.citizen.citizen_id),
            occurred_at=now,
            client_id=client.client_id,
            citizen_id=presence.citizen.citizen_id,
            link_id=None if link is None else link.link_id,
            details={"grant_id": grant.grant_id, "acr": grant.acr.value},
        )
    )
    await commit_step(uow, client.client_id)
    note(http, grant_id=grant.grant_id)
    parameters = success_parameters(code, request.state, context.issuer)
    return _answer(context, http, way_back(request, client), parameters)


def _pending_link(standing: Standing, presence: Presence, subject: str, now: datetime) -> AccountLink | None:
    """Return the link that the code will make, with the place that is free now (decision 14)."""
    asked, client, citizen = standing.request.account_link, standing.client, presence.citizen
    if asked is None:
        return None
    return AccountLink(
        link_id=secrets.token_urlsafe(16),
        client_id=client.client_id,
        account_id=asked.account_id,
        citizen_id=citizen.citizen_id,
        subject=subject,
        status=Status.PENDING,
        proofing=citizen.proofing,
        acr=presence.session.context.acr,
        requested_at=now,
        handle=asked.handle,
        profile_uri=asked.profile_uri,
        purpose=asked.purpose,
        place=free_place(occupied_places(standing.neighbours, citizen.citizen_id), client.policy),
    )


def _grant(
    context: Context,
    request: AuthorizationRequest,
    presence: Presence,
    subject: str,
    link: AccountLink | None,
    now: datetime,
) -> Grant:
    consent, session = presence.consent, presence.session
    agreed = frozenset() if consent is None else consent.claims
    return Grant(
        grant_id=secrets.token_urlsafe(16),
        client_id=request.client_id,
        citizen_id=session.citizen_id,
        subject=subject,
        session_id=session.session_id,
        scope=granted_scope(request, agreed),
        claims=granted_claims(request, agreed),
        acr=session.context.acr,
        amr=session.context.amr,
        auth_time=session.context.auth_time,
        nonce=request.nonce,
        consent_id=None if consent is None else consent.consent_id,
        link_id=None if link is None else link.link_id,
        issued_at=now,
        expires_at=now + context.policy.lifetimes.grant,
        resource=request.resource,
    )
