"""How does one get an account? Initiating User Registration via OpenID Connect 1.0 §4 (`prompt=create`).

Nobody's identity is checked here: an e-ID account is made where somebody looks at papers, and comes to us by
the register. What is done here is the rest: with the code from a letter the person chooses how they sign in,
and goes on to the network. The page says how to come by such a code, and leads on or back.
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
        activate_uri=f"{context.issuer}/activate/{interaction_id}",
    )
    return show(http, view, request=interaction.request)
