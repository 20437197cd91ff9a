"""A person's answer to a request from elsewhere: what is recorded when they agree, or do not.

The one place where a decoupled request is decided; CIBA Core 1.0 §8, §10.2, RFC 8628 §3.3.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from idp.identity.consents import TEXT_VERSION, AskReason, Consent, Decision, decision_event
from idp.identity.sessions import Session
from idp.protocol.claims import granted_claims, granted_scope, requested_items
from idp.protocol.decoupled_request import DecoupledRequest
from idp.protocol.jose import JOSEError, decode_base64url
from idp.protocol.model import Client, Grant
from idp.store.backchannel_requests import CIBA_PING
from idp.store.outbox import Delivery
from idp.store.unit_of_work import UnitOfWork
from idp.web.state import Context


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person decided, as it is kept for the proof of it."""

    decision: Decision
    agreed: frozenset[str]
    """Names of the items agreed to; empty for a refusal."""
    reason: AskReason
    ui_locale: str


def approval_id(request: DecoupledRequest) -> str:
    """Return how a request is named in the addresses of pages: by its hash, never by the client's id."""
    return base64.urlsafe_b64encode(request.request_hash).rstrip(b"=").decode()


def request_hash_of(name: str) -> bytes | None:
    """Return the hash that an address names; None for what cannot be one."""
    if len(name) != 43 or not name.isascii():
        return None
    try:
        return decode_base64url(name.encode())
    except JOSEError:
        return None


def asking_key(context: Context, client_id: str, citizen_id: str) -> bytes:
    """Return the key under which it is counted how often a client asks a person."""
    return context.custody.data.lookup("backchannel_requests", f"{client_id}\x00{citizen_id}")


async def record_verdict(
    context: Context,
    uow: UnitOfWork,
    request: DecoupledRequest,
    client: Client,
    session: Session,
    verdict: Verdict,
    now: datetime,
) -> None:
    """Record the answer, the consent that proves it, and the ping that tells of it; nothing is committed.

    The gate `backchannel_request_decided` closes when it was answered meanwhile, is over, or is another's.
    """
    consent = _consent(request, session, verdict, now)
    ping = await uow.backchannel_requests.notification_of(request)
    if verdict.decision is Decision.ALLOW:
        uow.backchannel_requests.approve(request, _grant(context, request, client, session, consent), now)
        uow.attempts.take_back(asking_key(context, client.client_id, session.citizen_id))
        uow.sessions.seen(session, now)
    else:
        uow.backchannel_requests.deny(request, now)
    uow.consents.add(consent)
    uow.ledger.append(decision_event(consent))
    if ping is not None:
        delivery_id = f"{CIBA_PING}-{approval_id(request)}"
        uow.outbox.add(
            Delivery(
                delivery_id=delivery_id,
                kind=CIBA_PING,
                client_id=client.client_id,
                ordering_key=delivery_id,
                content={
                    "auth_req_id": ping.auth_req_id,
                    "client_notification_token": ping.client_notification_token,
                    "expires_at": request.expires_at.timestamp(),
                },
                created_at=now,
                next_attempt_at=now,
            )
        )


def _consent(request: DecoupledRequest, session: Session, verdict: Verdict, now: datetime) -> Consent:
    return Consent(
        consent_id=secrets.token_urlsafe(16),
        citizen_id=session.citizen_id,
        client_id=request.client_id,
        decision=verdict.decision,
        reason=verdict.reason,
        purpose=None,
        scope=request.asked.scope,
        claims=verdict.agreed,
        offered=frozenset(item.name for item in requested_items(request.asked)),
        text_version=TEXT_VERSION,
        ui_locale=verdict.ui_locale,
        decided_at=now,
    )


def _grant(
    context: Context, request: DecoupledRequest, client: Client, session: Session, consent: Consent
) -> Grant:
    """Return what begins when the client fetches its tokens: bound to the session in which it was agreed."""
    now = consent.decided_at
    return Grant(
        grant_id=secrets.token_urlsafe(16),
        client_id=client.client_id,
        citizen_id=session.citizen_id,
        subject=context.custody.data.pairwise_subject(client.sector, session.citizen_id),
        session_id=session.session_id,
        scope=granted_scope(request.asked, consent.claims),
        claims=granted_claims(request.asked, consent.claims),
        acr=session.context.acr,
        amr=session.context.amr,
        auth_time=session.context.auth_time,
        nonce=None,
        consent_id=consent.consent_id,
        link_id=None,
        issued_at=now,
        expires_at=now + context.policy.lifetimes.grant,
        resource=request.asked.resource,
    )
