"""Who are you? Identifier and password. The first factor; the session begins here.

Known and unknown identifiers take the same way: both are counted, both cost one hash, both read the
same words. NIST SP 800-63B §3.1.1, §3.2.2; abuse cases 15, 18, P5, P6.
"""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.password import (
    DUMMY_HASH,
    WrongPasswordError,
    hash_password,
    needs_rehash,
    verify_password,
)
from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.identity.assurance import Method, authentication_context
from idp.identity.citizens import CitizenStatus
from idp.identity.identifiers import normalise_identifier
from idp.pages.frame import read_own_form, show
from idp.pages.sign_in_views import PasskeyAsk, SignInNotice, SignInPage
from idp.pages.upstream_sign_in import upstream_ways
from idp.pages.visit import Visit, load_visit
from idp.store.authenticators import SignInRecord
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import with_retry_after
from idp.web.arrival import begin_session, lead_on
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.passkeys import PasskeyProblem, sign_in_options
from idp.web.state import Context, context_of
from idp.web.throttle import CredentialAttempt, count_credential_attempt

router = APIRouter(include_in_schema=False)


@router.get("/sign-in/{visit_id}")
async def sign_in_page(http: Request, visit_id: str) -> Response:
    """Show the form."""
    context = context_of(http)
    visit = await load_visit(context, context.unit_of_work(), http, visit_id, context.clock())
    request = visit.request
    hint = None if request is None else request.login_hint
    wants_fresh = request is not None and ("login" in request.prompt or request.max_age is not None)
    has_session = Cookies(context.is_secure).session in http.cookies
    notice = SignInNotice.AGAIN if wants_fresh and has_session else None
    if "signed_out" in http.query_params:
        notice = SignInNotice.SIGNED_OUT
    return show_sign_in(context, http, visit, notice, identifier=hint or "")


@router.post("/sign-in/{visit_id}")
async def sign_in(http: Request, visit_id: str) -> Response:
    """Verify identifier and password, begin a session and go on."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    form = await read_own_form(http)
    typed, password = form.get("identifier", "").strip(), form.get("password", "")
    identifier = normalise_identifier(typed)
    counted_as = typed[:64] if identifier is None else identifier.value
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PASSWORD, counted_as, http, now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        notice, retry_at = SignInNotice.THROTTLED, throttled.retry_at
        answer = show_sign_in(context, http, visit, notice, identifier=typed, status=429, retry_at=retry_at)
        return with_retry_after(answer, retry_at - now)
    record = None
    if identifier is not None:
        record = await uow.authenticators.find_for_sign_in(identifier.kind.value, identifier.value)
    known_hash = None if record is None else record.password_hash
    try:
        await context.hashing.run(verify_password, known_hash or DUMMY_HASH, password)
    except WrongPasswordError:
        note(http, refused="wrong_credentials")
        return show_sign_in(context, http, visit, SignInNotice.WRONG, identifier=typed, status=400)
    except HashingOverloadedError as overloaded:
        note(http, refused="overloaded")
        answer = show_sign_in(context, http, visit, SignInNotice.OVERLOADED, identifier=typed, status=503)
        return with_retry_after(answer, overloaded.retry_after)
    if record is None or known_hash is None:
        # The dummy's password is unknowable; should somebody ever hit it, nobody is signed in.
        return show_sign_in(context, http, visit, SignInNotice.WRONG, identifier=typed, status=400)
    if record.status is not CitizenStatus.ACTIVE:
        note(http, refused="citizen_not_active")
        return show_sign_in(context, http, visit, SignInNotice.NOT_USABLE, status=403)
    await _renew_hash(context, uow, record.citizen_id, known_hash, password, now)
    return await _arrive(context, uow, http, visit, record, attempt, now)


async def _renew_hash(
    context: Context, uow: UnitOfWork, citizen_id: str, known_hash: str, password: str, now: datetime
) -> None:
    """Record a hash with today's parameters for a weaker one: only now is the password known."""
    if not needs_rehash(known_hash):
        return
    try:
        renewed = await context.hashing.run(hash_password, password)
    except HashingOverloadedError:
        return  # the next sign-in will do
    uow.authenticators.put_password(citizen_id, renewed, now)


async def _arrive(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    visit: Visit,
    record: SignInRecord,
    attempt: CredentialAttempt,
    now: datetime,
) -> Response:
    at = authentication_context((Method.PASSWORD,), context.clock())
    cookie = await begin_session(
        context,
        uow,
        http,
        record.citizen_id,
        at,
        now,
        client_id=visit.client_id,
        method=Method.PASSWORD.value,
    )
    attempt.succeeded(uow, now)
    try:
        await uow.commit()
    except GateClosedError:
        # Another tab renewed the session in this moment; the person is asked once more, nothing is lost.
        return show_sign_in(context, http, visit, SignInNotice.SESSION_ENDED)
    note(http, citizen_id=record.citizen_id)
    return lead_on(context, http, visit.onward_uri, cookie)


def show_sign_in(
    context: Context,
    http: Request,
    visit: Visit,
    notice: SignInNotice | None,
    *,
    identifier: str = "",
    status: int = 200,
    retry_at: datetime | None = None,
    passkey_problem: PasskeyProblem | None = None,
) -> Response:
    """Show every way to say who one is, and what went wrong with one.

    The browser gets a cookie, if it has none: a passkey answers the page of one browser.
    """
    cookies = Cookies(context.is_secure)
    cookie = cookies.read(http, cookies.browser)
    browser = cookie or secrets.token_urlsafe(32)
    action = f"{context.issuer}/sign-in/{visit.visit_id}"
    view = SignInPage(
        client=visit.header(context),
        action=action,
        is_for_approval=visit.is_for_approval,
        identifier=identifier[:64],
        notice=notice,
        retry_at=retry_at,
        upstreams=upstream_ways(context, visit.visit_id),
        passkey=PasskeyAsk(
            action=f"{action}/passkey",
            options=sign_in_options(context, browser, context.clock()),
            problem=passkey_problem,
            retry_at=retry_at,
        ),
    )
    answer = show(http, view, request=visit.request, status=status)
    if cookie is None:
        cookies.set_browser(answer, browser)
    return answer
