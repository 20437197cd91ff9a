"""Signing out, wherever it is asked for: what is recorded, and a relying party's wish on its way.

Between the endpoint that reads a wish and the page that asks the person, the wish travels sealed in the
address: nobody can change it, and no ID token stands there.
"""

import base64
import binascii
from dataclasses import asdict
from datetime import datetime, timedelta

import orjson
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.protocol.authorization_response import redirect_location
from idp.protocol.logout_request import (
    LogoutHint,
    LogoutRequest,
    UntrustedLogoutError,
    check_post_logout_redirect_uri,
    is_meant,
)
from idp.protocol.model import Client
from idp.store.encoding import micros, moment
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble
from idp.web.state import Context
from keys import SealedDataError

WISH_VALIDITY = timedelta(minutes=10)
_CONTEXT = b"end_session"
_LONGEST = 16 * 1024


def record_sign_out(
    uow: UnitOfWork, signed_in: SignedIn, now: datetime, *, client_id: str | None = None
) -> None:
    """Record that a person ended a session, at the wish of a client if one is named."""
    citizen_id = signed_in.citizen.citizen_id
    uow.sessions.end(signed_in.session.session_id, now)
    uow.ledger.append(
        Event(
            type="citizen:signed_out",
            actor=Actor(ActorKind.CITIZEN, citizen_id),
            occurred_at=now,
            client_id=client_id,
            citizen_id=citizen_id,
        )
    )


def seal_wish(context: Context, wish: LogoutRequest, now: datetime) -> str:
    """Return a wish as it may stand in an address of ours."""
    document = orjson.dumps({"wish": asdict(wish), "expires_at": micros(now + WISH_VALIDITY)})
    sealed = context.custody.data.seal(document, _CONTEXT)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def open_wish(context: Context, sealed: str, now: datetime) -> LogoutRequest:
    """Return a wish that was sealed here. Raises JourneyError when it is none, or too old."""
    try:
        if len(sealed) > _LONGEST:
            raise JourneyError(Trouble.EXPIRED, detail="no wish of ours")
        encoded = sealed.encode() + b"=" * (-len(sealed) % 4)
        opened = context.custody.data.open(base64.b64decode(encoded, b"-_", validate=True), _CONTEXT)
    except (SealedDataError, binascii.Error, ValueError) as error:
        raise JourneyError(Trouble.EXPIRED, detail="no wish of ours") from error
    document = orjson.loads(opened)
    if now >= moment(document["expires_at"]):
        raise JourneyError(Trouble.EXPIRED, detail="the wish is too old")
    wish = document["wish"]
    return LogoutRequest(
        hint=None if wish["hint"] is None else LogoutHint(**wish["hint"]),
        post_logout_redirect_uri=wish["post_logout_redirect_uri"],
        state=wish["state"],
        ui_locales=tuple(wish["ui_locales"]),
    )


async def find_client(context: Context, wish: LogoutRequest) -> Client | None:
    """Return the client whose wish it provably is."""
    return None if wish.hint is None else await context.clients.find(wish.hint.client_id)


async def find_unended(context: Context, uow: UnitOfWork, http: Request) -> SignedIn | None:
    """Return this browser's session unless somebody ended it: it may have run out by itself."""
    cookies = Cookies(context.is_secure)
    cookie = cookies.read(http, cookies.session)
    found = None if cookie is None else await uow.sessions.find(cookie)
    return None if found is None or found.session.ended_at is not None else found


def is_session_meant(
    context: Context, wish: LogoutRequest, client: Client | None, signed_in: SignedIn
) -> bool:
    """Tell whether this browser's session is the one of the wish, so that nobody need be asked."""
    if wish.hint is None or client is None:
        return False
    subject = context.custody.data.pairwise_subject(client.sector, signed_in.citizen.citizen_id)
    return is_meant(wish.hint, client, subject=subject, session_id=signed_in.session.session_id)


def signed_out_answer(context: Context, wish: LogoutRequest, client: Client | None) -> Response:
    """Send a browser in which nobody is signed in any more on: to the client, or to a page that says so.

    An address may have been taken from the registration since the wish was read. Raises
    UntrustedLogoutError.
    """
    location = f"{context.issuer}/signed-out"
    if wish.post_logout_redirect_uri is not None:
        if client is None:
            raise UntrustedLogoutError("id_token_hint was issued to a client that is not registered")
        check_post_logout_redirect_uri(wish.post_logout_redirect_uri, client)
        location = wish.post_logout_redirect_uri
        if wish.state is not None:
            location = redirect_location(location, {"state": wish.state})
    answer = see_other(location)
    Cookies(context.is_secure).clear_session(answer)
    return answer
