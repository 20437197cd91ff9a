"""Which code were you given? The first step of everybody who was given one: a number, and the code. R19.

Both are asked: whoever finds a letter does not know the number, and a letter that came to another person of
the same name opens nothing for them. Whatever is wrong reads the same and costs the same, one count, two
looks and one commit; only whoever has the right code of the right person learns how it stands. P5, P6.
"""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.identity.activation_codes import read_activation_code
from idp.identity.activation_grounds import Purpose
from idp.identity.activations import Activation, NotUsableError, Standing, check_usable
from idp.identity.citizens import CitizenStatus
from idp.identity.identifiers import IdentifierKind, normalise_identifier
from idp.pages.activation_views import ActivatePage, CodeNotice
from idp.pages.frame import read_own_form, show
from idp.pages.visit import OWN, Visit, load_visit
from idp.store.authenticators import SignInRecord
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other, with_retry_after
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.journey import enrolled_methods
from idp.web.requests import is_id
from idp.web.state import Context, context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)

LONGEST_NUMBER = 64


@router.get("/activate")
async def activate_page_alone(http: Request) -> Response:
    """Show the form; where the QR code of a letter leads."""
    return await activate_page(http, OWN)


@router.post("/activate")
async def activate_alone(http: Request) -> Response:
    """Take number and code of whoever came by themselves."""
    return await activate(http, OWN)


@router.get("/activate/{visit_id}")
async def activate_page(http: Request, visit_id: str) -> Response:
    """Show the form to whoever was sent by a network."""
    context = context_of(http)
    visit = await load_visit(context, context.unit_of_work(), http, visit_id, context.clock())
    return show_form(context, http, visit, CodeNotice.AGAIN if "again" in http.query_params else None)


@router.post("/activate/{visit_id}")
async def activate(http: Request, visit_id: str) -> Response:
    """Take number and code, and lead this browser, and no other, to where it is used."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    form = await read_own_form(http)
    typed = form.get("identifier", "").strip()
    code = read_activation_code(form.get("code", ""))
    if code is None:
        # Nobody's code looks like this, so nothing is tried, counted or told by saying so.
        return show_form(context, http, visit, CodeNotice.MISTYPED, identifier=typed, status=400)
    identifier = normalise_identifier(typed)
    counted_as = typed[:LONGEST_NUMBER] if identifier is None else identifier.value
    try:
        attempt = await count_credential_attempt(
            context, uow, CredentialPath.ACTIVATION, counted_as, http, now
        )
    except ThrottledError as throttled:
        note(http, refused="throttled")
        answer = show_form(
            context,
            http,
            visit,
            CodeNotice.THROTTLED,
            identifier=typed,
            status=429,
            retry_at=throttled.retry_at,
        )
        return with_retry_after(answer, throttled.retry_at - now)
    kind = IdentifierKind.PERSONAL_NUMBER if identifier is None else identifier.kind
    record = await uow.authenticators.find_for_sign_in(kind.value, counted_as)
    activation = await uow.activations.find_by_code(code)
    notice = _notice(record, activation, now)
    cookies = Cookies(context.is_secure)
    browser = cookies.read(http, cookies.browser) or secrets.token_urlsafe(32)
    # A code that is not this person's is claimed for nobody: the gate closes, as for one that never was.
    uow.activations.claim(code if notice is None else "", browser, now)
    if notice is None:
        attempt.succeeded(uow, now)
    try:
        await uow.commit()
    except GateClosedError:
        notice = notice or CodeNotice.OVER
    if notice is not None or activation is None:
        note(http, refused=(notice or CodeNotice.WRONG).value)
        is_early = notice is CodeNotice.TOO_EARLY
        usable_from = activation.usable_from if activation is not None and is_early else None
        return show_form(context, http, visit, notice, identifier=typed, status=400, usable_from=usable_from)
    note(http, citizen_id=activation.citizen_id, activation_id=activation.activation_id)
    answer = see_other(f"{context.issuer}/activate/{visit_id}/{activation.activation_id}")
    if cookies.read(http, cookies.browser) is None:
        cookies.set_browser(answer, browser)
    return answer


def _notice(record: SignInRecord | None, activation: Activation | None, now: datetime) -> CodeNotice | None:
    """Return what keeps a number and a code from being used together; None where nothing does."""
    if record is None or activation is None or record.citizen_id != activation.citizen_id:
        return CodeNotice.WRONG
    if record.status is not CitizenStatus.ACTIVE:
        return CodeNotice.NOT_USABLE
    if is_overtaken(activation, record):
        return CodeNotice.OVER
    try:
        check_usable(activation, now)
    except NotUsableError as refused:
        return CodeNotice.TOO_EARLY if refused.standing is Standing.WAITING else CodeNotice.OVER
    return None


def is_overtaken(activation: Activation, record: SignInRecord | None) -> bool:
    """Tell whether a first code comes too late: its person has come to ways of signing in without it.

    It waits for nobody and asks for nothing but itself, so from then on it would take over what there is;
    that is a recovery. A letter lies about for a month.
    """
    return activation.purpose is Purpose.ENROLMENT and bool(enrolled_methods(record))


def show_form(
    context: Context,
    http: Request,
    visit: Visit,
    notice: CodeNotice | None = None,
    *,
    identifier: str = "",
    status: int = 200,
    retry_at: datetime | None = None,
    usable_from: datetime | None = None,
) -> Response:
    """Show the page with a notice."""
    view = ActivatePage(
        client=visit.header(context),
        action=f"{context.issuer}/activate/{visit.visit_id}",
        identifier=identifier[:LONGEST_NUMBER],
        notice=notice,
        retry_at=retry_at,
        usable_from=usable_from,
        recovery_uri=f"{context.issuer}/recovery",
    )
    return show(http, view, request=visit.request, status=status)


async def find_claimed(
    context: Context, uow: UnitOfWork, http: Request, activation_id: str
) -> tuple[Activation, str] | None:
    """Return an activation whose code was typed in this browser, and the browser; else nothing."""
    cookies = Cookies(context.is_secure)
    browser = cookies.read(http, cookies.browser)
    if browser is None or not is_id(activation_id):
        return None
    found = await uow.activations.find_claimed(activation_id, browser)
    return None if found is None else (found, browser)
