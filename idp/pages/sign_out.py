"""Sign out here? And: it is done. RP-Initiated Logout 1.0 §2, where the person has to be asked."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.frame import check_form_token, client_header, form_token, person_name, read_own_form, show
from idp.pages.session_views import SignedOutPage, SignOutPage
from idp.web.authorization_response import form_targets_of
from idp.web.journey import find_signed_in
from idp.web.sign_out import find_client, open_wish, record_sign_out, signed_out_answer
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/sign-out/{sealed}")
async def sign_out_page(http: Request, sealed: str) -> Response:
    """Ask; whoever is not signed in is done."""
    context = context_of(http)
    now = context.clock()
    wish = open_wish(context, sealed, now)
    client = await find_client(context, wish)
    signed_in = await find_signed_in(context, context.unit_of_work(), http, now)
    if signed_in is None:
        return signed_out_answer(context, wish, client)
    uri = wish.post_logout_redirect_uri
    view = SignOutPage(
        client=None if client is None else client_header(context, client, None),
        csrf=form_token(context, signed_in.session),
        action=f"{context.issuer}/sign-out/{sealed}",
        person=person_name(context, signed_in.citizen),
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view, wished=wish.ui_locales, form_targets=() if uri is None else form_targets_of(uri))


@router.post("/sign-out/{sealed}")
async def sign_out(http: Request, sealed: str) -> Response:
    """Sign out, as the person answered."""
    context = context_of(http)
    now = context.clock()
    wish = open_wish(context, sealed, now)
    form = await read_own_form(http)
    client = await find_client(context, wish)
    uow = context.unit_of_work()
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is not None:
        check_form_token(context, signed_in.session, form)
        record_sign_out(uow, signed_in, now, client_id=None if client is None else client.client_id)
        await uow.commit()
    return signed_out_answer(context, wish, client)


@router.get("/signed-out")
async def signed_out_page(http: Request) -> Response:
    """Say that nobody is signed in, if so."""
    context = context_of(http)
    signed_in = await find_signed_in(context, context.unit_of_work(), http, context.clock())
    view = SignedOutPage(is_signed_in=signed_in is not None, my_accounts_uri=f"{context.issuer}/my/accounts")
    return show(http, view)
