"""Sign in on the phone itself: the browser that asks is the one that has the key.

No code and no number: nothing travels between two screens, so there is nothing to relay. The phone signs a
fresh challenge together with the visit, the PIN is verified, and the session begins in this very browser. It
counts as an approval does, `vn-2` and never `phr`: nobody who reads it later can tell the one from the other.
"""

from dataclasses import replace

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.app_devices import SignedPurpose, WrongSignatureError
from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.throttling import ThrottledError
from idp.identity.assurance import AMR_OF, Acr, Method, authentication_context
from idp.identity.citizens import CitizenStatus
from idp.identity.sessions import is_just_shown
from idp.pages.frame import show
from idp.pages.phone_requests import Opened, opened_or_door, sent_or_door, show_in_app, worker_uri
from idp.pages.phone_views import AnsweredState, AnswerProblem, PhoneAnsweredPage, PhoneHerePage
from idp.pages.visit import Visit, load_visit
from idp.store.writes import GateClosedError
from idp.web.answers import see_other, with_retry_after
from idp.web.arrival import begin_session, lead_on
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.journey import find_signed_in
from idp.web.phones import (
    DeviceRevokedError,
    WrongPINError,
    app_form_token,
    check_signed,
    find_device,
    new_challenge,
    spend_challenge,
    verify_pin,
)
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/app/here/{visit_id}")
async def here_page(http: Request, visit_id: str) -> Response:
    """Ask for the PIN, or lead on whoever has just shown as much."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    if await find_device(context, uow, http, now) is None:
        # Behind `#`, for the door's script: it comes back here when the app is open.
        return see_other(f"{context.issuer}/app#here/{visit_id}")
    opened = await opened_or_door(http)
    if isinstance(opened, Response):
        return opened
    signed_in = None if visit.interaction else await find_signed_in(context, uow, http, now)
    if signed_in is not None and signed_in.citizen.citizen_id == opened.device.citizen_id:
        shown = signed_in.session.context
        if shown.acr.satisfies(Acr.VN_2) and is_just_shown(shown, now):
            return see_other(visit.onward_uri)
    return show_in_app(http, opened, _view(http, opened, visit))


@router.post("/app/here/{visit_id}")
async def sign_in_here(http: Request, visit_id: str) -> Response:
    """Verify signature and PIN, begin the session and lead on."""
    sent = await sent_or_door(http)
    if isinstance(sent, Response):
        return sent
    opened, form = sent
    context, uow, device, now = opened
    visit = await load_visit(context, uow, http, visit_id, now)
    view = _view(http, opened, visit)
    challenge, signature = form.get("challenge", ""), form.get("signature", "")
    try:
        check_signed(context, device, SignedPurpose.SIGN_IN, (challenge, visit.visit_id), signature)
        await verify_pin(context, uow, http, device, form.get("pin", ""), now)
        spend_challenge(context, uow, challenge, now)
    except WrongSignatureError:
        note(http, refused="wrong_signature")
        return show_in_app(http, opened, replace(view, problem=AnswerProblem.SIGNATURE), 400)
    except WrongPINError as wrong:
        note(http, refused="wrong_pin")
        wrong_view = replace(view, problem=AnswerProblem.WRONG_PIN, tries_left=wrong.tries_left)
        return show_in_app(http, opened, wrong_view, 400)
    except DeviceRevokedError:
        return _revoked(http, opened)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        late = replace(view, problem=AnswerProblem.THROTTLED, retry_at=throttled.retry_at)
        return with_retry_after(show_in_app(http, opened, late, 429), throttled.retry_at - now)
    except HashingOverloadedError as overloaded:
        late = replace(view, problem=AnswerProblem.OVERLOADED)
        return with_retry_after(show_in_app(http, opened, late, 503), overloaded.retry_after)
    record = await uow.authenticators.find(device.citizen_id)
    if record is None or record.status is not CitizenStatus.ACTIVE:
        note(http, refused="citizen_not_active")
        return show_in_app(http, opened, replace(view, problem=AnswerProblem.NOT_USABLE), 403)
    at = authentication_context(AMR_OF[Method.APP], now)
    cookie = await begin_session(
        context,
        uow,
        http,
        device.citizen_id,
        at,
        now,
        client_id=visit.client_id,
        method=Method.APP.value,
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        note(http, refused=closed.gate)
        return show_in_app(http, opened, replace(view, problem=AnswerProblem.SIGNATURE), 400)
    return lead_on(context, http, visit.onward_uri, cookie)


def _view(http: Request, opened: Opened, visit: Visit) -> PhoneHerePage:
    context, device = opened.context, opened.device
    challenge = new_challenge(context, opened.now)
    return PhoneHerePage(
        client=visit.header(context),
        csrf=app_form_token(context, device),
        app_uri=f"{context.issuer}/app",
        worker_uri=worker_uri(http),
        action=f"{context.issuer}/app/here/{visit.visit_id}",
        device_id=device.device_id,
        fields=orjson.dumps([challenge, visit.visit_id]).decode(),
        challenge=challenge,
        other_ways_uri=f"{context.issuer}/sign-in/{visit.visit_id}",
    )


def _revoked(http: Request, opened: Opened) -> Response:
    issuer = opened.context.issuer
    view = PhoneAnsweredPage(
        app_uri=f"{issuer}/app",
        worker_uri=worker_uri(http),
        state=AnsweredState.REVOKED,
        requests_uri=f"{issuer}/app/requests",
    )
    answer = show(http, view, status=403)
    Cookies(opened.context.is_secure).clear_app(answer)
    return answer
