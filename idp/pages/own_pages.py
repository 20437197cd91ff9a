"""Who is at the pages of their own: signed in, and at the strongest level they can reach."""

from datetime import datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import Method
from idp.pages.frame import check_form_token, read_own_form
from idp.pages.visit import OWN
from idp.protocol.parameters import Parameters
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.failures import note
from idp.web.journey import enrolled_methods, find_signed_in
from idp.web.state import Context


async def children_address(context: Context, uow: UnitOfWork, citizen_id: str, now: datetime) -> str | None:
    """Return where a person finds the children for whom they speak; None for whoever speaks for nobody."""
    has_children = await uow.guardianships.has_children(citizen_id, now)
    return f"{context.issuer}/my/children" if has_children else None


class OwnForm(NamedTuple):
    """A form that a signed-in person sent from a page of their own; made by `own_form_or_way` alone."""

    signed_in: SignedIn
    form: Parameters


async def own_form_or_way(
    context: Context, uow: UnitOfWork, http: Request, now: datetime, visit_id: str = OWN
) -> OwnForm | Response:
    """Return who sent a form of their own page and what stands in it, or the way to sign in first.

    Raises JourneyError for a form of another origin, or one that was not made for this session.
    """
    form = await read_own_form(http)
    signed_in = await signed_in_or_way(context, uow, http, now, visit_id)
    if isinstance(signed_in, Response):
        return signed_in
    check_form_token(context, signed_in.session, form)
    return OwnForm(signed_in, form)


async def signed_in_or_way(
    context: Context, uow: UnitOfWork, http: Request, now: datetime, visit_id: str = OWN
) -> SignedIn | Response:
    """Return who is signed in, at the strongest level they can reach, or the way to get there.

    `visit_id` says where that way leads in the end (`visit.own_visit`).
    """
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    if Method.ONE_TIME_PASSWORD.value not in signed_in.session.context.amr:
        record = await uow.authenticators.find(signed_in.citizen.citizen_id)
        if Method.ONE_TIME_PASSWORD in enrolled_methods(record):
            return see_other(f"{context.issuer}/second-factor/{visit_id}")
    note(http, citizen_id=signed_in.citizen.citizen_id)
    uow.sessions.seen(signed_in.session, now)
    await uow.commit()
    return signed_in
