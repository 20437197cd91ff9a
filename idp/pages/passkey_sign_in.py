"""A passkey instead of a number and a password, or as the second proof. WebAuthn §7.2, EAP ACR Values §4.

Nobody has to say who they are before: the passkey says it. What is wrong is told next to the button, and the
other ways stay open.
"""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.identity.assurance import Method, authentication_context
from idp.pages.frame import read_own_form
from idp.pages.second_factor import Asked, asked_or_way, lift, show_ways
from idp.pages.sign_in import show_sign_in
from idp.pages.sign_in_views import SignInNotice
from idp.pages.visit import Visit, load_visit
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import with_retry_after
from idp.web.arrival import SESSION_LIFTED_GATE, begin_session, lead_on
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.passkeys import (
    PasskeyProblem,
    PasskeyRefusedError,
    PasskeySignIn,
    verify_sign_in,
    verify_step_up,
)
from idp.web.state import Context, context_of
from idp.web.throttle import CredentialAttempt, count_credential_attempt

router = APIRouter(include_in_schema=False)

_STATUS = {PasskeyProblem.NOT_USABLE: 403, PasskeyProblem.THROTTLED: 429}


@router.post("/sign-in/{visit_id}/passkey")
async def sign_in_by_passkey(http: Request, visit_id: str) -> Response:
    """Verify a passkey, begin the session of its holder and go on."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    form = await read_own_form(http)
    cookies = Cookies(context.is_secure)
    browser = cookies.read(http, cookies.browser) or ""
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PASSKEY, None, http, now)
        shown = await verify_sign_in(context, uow, form.get("credential", ""), browser, now)
    except ThrottledError as throttled:
        answer = _refused(context, http, visit, PasskeyProblem.THROTTLED, retry_at=throttled.retry_at)
        return with_retry_after(answer, throttled.retry_at - now)
    except PasskeyRefusedError as refused:
        return _refused(context, http, visit, refused.problem)
    return await _arrive(context, uow, http, visit, shown, attempt, now)


async def _arrive(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    visit: Visit,
    shown: PasskeySignIn,
    attempt: CredentialAttempt,
    now: datetime,
) -> Response:
    cookie = await begin_session(
        context,
        uow,
        http,
        shown.citizen_id,
        authentication_context(shown.amr, now),
        now,
        client_id=visit.client_id,
        method=shown.method.value,
    )
    attempt.succeeded(uow, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        note(http, refused=closed.gate)
        if closed.gate == SESSION_LIFTED_GATE:
            # Another tab renewed the session in this moment; the person is asked once more.
            return show_sign_in(context, http, visit, SignInNotice.SESSION_ENDED)
        return _refused(context, http, visit, PasskeyProblem.OUTDATED)
    note(http, citizen_id=shown.citizen_id)
    return lead_on(context, http, visit.onward_uri, cookie)


@router.post("/second-factor/{visit_id}/passkey")
async def step_up_by_passkey(http: Request, visit_id: str) -> Response:
    """Verify a passkey of the person who is signed in, and lift their session."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    asked = await asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response):
        return asked
    session = asked.signed_in.session
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PASSKEY, None, http, now)
        shown = await verify_step_up(
            context, uow, form.get("credential", ""), session.citizen_id, session.session_id, now
        )
    except ThrottledError as throttled:
        answer = _not_lifted(context, http, asked, PasskeyProblem.THROTTLED, throttled.retry_at)
        return with_retry_after(answer, throttled.retry_at - now)
    except PasskeyRefusedError as refused:
        return _not_lifted(context, http, asked, refused.problem)
    attempt.succeeded(uow, now)
    return await lift(context, uow, http, asked, shown.amr, shown.method, now)


def _refused(
    context: Context,
    http: Request,
    visit: Visit,
    problem: PasskeyProblem,
    *,
    retry_at: datetime | None = None,
) -> Response:
    note(http, refused=f"passkey_{problem.value}")
    status = _STATUS.get(problem, 400)
    return show_sign_in(context, http, visit, None, passkey_problem=problem, retry_at=retry_at, status=status)


def _not_lifted(
    context: Context,
    http: Request,
    asked: Asked,
    problem: PasskeyProblem,
    retry_at: datetime | None = None,
) -> Response:
    note(http, refused=f"passkey_{problem.value}")
    status = _STATUS.get(problem, 400)
    return show_ways(context, http, asked, problem, about=Method.PASSKEY, retry_at=retry_at, status=status)
