"""Cannot sign in? Which way is still there; and the one that begins with a recovery code. R19.

A recovery code signs nobody in: it opens a recovery, which is told on every way at once, waits, and can be
stopped. Number and code are taken as at /activate: whatever is wrong reads the same and costs the same.
Whether the person's e-ID may be used is looked at when the recovery is: by then it may have been unlocked.
"""

from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.recovery_codes import RecoveryCodeError, read_recovery_code
from idp.authenticators.throttling import CHANGE_LIMITS, CredentialPath, ThrottledError
from idp.identity.activation_codes import shown_activation_code
from idp.identity.activation_grounds import Ground
from idp.identity.identifiers import IdentifierKind, normalise_identifier
from idp.pages.activate import LONGEST_NUMBER
from idp.pages.activation_views import CodeNotice, RecoveryCodePage, RecoveryOpenedPage, RecoveryPage
from idp.pages.frame import read_own_form, show
from idp.pages.visit import OWN, load_visit
from idp.store.attempts import ATTEMPT_GATE
from idp.store.writes import GateClosedError
from idp.web.activations import Handed, open_recovery
from idp.web.answers import with_retry_after
from idp.web.credential_changes import recoveries_key
from idp.web.failures import note
from idp.web.state import Context, context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)


@router.get("/recovery")
async def recovery_page_alone(http: Request) -> Response:
    """Show the ways to whoever came by themselves."""
    return await recovery_page(http, OWN)


@router.get("/recovery/at/{visit_id}")
async def recovery_page(http: Request, visit_id: str) -> Response:
    """Show every way that is left, with the one that needs least first."""
    context = context_of(http)
    visit = await load_visit(context, context.unit_of_work(), http, visit_id, context.clock())
    view = RecoveryPage(
        client=visit.header(context),
        activate_uri=f"{context.issuer}/activate/{visit_id}",
        sign_in_uri=f"{context.issuer}/sign-in/{visit_id}",
        code_uri=f"{context.issuer}/recovery/code",
        own_uri=f"{context.issuer}/my/recovery",
        waiting_hours=hours(context.recovery_waiting),
    )
    return show(http, view, request=visit.request)


@router.get("/recovery/code")
async def recovery_code_page(http: Request) -> Response:
    """Ask for a number and a recovery code."""
    return _show(context_of(http), http)


@router.post("/recovery/code")
async def recovery_code(http: Request) -> Response:
    """Use the recovery code, open a recovery, and show its code once."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    typed, code = form.get("identifier", "").strip(), form.get("code", "")
    try:
        read_recovery_code(code)
    except RecoveryCodeError:
        # Nobody's code looks like this, so nothing is tried, counted or told by saying so.
        return _show(context, http, CodeNotice.MISTYPED, identifier=typed, status=400)
    identifier = normalise_identifier(typed)
    counted_as = typed[:LONGEST_NUMBER] if identifier is None else identifier.value
    try:
        attempt = await count_credential_attempt(
            context, uow, CredentialPath.RECOVERY_CODE, counted_as, http, now
        )
    except ThrottledError as throttled:
        note(http, refused="throttled")
        at = throttled.retry_at
        answer = _show(context, http, CodeNotice.THROTTLED, identifier=typed, status=429, retry_at=at)
        return with_retry_after(answer, at - now)
    kind = IdentifierKind.PERSONAL_NUMBER if identifier is None else identifier.kind
    record = await uow.authenticators.find_for_sign_in(kind.value, counted_as)
    # Nobody's codes are tried all the same: the commit takes as long, and its first gate closes.
    citizen_id = "" if record is None else record.citizen_id
    uow.recovery_codes.use(citizen_id, code, now)
    attempt.succeeded(uow, now)
    # Behind the gate of the code, which is spent: whoever makes sheet after sheet opens no more than others.
    uow.attempts.count(recoveries_key(context, citizen_id), CHANGE_LIMITS, now)
    handed = open_recovery(uow, citizen_id, Ground.RECOVERY_CODE, context.recovery_waiting, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        if closed.gate == ATTEMPT_GATE:
            note(http, refused="throttled")
            answer = _show(context, http, CodeNotice.THROTTLED, identifier=typed, status=429)
            return with_retry_after(answer, CHANGE_LIMITS.longest_pause)
        note(http, refused="wrong_credentials")
        return _show(context, http, CodeNotice.WRONG, identifier=typed, status=400)
    note(http, citizen_id=citizen_id, activation_id=handed.activation.activation_id)
    return show_opened(context, http, handed)


def show_opened(context: Context, http: Request, handed: Handed) -> Response:
    """Show from when on a recovery goes on, and with which code; once."""
    view = RecoveryOpenedPage(
        code=shown_activation_code(handed.code),
        usable_from=handed.activation.usable_from,
        expires_at=handed.activation.expires_at,
        activate_uri=f"{context.issuer}/activate",
    )
    return show(http, view)


def hours(waiting: timedelta) -> int:
    """Return a waiting time as pages say it."""
    return int(waiting.total_seconds() // 3600)


def _show(
    context: Context,
    http: Request,
    notice: CodeNotice | None = None,
    *,
    identifier: str = "",
    status: int = 200,
    retry_at: datetime | None = None,
) -> Response:
    view = RecoveryCodePage(
        action=f"{context.issuer}/recovery/code",
        identifier=identifier[:LONGEST_NUMBER],
        notice=notice,
        retry_at=retry_at,
        waiting_hours=hours(context.recovery_waiting),
        recovery_uri=f"{context.issuer}/recovery",
    )
    return show(http, view, status=status)
