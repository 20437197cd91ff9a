"""Who is at the pages of their own: signed in, and at the strongest level they can reach."""

from datetime import datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import Acr, lifting_methods
from idp.identity.sessions import is_just_shown
from idp.pages.frame import check_form_token, read_own_form
from idp.pages.visit import OWN
from idp.protocol.parameters import Parameters
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.failures import note
from idp.web.journey import enrolled_methods, find_signed_in
from idp.web.state import Context
from idp.web.trusted_browsers import find_trusted


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


async def strong_form_or_way(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    now: datetime,
    visit_id: str,
    *,
    minimum: Acr = Acr.VN_1,
) -> OwnForm | Response:
    """Return who sent a form that changes what lets them in, or the way to sign in afresh first.

    Raises JourneyError as `own_form_or_way` does.
    """
    form = await read_own_form(http)
    signed_in = await strong_or_way(context, uow, http, now, visit_id, minimum=minimum)
    if isinstance(signed_in, Response):
        return signed_in
    check_form_token(context, signed_in.session, form)
    return OwnForm(signed_in, form)


async def strong_or_way(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    now: datetime,
    visit_id: str,
    *,
    minimum: Acr = Acr.VN_1,
) -> SignedIn | Response:
    """Return who is signed in, strongly and just now, or the way there: for a sensitive change.

    A trusted browser helps nobody here. Who adds something that raises their level must be at `vn-2` already
    (`minimum`): a stolen password alone would make two factors of itself otherwise. Whoever has nothing else
    is told on their security page how to get an activation code. NIST SP 800-63B §4.1.2.
    """
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None or not is_just_shown(signed_in.session.context, now):
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    way = await way_to_two_factors(context, uow, signed_in, visit_id)
    if way is not None:
        return way
    if not signed_in.session.context.acr.satisfies(minimum):
        return see_other(f"{context.issuer}/my/security?needs=activation")
    return await _welcomed(uow, http, signed_in, now)


async def signed_in_or_way(
    context: Context, uow: UnitOfWork, http: Request, now: datetime, visit_id: str = OWN
) -> SignedIn | Response:
    """Return who is signed in, with two factors where they have them, or the way to get there.

    In a browser that they had remembered one factor is enough to read. `visit_id` says where the way leads in
    the end (`visit.own_visit`).
    """
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    way = await way_to_two_factors(context, uow, signed_in, visit_id)
    if way is None or await _may_read(context, uow, http, signed_in, now):
        return await _welcomed(uow, http, signed_in, now)
    return way


async def _may_read(
    context: Context, uow: UnitOfWork, http: Request, signed_in: SignedIn, now: datetime
) -> bool:
    """Tell whether nothing is changed here, in a browser that this person had remembered."""
    if http.method != "GET":
        return False
    return await find_trusted(context, uow, http, signed_in.citizen.citizen_id, now) is not None


async def way_to_two_factors(
    context: Context, uow: UnitOfWork, signed_in: SignedIn, visit_id: str
) -> Response | None:
    """Return the way to the factor that is missing; None where two were shown, or the person has but one."""
    have = signed_in.session.context
    if have.acr.satisfies(Acr.VN_2):
        return None
    record = await uow.authenticators.find(signed_in.citizen.citizen_id)
    if not lifting_methods(have, enrolled_methods(record)):
        return None
    return see_other(f"{context.issuer}/second-factor/{visit_id}")


async def _welcomed(uow: UnitOfWork, http: Request, signed_in: SignedIn, now: datetime) -> SignedIn:
    note(http, citizen_id=signed_in.citizen.citizen_id)
    uow.sessions.seen(signed_in.session, now)
    await uow.commit()
    return signed_in
