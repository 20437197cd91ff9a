"""Which password from now on? Changed, or set by whoever has none. NIST SP 800-63B-4 §3.1.1.2; ASVS 2.1.

The old one is not asked for: whoever stands here has just signed in with everything they have.
"""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.password import PasswordRefusedError
from idp.identity.assurance import Acr
from idp.identity.notices import Credential, NoticeKind
from idp.pages.activation_views import PasswordProblem
from idp.pages.frame import form_token, show
from idp.pages.own_pages import strong_form_or_way, strong_or_way
from idp.pages.security_views import PasswordPage
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other, with_retry_after
from idp.web.credential_changes import check_may_change, write_down
from idp.web.failures import note
from idp.web.passwords import hash_chosen
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PASSWORD = "password"


@router.get("/my/password")
async def password_page(http: Request) -> Response:
    """Show the form, to somebody who has just signed in: nothing typed is lost on the way."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await strong_or_way(context, uow, http, now, PASSWORD)
    if isinstance(signed_in, Response):
        return signed_in
    has_password = await _has_password(uow, signed_in)
    return _not_yet(context, signed_in, has_password=has_password) or _show(
        context, http, signed_in, has_password=has_password
    )


@router.post("/my/password")
async def choose(http: Request) -> Response:
    """Take the password, when it may be chosen, and end what was begun with the old one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, PASSWORD)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    has_password = await _has_password(uow, signed_in)
    way = _not_yet(context, signed_in, has_password=has_password)
    if way is not None:
        return way
    password, ends_others = form.get("password", ""), "elsewhere" in form
    if password != form.get("again", ""):
        note(http, refused="different")
        problem = PasswordProblem.DIFFERENT
        return _show(
            context, http, signed_in, has_password=has_password, problem=problem, ends_others=ends_others
        )
    try:
        password_hash = await hash_chosen(context, uow, signed_in.citizen, password)
    except PasswordRefusedError as refused:
        note(http, refused=refused.reason)
        problem = PasswordProblem(refused.reason)
        return _show(
            context, http, signed_in, has_password=has_password, problem=problem, ends_others=ends_others
        )
    except HashingOverloadedError as overloaded:
        note(http, refused="overloaded")
        answer = _show(
            context, http, signed_in, has_password=has_password, problem=PasswordProblem.OVERLOADED
        )
        return with_retry_after(answer, overloaded.retry_after)
    await check_may_change(context, signed_in.citizen.citizen_id, now)
    _record(uow, signed_in, password_hash, now, was_there=has_password, ends_others=ends_others)
    await uow.commit()
    return see_other(f"{context.issuer}/my/security?done={Credential.PASSWORD.value}")


def _record(
    uow: UnitOfWork,
    signed_in: SignedIn,
    password_hash: str,
    now: datetime,
    *,
    was_there: bool,
    ends_others: bool,
) -> None:
    citizen_id = signed_in.citizen.citizen_id
    uow.authenticators.set_password(citizen_id, password_hash, now)
    kind = NoticeKind.PASSWORD_CHANGED if was_there else NoticeKind.AUTHENTICATOR_ADDED
    write_down(uow, citizen_id, kind, Credential.PASSWORD, now)
    if ends_others:
        uow.sessions.end_of_citizen(citizen_id, now, but=signed_in.session.session_id)
        uow.trusted_browsers.forget_all(citizen_id, now)


async def _has_password(uow: UnitOfWork, signed_in: SignedIn) -> bool:
    record = await uow.authenticators.find(signed_in.citizen.citizen_id)
    return record is not None and record.password_hash is not None


def _not_yet(context: Context, signed_in: SignedIn, *, has_password: bool) -> Response | None:
    """Return the way for whoever would raise their level with a first password, and shows one factor."""
    if has_password or signed_in.session.context.acr.satisfies(Acr.VN_2):
        return None
    return see_other(f"{context.issuer}/my/security?needs=activation")


def _show(
    context: Context,
    http: Request,
    signed_in: SignedIn,
    *,
    has_password: bool,
    problem: PasswordProblem | None = None,
    ends_others: bool = True,
) -> Response:
    view = PasswordPage(
        csrf=form_token(context, signed_in.session),
        action=f"{context.issuer}/my/password",
        has_password=has_password,
        ends_others=ends_others,
        problem=problem,
    )
    status = 503 if problem is PasswordProblem.OVERLOADED else 400
    return show(http, view, status=200 if problem is None else status)
