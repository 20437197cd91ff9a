"""How do you want to sign in? The second step of an activation: the code is used here, once.

Whoever typed the code in this browser within the last half hour chooses a password; at a recovery they also
say what they still have, and everything else ends. The session that begins has shown two things: the
password, and a code that came another way (a look-up secret, NIST SP 800-63B §3.1.2). A code beside a
password changes nothing by itself: it lets the person add what proves more.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.password import (
    PasswordRefusedError,
    WrongPasswordError,
    verify_password,
)
from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.identity.activation_grounds import Purpose
from idp.identity.activations import CLAIM_VALIDITY, Activation, ActivationStatus, Kept, Standing
from idp.identity.assurance import authentication_context
from idp.identity.citizens import Citizen
from idp.pages.activate import find_claimed, is_overtaken
from idp.pages.activation_views import ActivatedPage, OwnThing, PasswordProblem, SetUpPage
from idp.pages.frame import check_same_origin, person_name, show
from idp.pages.sign_in_views import PasskeyAsk
from idp.pages.visit import OWN, Visit, load_visit
from idp.protocol.parameters import Parameters
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.activations import use_activation, write_down_use
from idp.web.answers import see_other, with_retry_after
from idp.web.arrival import begin_session, lead_on
from idp.web.failures import note
from idp.web.journey import find_signed_in
from idp.web.passkeys import PasskeyProblem, new_passkey_options
from idp.web.passwords import hash_chosen
from idp.web.requests import read_form_with_choices
from idp.web.state import Context, context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)

SHOWN_WITH_PASSWORD = ("pwd", "otp")
"""What whoever typed a code and a password has shown (RFC 8176 §2)."""
_MOST = 50
"""So many passkeys are listed; more than anybody has."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An activation that this browser may use now, with everything its page needs."""

    visit: Visit
    activation: Activation
    browser: str
    citizen: Citizen


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with what was sent, and how the answer says it."""

    problem: PasswordProblem | None = None
    """With the password; None where it is the passkey."""
    passkey: PasskeyProblem | None = None
    status: int = 400
    wait: timedelta | None = None
    """How long it is useless to try again."""
    retry_at: datetime | None = None
    """When that is over, where the page tells it."""


async def opened_or_way(
    context: Context, uow: UnitOfWork, http: Request, visit_id: str, activation_id: str, now: datetime
) -> Opened | Response:
    """Return what this browser may use now; or the page that it is done, or the way to type the code again.

    Raises JourneyError as `load_visit` does.
    """
    visit = await load_visit(context, uow, http, visit_id, now)
    found = await find_claimed(context, uow, http, activation_id)
    again = see_other(f"{context.issuer}/activate/{visit_id}?again=1")
    if found is None:
        return again
    activation, browser = found
    note(http, activation_id=activation.activation_id)
    if activation.status is ActivationStatus.USED:
        return _done(context, http, visit, activation)
    is_fresh = activation.claimed_at is not None and now < activation.claimed_at + CLAIM_VALIDITY
    citizen = await uow.citizens.find(activation.citizen_id)
    is_open = activation.standing(now) is Standing.USABLE and citizen is not None and citizen.is_active()
    if citizen is None or not is_fresh or not is_open:
        return again
    if is_overtaken(activation, await uow.authenticators.find(citizen.citizen_id)):
        return again
    return Opened(visit, activation, browser, citizen)


@router.get("/activate/{visit_id}/{activation_id}")
async def set_up_page(http: Request, visit_id: str, activation_id: str) -> Response:
    """Ask for a password; or say that it is done."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    opened = await opened_or_way(context, uow, http, visit_id, activation_id, now)
    if isinstance(opened, Response):
        return opened
    return await show_set_up(context, uow, http, opened, now)


@router.post("/activate/{visit_id}/{activation_id}")
async def set_up(http: Request, visit_id: str, activation_id: str) -> Response:
    """Take the password, use the code, and sign the person in."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    check_same_origin(http)
    form, ticked = await read_form_with_choices(http, "keep")
    opened = await opened_or_way(context, uow, http, visit_id, activation_id, now)
    if isinstance(opened, Response):
        return opened
    if opened.activation.purpose is Purpose.ADDITION:
        return await _beside_password(context, uow, http, opened, form, now)
    if form.get("password") != form.get("password_again"):
        complaint = Complaint(PasswordProblem.DIFFERENT)
        return await show_set_up(context, uow, http, opened, now, complaint, kept=ticked)
    try:
        chosen = await hash_chosen(context, uow, opened.citizen, form.get("password", ""))
    except PasswordRefusedError as refused:
        complaint = Complaint(PasswordProblem(refused.reason))
        return await show_set_up(context, uow, http, opened, now, complaint, kept=ticked)
    except HashingOverloadedError as overloaded:
        complaint = _overloaded(overloaded)
        return await show_set_up(context, uow, http, opened, now, complaint, kept=ticked)
    kept = kept_of(ticked)
    return await finish(context, uow, http, opened, kept, SHOWN_WITH_PASSWORD, now, password_hash=chosen)


async def _beside_password(
    context: Context, uow: UnitOfWork, http: Request, opened: Opened, form: Parameters, now: datetime
) -> Response:
    """Verify the password beside which the code is used."""
    citizen_id = opened.citizen.citizen_id
    record = await uow.authenticators.find(citizen_id)
    if record is None or record.password_hash is None:
        return see_other(f"{context.issuer}/activate/{opened.visit.visit_id}?again=1")
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PASSWORD, citizen_id, http, now)
        await context.hashing.run(verify_password, record.password_hash, form.get("password", ""))
    except ThrottledError as throttled:
        at = throttled.retry_at
        complaint = Complaint(PasswordProblem.THROTTLED, status=429, wait=at - now, retry_at=at)
    except WrongPasswordError:
        complaint = Complaint(PasswordProblem.WRONG)
    except HashingOverloadedError as overloaded:
        complaint = _overloaded(overloaded)
    else:
        attempt.succeeded(uow, now)
        return await finish(context, uow, http, opened, Kept(), SHOWN_WITH_PASSWORD, now)
    note(http, refused="wrong_credentials" if complaint.retry_at is None else "throttled")
    return await show_set_up(context, uow, http, opened, now, complaint)


def _overloaded(overloaded: HashingOverloadedError) -> Complaint:
    return Complaint(PasswordProblem.OVERLOADED, status=503, wait=overloaded.retry_after)


async def finish(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    opened: Opened,
    kept: Kept,
    shown: tuple[str, ...],
    now: datetime,
    *,
    password_hash: str | None = None,
) -> Response:
    """Use the code, record what was chosen, and begin a session that showed `shown` (values of `amr`)."""
    activation, citizen = opened.activation, opened.citizen
    present = await find_signed_in(context, uow, http, now)
    is_own = present is not None and present.citizen.citizen_id == citizen.citizen_id
    session_id = present.session.session_id if present is not None and is_own else ""
    use_activation(uow, activation, opened.browser, kept, now, kept_session_id=session_id)
    if password_hash is not None:
        uow.authenticators.set_password(citizen.citizen_id, password_hash, now)
    at = authentication_context(shown, now)
    client_id = opened.visit.client_id
    cookie = await begin_session(
        context, uow, http, citizen.citizen_id, at, now, client_id=client_id, method="activation"
    )
    write_down_use(uow, activation, citizen, at, now)
    here = f"{context.issuer}/activate/{opened.visit.visit_id}/{activation.activation_id}"
    try:
        await uow.commit()
    except GateClosedError as closed:
        # Used, stopped or typed elsewhere in this moment; the page says which.
        note(http, refused=closed.gate)
        return see_other(here)
    note(http, citizen_id=citizen.citizen_id)
    return lead_on(context, http, here, cookie)


def kept_of(ticked: frozenset[str]) -> Kept:
    """Read what a person ticked as still theirs; a tick at what is not theirs keeps nothing."""
    parted = [each.partition(".") for each in ticked]
    return Kept(
        passkeys=frozenset(name for kind, _, name in parted if kind == "passkey"),
        phones=frozenset(name for kind, _, name in parted if kind == "phone"),
        upstreams=frozenset(name for kind, _, name in parted if kind == "upstream"),
        has_totp="totp" in ticked,
        has_recovery_codes="recovery_codes" in ticked,
    )


async def _things(context: Context, uow: UnitOfWork, citizen_id: str, now: datetime) -> tuple[OwnThing, ...]:
    """Return what the person may still have, to be ticked."""
    found = [
        OwnThing(value=f"passkey.{each.passkey_id}", kind="passkey", name=each.name)
        for each in await uow.passkeys.of_citizen(citizen_id, limit=_MOST)
    ]
    found += [
        OwnThing(value=f"phone.{each.device_id}", kind="phone", name=each.name)
        for each in await uow.app_devices.of_citizen(citizen_id, now)
    ]
    found += [
        OwnThing(
            value=f"upstream.{each.upstream_id}",
            kind="upstream",
            names=context.upstreams.name_of(each.upstream_id),
        )
        for each in await uow.upstream_accounts.of_citizen(citizen_id)
    ]
    record = await uow.authenticators.find(citizen_id)
    if record is not None and record.totp_secret is not None:
        found.append(OwnThing(value="totp", kind="totp"))
    if await uow.recovery_codes.find_set(citizen_id) is not None:
        found.append(OwnThing(value="recovery_codes", kind="recovery_codes"))
    return tuple(found)


async def show_set_up(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    opened: Opened,
    now: datetime,
    complaint: Complaint | None = None,
    *,
    kept: frozenset[str] = frozenset(),
) -> Response:
    """Show the page, with what was ticked before and what is wrong with the password."""
    activation, visit = opened.activation, opened.visit
    person = person_name(context, opened.citizen)
    view = SetUpPage(
        client=visit.header(context),
        action=f"{context.issuer}/activate/{visit.visit_id}/{activation.activation_id}",
        purpose=activation.purpose,
        name=person,
        problem=None if complaint is None else complaint.problem,
        retry_at=None if complaint is None else complaint.retry_at,
        kept=kept,
    )
    if activation.purpose is Purpose.RECOVERY:
        view = replace(view, things=await _things(context, uow, activation.citizen_id, now))
    if activation.purpose is Purpose.ENROLMENT:
        ask = PasskeyAsk(
            action=f"{view.action}/passkey",
            options=await new_passkey_options(
                context, uow, activation.citizen_id, person, activation.activation_id, now
            ),
            problem=None if complaint is None else complaint.passkey,
        )
        view = replace(view, passkey=ask)
    if complaint is None:
        return show(http, view, request=visit.request)
    answer = show(http, view, request=visit.request, status=complaint.status)
    return answer if complaint.wait is None else with_retry_after(answer, complaint.wait)


def _done(context: Context, http: Request, visit: Visit, activation: Activation) -> Response:
    view = ActivatedPage(
        client=visit.header(context),
        purpose=activation.purpose,
        onward_uri=f"{context.issuer}/my" if visit.visit_id == OWN else visit.onward_uri,
        security_uri=f"{context.issuer}/my/security",
    )
    return show(http, view, request=visit.request)
