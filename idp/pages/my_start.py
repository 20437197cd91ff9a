"""What needs me now, and where is everything else? The first of a person's own pages. Rule R9."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.attention import attention_of
from idp.pages.frame import form_token, person_name, show
from idp.pages.own_pages import signed_in_or_way
from idp.pages.start_views import StartPage
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/my")
async def start(http: Request) -> Response:
    """Show what waits for the person, then the way to each of their pages."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now)
    if isinstance(signed_in, Response):
        return signed_in
    citizen = signed_in.citizen
    view = StartPage(
        csrf=form_token(context, signed_in.session),
        person=person_name(context, citizen),
        attention=await attention_of(uow, context.issuer, citizen, now),
        has_children=await uow.guardianships.has_children(citizen.citizen_id, now),
    )
    return show(http, view)
