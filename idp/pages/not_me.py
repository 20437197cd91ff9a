"""Was it not me? From a message without signing in, or from the link's own page. Abuse cases P1, P4, P6.

Looking changes nothing: programs that read mail open every address in it. Pressing suspends the link, signs
the person out and opens a case. Whoever has no token learns nothing: a wrong one, one that is too old and one
that never was look the same.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import AccountLink, Status
from idp.identity.cases import Case, shown_reference
from idp.identity.notices import KeptNotice, can_be_vetoed
from idp.pages.frame import domain_of, form_token, read_own_form, show
from idp.pages.logos import logo_address
from idp.pages.my_accounts import own_link
from idp.pages.notice_views import NotMePage
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.pages.views import AccountCard
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.failures import JourneyError, Trouble, note
from idp.web.requests import is_id
from idp.web.state import Context, context_of
from idp.web.vetoes import Pressed, undecided_veto, veto

router = APIRouter(include_in_schema=False)


@router.get("/not-me/{token}")
async def not_me_page(http: Request, token: str) -> Response:
    """Show what the message told of, and the one button; or what became of pressing it."""
    context = context_of(http)
    uow = context.unit_of_work()
    kept, link = await _disownable(context, uow, token)
    case = None
    if kept.vetoed_at is not None and kept.notice.case_id is not None:
        case = await uow.cases.find(kept.notice.case_id)
    view = await _view(context, link, kept, case, action=f"{context.issuer}/not-me/{token}")
    return show(http, view)


@router.post("/not-me/{token}")
async def not_me(http: Request, token: str) -> Response:
    """Stop the link. The token is the proof; nothing else is asked."""
    context = context_of(http)
    await read_own_form(http)
    kept, link = await _disownable(context, context.unit_of_work(), token)
    case = await veto(context, Pressed(link.link_id, kept.notice_id), context.clock())
    note(http, case_id=case.case_id, link_id=link.link_id)
    return see_other(f"{context.issuer}/not-me/{token}")


async def _disownable(context: Context, uow: UnitOfWork, token: str) -> tuple[KeptNotice, AccountLink]:
    """Return the notice and its link. Raises JourneyError, the same for whatever is wrong with the token."""
    kept = await uow.notices.find_by_token(token) if is_id(token) else None
    if kept is None or kept.notice.link_id is None or not can_be_vetoed(kept, context.clock()):
        raise JourneyError(Trouble.NOT_FOUND)
    link = await uow.account_links.find(kept.notice.link_id)
    if link is None:
        raise JourneyError(Trouble.NOT_FOUND)
    return kept, link


@router.get("/my/accounts/{link_id}/not-me")
async def disown_page(http: Request, link_id: str) -> Response:
    """Ask once whether the link was not the person's own doing; or show the case."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock())
    if isinstance(signed_in, Response):
        return signed_in
    link = await own_link(uow, signed_in, link_id)
    case = await undecided_veto(uow, link_id)
    action = f"{context.issuer}/my/accounts/{link_id}/not-me"
    csrf = form_token(context, signed_in.session)
    return show(http, await _view(context, link, None, case, action=action, csrf=csrf))


@router.post("/my/accounts/{link_id}/not-me")
async def disown(http: Request, link_id: str) -> Response:
    """Stop the link, and end every session but this one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now)
    if isinstance(sent, Response):
        return sent
    signed_in = sent.signed_in
    link = await own_link(uow, signed_in, link_id)
    pressed = Pressed(link.link_id, kept_session_id=signed_in.session.session_id)
    case = await veto(context, pressed, now)
    note(http, case_id=case.case_id, link_id=link.link_id)
    return see_other(f"{context.issuer}/my/accounts/{link_id}/not-me")


async def _view(
    context: Context,
    link: AccountLink,
    kept: KeptNotice | None,
    case: Case | None,
    *,
    action: str,
    csrf: str | None = None,
) -> NotMePage:
    client = await context.clients.find(link.client_id)
    return NotMePage(
        csrf=csrf,
        action=action,
        network=link.client_id if client is None else client.client_name,
        domain="" if client is None else domain_of(client),
        logo=None if client is None else logo_address(context.issuer, client),
        account=AccountCard(account_id=link.account_id, handle=link.handle, profile_uri=link.profile_uri),
        kind=None if kept is None else kept.notice.kind,
        happened_at=(link.linked_at or link.requested_at) if kept is None else kept.created_at,
        has_ended=link.status is Status.ENDED,
        reference=None if case is None else shown_reference(case.reference),
        status=None if case is None else case.status,
        due_at=None if case is None else case.due_at,
        is_signed_in=csrf is not None,
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
