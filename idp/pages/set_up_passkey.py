"""Or a passkey? Made at a first activation instead of a password; the code is used in the same commit. R19.

A recovery offers none: there the page asks what is left, and whoever has chosen a password is signed in
strongly and can add a passkey at once.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.activation_grounds import Purpose
from idp.identity.activations import Kept
from idp.identity.assurance import AMR_OF
from idp.pages.frame import read_own_form
from idp.pages.set_up import Complaint, finish, opened_or_way, show_set_up
from idp.store.writes import UniquenessError
from idp.web.answers import see_other
from idp.web.failures import note
from idp.web.passkeys import PasskeyProblem, PasskeyRefusedError, add_passkey
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.post("/activate/{visit_id}/{activation_id}/passkey")
async def set_up_passkey(http: Request, visit_id: str, activation_id: str) -> Response:
    """Verify the new passkey, use the code, and sign the person in."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    opened = await opened_or_way(context, uow, http, visit_id, activation_id, now)
    if isinstance(opened, Response):
        return opened
    activation = opened.activation
    if activation.purpose is not Purpose.ENROLMENT:
        return see_other(f"{context.issuer}/activate/{visit_id}/{activation_id}")
    text, binding = form.get("credential", ""), activation.activation_id
    try:
        passkey = await add_passkey(context, uow, text, "", activation.citizen_id, binding, now)
        shown = AMR_OF[passkey.credential.method]
        return await finish(context, uow, http, opened, Kept(), shown, now)
    except PasskeyRefusedError as refused:
        problem = refused.problem
    except UniquenessError:
        problem = PasskeyProblem.KNOWN
    note(http, refused=f"passkey_{problem.value}")
    complaint = Complaint(passkey=problem)
    return await show_set_up(context, context.unit_of_work(), http, opened, now, complaint)
