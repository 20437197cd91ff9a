"""A phone that was set up, as its requests come in: the cookie of the opened app, what it signs, its PIN.

The app opens with a signature over a challenge and is given a cookie for ten minutes. With that cookie
alone somebody reads what waits; every answer is signed anew and takes the PIN. The cookie names the device,
which is looked up each time: a revoked one is out at once.
"""

import hmac
import secrets
from datetime import datetime, timedelta

from starlette.requests import Request

from idp.audit.events import PROVIDER, Actor
from idp.authenticators.app_devices import (
    PIN_TRIES,
    AppDevice,
    SignedPurpose,
    WrongSignatureError,
    signed_text,
    verify_signature,
)
from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.password import WrongPasswordError, hash_password, verify_password
from idp.authenticators.phone_approvals import ENROLMENT_LIFETIME
from idp.authenticators.throttling import CredentialPath
from idp.identity.notices import Credential, NoticeKind
from idp.protocol.parameters import Parameters
from idp.store.encoding import micros
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.cookies import Cookies
from idp.web.credential_changes import write_down
from idp.web.failures import JourneyError, Trouble
from idp.web.state import Context
from idp.web.throttle import count_credential_attempt

OPEN_FOR = timedelta(minutes=10)
"""How long the app stays open; each page that it shows opens it anew."""
CHALLENGE_LIFETIME = timedelta(minutes=5)
"""To open the app a challenge is signed at once; to sign in here, when the PIN was typed."""
WRONG_PIN = "wrong_pin"
"""Why a phone ended whose PIN was wrong too often."""
_CHALLENGE_BYTES = 16


class WrongPINError(Exception):
    """The PIN is wrong. `tries_left` is how many wrong ones more the device lives through."""

    def __init__(self, tries_left: int) -> None:
        super().__init__("the PIN does not match")
        self.tries_left = tries_left


class DeviceRevokedError(Exception):
    """The device was revoked, now or before: nothing can be approved with it any more."""

    def __init__(self) -> None:
        super().__init__("the device is revoked")


def app_cookie(context: Context, device: AppDevice, now: datetime) -> str:
    """Return the cookie of an app that was just opened on a device."""
    expires_at = int((now + OPEN_FOR).timestamp())
    named = f"{device.device_id}.{expires_at}"
    return f"{named}.{_mac(context, 'app_cookie', named)}"


async def find_device(context: Context, uow: UnitOfWork, http: Request, now: datetime) -> AppDevice | None:
    """Return the phone on which the app is open; None for none, one revoked, or one never confirmed."""
    cookies = Cookies(context.is_secure)
    named, _, mac = (cookies.read(http, cookies.app) or "").rpartition(".")
    device_id, _, expires_at = named.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(context, "app_cookie", named).encode()):
        return None
    if int(expires_at) <= now.timestamp():
        return None
    return await find_usable_device(uow, device_id)


async def find_usable_device(uow: UnitOfWork, device_id: str) -> AppDevice | None:
    """Return a phone that may approve; None for one that was revoked, never confirmed, or never was."""
    device = await uow.app_devices.find(device_id)
    return device if device is not None and device.is_usable else None


def app_form_token(context: Context, device: AppDevice) -> str:
    """Return the token that the forms of the opened app carry."""
    return _mac(context, "app_form_token", device.device_id)


def check_app_form(context: Context, device: AppDevice, form: Parameters) -> None:
    """Check that a form was made for the app as it is open on this phone. Raises JourneyError."""
    if not hmac.compare_digest(form.get("csrf", "").encode(), app_form_token(context, device).encode()):
        raise JourneyError(Trouble.STALE_FORM, detail="the form token does not fit the phone")


def new_challenge(context: Context, now: datetime) -> str:
    """Return what a device is asked to sign once. Nothing is stored until it was."""
    named = f"{secrets.token_urlsafe(_CHALLENGE_BYTES)}.{int((now + CHALLENGE_LIFETIME).timestamp())}"
    return f"{named}.{_mac(context, 'app_challenge', named)}"


def spend_challenge(context: Context, uow: UnitOfWork, challenge: str, now: datetime) -> None:
    """Check that a challenge is ours and fresh, and record its single use (the gate `spent`).

    Raises WrongSignatureError: a signature over anything else is worth nothing.
    """
    named, _, mac = challenge[:256].rpartition(".")
    if not hmac.compare_digest(mac.encode(), _mac(context, "app_challenge", named).encode()):
        raise WrongSignatureError
    expires_at = int(named.rpartition(".")[2])
    if expires_at <= now.timestamp():
        raise WrongSignatureError
    uow.grants.spend("app_challenge", challenge, now + CHALLENGE_LIFETIME)


def check_signed(
    context: Context, device: AppDevice, purpose: SignedPurpose, fields: tuple[str, ...], signature: str
) -> None:
    """Check that a device signed these fields for this purpose, here. Raises WrongSignatureError."""
    try:
        text = signed_text(purpose, context.issuer, (device.device_id, *fields))
    except ValueError:
        raise WrongSignatureError from None
    verify_signature(device.public_key, text, signature)


def pin_material(context: Context, device_id: str, pin: str) -> str:
    """Return what of a PIN is hashed: bound to its device, and worthless without our key."""
    return _mac(context, "app_pin", f"{device_id}\x00{pin}")


async def hash_pin(context: Context, device_id: str, pin: str) -> str:
    """Return what is kept of a PIN. Raises HashingOverloadedError."""
    return await context.hashing.run(hash_password, pin_material(context, device_id, pin))


async def verify_pin(
    context: Context, uow: UnitOfWork, http: Request, device: AppDevice, pin: str, now: datetime
) -> None:
    """Verify a PIN that was counted before; record, beside what it opens, that it was right.

    The last wrong one revokes the device and tells its person. Raises WrongPINError, DeviceRevokedError,
    ThrottledError, HashingOverloadedError.
    """
    attempt = await count_credential_attempt(
        context, uow, CredentialPath.PHONE_PIN, device.device_id, http, now
    )
    uow.app_devices.count_pin(device.device_id)
    try:
        await uow.commit()
    except GateClosedError:
        raise DeviceRevokedError from None
    material = pin_material(context, device.device_id, pin.strip())
    try:
        await context.hashing.run(verify_password, device.pin_hash, material)
    except HashingOverloadedError:
        # Nothing was verified: our own want of time must not cost the person their phone.
        uow.app_devices.take_back_pin(device.device_id)
        await uow.commit()
        raise
    except WrongPasswordError:
        await _wrong_pin(uow, device, now)
    attempt.succeeded(uow, now)
    uow.app_devices.use(device.device_id, now)


async def _wrong_pin(uow: UnitOfWork, device: AppDevice, now: datetime) -> None:
    """Revoke the device after its last try. Raises WrongPINError or DeviceRevokedError: it never returns."""
    counted = await uow.app_devices.find(device.device_id)
    failures = PIN_TRIES if counted is None else counted.pin_failures
    if failures < PIN_TRIES:
        raise WrongPINError(PIN_TRIES - failures)
    record_removed_device(uow, device, WRONG_PIN, now, actor=PROVIDER)
    try:
        await uow.commit()
    except GateClosedError:
        raise DeviceRevokedError from None
    raise DeviceRevokedError


def record_confirmed_device(uow: UnitOfWork, device: AppDevice, session_id: str, now: datetime) -> None:
    """Record that a phone may approve from now on; written down and told. CONFIRM_GATE as the store says."""
    uow.app_devices.confirm(device, session_id, now)
    record_added_device(uow, device, now)


def record_added_device(uow: UnitOfWork, device: AppDevice, now: datetime) -> None:
    """Write down and tell that a phone may approve."""
    write_down(uow, device.citizen_id, NoticeKind.AUTHENTICATOR_ADDED, Credential.PHONE, now)


def record_removed_device(
    uow: UnitOfWork, device: AppDevice, because: str, now: datetime, *, actor: Actor | None = None
) -> None:
    """Record the end of a phone; written down and told. REVOKE_GATE closes when it had ended before."""
    uow.app_devices.revoke(device, because, now)
    kind = NoticeKind.AUTHENTICATOR_BLOCKED if because == WRONG_PIN else NoticeKind.AUTHENTICATOR_REMOVED
    write_down(uow, device.citizen_id, kind, Credential.PHONE, now, actor=actor)


async def devices_of(uow: UnitOfWork, citizen_id: str, now: datetime) -> list[AppDevice]:
    """Return a person's phones: usable ones, and those that still can be confirmed."""
    return await uow.app_devices.of_citizen(citizen_id, now - ENROLMENT_LIFETIME)


def asked_at(created_at: datetime) -> str:
    """Return a time as devices sign it: microseconds since 1970."""
    return str(micros(created_at))


def _mac(context: Context, purpose: str, value: str) -> str:
    return context.custody.data.lookup(purpose, value).hex()
