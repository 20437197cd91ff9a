"""An app that shows codes: set up, confirmed by one of its codes, removed. RFC 6238; NIST SP 800-63B §4.1.2.

The secret is shown while it is set up and never again: until it is confirmed it stands sealed in the page's
own form, bound to the session, and nowhere else. A form is good for one confirmation, so that nobody brings
back a secret that was removed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import NamedTuple

import pyotp
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.totp import WrongCodeError, provisioning_uri, verify_totp
from idp.identity.assurance import Acr
from idp.identity.notices import Credential, NoticeKind
from idp.identity.sessions import Session
from idp.pages.frame import form_token, show
from idp.pages.own_pages import signed_in_or_way, strong_form_or_way
from idp.pages.security_views import AuthenticatorAppPage, CodeProblem, NewAuthenticatorAppPage
from idp.store.authenticators import AUTHENTICATOR_REMOVED_GATE
from idp.store.encoding import micros, moment
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.credential_changes import check_may_change, write_down
from idp.web.failures import note
from idp.web.state import Context, context_of
from keys import SealedDataError

router = APIRouter(include_in_schema=False)

APP = "authenticator-app"
PENDING_FOR = timedelta(minutes=30)
"""How long somebody may take to find their app."""
_SPENT = "pending_authenticator_app"
_LONGEST_PENDING = 512
_GROUP = 4


class _Pending(NamedTuple):
    secret: str
    made_at: datetime


@router.get("/my/authenticator-app")
async def authenticator_app(http: Request) -> Response:
    """Show whether there is one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, APP)
    if isinstance(signed_in, Response):
        return signed_in
    return await _show_state(context, uow, http, signed_in, now)


@router.post("/my/authenticator-app")
async def begin(http: Request) -> Response:
    """Make a secret and show it with the question for a code."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, APP, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    session = sent.signed_in.session
    return _show_secret(context, http, session, _seal(context, session, _Pending(pyotp.random_base32(), now)))


@router.post("/my/authenticator-app/confirm")
async def confirm(http: Request) -> Response:
    """Take the app whose code is right; one that there was before counts no more."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, APP, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    sealed = form.get("pending", "")
    pending = _opened(context, signed_in.session, sealed, now)
    if pending is None:
        note(http, refused="stale_form")
        return await _show_state(context, uow, http, signed_in, now, CodeProblem.STALE)
    try:
        # Nobody guesses here: the secret stands on the page that asks for the code.
        step = verify_totp(pending.secret, form.get("code", ""), now, None)
    except WrongCodeError:
        note(http, refused="wrong_code")
        return _show_secret(context, http, signed_in.session, sealed, CodeProblem.WRONG)
    citizen_id = signed_in.citizen.citizen_id
    await check_may_change(context, citizen_id, now)
    uow.grants.spend(_SPENT, pending.secret, pending.made_at + PENDING_FOR)
    uow.authenticators.set_totp(citizen_id, pending.secret, step, now)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_ADDED, Credential.TOTP, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        note(http, refused=closed.gate)
        return await _show_state(context, uow, http, signed_in, now, CodeProblem.STALE)
    return see_other(f"{context.issuer}/my/security?done={Credential.TOTP.value}")


@router.post("/my/authenticator-app/remove")
async def remove(http: Request) -> Response:
    """Let the app's codes count no more."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, APP)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    uow.authenticators.remove(citizen_id, "totp")
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_REMOVED, Credential.TOTP, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        if closed.gate != AUTHENTICATOR_REMOVED_GATE:
            raise
        note(http, refused=closed.gate)
    return see_other(f"{context.issuer}/my/authenticator-app")


async def _show_state(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    signed_in: SignedIn,
    now: datetime,
    problem: CodeProblem | None = None,
) -> Response:
    overview = await uow.security_overviews.of_citizen(signed_in.citizen.citizen_id, now)
    base = f"{context.issuer}/my/authenticator-app"
    view = AuthenticatorAppPage(
        csrf=form_token(context, signed_in.session),
        since=overview.totp_since,
        is_only_second=not (overview.passkeys or overview.phones),
        new_action=base,
        remove_action=f"{base}/remove",
        problem=problem,
    )
    return show(http, view, status=200 if problem is None else 400)


def _show_secret(
    context: Context, http: Request, session: Session, sealed: str, problem: CodeProblem | None = None
) -> Response:
    pending = _opened(context, session, sealed, context.clock())
    secret = "" if pending is None else pending.secret
    view = NewAuthenticatorAppPage(
        csrf=form_token(context, session),
        # The account's name stands in the app on the person's phone: no number and no name of theirs.
        uri=provisioning_uri(secret, "e-ID", _issuer_name(context)),
        secret=" ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP)),
        pending=sealed,
        action=f"{context.issuer}/my/authenticator-app/confirm",
        problem=problem,
    )
    return show(http, view, status=200 if problem is None else 400)


def _issuer_name(context: Context) -> str:
    return context.issuer.partition("://")[2]


def _seal(context: Context, session: Session, pending: _Pending) -> str:
    text = f"{micros(pending.made_at)}.{pending.secret}"
    return urlsafe_b64encode(context.custody.data.seal(text.encode(), _bound_to(session))).decode()


def _opened(context: Context, session: Session, sealed: str, now: datetime) -> _Pending | None:
    """Open what stood in the form; None when it is no such thing, another session's or too old."""
    if len(sealed) > _LONGEST_PENDING or not sealed.isascii():
        return None
    try:
        text = context.custody.data.open(urlsafe_b64decode(sealed), _bound_to(session)).decode()
    except (ValueError, SealedDataError):
        return None
    time, _, secret = text.partition(".")
    made_at = moment(int(time))
    return _Pending(secret, made_at) if now < made_at + PENDING_FOR else None


def _bound_to(session: Session) -> bytes:
    return f"authenticator_app:{session.session_id}".encode()
