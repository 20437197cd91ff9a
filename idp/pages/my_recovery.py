"""Does somebody set up my sign-in anew? Stop it, signed in; or open one myself, strongly and just signed in.

Whoever still has one strong way in and lost the others needs no code on paper: what they show here is enough
to open a recovery, which is told, waits and can be stopped as any other.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.activation_grounds import Ground
from idp.identity.activations import StopReason
from idp.identity.assurance import Acr
from idp.pages.activation_views import MyRecoveryPage, open_recovery_view
from idp.pages.frame import form_token, show
from idp.pages.own_pages import own_form_or_way, signed_in_or_way, strong_form_or_way
from idp.pages.recovery import hours, show_opened
from idp.pages.stop_recovery import stop_if_open
from idp.web.activations import open_recovery
from idp.web.answers import see_other
from idp.web.credential_changes import check_may_change
from idp.web.failures import JourneyError, Trouble, note
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

RECOVERY = "recovery"
"""The visit that leads here."""
MOST_OPEN = 3
"""So many recoveries of a person's own making may be open at once."""


@router.get("/my/recovery")
async def my_recovery_page(http: Request) -> Response:
    """Show what is open, each with its button; and the way to open one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, RECOVERY)
    if isinstance(signed_in, Response):
        return signed_in
    found = await uow.activations.open_of_citizen(signed_in.citizen.citizen_id, now)
    view = MyRecoveryPage(
        csrf=form_token(context, signed_in.session),
        open=tuple(open_recovery_view(each, context.issuer) for each in found),
        action=f"{context.issuer}/my/recovery",
        waiting_hours=hours(context.recovery_waiting),
    )
    return show(http, view)


@router.post("/my/recovery")
async def open_own_recovery(http: Request) -> Response:
    """Open a recovery, and show its code once."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, RECOVERY, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    already = await uow.activations.open_of_citizen(citizen_id, now)
    if len([each for each in already if each.ground is Ground.STRONG_SESSION]) >= MOST_OPEN:
        return see_other(f"{context.issuer}/my/recovery")
    await check_may_change(context, citizen_id, now)
    handed = open_recovery(uow, citizen_id, Ground.STRONG_SESSION, context.recovery_waiting, now)
    await uow.commit()
    note(http, activation_id=handed.activation.activation_id)
    return show_opened(context, http, handed)


@router.post("/my/recovery/{activation_id}/stop")
async def stop_own_recovery(http: Request, activation_id: str) -> Response:
    """Stop one, and end every session but this.

    A fresh sign-in is not asked for: to stop too much harms less than to stop too late.
    """
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, RECOVERY)
    if isinstance(sent, Response):
        return sent
    session = sent.signed_in.session
    found = await uow.activations.open_of_citizen(session.citizen_id, now)
    activation = next((each for each in found if each.activation_id == activation_id), None)
    if activation is None:
        raise JourneyError(Trouble.NOT_FOUND)
    note(http, activation_id=activation.activation_id)
    await stop_if_open(
        context, uow, activation, StopReason.HOLDER_SESSION, kept_session_id=session.session_id
    )
    return see_other(f"{context.issuer}/my/recovery")
