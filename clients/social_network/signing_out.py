"""Signing out: here, here and at the provider, and when the provider says that its session is over."""

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from clients.relying_party import RelyingPartyError, TokenError
from clients.social_network.web import (
    SESSION_COOKIE,
    Form,
    Here,
    Network,
    UnfitFormError,
    read_pairs,
    see,
)

router = APIRouter()
_log = logging.getLogger("quan_coc.signing_out")

NOT_KEPT = {"Cache-Control": "no-store"}


@router.post("/sign-out")
async def sign_out(visit: Here, _: Form) -> Response:
    """End the session. The link stays: it belongs to the account, not to the session."""
    visit.network.store.end_session(visit.session_id)
    response = see("/")
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.post("/sign-out-everywhere")
async def sign_out_everywhere(visit: Here, _: Form) -> Response:
    """End the session here, then have the provider end its own and send the person back.

    OpenID Connect RP-Initiated Logout 1.0 §2. An outage over there locks nobody in: then it ends here only.
    """
    store = visit.network.store
    id_token = store.find_id_token(visit.session_id)
    store.end_session(visit.session_id)
    response: Response = see("/")
    if id_token is not None:
        try:
            party = await visit.network.connect()
            response = RedirectResponse(
                party.end_session_url(id_token, f"{visit.network.settings.base_url}/"), 303
            )
        except RelyingPartyError as error:
            _log.warning("%s: %s", type(error).__name__, error)
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.post("/backchannel-logout")
async def backchannel_logout(request: Request) -> Response:
    """End what began with a session that is over at the provider: Back-Channel Logout 1.0 §2.5, §2.8.

    No cookie and no form of ours comes with it; the signature in it is all there is to believe.
    """
    network: Network = request.app.state.network
    now = network.clock()
    try:
        form = await read_pairs(request)
        party = await network.connect()
        over = await party.read_logout_token(form.get("logout_token", ""))
    except (TokenError, UnfitFormError) as error:
        _log.warning("a logout token was refused: %s", error)
        return JSONResponse({"error": "invalid_request"}, 400, NOT_KEPT)
    except RelyingPartyError as error:
        # Its keys cannot be had at the moment: the provider will ask again.
        _log.warning("%s: %s", type(error).__name__, error)
        return JSONResponse({"error": "temporarily_unavailable"}, 503, NOT_KEPT)
    if not network.store.links.remember(over.jti, over.forget_at, now):
        return JSONResponse({"error": "invalid_request"}, 400, NOT_KEPT)
    network.store.end_sessions_of(over.subject, over.sid)
    return Response(status_code=200, headers=NOT_KEPT)
