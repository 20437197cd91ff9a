"""Ask a phone: the page of whoever signs in here, or shows more, and has the app elsewhere.

The page shows a code that changes, then the number, then goes on by itself; without a script it loads itself
anew and shows a button. The answer is this browser's alone: what it asked is found by a cookie that was made
when it asked and by its visit, and nothing in the address leads to it (`authenticators.phone_approvals`).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.phone_approvals import (
    ANSWER_LIFETIME,
    ASKING_LIFETIME,
    ApprovalKind,
    ApprovalStatus,
    AskedFrom,
    PhoneApproval,
    browser_kind,
    code_window,
)
from idp.authenticators.throttling import (
    UNGUESSABLE_LIMITS,
    AttemptLimits,
    ThrottledError,
    source_of,
)
from idp.identity.assurance import AMR_OF, Method, authentication_context
from idp.identity.citizens import CitizenStatus
from idp.pages.frame import domain_of, read_own_form, show
from idp.pages.phone_views import AskingState, AskPhonePage
from idp.pages.second_factor import Asked, asked_or_way, lift
from idp.pages.visit import Visit, load_visit
from idp.protocol.device_request import shown_user_code
from idp.store.encoding import hash_secret
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import json_answer, see_other, with_retry_after
from idp.web.arrival import begin_session, lead_on
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.phone_approvals import begin_approval, browser_hash_of, show_code
from idp.web.phones import find_usable_device
from idp.web.requests import address_of
from idp.web.state import Context, context_of
from idp.web.throttle import count_attempts

router = APIRouter(include_in_schema=False)

_STATUS = {AskingState.NOT_USABLE: 403, AskingState.THROTTLED: 429}


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is asked: on which visit, to sign in or to show more."""

    visit: Visit
    kind: ApprovalKind

    def address(self, context: Context) -> str:
        """Return the address of the page."""
        page = "sign-in" if self.kind is ApprovalKind.SIGN_IN else "second-factor"
        return f"{context.issuer}/{page}/{self.visit.visit_id}/phone"


@router.get("/sign-in/{visit_id}/phone")
async def ask_phone_page(http: Request, visit_id: str) -> Response:
    """Show the code, the number or what came of it, to whoever signs in."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    return await _page(context, uow, http, Place(visit, ApprovalKind.SIGN_IN), now)


@router.post("/sign-in/{visit_id}/phone")
async def ask_phone(http: Request, visit_id: str) -> Response:
    """Ask: whose phone it will be is not known yet."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    await read_own_form(http)
    visit = await load_visit(context, uow, http, visit_id, now)
    return await _begin(context, uow, http, Place(visit, ApprovalKind.SIGN_IN), None, now)


@router.get("/sign-in/{visit_id}/phone/state")
async def ask_phone_state(http: Request, visit_id: str) -> Response:
    """Tell the page's script whether the page would look different now."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    approval = await _asked(context, uow, http, Place(visit, ApprovalKind.SIGN_IN))
    return json_answer({"mark": _mark(approval, now)})


@router.get("/sign-in/{visit_id}/phone/finish")
@router.get("/second-factor/{visit_id}/phone/finish")
async def back_to_page(http: Request, visit_id: str) -> Response:
    """Lead whoever loads an answer anew back to its page."""
    context = context_of(http)
    visit = await load_visit(context, context.unit_of_work(), http, visit_id, context.clock())
    is_sign_in = http.url.path.startswith("/sign-in/")
    kind = ApprovalKind.SIGN_IN if is_sign_in else ApprovalKind.STEP_UP
    return see_other(Place(visit, kind).address(context))


@router.post("/sign-in/{visit_id}/phone/finish")
async def finish_sign_in(http: Request, visit_id: str) -> Response:
    """Sign in whoever approved it, here and once."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    await read_own_form(http)
    visit = await load_visit(context, uow, http, visit_id, now)
    approval = await _asked(context, uow, http, Place(visit, ApprovalKind.SIGN_IN))
    citizen_id = await _approved_by(uow, approval, now)
    if approval is None or citizen_id is None:
        return see_other(Place(visit, ApprovalKind.SIGN_IN).address(context))
    record = await uow.authenticators.find(citizen_id)
    if record is None or record.status is not CitizenStatus.ACTIVE:
        note(http, refused="citizen_not_active")
        return _show(context, http, Place(visit, ApprovalKind.SIGN_IN), AskingState.NOT_USABLE)
    uow.phone_approvals.consume(approval, approval.browser_hash, now)
    _take_back(context, uow, http, None)
    at = authentication_context(AMR_OF[Method.APP], approval.decided_at or now)
    cookie = await begin_session(
        context, uow, http, citizen_id, at, now, client_id=visit.client_id, method=Method.APP.value
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        note(http, refused=closed.gate)
        return see_other(Place(visit, ApprovalKind.SIGN_IN).address(context))
    note(http, citizen_id=citizen_id)
    return lead_on(context, http, visit.onward_uri, cookie)


@router.get("/second-factor/{visit_id}/phone")
async def step_up_page(http: Request, visit_id: str) -> Response:
    """Show the same to somebody who is signed in and shows more."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    asked = await _asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response):
        return asked
    return await _page(context, uow, http, Place(asked.visit, ApprovalKind.STEP_UP), now)


@router.post("/second-factor/{visit_id}/phone")
async def step_up(http: Request, visit_id: str) -> Response:
    """Ask the phones of whoever is signed in: it stands in their lists, and the code leads there, too."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    await read_own_form(http)
    asked = await _asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response):
        return asked
    citizen_id = asked.signed_in.citizen.citizen_id
    return await _begin(context, uow, http, Place(asked.visit, ApprovalKind.STEP_UP), citizen_id, now)


@router.get("/second-factor/{visit_id}/phone/state")
async def step_up_state(http: Request, visit_id: str) -> Response:
    """Tell the page's script whether the page would look different now."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    approval = await _asked(context, uow, http, Place(visit, ApprovalKind.STEP_UP))
    return json_answer({"mark": _mark(approval, now)})


@router.post("/second-factor/{visit_id}/phone/finish")
async def finish_step_up(http: Request, visit_id: str) -> Response:
    """Lift the session of whoever approved it, here and once."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    await read_own_form(http)
    asked = await _asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response):
        return asked
    approval = await _asked(context, uow, http, Place(asked.visit, ApprovalKind.STEP_UP))
    citizen_id = await _approved_by(uow, approval, now)
    if approval is None or citizen_id != asked.signed_in.citizen.citizen_id:
        return see_other(Place(asked.visit, ApprovalKind.STEP_UP).address(context))
    uow.phone_approvals.consume(approval, approval.browser_hash, now)
    _take_back(context, uow, http, citizen_id)
    return await lift(context, uow, http, asked, AMR_OF[Method.APP], Method.APP, now)


async def _asked_or_way(
    context: Context, uow: UnitOfWork, http: Request, visit_id: str, now: datetime
) -> Asked | Response:
    asked = await asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response) or Method.APP in asked.methods:
        return asked
    return see_other(f"{context.issuer}/second-factor/{visit_id}")


async def _asked(context: Context, uow: UnitOfWork, http: Request, place: Place) -> PhoneApproval | None:
    """Return what this browser asked on this visit."""
    browser_hash = browser_hash_of(context, http, place.visit.visit_id)
    if browser_hash is None:
        return None
    return await uow.phone_approvals.asked_by(browser_hash, place.visit.visit_id, place.kind)


async def _approved_by(uow: UnitOfWork, approval: PhoneApproval | None, now: datetime) -> str | None:
    """Return who approved a request with a phone that still is theirs."""
    if approval is None or not approval.is_approved(now):
        return None
    device = await find_usable_device(uow, approval.device_id or "")
    return None if device is None else device.citizen_id


async def _begin(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    place: Place,
    citizen_id: str | None,
    now: datetime,
) -> Response:
    try:
        await count_attempts(uow, _counters(context, http, citizen_id), now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        answer = _show(context, http, place, AskingState.THROTTLED, retry_at=throttled.retry_at)
        return with_retry_after(answer, throttled.retry_at - now)
    visit_id, cookie = place.visit.visit_id, secrets.token_urlsafe(32)
    before = browser_hash_of(context, http, visit_id)
    if before is not None:
        uow.phone_approvals.withdraw(before, visit_id, now)
    begin_approval(
        uow,
        place.kind,
        hash_secret(cookie),
        visit_id,
        _asked_from(http, place.visit),
        now,
        client_id=place.visit.client_id,
        citizen_id=citizen_id,
    )
    await uow.commit()
    answer = see_other(place.address(context))
    Cookies(context.is_secure).set_asking(answer, visit_id, cookie, ASKING_LIFETIME + ANSWER_LIFETIME)
    return answer


def _counters(context: Context, http: Request, citizen_id: str | None) -> list[tuple[bytes, AttemptLimits]]:
    """Return where it is counted how often somebody asks; what is agreed to is taken back."""
    lookup = context.custody.data.lookup
    at_source = (lookup("phones_asked_from", source_of(address_of(http))), UNGUESSABLE_LIMITS)
    if citizen_id is None:
        return [at_source]
    # Whoever has the password could wear the holder down with requests (KC CVE-2026-9798).
    return [(lookup("phones_asked_of", citizen_id), context.asking_limits), at_source]


def _take_back(context: Context, uow: UnitOfWork, http: Request, citizen_id: str | None) -> None:
    for key, _ in _counters(context, http, citizen_id):
        uow.attempts.take_back(key)


def _asked_from(http: Request, visit: Visit) -> AskedFrom:
    client, request = visit.client, visit.request
    link = None if request is None else request.account_link
    return AskedFrom(
        address=address_of(http),
        browser=browser_kind(http.headers.get("user-agent", "")),
        network=None if client is None else client.client_name,
        domain=None if client is None else domain_of(client),
        account=None if link is None else link.handle or link.account_id,
    )


async def _page(context: Context, uow: UnitOfWork, http: Request, place: Place, now: datetime) -> Response:
    approval = await _asked(context, uow, http, place)
    state = _state(approval, now)
    if approval is None or state is AskingState.BEGIN:
        return _show(context, http, place, state)
    if state is not AskingState.OPEN:
        return _show(context, http, place, state, number=approval.number, mark=_mark(approval, now))
    shown = show_code(context, uow, approval, now)
    await uow.commit()
    return _show(context, http, place, state, code=shown, mark=_mark(approval, now))


def _state(approval: PhoneApproval | None, now: datetime) -> AskingState:
    """Return how far what was asked is; over is as if nothing was, except where it was refused."""
    if approval is None:
        return AskingState.BEGIN
    if approval.status in {ApprovalStatus.REFUSED, ApprovalStatus.WRONG_NUMBER}:
        return AskingState(approval.status.value)
    if now >= approval.expires_at or approval.consumed_at is not None:
        return AskingState.BEGIN
    return AskingState(approval.status.value)


def _mark(approval: PhoneApproval | None, now: datetime) -> str:
    state = _state(approval, now)
    is_changing = approval is not None and state is AskingState.OPEN
    return f"{state}.{code_window(approval, now)[0]}" if approval and is_changing else state.value


def _show(
    context: Context,
    http: Request,
    place: Place,
    state: AskingState,
    *,
    number: str | None = None,
    code: str = "",
    mark: str = "",
    retry_at: datetime | None = None,
) -> Response:
    action = place.address(context)
    code_uri = f"{context.issuer}/app#{code}"
    view = AskPhonePage(
        client=place.visit.header(context),
        state=state,
        mark=mark or state.value,
        action=action,
        finish_action=f"{action}/finish",
        state_uri=f"{action}/state",
        other_ways_uri=action.removesuffix("/phone"),
        is_step_up=place.kind is ApprovalKind.STEP_UP,
        code=shown_user_code(code) if code else "",
        code_uri=code_uri if code else "",
        here_uri=f"{context.issuer}/app/here/{place.visit.visit_id}",
        number=number,
        retry_at=retry_at,
    )
    return show(http, view, request=place.visit.request, status=_STATUS.get(state, 200))
