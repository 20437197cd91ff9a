"""How does one get an account? Initiating User Registration via OpenID Connect 1.0 §4 (`prompt=create`).

Nobody is enrolled here: an e-ID account is made where an identity is checked, and comes to us by the
register. The page says so, and leads on to the sign-in page or back to the network.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.frame import client_header, show
from idp.pages.views import EnrolmentPage
from idp.web.journey import load_interaction
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/enrolment/{interaction_id}")
async def enrolment_page(http: Request, interaction_id: str) -> Response:
    """Explain how an account is made."""
    context = context_of(http)
    uow = context.unit_of_work()
    interaction, client = await load_interaction(context, uow, http, interaction_id, context.clock())
    view = EnrolmentPage(
        client=client_header(context, client, interaction_id),
        sign_in_uri=f"{context.issuer}/sign-in/{interaction_id}",
    )
    return show(http, view, request=interaction.request)
