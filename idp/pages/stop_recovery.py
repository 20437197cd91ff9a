"""Was it not me? The button that stops a recovery or a code: from a message without signing in, or signed in.

Looking changes nothing: programs that read mail open every address in it. Whoever has no token learns
nothing; a wrong one and one that never was look the same. P1, P6.
"""

import contextlib
from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.identity.activations import Activation, ActivationStatus, Standing, StopReason
from idp.pages.activation_views import StopPage
from idp.pages.frame import read_own_form, show
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.activations import stop_activation
from idp.web.answers import see_other
from idp.web.failures import JourneyError, Trouble, note
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

SHOWN_FOR = timedelta(days=30)
"""How long after its end the address in a message still says what became of it."""


@router.get("/recovery/stop/{token}")
async def stop_page(http: Request, token: str) -> Response:
    """Show what the message told of, and the one button; or that it was pressed."""
    context = context_of(http)
    activation = await _stoppable(context, context.unit_of_work(), token)
    standing = activation.standing(context.clock())
    view = StopPage(
        action=f"{context.issuer}/recovery/stop/{token}",
        is_stopped=activation.status is ActivationStatus.STOPPED,
        is_over=standing in {Standing.USED, Standing.EXPIRED},
        purpose=activation.purpose,
        issued_at=activation.issued_at,
        usable_from=activation.usable_from,
        freeze_uri=f"{context.issuer}/my/freeze",
        recovery_uri=f"{context.issuer}/recovery",
    )
    return show(http, view)


@router.post("/recovery/stop/{token}")
async def stop(http: Request, token: str) -> Response:
    """Stop it. The token is the proof; nothing else is asked."""
    context = context_of(http)
    await read_own_form(http)
    uow = context.unit_of_work()
    activation = await _stoppable(context, uow, token)
    note(http, activation_id=activation.activation_id)
    await stop_if_open(context, uow, activation, StopReason.HOLDER_MESSAGE)
    return see_other(f"{context.issuer}/recovery/stop/{token}")


async def stop_if_open(
    context: Context,
    uow: UnitOfWork,
    activation: Activation,
    because: StopReason,
    *,
    kept_session_id: str = "",
) -> None:
    """Stop an activation as its holder, if there is something to stop; the page says what became of it."""
    now = context.clock()
    if not activation.can_be_stopped(now):
        return
    actor = Actor(ActorKind.CITIZEN, activation.citizen_id)
    stop_activation(uow, activation, because, actor, now, kept_session_id=kept_session_id)
    # A closed gate means that it was used or stopped in this very moment.
    with contextlib.suppress(GateClosedError):
        await uow.commit()


async def _stoppable(context: Context, uow: UnitOfWork, token: str) -> Activation:
    """Return what a token stops. Raises JourneyError, the same for whatever is wrong with it."""
    found = await uow.activations.find_by_stop_token(token) if is_id(token) else None
    if found is None or context.clock() >= found.expires_at + SHOWN_FOR:
        raise JourneyError(Trouble.NOT_FOUND)
    return found
