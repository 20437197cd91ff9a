"""Is it really you? The one-time code that lifts a session. RFC 6238 §5.2, RFC 9470."""

import secrets
from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.authenticators.throttling import SECOND_FACTOR_LIMITS, ThrottledError
from idp.authenticators.totp import WrongCodeError, verify_totp
from idp.identity.assurance import AuthenticationContext, Method, authentication_context
from idp.pages.frame import read_own_form, show
from idp.pages.views import SecondFactorNotice, SecondFactorPage
from idp.pages.visit import Visit, load_visit
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other, with_retry_after
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.journey import find_signed_in
from idp.web.state import Context, context_of
from idp.web.throttle import count_second_factor_attempt

router = APIRouter(include_in_schema=False)

TOTP_STEP_GATE = "totp_step"


@router.get("/second-factor/{visit_id}")
async def second_factor_page(http: Request, visit_id: str) -> Response:
    """Show the form, to somebody whose first factor is known."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    if Method.ONE_TIME_PASSWORD.value in signed_in.session.context.amr:
        return see_other(visit.onward_uri)
    return _show(context, http, visit, signed_in)


@router.post("/second-factor/{visit_id}")
async def second_factor(http: Request, visit_id: str) -> Response:
    """Verify the code and lift the session to two factors under a new cookie."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    form = await read_own_form(http)
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    citizen_id = signed_in.citizen.citizen_id
    note(http, citizen_id=citizen_id)
    try:
        key = await count_second_factor_attempt(context, uow, citizen_id, now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        notice, retry_at = SecondFactorNotice.THROTTLED, throttled.retry_at
        answer = _show(context, http, visit, signed_in, notice, retry_at=retry_at, status=429)
        return with_retry_after(answer, retry_at - now)
    record = await uow.authenticators.find(citizen_id)
    if record is None or record.totp_secret is None:
        return see_other(visit.onward_uri)
    try:
        step = verify_totp(record.totp_secret, form.get("code", ""), now, record.totp_last_used_step)
    except WrongCodeError:
        note(http, refused="wrong_code")
        return await _wrong(context, uow, http, visit, signed_in, key)
    uow.authenticators.use_totp_step(citizen_id, step)
    uow.attempts.forget(key)
    return await _lift(context, uow, http, visit, signed_in, now)


async def _lift(
    context: Context, uow: UnitOfWork, http: Request, visit: Visit, signed_in: SignedIn, now: datetime
) -> Response:
    cookies = Cookies(context.is_secure)
    cookie_before, cookie = cookies.read(http, cookies.session) or "", secrets.token_urlsafe(32)
    at = _with_code(signed_in.session.context)
    uow.sessions.lift(replace(signed_in.session, context=at, last_seen_at=now), cookie_before, cookie)
    uow.ledger.append(
        Event(
            type="citizen:stepped_up",
            actor=Actor(ActorKind.CITIZEN, signed_in.citizen.citizen_id),
            occurred_at=now,
            client_id=visit.client_id,
            citizen_id=signed_in.citizen.citizen_id,
            details={"method": Method.ONE_TIME_PASSWORD.value, "acr": at.acr.value},
        )
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        note(http, refused=closed.gate)
        if closed.gate == TOTP_STEP_GATE:
            return _show(context, http, visit, signed_in, SecondFactorNotice.USED, status=400)
        return see_other(visit.onward_uri)
    answer = see_other(visit.onward_uri)
    cookies.set_session(answer, cookie)
    return answer


def _with_code(before: AuthenticationContext) -> AuthenticationContext:
    """Add the code to what was shown before; `auth_time` stays that of the oldest factor that counts."""
    methods = {Method(name) for name in before.amr if name != "mfa"} | {Method.ONE_TIME_PASSWORD}
    return authentication_context(methods, before.auth_time)


async def _wrong(
    context: Context, uow: UnitOfWork, http: Request, visit: Visit, signed_in: SignedIn, key: bytes
) -> Response:
    counters = await uow.attempts.find((key, key, key, key), context.clock())
    used = counters[key].failures if key in counters else 1
    left = max(0, SECOND_FACTOR_LIMITS.free - used)
    return _show(context, http, visit, signed_in, SecondFactorNotice.WRONG, left=left, status=400)


def _show(
    context: Context,
    http: Request,
    visit: Visit,
    signed_in: SignedIn,
    notice: SecondFactorNotice | None = None,
    *,
    left: int | None = None,
    retry_at: datetime | None = None,
    status: int = 200,
) -> Response:
    started_at = None if visit.interaction is None else visit.interaction.created_at
    view = SecondFactorPage(
        client=visit.header(context),
        action=f"{context.issuer}/second-factor/{visit.visit_id}",
        is_step_up=started_at is not None and signed_in.session.context.auth_time < started_at,
        notice=notice,
        attempts_left=left,
        retry_at=retry_at,
        sign_in_uri=f"{context.issuer}/sign-in/{visit.visit_id}",
    )
    return show(http, view, request=visit.request, status=status)
