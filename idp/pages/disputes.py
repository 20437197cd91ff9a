"""An account that is linked with somebody else: claimed here, and its holder asked. See identity.disputes.

Whoever claims an account was sent here by the network with it and is signed in; that it is linked at all they
were told already. They learn no more than that somebody is asked, and what came of it.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import LIVE, Refusal
from idp.identity.cases import shown_reference
from idp.identity.disputes import DisputeRefusedError
from idp.pages.case_views import DisputeOpenedPage
from idp.pages.consent import account_card
from idp.pages.frame import check_same_origin, client_header, show
from idp.web.answers import see_other
from idp.web.disputes import open_dispute
from idp.web.failures import note
from idp.web.journey import assess, load_interaction
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.post("/dispute/{interaction_id}")
async def dispute(http: Request, interaction_id: str) -> Response:
    """Ask the present holder whether the account is still theirs. Pressed twice, it is asked once."""
    context = context_of(http)
    now = context.clock()
    check_same_origin(http)
    uow = context.unit_of_work()
    interaction, client = await load_interaction(context, uow, http, interaction_id, now)
    standing = await assess(context, uow, http, interaction.request, client, interaction, now)
    wanted, presence = standing.request.account_link, standing.presence
    if standing.step.refusal is not Refusal.ACCOUNT_TAKEN or wanted is None or presence is None:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    claimant = presence.citizen.citizen_id
    neighbours = await uow.account_links.neighbours(client.client_id, wanted.account_id, claimant)
    held = next(
        (link for link in neighbours if link.account_id == wanted.account_id and link.status in LIVE), None
    )
    if held is None or held.citizen_id == claimant:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    header, card = client_header(context, client, interaction_id), account_card(standing.request)
    cases_uri = f"{context.issuer}/my/cases"
    try:
        case = await open_dispute(uow, held, Actor(ActorKind.CITIZEN, claimant), now)
    except DisputeRefusedError as refused:
        note(http, refused=refused.refusal.value)
        view = DisputeOpenedPage(client=header, account=card, refusal=refused.refusal, cases_uri=cases_uri)
        return show(http, view, request=standing.request, status=403)
    note(http, reference=case.reference)
    view = DisputeOpenedPage(
        client=header,
        account=card,
        reference=shown_reference(case.reference),
        due_at=case.due_at,
        cases_uri=cases_uri,
    )
    return show(http, view, request=standing.request)
