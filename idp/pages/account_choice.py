"""Go on as the person who is signed in? OpenID Connect Core §3.1.2.1 (`prompt=select_account`)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.frame import client_header, person_name, read_own_form, show
from idp.pages.views import AccountChoicePage
from idp.web.answers import see_other
from idp.web.cookies import Cookies
from idp.web.journey import commit_step, find_signed_in, load_interaction
from idp.web.sign_out import record_sign_out
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/account-choice/{interaction_id}")
async def account_choice_page(http: Request, interaction_id: str) -> Response:
    """Show who is signed in."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    interaction, client = await load_interaction(context, uow, http, interaction_id, now)
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is None:
        return see_other(f"{context.issuer}/sign-in/{interaction_id}")
    view = AccountChoicePage(
        client=client_header(context, client, interaction_id),
        action=f"{context.issuer}/account-choice/{interaction_id}",
        person=person_name(context, signed_in.citizen),
    )
    return show(http, view, request=interaction.request)


@router.post("/account-choice/{interaction_id}")
async def account_choice(http: Request, interaction_id: str) -> Response:
    """Go on as this person, or sign them out, as the page says, and let another sign in."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    interaction, client = await load_interaction(context, uow, http, interaction_id, now)
    form = await read_own_form(http)
    signed_in = await find_signed_in(context, uow, http, now)
    sign_in = see_other(f"{context.issuer}/sign-in/{interaction_id}")
    if signed_in is None:
        return sign_in
    if form.get("choice") == "other":
        record_sign_out(uow, signed_in, now, client_id=client.client_id)
        await uow.commit()
        Cookies(context.is_secure).clear_session(sign_in)
        return sign_in
    if form.get("choice") != "continue":
        return see_other(f"{context.issuer}/account-choice/{interaction_id}")
    uow.interactions.choose(interaction, signed_in.session.session_id)
    await commit_step(uow, client.client_id)
    return see_other(f"{context.issuer}/authorize/{interaction_id}")
