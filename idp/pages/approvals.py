"""Is it me who asks for this? What waits for a person's answer, on whatever device they are signed in.

CIBA Core 1.0 §8, RFC 8628 §3.3. A request is answered by the person it is for, in a session at the strongest
level they can reach; nobody else can tell it from one that never was (abuse cases 7, P1).
"""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import LinkRefusedError, Refusal
from idp.identity.consents import TEXT_VERSION, AskReason, Decision, reason_to_ask
from idp.pages.approval_views import AnsweredPage, ApprovalCard, ApprovalPage, ApprovalsPage
from idp.pages.consent import agreed_to, consent_items
from idp.pages.frame import (
    check_form_token,
    check_same_origin,
    client_header,
    domain_of,
    form_token,
    locale_of,
    person_name,
    show,
)
from idp.pages.logos import logo_address
from idp.pages.own_pages import children_address, signed_in_or_way
from idp.pages.views import RefusedPage
from idp.pages.visit import APPROVALS
from idp.protocol import journey as rules
from idp.protocol.claims import requested_items
from idp.protocol.decoupled_request import DecoupledRequest, Kind
from idp.protocol.errors import UnmetAuthenticationRequirementsError
from idp.protocol.journey import Presence
from idp.protocol.model import Client, ClientStatus
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.approvals import Verdict, approval_id, record_verdict, request_hash_of
from idp.web.failures import JourneyError, Trouble, new_reference, note
from idp.web.journey import commit_step, find_signed_in, ways_of
from idp.web.refusals import record_refusal
from idp.web.requests import read_form_with_choices
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

LISTED = 20
"""Requests that the list shows; a person answers the newest first, and the others expire in minutes."""


@router.get("/approvals")
async def approvals(http: Request) -> Response:
    """Show what waits for this person's answer."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, APPROVALS)
    if isinstance(signed_in, Response):
        return signed_in
    citizen = signed_in.citizen
    cards = []
    for request in await uow.backchannel_requests.open_of(citizen.citizen_id, now, LISTED):
        client = await context.clients.find(request.client_id)
        if client is not None and client.status is ClientStatus.ACTIVE:
            cards.append(_card(context, request, client))
    view = ApprovalsPage(
        csrf=form_token(context, signed_in.session),
        person=person_name(context, citizen),
        requests=tuple(cards),
        device_uri=f"{context.issuer}/device",
        children_uri=await children_address(context, uow, citizen.citizen_id, now),
    )
    return show(http, view)


def _card(context: Context, request: DecoupledRequest, client: Client) -> ApprovalCard:
    return ApprovalCard(
        network=client.client_name,
        domain=domain_of(client),
        logo=logo_address(context.issuer, client),
        binding_message=request.binding_message,
        asked_at=request.created_at,
        uri=f"{context.issuer}/approvals/{approval_id(request)}",
    )


@dataclass(frozen=True, slots=True)
class Question:
    """One request, from whom it is, and its person as they are here now."""

    request: DecoupledRequest
    client: Client
    presence: Presence


@router.get("/approvals/{name}")
async def approval_page(http: Request, name: str) -> Response:
    """Show who asks, since when, and what would be shared."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    question = await _question(context, uow, http, name, now)
    if isinstance(question, Response):
        return question
    request, client, session = question.request, question.client, question.presence.session
    view = ApprovalPage(
        client=client_header(context, client, None),
        csrf=form_token(context, session),
        action=f"{context.issuer}/approvals/{name}",
        is_device=request.kind is Kind.DEVICE,
        binding_message=request.binding_message,
        asked_at=request.created_at,
        expires_at=request.expires_at,
        proofing=question.presence.citizen.proofing,
        acr=session.context.acr,
        has_offline_access="offline_access" in request.asked.scope,
        items=consent_items(context, request.asked, question.presence),
        my_accounts_uri=f"{context.issuer}/my/accounts",
        text_version=TEXT_VERSION,
    )
    return show(http, view)


@router.post("/approvals/{name}")
async def approve(http: Request, name: str) -> Response:
    """Keep what was shown and decided, and tell the client that it was."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    check_same_origin(http)
    form, ticked = await read_form_with_choices(http, "claim")
    question = await _question(context, uow, http, name, now)
    if isinstance(question, Response):
        return question
    session = question.presence.session
    check_form_token(context, session, form)
    if form.get("decision") not in set(Decision):
        return see_other(f"{context.issuer}/approvals/{name}")
    request, decision = question.request, Decision(form["decision"])
    verdict = Verdict(
        decision=decision,
        agreed=agreed_to(request.asked, question.presence, decision, ticked, now),
        reason=_reason(question, now),
        ui_locale=locale_of(http),
    )
    await record_verdict(context, uow, request, question.client, session, verdict, now)
    await commit_step(uow, request.client_id)
    note(http, decision=decision.value)
    view = AnsweredPage(
        client=client_header(context, question.client, None),
        is_allowed=decision is Decision.ALLOW,
        is_device=request.kind is Kind.DEVICE,
        approvals_uri=f"{context.issuer}/approvals",
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


def _reason(question: Question, now: datetime) -> AskReason:
    """Return why it is asked: every request from elsewhere is a question, whatever was agreed before."""
    asked = question.request.asked
    reason = reason_to_ask(
        question.presence.consent,
        scope=asked.scope,
        claims={item.name for item in requested_items(asked)},
        purpose=None,
        links_new_account=False,
        consent_prompted=False,
        now=now,
    )
    return reason or AskReason.REQUESTED


async def _question(
    context: Context, uow: UnitOfWork, http: Request, name: str, now: datetime
) -> Question | Response:
    """Return the request with everything that its answer depends on, or the page that comes before.

    Raises JourneyError: unknown or another person's, over, or its network is suspended.
    """
    request_hash = request_hash_of(name)
    if request_hash is None:
        raise JourneyError(Trouble.NOT_FOUND)
    entered = await signed_in_or_way(context, uow, http, now, f"{APPROVALS}.{name}")
    if isinstance(entered, Response):
        return entered
    request = await uow.backchannel_requests.find_by_hash(request_hash)
    if request is None or request.citizen_id != entered.citizen.citizen_id:
        raise JourneyError(Trouble.NOT_FOUND)
    note(http, client_id=request.client_id)
    if not request.is_open(now):
        raise JourneyError(Trouble.EXPIRED, client_id=request.client_id, detail="answered or expired")
    client = await context.clients.find(request.client_id)
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise JourneyError(Trouble.CLIENT_SUSPENDED)
    signed_in = await find_signed_in(context, uow, http, now, request=request.asked)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{APPROVALS}.{name}")
    question = Question(request, client, _presence(signed_in))
    return await _way_before(context, uow, http, question, name, now) or question


def _presence(signed_in: SignedIn) -> Presence:
    return Presence(signed_in.session, signed_in.citizen, signed_in.consent)


async def _way_before(
    context: Context, uow: UnitOfWork, http: Request, question: Question, name: str, now: datetime
) -> Response | None:
    """Return the factor that is missing, or why the network's policy refuses this person; usually nothing."""
    asked, client, presence = question.request.asked, question.client, question.presence
    try:
        if rules.needs_enrolled_methods(asked, client, presence.session.context):
            record = await uow.authenticators.find(presence.citizen.citizen_id)
            enrolled = await ways_of(context, uow, record)
            if rules.missing_factor(asked, client, presence.session, enrolled):
                return see_other(f"{context.issuer}/second-factor/{APPROVALS}.{name}")
        rules.check_person(asked, client, presence, (), now)
    except LinkRefusedError as refused:
        refusal = refused.refusal
    except UnmetAuthenticationRequirementsError:
        refusal = Refusal.ACR_TOO_LOW
    else:
        return None
    await record_refusal(
        uow,
        name,
        presence.citizen.citizen_id,
        client.client_id,
        refusal,
        until=question.request.expires_at,
        now=now,
    )
    return _refused(context, http, client, refusal)


def _refused(context: Context, http: Request, client: Client, refusal: Refusal) -> Response:
    reference = new_reference(refusal)
    note(http, refused=refusal.value, reference=reference)
    view = RefusedPage(
        client=client_header(context, client, None),
        refusal=refusal,
        reference=reference,
        min_proofing=client.policy.min_proofing,
        min_age=client.policy.min_age,
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view, status=403)
