"""The app on the phone: an installable page that opens with the phone's own key.

It stands for the app of an identity service: a manifest (`static/app-*.webmanifest`) and a worker of its
own make it installable, and let it say that there is no connection. What it shows are pages like all
others; the script only makes and keeps the key (IndexedDB, not extractable), signs, and looks whether
something new waits.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from idp.authenticators.app_devices import SignedPurpose, WrongSignatureError
from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.pages.frame import pages_of, read_own_form, show
from idp.pages.phone_views import AppDoorPage, AppOfflinePage
from idp.pages.rendering import STATIC
from idp.store.writes import GateClosedError
from idp.web.answers import json_answer, with_retry_after
from idp.web.cookies import Cookies
from idp.web.failures import note
from idp.web.phones import (
    app_cookie,
    app_form_token,
    check_signed,
    find_usable_device,
    new_challenge,
    spend_challenge,
)
from idp.web.requests import is_id
from idp.web.state import context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)


@router.get("/app")
async def door(http: Request) -> Response:
    """Show the door, which the script opens with the key, or says how the phone is set up."""
    issuer = context_of(http).issuer
    view = AppDoorPage(
        app_uri=f"{issuer}/app",
        worker_uri=_worker_uri(http),
        enrol_uri=f"{issuer}/app/enrol",
        phones_uri=f"{issuer}/my/phones",
        scan_action=f"{issuer}/app/requests",
    )
    return show(http, view)


@router.get("/app/offline")
async def offline(http: Request) -> Response:
    """Show what the phone keeps for when there is no connection."""
    issuer = context_of(http).issuer
    return show(http, AppOfflinePage(app_uri=f"{issuer}/app", worker_uri=_worker_uri(http)))


@router.get("/app/worker.js")
async def worker() -> Response:
    """Return the worker: at an address whose scope is the app's (Service Workers §4.4)."""
    return FileResponse(
        STATIC / "app_worker.js",
        media_type="text/javascript",
        headers={
            "Cache-Control": "no-cache",
            "Service-Worker-Allowed": "/app",
            # A worker's fetches are ruled by its own policy, not by the page's (CSP 3 §4.2.1).
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
        },
    )


@router.get("/app/challenge")
async def challenge(http: Request) -> Response:
    """Return what the phone signs to open the app."""
    context = context_of(http)
    return json_answer({"challenge": new_challenge(context, context.clock())})


@router.post("/app/enter")
async def enter(http: Request) -> Response:
    """Open the app for the phone that signed; its script reads the answer."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PHONE_CODE, None, http, now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        return with_retry_after(json_answer({"entered": False}, 429), throttled.retry_at - now)
    device_id, challenged = form.get("device_id", ""), form.get("challenge", "")
    device = await find_usable_device(uow, device_id) if is_id(device_id) else None
    if device is None:
        note(http, refused="unknown_device")
        return json_answer({"entered": False}, 403)
    try:
        spend_challenge(context, uow, challenged, now)
        check_signed(context, device, SignedPurpose.ENTER, (challenged,), form.get("signature", ""))
        attempt.succeeded(uow, now)
        await uow.commit()
    except (WrongSignatureError, GateClosedError):
        note(http, refused="wrong_signature")
        return json_answer({"entered": False}, 403)
    note(http, citizen_id=device.citizen_id)
    answer = json_answer({"entered": True, "csrf": app_form_token(context, device)})
    Cookies(context.is_secure).set_app(answer, app_cookie(context, device, now))
    return answer


def _worker_uri(http: Request) -> str:
    return f"{context_of(http).issuer}/app/worker.js?v={pages_of(http).static_version}"
