"""Is it me who asks? The requests on the phone: what waits, by which code it came, and the answer.

Everything here needs the cookie of the opened app; an answer needs a signature of its own besides, and a yes
the number and the PIN. Requests of a platform (CIBA) are listed beside, and answered on the page of requests
like everywhere else: the phone signs its person in for it (`phone_here`).
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.app_devices import AppDevice, WrongSignatureError
from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.phone_approvals import ApprovalKind, PhoneApproval, is_same_network
from idp.authenticators.throttling import ThrottledError
from idp.pages.frame import domain_of, pages_of, read_own_form, show
from idp.pages.phone_views import (
    AnsweredState,
    AnswerProblem,
    AppPage,
    PhoneAnsweredPage,
    PhoneRequestCard,
    PhoneRequestPage,
    PhoneRequestsPage,
)
from idp.protocol.model import ClientStatus
from idp.protocol.parameters import Parameters
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import json_answer, see_other, with_retry_after
from idp.web.approvals import approval_id
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.phone_approvals import (
    Answer,
    AnsweredMeanwhileError,
    CodeUnknownError,
    answer_approval,
    approval_hash_of,
    approval_name,
    take,
    take_by_code,
)
from idp.web.phones import (
    DeviceRevokedError,
    WrongPINError,
    app_cookie,
    app_form_token,
    asked_at,
    check_app_form,
    find_device,
)
from idp.web.requests import address_of
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

LISTED = 20
"""Requests that the list shows; the others are over in minutes."""


class Opened(NamedTuple):
    """The phone on which the app is open."""

    context: Context
    uow: UnitOfWork
    device: AppDevice
    now: datetime


class SentForm(NamedTuple):
    """A form that the opened app sent."""

    opened: Opened
    form: Parameters


async def opened_or_door(http: Request) -> Opened | Response:
    """Return on which phone the app is open, or the way to its door.

    Whoever is locked or dead reads nothing with it; a page says so, as the door would open again at once.
    """
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    device = await find_device(context, uow, http, now)
    if device is None:
        return see_other(f"{context.issuer}/app")
    note(http, citizen_id=device.citizen_id)
    opened = Opened(context, uow, device, now)
    citizen = await uow.citizens.find(device.citizen_id)
    if citizen is None or not citizen.is_active():
        note(http, refused="citizen_not_active")
        return _answered(http, opened, AnsweredState.NOT_USABLE)
    return opened


async def sent_or_door(http: Request) -> SentForm | Response:
    """Return what the opened app sent, or the way to its door.

    Raises JourneyError for a form of another origin, or of another phone's app.
    """
    form = await read_own_form(http)
    opened = await opened_or_door(http)
    if isinstance(opened, Response):
        return opened
    check_app_form(opened.context, opened.device, form)
    return SentForm(opened, form)


def show_in_app(http: Request, opened: Opened, view: AppPage, status: int = 200) -> Response:
    """Show a page of the app, which stays open for another while."""
    answer = show(http, view, status=status)
    context = opened.context
    Cookies(context.is_secure).set_app(answer, app_cookie(context, opened.device, opened.now))
    return answer


def worker_uri(http: Request) -> str:
    """Return the address of the app's worker in this version."""
    return f"{context_of(http).issuer}/app/worker.js?v={pages_of(http).static_version}"


@router.get("/app/requests")
async def requests(http: Request) -> Response:
    """Show what waits, and where a code is typed."""
    opened = await opened_or_door(http)
    if isinstance(opened, Response):
        return opened
    return show_in_app(http, opened, await _list(http, opened))


@router.get("/app/requests/state")
async def requests_state(http: Request) -> Response:
    """Tell the app's script whether the list would look different now."""
    opened = await opened_or_door(http)
    if isinstance(opened, Response):
        return json_answer({"mark": "closed"})
    return json_answer({"mark": _mark(await _cards(opened))})


@router.post("/app/requests")
async def scan(http: Request) -> Response:
    """Take the request behind a code, scanned or typed."""
    sent = await sent_or_door(http)
    if isinstance(sent, Response):
        return sent
    opened, form = sent
    context, uow, device, now = opened
    try:
        approval = await take_by_code(context, uow, http, device, form.get("code", ""), now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        view = await _list(http, opened, retry_at=throttled.retry_at)
        return with_retry_after(show_in_app(http, opened, view, 429), throttled.retry_at - opened.now)
    except CodeUnknownError:
        note(http, refused="wrong_phone_code")
        return show_in_app(http, opened, await _list(http, opened, is_wrong_code=True), 400)
    return see_other(_address(opened.context, approval))


@router.post("/app/requests/{name}/open")
async def open_request(http: Request, name: str) -> Response:
    """Take a request that is for this person from the list; from now on the asking page shows the number."""
    sent = await sent_or_door(http)
    if isinstance(sent, Response):
        return sent
    opened = sent.opened
    approval = await _find(opened, name)
    if approval is not None and approval.is_answerable(opened.device.device_id, opened.now):
        return see_other(_address(opened.context, approval))
    # A sign-in is taken by its code alone: its name is no secret (`approval_name`).
    if approval is None or approval.kind is not ApprovalKind.STEP_UP:
        return _answered(http, opened, AnsweredState.OVER)
    try:
        await take(opened.uow, approval, opened.device, opened.now)
    except CodeUnknownError:
        return _answered(http, opened, AnsweredState.OVER)
    return see_other(_address(opened.context, approval))


@router.get("/app/requests/{name}")
async def request_page(http: Request, name: str) -> Response:
    """Show who asks, for what, from where and since when."""
    opened = await opened_or_door(http)
    if isinstance(opened, Response):
        return opened
    approval = await _find(opened, name)
    view = None if approval is None else _view(http, opened, approval)
    return _answered(http, opened, AnsweredState.OVER) if view is None else show_in_app(http, opened, view)


@router.post("/app/requests/{name}")
async def answer_request(http: Request, name: str) -> Response:
    """Take the answer: yes with number and PIN, no with neither."""
    sent = await sent_or_door(http)
    if isinstance(sent, Response):
        return sent
    opened, form = sent
    approval = await _find(opened, name)
    view = None if approval is None else _view(http, opened, approval)
    if approval is None or view is None:
        return _answered(http, opened, AnsweredState.OVER)
    answer = Answer(
        is_agreed=form.get("decision") == "allow",
        number=form.get("number", ""),
        pin=form.get("pin", ""),
        signature=form.get("signature", ""),
    )
    kept = replace(view, number=answer.number[:2])
    context, uow, device, now = opened
    try:
        status = await answer_approval(context, uow, http, device, approval, answer, now)
    except AnsweredMeanwhileError:
        return _answered(http, opened, AnsweredState.OVER)
    except DeviceRevokedError:
        return _answered(http, opened, AnsweredState.REVOKED)
    except WrongSignatureError:
        note(http, refused="wrong_signature")
        return show_in_app(http, opened, replace(kept, problem=AnswerProblem.SIGNATURE), 400)
    except WrongPINError as wrong:
        note(http, refused="wrong_pin")
        problem = replace(kept, problem=AnswerProblem.WRONG_PIN, tries_left=wrong.tries_left)
        return show_in_app(http, opened, problem, 400)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        problem = replace(kept, problem=AnswerProblem.THROTTLED, retry_at=throttled.retry_at)
        return with_retry_after(show_in_app(http, opened, problem, 429), throttled.retry_at - now)
    except HashingOverloadedError as overloaded:
        problem = replace(kept, problem=AnswerProblem.OVERLOADED)
        return with_retry_after(show_in_app(http, opened, problem, 503), overloaded.retry_after)
    note(http, decision=status.value)
    return _answered(http, opened, AnsweredState(status.value))


async def _find(opened: Opened, name: str) -> PhoneApproval | None:
    """Return the request that an address names, where it is for this person."""
    approval_hash = approval_hash_of(name)
    found = None if approval_hash is None else await opened.uow.phone_approvals.find(approval_hash)
    is_theirs = found is not None and found.citizen_id == opened.device.citizen_id
    return found if is_theirs else None


def _view(http: Request, opened: Opened, approval: PhoneApproval) -> PhoneRequestPage | None:
    """Return the page of a request that this phone may answer now."""
    device, asked_from = opened.device, approval.asked_from
    if asked_from is None or not approval.is_answerable(device.device_id, opened.now):
        return None
    issuer = opened.context.issuer
    fields = [approval_name(approval), asked_at(approval.created_at)]
    return PhoneRequestPage(
        csrf=app_form_token(opened.context, device),
        app_uri=f"{issuer}/app",
        worker_uri=worker_uri(http),
        action=_address(opened.context, approval),
        device_id=device.device_id,
        fields=orjson.dumps(fields).decode(),
        asked_from=asked_from,
        asked_at=approval.created_at,
        is_step_up=approval.kind is ApprovalKind.STEP_UP,
        is_same_network=is_same_network(asked_from.address, address_of(http)),
    )


def _answered(http: Request, opened: Opened, state: AnsweredState) -> Response:
    issuer = opened.context.issuer
    view = PhoneAnsweredPage(
        app_uri=f"{issuer}/app",
        worker_uri=worker_uri(http),
        state=state,
        requests_uri=f"{issuer}/app/requests",
    )
    if state not in {AnsweredState.REVOKED, AnsweredState.NOT_USABLE}:
        return show_in_app(http, opened, view, 400 if state is AnsweredState.OVER else 200)
    answer = show(http, view, status=403)
    Cookies(opened.context.is_secure).clear_app(answer)
    return answer


def _address(context: Context, approval: PhoneApproval) -> str:
    return f"{context.issuer}/app/requests/{approval_name(approval)}"


async def _list(
    http: Request, opened: Opened, *, is_wrong_code: bool = False, retry_at: datetime | None = None
) -> PhoneRequestsPage:
    cards = await _cards(opened)
    issuer = opened.context.issuer
    return PhoneRequestsPage(
        csrf=app_form_token(opened.context, opened.device),
        app_uri=f"{issuer}/app",
        worker_uri=worker_uri(http),
        requests=cards,
        mark=_mark(cards),
        state_uri=f"{issuer}/app/requests/state",
        scan_action=f"{issuer}/app/requests",
        my_uri=f"{issuer}/app/here/security",
        is_wrong_code=is_wrong_code,
        retry_at=retry_at,
    )


async def _cards(opened: Opened) -> tuple[PhoneRequestCard, ...]:
    context, uow, device, now = opened
    cards = []
    for approval in await uow.phone_approvals.waiting(device.citizen_id, now, LISTED):
        is_its = approval.is_answerable(device.device_id, now)
        asked_from = approval.asked_from
        if asked_from is not None and (is_its or approval.is_open(now)):
            uri = _address(context, approval)
            cards.append(
                PhoneRequestCard(
                    network=asked_from.network,
                    domain=asked_from.domain,
                    asked_at=approval.created_at,
                    uri=uri if is_its else f"{uri}/open",
                    is_form=not is_its,
                )
            )
    for request in await uow.backchannel_requests.open_of(device.citizen_id, now, LISTED):
        client = await context.clients.find(request.client_id)
        if client is not None and client.status is ClientStatus.ACTIVE:
            cards.append(
                PhoneRequestCard(
                    network=client.client_name,
                    domain=domain_of(client),
                    binding_message=request.binding_message,
                    asked_at=request.created_at,
                    uri=f"{context.issuer}/app/here/approvals.{approval_id(request)}",
                    is_form=False,
                )
            )
    return tuple(cards)


def _mark(cards: tuple[PhoneRequestCard, ...]) -> str:
    """Return what is the same while the list is."""
    return sha256("\n".join(card.uri for card in cards).encode()).hexdigest()[:16]
