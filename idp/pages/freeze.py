"""May new accounts be linked with me? Off for whoever is signed in, on again by a stronger sign-in only.

Whoever got hold of a password can freeze, which harms nobody; to lift it takes two proofs, both shown within
the last minutes (abuse cases P1, P4).
"""

import contextlib

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.identity.assurance import Method
from idp.identity.freezes import may_lift
from idp.pages.frame import form_token, show
from idp.pages.notice_views import FreezePage
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.pages.visit import FREEZE
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.freezes import record_freeze, record_lifted_freeze
from idp.web.journey import enrolled_methods
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/my/freeze")
async def freeze_page(http: Request) -> Response:
    """Show whether new links can be made, and what it takes to change that."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, FREEZE)
    if isinstance(signed_in, Response):
        return signed_in
    view = FreezePage(
        csrf=form_token(context, signed_in.session),
        action=f"{context.issuer}/my/freeze",
        frozen_since=signed_in.citizen.links_frozen_at,
        can_be_lifted=await _has_second_factor(uow, signed_in.citizen.citizen_id),
        needs_sign_in=not may_lift(signed_in.session.context, now),
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


@router.post("/my/freeze")
async def freeze(http: Request) -> Response:
    """Freeze new links, or let them be made again."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, FREEZE)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    citizen_id = signed_in.citizen.citizen_id
    actor = Actor(ActorKind.CITIZEN, citizen_id)
    match form.get("freeze"):
        case "on":
            record_freeze(uow, citizen_id, actor, now)
        case "off" if may_lift(signed_in.session.context, now):
            record_lifted_freeze(uow, citizen_id, actor, "holder_request", now)
        case "off" if await _has_second_factor(uow, citizen_id):
            return see_other(f"{context.issuer}/sign-in/{FREEZE}")
    # A closed gate means that it was pressed twice: what the person wanted is the case.
    with contextlib.suppress(GateClosedError):
        await uow.commit()
    return see_other(f"{context.issuer}/my/freeze")


async def _has_second_factor(uow: UnitOfWork, citizen_id: str) -> bool:
    record = await uow.authenticators.find(citizen_id)
    return any(method is not Method.PASSWORD for method in enrolled_methods(record))
