"""Is it really you? The ways to show what a session lacks, and the one-time code among them. RFC 9470.

Passkeys and phones answer at addresses of their own and end here, in `lift`. RFC 6238 §5.2 for codes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.passkeys import Passkey
from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.authenticators.totp import WrongCodeError, verify_totp
from idp.identity.assurance import AMR_OF, Method
from idp.pages.frame import read_own_form, show
from idp.pages.sign_in_views import PasskeyAsk, SecondFactorNotice, SecondFactorPage
from idp.pages.visit import Visit, load_visit
from idp.store.authenticators import SignInRecord
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other, with_retry_after
from idp.web.arrival import SESSION_LIFTED_GATE, lead_on, lift_session
from idp.web.failures import note
from idp.web.journey import find_signed_in, ways_of, ways_on
from idp.web.passkeys import PASSKEY_METHODS, PasskeyProblem, passkeys_for, step_up_options
from idp.web.state import Context, context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for more, why, and how they could show it."""

    visit: Visit
    signed_in: SignedIn
    record: SignInRecord | None
    methods: tuple[Method, ...]
    passkeys: Sequence[Passkey] = ()
    """Those that would do."""


async def asked_or_way(
    context: Context, uow: UnitOfWork, http: Request, visit_id: str, now: datetime
) -> Asked | Response:
    """Return who is asked for more on this visit, or the way on: to sign in, or past this page.

    Raises JourneyError as `load_visit` does.
    """
    visit = await load_visit(context, uow, http, visit_id, now)
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    note(http, citizen_id=signed_in.citizen.citizen_id)
    record = await uow.authenticators.find(signed_in.citizen.citizen_id)
    enrolled = await ways_of(context, uow, record)
    methods = ways_on(context, visit.request, visit.client, signed_in.session, enrolled)
    if not methods:
        return see_other(visit.onward_uri)
    passkeys = await passkeys_for(context, uow, signed_in.citizen.citizen_id, methods)
    return Asked(visit, signed_in, record, methods, passkeys)


@router.get("/second-factor/{visit_id}")
async def second_factor_page(http: Request, visit_id: str) -> Response:
    """Show the ways, to somebody whose first factor is known."""
    context = context_of(http)
    asked = await asked_or_way(context, context.unit_of_work(), http, visit_id, context.clock())
    return asked if isinstance(asked, Response) else show_ways(context, http, asked)


@router.post("/second-factor/{visit_id}")
async def second_factor(http: Request, visit_id: str) -> Response:
    """Verify a one-time code and lift the session under a new cookie."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    asked = await asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response):
        return asked
    if asked.record is None or asked.record.totp_secret is None:
        return show_ways(context, http, asked)
    citizen_id = asked.signed_in.citizen.citizen_id
    try:
        attempt = await count_credential_attempt(
            context, uow, CredentialPath.ONE_TIME_PASSWORD, citizen_id, http, now
        )
    except ThrottledError as throttled:
        note(http, refused="throttled")
        notice, retry_at = SecondFactorNotice.THROTTLED, throttled.retry_at
        answer = show_ways(context, http, asked, notice, retry_at=retry_at, status=429)
        return with_retry_after(answer, retry_at - now)
    try:
        step = verify_totp(
            asked.record.totp_secret, form.get("code", ""), now, asked.record.totp_last_used_step
        )
    except WrongCodeError:
        note(http, refused="wrong_code")
        left = attempt.attempts_left
        return show_ways(context, http, asked, SecondFactorNotice.WRONG, left=left, status=400)
    uow.authenticators.use_totp_step(citizen_id, step)
    attempt.succeeded(uow, now)
    return await lift(
        context, uow, http, asked, AMR_OF[Method.ONE_TIME_PASSWORD], Method.ONE_TIME_PASSWORD, now
    )


async def lift(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    asked: Asked,
    shown: Iterable[str],
    method: Method,
    now: datetime,
) -> Response:
    """Commit what was shown together with what `uow` holds of its single use, and lead on."""
    cookie = lift_session(
        context,
        uow,
        http,
        asked.signed_in,
        shown,
        now,
        client_id=asked.visit.client_id,
        method=method.value,
    )
    try:
        await uow.commit()
    except GateClosedError as closed:
        note(http, refused=closed.gate)
        if closed.gate == SESSION_LIFTED_GATE:
            return see_other(asked.visit.onward_uri)
        if method in PASSKEY_METHODS:
            return show_ways(context, http, asked, PasskeyProblem.OUTDATED, about=method, status=400)
        return show_ways(context, http, asked, SecondFactorNotice.USED, about=method, status=400)
    return lead_on(context, http, asked.visit.onward_uri, cookie)


def show_ways(
    context: Context,
    http: Request,
    asked: Asked,
    notice: SecondFactorNotice | PasskeyProblem | None = None,
    *,
    about: Method = Method.ONE_TIME_PASSWORD,
    left: int | None = None,
    retry_at: datetime | None = None,
    status: int = 200,
) -> Response:
    """Show each way that would do, and what went wrong with the one that `about` names."""
    visit = asked.visit
    started_at = None if visit.interaction is None else visit.interaction.created_at
    view = SecondFactorPage(
        client=visit.header(context),
        action=f"{context.issuer}/second-factor/{visit.visit_id}",
        methods=asked.methods,
        is_step_up=started_at is not None and asked.signed_in.session.context.auth_time < started_at,
        notice=None if isinstance(notice, PasskeyProblem) else notice,
        about=about,
        attempts_left=left,
        retry_at=retry_at,
        sign_in_uri=f"{context.issuer}/sign-in/{visit.visit_id}",
        passkey=_passkey_ask(context, asked, notice, retry_at) if asked.passkeys else None,
    )
    return show(http, view, request=visit.request, status=status)


def _passkey_ask(
    context: Context,
    asked: Asked,
    notice: SecondFactorNotice | PasskeyProblem | None,
    retry_at: datetime | None,
) -> PasskeyAsk:
    session_id = asked.signed_in.session.session_id
    return PasskeyAsk(
        action=f"{context.issuer}/second-factor/{asked.visit.visit_id}/passkey",
        options=step_up_options(context, asked.passkeys, session_id, context.clock()),
        problem=notice if isinstance(notice, PasskeyProblem) else None,
        retry_at=retry_at,
    )
