"""Which device? The code that it shows, typed by whoever is signed in here. RFC 8628 §3.3, §5.1, §5.4.

An address with the code in it only fills the field: the person still compares it with what stands on their
device and presses, and then sees who asks (§3.3.1). From then on the request is theirs alone.
"""

from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.pages.approval_views import DevicePage
from idp.pages.frame import form_token, person_name, show
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.pages.visit import DEVICE
from idp.protocol.decoupled_request import DecoupledRequest
from idp.protocol.device_request import read_user_code, shown_user_code
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other, with_retry_after
from idp.web.approvals import approval_id
from idp.web.failures import note
from idp.web.state import Context, context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)


@router.get("/device")
async def device_page(http: Request) -> Response:
    """Ask for the code."""
    context = context_of(http)
    code = read_user_code(http.query_params.get("user_code", ""))
    visit_id = DEVICE if code is None else f"{DEVICE}.{shown_user_code(code)}"
    entered = await signed_in_or_way(context, context.unit_of_work(), http, context.clock(), visit_id)
    if isinstance(entered, Response):
        return entered
    return show(http, _view(context, entered, "" if code is None else shown_user_code(code)))


@router.post("/device")
async def device(http: Request) -> Response:
    """Find the device whose code it is, and lead on to what it asks."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, DEVICE)
    if isinstance(sent, Response):
        return sent
    entered, form = sent
    typed = form.get("user_code", "")
    person = entered.citizen.citizen_id
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.USER_CODE, person, http, now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        view = replace(_view(context, entered, typed), retry_at=throttled.retry_at)
        return with_retry_after(show(http, view, status=429), throttled.retry_at - now)
    found = await _claimed(uow, typed, person, now)
    if found is None:
        note(http, refused="wrong_user_code")
        return show(http, replace(_view(context, entered, typed), is_wrong=True), status=400)
    attempt.succeeded(uow, now)
    await uow.commit()
    return see_other(f"{context.issuer}/approvals/{approval_id(found)}")


async def _claimed(uow: UnitOfWork, typed: str, citizen_id: str, now: datetime) -> DecoupledRequest | None:
    """Return the request whose code was typed, from now on this person's; None for any other code.

    A code that somebody else typed before reads like one that never was (abuse class 7, DOT #1819).
    """
    code = read_user_code(typed)
    found = None if code is None else await uow.backchannel_requests.find_by_user_code(code)
    if found is None or not found.is_open(now):
        return None
    if found.citizen_id is None:
        uow.backchannel_requests.claim(found, citizen_id, now)
        try:
            await uow.commit()
        except GateClosedError:
            return None
        return found
    return found if found.citizen_id == citizen_id else None


def _view(context: Context, entered: SignedIn, user_code: str) -> DevicePage:
    return DevicePage(
        csrf=form_token(context, entered.session),
        action=f"{context.issuer}/device",
        person=person_name(context, entered.citizen),
        user_code=user_code[:16],
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
