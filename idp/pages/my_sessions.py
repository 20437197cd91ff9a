"""Where am I signed in? Every living session of a person, what was used in it, and its end in one click.

Nothing about devices, places or addresses is shown, because none of it is kept: when it began, when it was
last used and with which networks has to tell one from another.
"""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.sessions import Session
from idp.pages.frame import domain_of, form_token, person_name, show
from idp.pages.lists import ListAddress, chosen_id, moment_of, network_filter, place_of, read_place
from idp.pages.logos import logo_address
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.pages.session_views import NetworkName, SessionCard, SessionsPage
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble
from idp.web.requests import is_id
from idp.web.sign_out import record_sign_out
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "sessions"
PAGE_SIZE = 10


@router.get("/my/sessions")
async def sessions(http: Request) -> Response:
    """Show this browser's session first, then the others, newest first; of one network where it is asked."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    before, client_id = moment_of(read_place(http.query_params.get("before", ""))), chosen_id(http, "network")
    citizen, limits = signed_in.citizen, context.session_limits
    found = await uow.sessions.living(
        citizen.citizen_id, limits, now, client_id=client_id, before=before, limit=PAGE_SIZE + 2
    )
    own_id, base = signed_in.session.session_id, f"{context.issuer}/my/sessions"
    others = [session for session in found if session.session_id != own_id]
    shown = others[:PAGE_SIZE]
    used = await uow.sessions.networks(citizen.citizen_id, limits, now)
    is_listed = before is None and (not client_id or client_id in used.get(own_id, ()))
    listed = [signed_in.session, *shown] if is_listed else shown
    networks = {name for names in used.values() for name in names}
    address = ListAddress(base, (await network_filter(context, networks, client_id),))
    last = shown[-1] if len(others) > PAGE_SIZE else None
    view = SessionsPage(
        csrf=form_token(context, signed_in.session),
        person=person_name(context, citizen),
        sessions=tuple([await _card(context, each, signed_in, used) for each in listed]),
        end_action=f"{base}/end",
        end_others_action=f"{base}/end-others" if others or before or client_id else None,
        filters=address.form(),
        paging=address.paging(
            is_first=before is None,
            next_place=None if last is None else place_of(last.created_at, last.session_id),
        ),
    )
    return show(http, view)


@router.post("/my/sessions/end")
async def end_session(http: Request) -> Response:
    """End one session; the networks used in it are told."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, VISIT)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    session_id = form.get("session", "")
    if session_id == signed_in.session.session_id:
        record_sign_out(uow, signed_in, now)
        await uow.commit()
        answer = see_other(f"{context.issuer}/signed-out")
        Cookies(context.is_secure).clear_session(answer)
        return answer
    await _check_own(uow, signed_in, session_id)
    uow.sessions.end(session_id, now)
    _record(uow, signed_in, now)
    await uow.commit()
    return see_other(f"{context.issuer}/my/sessions")


@router.post("/my/sessions/end-others")
async def end_others(http: Request) -> Response:
    """End every session of the person but this one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, VISIT)
    if isinstance(sent, Response):
        return sent
    signed_in = sent.signed_in
    uow.sessions.end_of_citizen(signed_in.citizen.citizen_id, now, but=signed_in.session.session_id)
    _record(uow, signed_in, now)
    await uow.commit()
    return see_other(f"{context.issuer}/my/sessions")


async def _check_own(uow: UnitOfWork, signed_in: SignedIn, session_id: str) -> None:
    """Check that a session is the person's own; another's looks exactly like none (abuse case 24)."""
    owner = await uow.sessions.find_owner(session_id) if is_id(session_id) else None
    if owner != signed_in.citizen.citizen_id:
        raise JourneyError(Trouble.NOT_FOUND)


def _record(uow: UnitOfWork, signed_in: SignedIn, now: datetime) -> None:
    citizen_id = signed_in.citizen.citizen_id
    uow.ledger.append(
        Event(
            type="citizen:signed_out_elsewhere",
            actor=Actor(ActorKind.CITIZEN, citizen_id),
            occurred_at=now,
            citizen_id=citizen_id,
        )
    )


async def _card(
    context: Context, session: Session, signed_in: SignedIn, used: dict[str, set[str]]
) -> SessionCard:
    networks = []
    for client_id in sorted(used.get(session.session_id, ())):
        client = await context.clients.find(client_id)
        if client is not None:
            logo = logo_address(context.issuer, client)
            networks.append(NetworkName(name=client.client_name, domain=domain_of(client), logo=logo))
    return SessionCard(
        session_id=session.session_id,
        is_current=session.session_id == signed_in.session.session_id,
        signed_in_at=session.created_at,
        last_used_at=session.last_seen_at,
        acr=session.context.acr,
        networks=tuple(networks),
    )
