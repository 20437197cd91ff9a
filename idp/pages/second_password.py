"""Is it really you? The password, for somebody whom another provider signed in by something they hold.

RFC 9470. The same count, the same hash and the same words as at the sign-in page, and no word about whether
there is a password: whoever has none is not asked for one.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.password import WrongPasswordError, verify_password
from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.identity.assurance import AMR_OF, Method
from idp.pages.frame import read_own_form
from idp.pages.second_factor import asked_or_way, lift, show_ways
from idp.pages.sign_in_views import SecondFactorNotice
from idp.web.answers import with_retry_after
from idp.web.failures import note
from idp.web.state import context_of
from idp.web.throttle import count_credential_attempt

router = APIRouter(include_in_schema=False)


@router.post("/second-factor/{visit_id}/password")
async def second_password(http: Request, visit_id: str) -> Response:
    """Verify the password and lift the session under a new cookie."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    asked = await asked_or_way(context, uow, http, visit_id, now)
    if isinstance(asked, Response):
        return asked
    known_hash = None if asked.record is None else asked.record.password_hash
    if known_hash is None or Method.PASSWORD not in asked.methods:
        return show_ways(context, http, asked)
    person = asked.signed_in.citizen.citizen_id
    about = Method.PASSWORD
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.PASSWORD, person, http, now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        retry_at = throttled.retry_at
        notice = SecondFactorNotice.THROTTLED
        answer = show_ways(context, http, asked, notice, about=about, retry_at=retry_at, status=429)
        return with_retry_after(answer, retry_at - now)
    try:
        await context.hashing.run(verify_password, known_hash, form.get("password", ""))
    except WrongPasswordError:
        note(http, refused="wrong_credentials")
        return show_ways(context, http, asked, SecondFactorNotice.WRONG, about=about, status=400)
    except HashingOverloadedError as overloaded:
        note(http, refused="overloaded")
        answer = show_ways(context, http, asked, SecondFactorNotice.OVERLOADED, about=about, status=503)
        return with_retry_after(answer, overloaded.retry_after)
    attempt.succeeded(uow, now)
    return await lift(context, uow, http, asked, AMR_OF[about], about, now)
