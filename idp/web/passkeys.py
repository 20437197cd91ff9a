"""Passkeys between page and rule: challenges that nothing stores; what is recorded of a use and of an end.

A challenge is a time, sixteen random bytes and a keyed digest over both, over what it is for and whose page
it is. So a page costs no row. The first answer to it spends it (the gate `spent`), and an answer from another
browser, for another purpose or of another hour is worth nothing.
"""

import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import orjson
from webauthn.helpers import bytes_to_base64url

from idp.audit.events import PROVIDER, Actor
from idp.authenticators.passkey_options import creation_options, request_options
from idp.authenticators.passkeys import (
    Assertion,
    Challenge,
    ClonedPasskeyError,
    Passkey,
    PasskeyError,
    UntrustedAuthenticatorError,
    UserNotVerifiedError,
    methods_of,
    read_assertion,
    read_registration,
    relying_party,
    verify_assertion,
    verify_registration,
)
from idp.identity.assurance import Method
from idp.identity.citizens import CitizenStatus
from idp.identity.notices import Credential, NoticeKind
from idp.store.encoding import micros, moment
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.credential_changes import write_down
from idp.web.state import Context

CHALLENGE_LIFETIME = timedelta(minutes=30)
"""Long, for a page may lie open before somebody presses: it is bound to its browser, and good for one use."""
MOST_PASSKEYS = 20
"""How many a person may have."""
LISTED = 200
"""How many their holder is shown, each with its end: more than MOST_PASSKEYS, which several additions at the
same moment may pass."""
LONGEST_NAME = 40
"""Characters of what a person calls a passkey."""

PASSKEY_METHODS = frozenset({Method.PASSKEY, Method.HARDWARE_PASSKEY, Method.BIOMETRIC_PASSKEY})

_TIME_BYTES, _RANDOM_BYTES, _DIGEST_BYTES = 8, 16, 32


class PasskeyUse(StrEnum):
    """What a challenge is for: an answer for one is none for another."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    ADD = "add"


class PasskeyProblem(StrEnum):
    """Why a passkey was not taken, as the person is told."""

    FAILED = "failed"
    """It does not prove what it must, or is no answer at all."""
    OUTDATED = "outdated"
    """The page was open too long, or was answered before."""
    UNKNOWN = "unknown"
    """No passkey of ours, or one that was removed."""
    NOT_VERIFIED = "not_verified"
    """The device did not ask who holds it."""
    COPIED = "copied"
    """Two devices hold it; it is blocked now."""
    NOT_USABLE = "not_usable"
    """The passkey is right; the account is locked or revoked."""
    THROTTLED = "throttled"
    NOT_TRUSTED = "not_trusted"
    """The operator's policy takes no passkeys of this device."""
    KNOWN = "known"
    """It was added before."""
    TOO_MANY = "too_many"


class PasskeyRefusedError(Exception):
    """A passkey was not taken; `problem` is for the person, the text for the log."""

    def __init__(self, problem: PasskeyProblem, detail: str = "") -> None:
        super().__init__(detail or problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class PasskeySignIn:
    """Whom a passkey lets in, and what it proved. Its use is recorded in the unit of work, not committed."""

    citizen_id: str
    amr: tuple[str, ...]
    method: Method


def sign_in_options(context: Context, browser: str, now: datetime) -> str:
    """Return what the sign-in page asks its browser: any passkey of ours, whoever's it is."""
    return request_options(
        relying_party(context.issuer), _challenge(context, PasskeyUse.SIGN_IN, browser, now)
    )


async def passkeys_for(
    context: Context, uow: UnitOfWork, citizen_id: str, methods: Collection[Method]
) -> Sequence[Passkey]:
    """Return those of a person's passkeys that are among the ways they are asked for."""
    if not PASSKEY_METHODS & set(methods):
        return ()
    passkeys = await uow.passkeys.of_citizen(citizen_id, limit=MOST_PASSKEYS)
    return [each for each in passkeys if methods_of(each.credential, context.passkey_policy) & set(methods)]


async def has_biometric_passkey(context: Context, uow: UnitOfWork, citizen_id: str) -> bool:
    """Tell whether a person could show a biometric; looks nobody up where the policy knows no model."""
    if not context.passkey_policy.knows_biometrics:
        return False
    return bool(await passkeys_for(context, uow, citizen_id, {Method.BIOMETRIC_PASSKEY}))


def step_up_options(context: Context, passkeys: Sequence[Passkey], session_id: str, now: datetime) -> str:
    """Return what a step-up asks: one of these passkeys."""
    challenge = _challenge(context, PasskeyUse.STEP_UP, session_id, now)
    return request_options(relying_party(context.issuer), challenge, passkeys)


async def new_passkey_options(
    context: Context, uow: UnitOfWork, citizen_id: str, person: str, binding: str, now: datetime
) -> str:
    """Return what a page asks that adds a passkey.

    `person` is the name that their device will show them; `binding` is what the page belongs to, and
    `add_passkey` is told again: a session's id, or an activation's.
    """
    passkeys = await uow.passkeys.of_citizen(citizen_id, limit=MOST_PASSKEYS)
    return creation_options(
        relying_party(context.issuer),
        _challenge(context, PasskeyUse.ADD, binding, now),
        _user_handle(context, citizen_id),
        person,
        context.passkey_policy,
        passkeys,
    )


async def verify_sign_in(
    context: Context, uow: UnitOfWork, text: str, browser: str, now: datetime
) -> PasskeySignIn:
    """Verify a passkey shown by somebody who did not say who they are; record its use.

    Raises PasskeyRefusedError. A copied passkey is blocked, told and committed before.
    """
    assertion = _read(text)
    challenge = _check_challenge(context, assertion, PasskeyUse.SIGN_IN, browser, now)
    return await _verify(context, uow, assertion, challenge, None, now)


async def verify_step_up(
    context: Context, uow: UnitOfWork, text: str, citizen_id: str, session_id: str, now: datetime
) -> PasskeySignIn:
    """Verify a passkey of the person who is signed in; record its use. Raises as `verify_sign_in`."""
    assertion = _read(text)
    challenge = _check_challenge(context, assertion, PasskeyUse.STEP_UP, session_id, now)
    return await _verify(context, uow, assertion, challenge, citizen_id, now)


async def _verify(
    context: Context,
    uow: UnitOfWork,
    assertion: Assertion,
    challenge: Challenge,
    citizen_id: str | None,
    now: datetime,
) -> PasskeySignIn:
    known = await uow.passkeys.find(assertion.credential_id)
    if known is None or known.revoked_at is not None:
        raise PasskeyRefusedError(PasskeyProblem.UNKNOWN)
    passkey = known.passkey
    if citizen_id not in {None, passkey.citizen_id}:
        raise PasskeyRefusedError(PasskeyProblem.UNKNOWN, "the passkey is another person's")
    _spend(uow, challenge)
    try:
        shown = verify_assertion(
            assertion,
            passkey,
            relying_party(context.issuer),
            challenge,
            _user_handle(context, passkey.citizen_id),
            context.passkey_policy,
            is_named=citizen_id is not None,
        )
    except UserNotVerifiedError as error:
        raise PasskeyRefusedError(PasskeyProblem.NOT_VERIFIED) from error
    except ClonedPasskeyError as error:
        await _block(uow, passkey, now)
        raise PasskeyRefusedError(PasskeyProblem.COPIED) from error
    except PasskeyError as error:
        raise PasskeyRefusedError(PasskeyProblem.FAILED, str(error)) from error
    if known.citizen_status is not CitizenStatus.ACTIVE:
        raise PasskeyRefusedError(PasskeyProblem.NOT_USABLE)
    uow.passkeys.use(passkey, shown, now)
    return PasskeySignIn(passkey.citizen_id, shown.amr, passkey.credential.method)


async def add_passkey(
    context: Context, uow: UnitOfWork, text: str, name: str, citizen_id: str, binding: str, now: datetime
) -> Passkey:
    """Verify a new passkey and record it; written down and told. Raises PasskeyRefusedError.

    The caller commits; there the gate `spent` closes for a page that was answered before, and UniquenessError
    comes for a credential id that is known.
    """
    try:
        registration = read_registration(text)
    except PasskeyError as error:
        raise PasskeyRefusedError(PasskeyProblem.FAILED, str(error)) from error
    value = registration.client_data.challenge
    challenge = _opened(context, value, PasskeyUse.ADD, binding, now)
    if await uow.passkeys.count(citizen_id) >= MOST_PASSKEYS:
        raise PasskeyRefusedError(PasskeyProblem.TOO_MANY)
    policy = context.passkey_policy
    try:
        credential = verify_registration(registration, relying_party(context.issuer), challenge, policy)
    except UserNotVerifiedError as error:
        raise PasskeyRefusedError(PasskeyProblem.NOT_VERIFIED) from error
    except UntrustedAuthenticatorError as error:
        raise PasskeyRefusedError(PasskeyProblem.NOT_TRUSTED, str(error)) from error
    except PasskeyError as error:
        raise PasskeyRefusedError(PasskeyProblem.FAILED, str(error)) from error
    if await uow.passkeys.find(credential.credential_id) is not None:
        raise PasskeyRefusedError(PasskeyProblem.KNOWN)
    called = name or policy.name_of(credential.aaguid) or ""
    passkey = Passkey(secrets.token_urlsafe(16), citizen_id, called, credential, now)
    _spend(uow, challenge)
    uow.passkeys.add(passkey)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_ADDED, Credential.PASSKEY, now)
    return passkey


def record_removed_passkey(
    uow: UnitOfWork, passkey: Passkey, because: str, now: datetime, *, actor: Actor | None = None
) -> None:
    """Record the end of a passkey; written down and told. REVOKED_GATE closes when it had ended before.

    `actor` is its holder unless another is named.
    """
    citizen_id = passkey.citizen_id
    uow.passkeys.revoke(citizen_id, passkey.passkey_id, because, now)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_REMOVED, Credential.PASSKEY, now, actor=actor)


async def _block(uow: UnitOfWork, passkey: Passkey, now: datetime) -> None:
    """Commit that a passkey was copied. The challenge is spent with it: an answer sent twice is no copy."""
    citizen_id = passkey.citizen_id
    uow.passkeys.revoke(citizen_id, passkey.passkey_id, "copied", now)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_BLOCKED, Credential.PASSKEY, now, actor=PROVIDER)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise PasskeyRefusedError(PasskeyProblem.OUTDATED, closed.gate) from closed


def _read(text: str) -> Assertion:
    try:
        return read_assertion(text)
    except PasskeyError as error:
        raise PasskeyRefusedError(PasskeyProblem.FAILED, str(error)) from error


def accepted_passkeys(context: Context, citizen_id: str, passkeys: Sequence[Passkey]) -> str:
    """Return which of a person's passkeys are good, as JSON: their devices may forget the others.

    AllAcceptedCredentialsOptions (WebAuthn §5.1.10.2).
    """
    return orjson.dumps(
        {
            "rpId": relying_party(context.issuer).rp_id,
            "userId": bytes_to_base64url(_user_handle(context, citizen_id)),
            "allAcceptedCredentialIds": [
                bytes_to_base64url(each.credential.credential_id) for each in passkeys
            ],
        }
    ).decode()


def _user_handle(context: Context, citizen_id: str) -> bytes:
    """Return what authenticators keep of a person (WebAuthn §14.6.1): nothing that says who they are."""
    return context.custody.data.lookup("passkey_user", citizen_id)


def _challenge(context: Context, use: PasskeyUse, binding: str, now: datetime) -> bytes:
    named = micros(now).to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
    return named + _digest(context, named, use, binding)


def _check_challenge(
    context: Context, assertion: Assertion, use: PasskeyUse, binding: str, now: datetime
) -> Challenge:
    return _opened(context, assertion.client_data.challenge, use, binding, now)


def _opened(context: Context, value: bytes, use: PasskeyUse, binding: str, now: datetime) -> Challenge:
    """Return a challenge that is ours, for this page, and not too old. Raises PasskeyRefusedError."""
    named, digest = value[:-_DIGEST_BYTES], value[-_DIGEST_BYTES:]
    if not hmac.compare_digest(digest, _digest(context, named, use, binding)):
        raise PasskeyRefusedError(PasskeyProblem.OUTDATED, "the challenge is not of this page")
    issued_at = moment(int.from_bytes(named[:_TIME_BYTES], "big"))
    if now >= issued_at + CHALLENGE_LIFETIME:
        raise PasskeyRefusedError(PasskeyProblem.OUTDATED, "the challenge is too old")
    return Challenge(value, issued_at)


def _spend(uow: UnitOfWork, challenge: Challenge) -> None:
    uow.grants.spend("passkey_challenge", challenge.value.hex(), challenge.issued_at + CHALLENGE_LIFETIME)


def _digest(context: Context, named: bytes, use: PasskeyUse, binding: str) -> bytes:
    return context.custody.data.lookup("passkey_challenge", f"{use.value}\x00{binding}\x00{named.hex()}")
