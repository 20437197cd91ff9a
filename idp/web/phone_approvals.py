"""What a browser asks of a phone: begun, shown as codes, taken by a phone, answered, and used.

`idp.authenticators.phone_approvals` says what each step is worth against a relay.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from idp.audit.events import Actor, ActorKind, Event
from idp.authenticators.app_devices import AppDevice, SignedPurpose, WrongNumberError, check_number
from idp.authenticators.phone_approvals import (
    ANSWER_LIFETIME,
    ASKING_LIFETIME,
    NUMBERS,
    ApprovalKind,
    ApprovalStatus,
    AskedFrom,
    PhoneApproval,
    code_window,
)
from idp.authenticators.throttling import CredentialPath
from idp.protocol.device_request import USER_CODE_ALPHABET, USER_CODE_LENGTH, read_user_code
from idp.protocol.jose import JOSEError, decode_base64url
from idp.store.encoding import hash_secret
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.cookies import Cookies
from idp.web.phones import asked_at, check_signed, verify_pin
from idp.web.state import Context
from idp.web.throttle import count_credential_attempt

APPROVAL_CODE = "approval"
_HASH_BYTES = 32


class CodeUnknownError(Exception):
    """The code leads nowhere: wrong, over, taken by another phone, or another person's request."""

    def __init__(self) -> None:
        super().__init__("the code leads to no request")


class AnsweredMeanwhileError(Exception):
    """The request was answered, taken or over before this answer came."""

    def __init__(self) -> None:
        super().__init__("the request can no longer be answered")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone sent."""

    is_agreed: bool
    number: str
    pin: str
    signature: str


def approval_name(approval: PhoneApproval) -> str:
    """Return how a request is named in the addresses of the app: no secret, without the phone no use."""
    return base64.urlsafe_b64encode(approval.approval_hash).rstrip(b"=").decode()


def approval_hash_of(name: str) -> bytes | None:
    """Return the hash that an address names; None for what cannot be one."""
    if len(name) > 2 * _HASH_BYTES or not name.isascii():
        return None
    try:
        decoded = decode_base64url(name.encode())
    except JOSEError:
        return None
    return decoded if len(decoded) == _HASH_BYTES else None


def browser_hash_of(context: Context, http: Request, visit_id: str) -> bytes | None:
    """Return by what the browser that asks on a visit is known again; None for one that does not ask.

    Not by the cookie that every browser keeps for a year: whoever used the same machine before may know that
    one, and the visits to a person's own pages are called alike for everybody (abuse class 15).
    """
    cookies = Cookies(context.is_secure)
    cookie = cookies.read(http, cookies.asking(visit_id))
    return None if cookie is None else hash_secret(cookie)


def begin_approval(
    uow: UnitOfWork,
    kind: ApprovalKind,
    browser_hash: bytes,
    visit_id: str,
    asked_from: AskedFrom,
    now: datetime,
    *,
    client_id: str | None,
    citizen_id: str | None,
) -> None:
    """Record that a browser asks, under the hash of the cookie that it is given now. Nothing is committed."""
    approval = PhoneApproval(
        approval_hash=secrets.token_bytes(_HASH_BYTES),
        kind=kind,
        visit_id=visit_id,
        browser_hash=browser_hash,
        created_at=now,
        expires_at=now + ASKING_LIFETIME,
        asked_from=asked_from,
        client_id=client_id,
        citizen_id=citizen_id,
    )
    uow.phone_approvals.add(approval)


def show_code(context: Context, uow: UnitOfWork, approval: PhoneApproval, now: datetime) -> str:
    """Return the code to show now, and record where it leads; nothing is committed.

    It is computed, not kept: the same page shown again shows the same code, and the table holds its hash.
    """
    window, expires_at, _ = code_window(approval, now)
    mac = context.custody.data.lookup("phone_code_shown", f"{approval_name(approval)}.{window}")
    number, letters = int.from_bytes(mac, "big"), []
    for _ in range(USER_CODE_LENGTH):
        number, place = divmod(number, len(USER_CODE_ALPHABET))
        letters.append(USER_CODE_ALPHABET[place])
    code = "".join(letters)
    uow.phone_approvals.add_code(
        APPROVAL_CODE, code, approval_name(approval), created_at=now, expires_at=expires_at
    )
    return code


async def take_by_code(
    context: Context, uow: UnitOfWork, http: Request, device: AppDevice, typed: str, now: datetime
) -> PhoneApproval:
    """Take the request behind a code for this phone; from now on the asking page shows the number.

    Raises CodeUnknownError, ThrottledError.
    """
    attempt = await count_credential_attempt(
        context, uow, CredentialPath.PHONE_CODE, device.device_id, http, now
    )
    code = read_user_code(typed)
    name = None if code is None else await uow.phone_approvals.find_code(APPROVAL_CODE, code, now)
    approval_hash = None if name is None else approval_hash_of(name)
    found = None if approval_hash is None else await uow.phone_approvals.find(approval_hash)
    if code is None or found is None:
        raise CodeUnknownError
    uow.phone_approvals.use_code(APPROVAL_CODE, code, now)
    attempt.succeeded(uow, now)
    return await take(uow, found, device, now)


async def take(uow: UnitOfWork, approval: PhoneApproval, device: AppDevice, now: datetime) -> PhoneApproval:
    """Take a request for this phone, and commit. Raises CodeUnknownError, as for one that never was."""
    is_for_another = approval.citizen_id not in {None, device.citizen_id}
    if is_for_another or not approval.is_open(now):
        raise CodeUnknownError
    uow.phone_approvals.claim(
        approval,
        citizen_id=device.citizen_id,
        device_id=device.device_id,
        number=str(secrets.choice(NUMBERS)),
        until=now + ANSWER_LIFETIME,
        now=now,
    )
    try:
        await uow.commit()
    except GateClosedError:
        raise CodeUnknownError from None
    return approval


def signed_answer(approval: PhoneApproval, decision: str, number: str) -> tuple[str, ...]:
    """Return what a phone signs of its answer, after its own id: request, time, decision, number."""
    return (approval_name(approval), asked_at(approval.created_at), decision, number)


async def answer_approval(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    device: AppDevice,
    approval: PhoneApproval,
    answer: Answer,
    now: datetime,
) -> ApprovalStatus:
    """Decide a request and commit. One wrong number refuses it, whatever the PIN.

    A refusal takes no PIN: nobody should have to prove anything to say no. Raises WrongSignatureError,
    AnsweredMeanwhileError, WrongPINError (the request stays open), DeviceRevokedError, ThrottledError,
    HashingOverloadedError.
    """
    decision = "allow" if answer.is_agreed else "deny"
    signed = signed_answer(approval, decision, answer.number)
    check_signed(context, device, SignedPurpose.ANSWER, signed, answer.signature)
    if not approval.is_answerable(device.device_id, now):
        raise AnsweredMeanwhileError
    status = ApprovalStatus.APPROVED if answer.is_agreed else ApprovalStatus.REFUSED
    if answer.is_agreed:
        try:
            check_number(approval.number or "", answer.number)
        except WrongNumberError:
            status = ApprovalStatus.WRONG_NUMBER
        else:
            await verify_pin(context, uow, http, device, answer.pin, now)
    uow.phone_approvals.decide(approval, status, now)
    if status is not ApprovalStatus.APPROVED:
        _write_down_refusal(uow, approval, device, status, now)
    try:
        await uow.commit()
    except GateClosedError:
        raise AnsweredMeanwhileError from None
    return status


def _write_down_refusal(
    uow: UnitOfWork, approval: PhoneApproval, device: AppDevice, status: ApprovalStatus, now: datetime
) -> None:
    """Write down what was not agreed to: the first sign of a relay. What was agreed to is a sign-in."""
    uow.ledger.append(
        Event(
            type="citizen:sign_in_refused",
            actor=Actor(ActorKind.CITIZEN, device.citizen_id),
            occurred_at=now,
            client_id=approval.client_id,
            citizen_id=device.citizen_id,
            details={"method": "app", "because": status.value},
        )
    )
