"""Set this phone up: the code of a signed-in page, a key made here, a PIN chosen here.

The code alone sets up nothing: the page that showed it must be told the number of the phone that used it,
so that a photographed or overheard code adds no stranger's phone. Only where the phone's own browser is
signed in in the session that made the code, that page and the phone are one, and nothing is left to
compare.
"""

import secrets
from dataclasses import replace
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.app_devices import (
    DEVICES_PER_PERSON,
    AppDevice,
    KeyRefusedError,
    PINRefusedError,
    SignedPurpose,
    WrongSignatureError,
    check_pin,
    device_id_of,
    read_public_key,
    shown_name_of,
)
from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.phone_approvals import NUMBERS
from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.pages.frame import read_own_form, show
from idp.pages.phone_requests import worker_uri
from idp.pages.phone_views import EnrolledPage, EnrolPage, EnrolProblem
from idp.protocol.device_request import read_user_code
from idp.protocol.parameters import Parameters
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.answers import with_retry_after
from idp.web.failures import note
from idp.web.journey import find_signed_in
from idp.web.phones import check_signed, devices_of, hash_pin, record_added_device
from idp.web.state import Context, context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)

ENROLMENT_CODE = "enrolment"


class EnrolRefusedError(Exception):
    """The phone cannot be set up like this."""

    def __init__(self, problem: EnrolProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Invitation(NamedTuple):
    """Whose page shows the code."""

    citizen_id: str
    session_id: str


@router.get("/app/enrol")
async def enrol_page(http: Request) -> Response:
    """Ask for code, name and PIN; a code behind `#` is filled in by the script."""
    return show(http, _view(http))


@router.post("/app/enrol")
async def enrol(http: Request) -> Response:
    """Set the phone up, usable once the page that showed the code knows its number."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    view = replace(_view(http), code=form.get("code", "")[:16], name=shown_name_of(form.get("name", "")))
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PHONE_CODE, None, http, now)
        invitation, code = await _invitation(context, uow, form)
        device = await _device(context, uow, form, code, invitation)
        attempt.succeeded(uow, now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        late = replace(view, problem=EnrolProblem.THROTTLED, retry_at=throttled.retry_at)
        return with_retry_after(show(http, late, status=429), throttled.retry_at - now)
    except HashingOverloadedError as overloaded:
        late = replace(view, problem=EnrolProblem.OVERLOADED)
        return with_retry_after(show(http, late, status=503), overloaded.retry_after)
    except EnrolRefusedError as refused:
        note(http, refused=refused.problem.value)
        return show(http, replace(view, problem=refused.problem), status=400)
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is not None and signed_in.session.session_id == invitation.session_id:
        device = replace(device, confirmed_at=now, number=None)
        record_added_device(uow, device, now)
    uow.app_devices.add(device)
    uow.phone_approvals.use_code(ENROLMENT_CODE, code, now)
    try:
        await uow.commit()
    except (GateClosedError, UniquenessError):
        return show(http, replace(view, problem=EnrolProblem.CODE), status=400)
    issuer = context.issuer
    return show(
        http,
        EnrolledPage(
            app_uri=f"{issuer}/app",
            worker_uri=worker_uri(http),
            device_id=device.device_id,
            number=device.number,
        ),
    )


async def _invitation(context: Context, uow: UnitOfWork, form: Parameters) -> tuple[Invitation, str]:
    """Return whose page shows the code that was typed. Raises EnrolRefusedError."""
    code = read_user_code(form.get("code", ""))
    now = context.clock()
    subject = None if code is None else await uow.phone_approvals.find_code(ENROLMENT_CODE, code, now)
    if code is None or subject is None:
        raise EnrolRefusedError(EnrolProblem.CODE)
    citizen_id, _, session_id = subject.partition(" ")
    usable = [each for each in await devices_of(uow, citizen_id, now) if each.is_usable]
    if len(usable) >= DEVICES_PER_PERSON:
        raise EnrolRefusedError(EnrolProblem.TOO_MANY)
    return Invitation(citizen_id, session_id), code


async def _device(
    context: Context, uow: UnitOfWork, form: Parameters, code: str, invitation: Invitation
) -> AppDevice:
    """Return the phone with the key that it made and the PIN that was chosen. Raises EnrolRefusedError."""
    pin = form.get("pin", "").strip()
    try:
        check_pin(pin)
        public_key = read_public_key(form.get("public_key", ""))
    except PINRefusedError as refused:
        raise EnrolRefusedError(EnrolProblem(refused.reason)) from None
    except KeyRefusedError:
        raise EnrolRefusedError(EnrolProblem.KEY) from None
    if pin != form.get("pin_again", "").strip():
        raise EnrolRefusedError(EnrolProblem.PINS_DIFFER)
    device_id = device_id_of(public_key)
    device = AppDevice(
        device_id=device_id,
        citizen_id=invitation.citizen_id,
        public_key=public_key,
        pin_hash="",
        name=shown_name_of(form.get("name", "")),
        created_at=context.clock(),
        number=str(secrets.choice(NUMBERS)),
        session_id=invitation.session_id,
    )
    try:
        check_signed(context, device, SignedPurpose.ENROL, (code,), form.get("signature", ""))
    except WrongSignatureError:
        raise EnrolRefusedError(EnrolProblem.KEY) from None
    if await uow.app_devices.find(device_id) is not None:
        raise EnrolRefusedError(EnrolProblem.KEY)
    return replace(device, pin_hash=await hash_pin(context, device_id, pin))


def _view(http: Request) -> EnrolPage:
    issuer = context_of(http).issuer
    return EnrolPage(app_uri=f"{issuer}/app", worker_uri=worker_uri(http), action=f"{issuer}/app/enrol")
