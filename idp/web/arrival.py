"""Somebody arrives, or shows more: the session begins or rises under a new cookie. Every way in ends here.

What was known of a browser before a sign-in is worthless after it: whoever planted a session cookie holds one
that signs nobody in (session fixation, abuse class 15). Nothing is committed here.
"""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.assurance import AuthenticationContext, combined
from idp.identity.sessions import Session
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.cookies import Cookies
from idp.web.journey import find_signed_in
from idp.web.state import Context

SESSION_LIFTED_GATE = "session_lifted"
"""Closed when the session ended, or another tab renewed it, in this very moment."""


async def begin_session(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    citizen_id: str,
    at: AuthenticationContext,
    now: datetime,
    *,
    client_id: str | None,
    method: str,
) -> str:
    """Record a session for a person who signed in, and return its cookie.

    The same person's session in this browser goes on with what was shown now; another person's ends. `method`
    is what the log says. The gate `session_lifted` closes when another tab was faster.
    """
    cookies = Cookies(context.is_secure)
    cookie = secrets.token_urlsafe(32)
    cookie_before = cookies.read(http, cookies.session)
    present = await find_signed_in(context, uow, http, now) if cookie_before else None
    if present is not None and cookie_before and present.citizen.citizen_id == citizen_id:
        session = replace(present.session, context=at, last_seen_at=now)
        uow.sessions.lift(session, cookie_before, cookie)
    else:
        if present is not None:
            uow.sessions.end(present.session.session_id, now)
        session = Session(
            session_id=secrets.token_urlsafe(16),
            citizen_id=citizen_id,
            context=at,
            created_at=now,
            last_seen_at=now,
        )
        uow.sessions.add(session, cookie, now + context.session_limits.absolute)
    _write_down(uow, "citizen:signed_in", citizen_id, at, now, client_id, method)
    return cookie


def lift_session(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    signed_in: SignedIn,
    shown: Iterable[str],
    now: datetime,
    *,
    client_id: str | None,
    method: str,
) -> str:
    """Record what a signed-in person showed more (RFC 9470), and return the session's new cookie.

    `shown` are values of `amr`. The gate `session_lifted` closes when another tab was faster.
    """
    cookies = Cookies(context.is_secure)
    cookie = secrets.token_urlsafe(32)
    at = combined(signed_in.session.context, shown, now)
    session = replace(signed_in.session, context=at, last_seen_at=now)
    uow.sessions.lift(session, cookies.read(http, cookies.session) or "", cookie)
    _write_down(uow, "citizen:stepped_up", signed_in.citizen.citizen_id, at, now, client_id, method)
    return cookie


def lead_on(context: Context, http: Request, uri: str, cookie: str) -> Response:
    """Answer a sign-in or a step-up that was committed: its session's cookie, and the way on.

    A browser without a cookie of its own gets one, by which the next guesses there are told from those of
    strangers (`web.throttle`).
    """
    cookies = Cookies(context.is_secure)
    answer = see_other(uri)
    cookies.set_session(answer, cookie)
    if cookies.read(http, cookies.browser) is None:
        cookies.set_browser(answer, secrets.token_urlsafe(32))
    return answer


def _write_down(
    uow: UnitOfWork,
    event_type: str,
    citizen_id: str,
    at: AuthenticationContext,
    now: datetime,
    client_id: str | None,
    method: str,
) -> None:
    uow.ledger.append(
        Event(
            type=event_type,
            actor=Actor(ActorKind.CITIZEN, citizen_id),
            occurred_at=now,
            client_id=client_id,
            citizen_id=citizen_id,
            details={"method": method, "acr": at.acr.value},
        )
    )
