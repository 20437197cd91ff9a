"""Which phones approve for me? Set one up, tell which it is, remove it.

Whatever changes here needs two factors, shown just now, and is told on every way. NIST SP 800-63B §4.1.2.
"""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.app_devices import (
    DEVICES_PER_PERSON,
    AppDevice,
    WrongNumberError,
    check_number,
)
from idp.authenticators.phone_approvals import ENROLMENT_LIFETIME
from idp.identity.assurance import Acr
from idp.pages.frame import form_token, show
from idp.pages.own_pages import signed_in_or_way, strong_form_or_way
from idp.pages.phone_enrolment import ENROLMENT_CODE
from idp.pages.phone_views import AddPhonePage, PhoneCard, PhonesNotice, PhonesPage
from idp.protocol.device_request import USER_CODE_ALPHABET, USER_CODE_LENGTH, shown_user_code
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.credential_changes import check_may_change
from idp.web.failures import JourneyError, Trouble, note
from idp.web.phones import devices_of, record_confirmed_device, record_removed_device
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PHONES = "phones"
"""The visit that leads here."""


@router.get("/my/phones")
async def phones(http: Request) -> Response:
    """Show each phone with its state; one that waits asks for its number."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, PHONES)
    if isinstance(signed_in, Response):
        return signed_in
    told = http.query_params.get("done", "")
    notice = PhonesNotice(told) if told in set(PhonesNotice) else None
    return show(http, await _view(context, uow, signed_in, now, notice))


@router.post("/my/phones/add")
async def add_phone(http: Request) -> Response:
    """Show a code for ten minutes, with which a phone is set up."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, PHONES, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    session = sent.signed_in.session
    known = await devices_of(uow, session.citizen_id, now)
    if len([device for device in known if device.is_usable]) >= DEVICES_PER_PERSON:
        return see_other(f"{context.issuer}/my/phones")
    code = "".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LENGTH))
    expires_at = now + ENROLMENT_LIFETIME
    subject = f"{session.citizen_id} {session.session_id}"
    uow.phone_approvals.add_code(ENROLMENT_CODE, code, subject, created_at=now, expires_at=expires_at)
    await uow.commit()
    view = AddPhonePage(
        csrf=form_token(context, session),
        code=shown_user_code(code),
        code_uri=f"{context.issuer}/app/enrol#{code}",
        phones_uri=f"{context.issuer}/my/phones",
        expires_at=expires_at,
    )
    return show(http, view)


@router.post("/my/phones/confirm")
async def confirm_phone(http: Request) -> Response:
    """Take the number that the new phone shows; another number throws the phone out."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, PHONES, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    session_id = signed_in.session.session_id
    device = await _own(uow, signed_in, form.get("device", ""))
    if (
        device.number is None
        or device.session_id != session_id
        or now >= device.created_at + ENROLMENT_LIFETIME
    ):
        return see_other(f"{context.issuer}/my/phones")
    try:
        check_number(device.number, form.get("number", ""))
    except WrongNumberError:
        note(http, refused="wrong_number")
        uow.app_devices.revoke(device, "wrong_number", now)
        await _commit(uow)
        return see_other(f"{context.issuer}/my/phones?done={PhonesNotice.WRONG_NUMBER}")
    await check_may_change(context, device.citizen_id, now)
    record_confirmed_device(uow, device, session_id, now)
    await _commit(uow)
    return see_other(f"{context.issuer}/my/phones?done={PhonesNotice.ADDED}")


@router.post("/my/phones/remove")
async def remove_phone(http: Request) -> Response:
    """End a phone: nothing can be approved with it from now on."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, PHONES)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    device = await _own(uow, signed_in, form.get("device", ""))
    if device.is_usable:
        record_removed_device(uow, device, "removed", now)
    else:
        uow.app_devices.revoke(device, "removed", now)
    await _commit(uow)
    return see_other(f"{context.issuer}/my/phones?done={PhonesNotice.REMOVED}")


async def _own(uow: UnitOfWork, signed_in: SignedIn, device_id: str) -> AppDevice:
    """Return a phone of this person. Raises JourneyError: another's looks exactly like none (class 24)."""
    device = await uow.app_devices.find(device_id) if is_id(device_id) else None
    if device is None or device.citizen_id != signed_in.citizen.citizen_id or device.revoked_at is not None:
        raise JourneyError(Trouble.NOT_FOUND)
    return device


async def _commit(uow: UnitOfWork) -> None:
    """Commit a change of one phone. Raises JourneyError when another window was faster."""
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise JourneyError(Trouble.STALE_FORM, detail=closed.gate) from closed


async def _view(
    context: Context, uow: UnitOfWork, signed_in: SignedIn, now: datetime, notice: PhonesNotice | None
) -> PhonesPage:
    known = await devices_of(uow, signed_in.citizen.citizen_id, now)
    session_id, base = signed_in.session.session_id, f"{context.issuer}/my/phones"
    return PhonesPage(
        csrf=form_token(context, signed_in.session),
        phones=tuple(
            PhoneCard(
                device_id=device.device_id,
                name=device.name,
                added_at=device.created_at,
                last_used_at=device.last_used_at,
                is_waiting=not device.is_usable,
            )
            for device in known
            if device.is_usable or device.session_id == session_id
        ),
        can_add=len([device for device in known if device.is_usable]) < DEVICES_PER_PERSON,
        add_action=f"{base}/add",
        confirm_action=f"{base}/confirm",
        remove_action=f"{base}/remove",
        notice=notice,
    )
