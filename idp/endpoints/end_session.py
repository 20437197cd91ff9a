"""The end-session endpoint. OpenID Connect RP-Initiated Logout 1.0 §2.

It ends the session that the ID token in the hint was issued in, if this browser is signed in with it, and
asks the person in every other case: on a page of ours, which this endpoint knows by its address only.
"""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.errors import InvalidRequestError
from idp.protocol.logout_request import (
    LogoutRequest,
    UntrustedLogoutError,
    read_logout_request,
    verify_logout_hint,
)
from idp.protocol.parameters import Parameters
from idp.web.answers import see_other
from idp.web.failures import note
from idp.web.journey import find_signed_in
from idp.web.requests import read_form, read_query
from idp.web.sign_out import (
    find_client,
    find_unended,
    is_session_meant,
    open_wish,
    record_sign_out,
    seal_wish,
    signed_out_answer,
)
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@router.get("/end_session")
async def end_session(http: Request) -> Response:
    """Sign out, ask the person, or refuse with a page."""
    context = context_of(http)
    try:
        parameters = read_query(http)
    except InvalidRequestError as error:
        raise UntrustedLogoutError(error.description, detail=error.detail) from error
    wish = await _read(context, http, parameters)
    return await _answer(context, http, wish, context.clock())


@router.post("/end_session")
async def end_session_by_post(http: Request) -> Response:
    """As GET, with one step between: a browser sends its cookie with no form of another site."""
    context = context_of(http)
    try:
        parameters = await read_form(http)
    except InvalidRequestError as error:
        raise UntrustedLogoutError(error.description, detail=error.detail) from error
    wish = await _read(context, http, parameters)
    return see_other(f"{context.issuer}/end_session/{seal_wish(context, wish, context.clock())}")


@router.get("/end_session/{sealed}")
async def continue_end_session(http: Request, sealed: str) -> Response:
    """Go on with a wish that came by POST."""
    context = context_of(http)
    now = context.clock()
    return await _answer(context, http, open_wish(context, sealed, now), now)


async def _read(context: Context, http: Request, parameters: Parameters) -> LogoutRequest:
    """Read a wish. Raises UntrustedLogoutError."""
    token = parameters.get("id_token_hint")
    hint = client = None
    if token is not None:
        hint = verify_logout_hint(token, context.published.verification_keys, context.policy)
        note(http, client_id=hint.client_id)
        client = await context.clients.find(hint.client_id)
    return read_logout_request(parameters, hint, client)


async def _answer(context: Context, http: Request, wish: LogoutRequest, now: datetime) -> Response:
    uow = context.unit_of_work()
    client = await find_client(context, wish)
    unended = await find_unended(context, uow, http)
    if unended is not None and is_session_meant(context, wish, client, unended):
        # Also one that ran out: whoever signs out now wants it told to the other networks all the same.
        record_sign_out(uow, unended, now, client_id=None if client is None else client.client_id)
        await uow.commit()
    elif await find_signed_in(context, uow, http, now) is not None:
        return see_other(f"{context.issuer}/sign-out/{seal_wish(context, wish, now)}")
    return signed_out_answer(context, wish, client)
