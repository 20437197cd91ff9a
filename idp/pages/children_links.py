"""What is linked with a child: seen and ended by whoever speaks for them, until the child turns 16. R10."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import AccountLink, IllegalMoveError, Status, move
from idp.identity.citizens import Citizen
from idp.pages.children import PAGE_SIZE, speaks_for
from idp.pages.frame import check_form_token, form_token, person_name, read_own_form, show
from idp.pages.guardian_views import ChildLinkEndedPage, ChildLinksPage, EndChildLinkPage
from idp.pages.my_accounts import is_disowned, is_linked_elsewhere, link_card
from idp.pages.own_pages import signed_in_or_way
from idp.pages.views import LinkCard
from idp.pages.visit import CHILDREN
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.failures import JourneyError, Trouble
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Child:
    """A child before a guardian of theirs."""

    signed_in: SignedIn
    citizen: Citizen
    links_uri: str


@router.get("/my/children/{guardianship_id}")
async def child_links(http: Request, guardianship_id: str) -> Response:
    """Show the child's links, ended ones included, in pages by id."""
    context = context_of(http)
    uow = context.unit_of_work()
    child = await _child(context, uow, http, guardianship_id, context.clock())
    if isinstance(child, Response):
        return child
    after = http.query_params.get("after", "")
    after = after if is_id(after) else ""
    links = await uow.account_links.of_citizen(child.citizen.citizen_id, after=after, limit=PAGE_SIZE + 1)
    last = links[PAGE_SIZE - 1].link_id if len(links) > PAGE_SIZE else None
    view = ChildLinksPage(
        csrf=form_token(context, child.signed_in.session),
        child=person_name(context, child.citizen),
        links=tuple([await _card(context, child, link) for link in links[:PAGE_SIZE]]),
        children_uri=f"{context.issuer}/my/children",
        first_page_uri=child.links_uri if after else None,
        next_page_uri=f"{child.links_uri}?after={last}" if last else None,
    )
    return show(http, view)


@router.get("/my/children/{guardianship_id}/links/{link_id}/end")
async def end_child_link_page(http: Request, guardianship_id: str, link_id: str) -> Response:
    """Ask once whether the link should end."""
    context = context_of(http)
    uow = context.unit_of_work()
    child = await _child(context, uow, http, guardianship_id, context.clock())
    if isinstance(child, Response):
        return child
    link = await _link_of(uow, child, link_id)
    if link.status is Status.ENDED or is_disowned(link):
        return see_other(child.links_uri)
    card = await _card(context, child, link)
    view = EndChildLinkPage(
        csrf=form_token(context, child.signed_in.session),
        child=person_name(context, child.citizen),
        link=card,
        action=card.end_uri or child.links_uri,
        links_uri=child.links_uri,
    )
    return show(http, view)


@router.post("/my/children/{guardianship_id}/links/{link_id}/end")
async def end_child_link(http: Request, guardianship_id: str, link_id: str) -> Response:
    """End the link: at once, everywhere. The child is told, as of every end."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    child = await _child(context, uow, http, guardianship_id, now)
    if isinstance(child, Response):
        return child
    check_form_token(context, child.signed_in.session, form)
    link = await _link_of(uow, child, link_id)
    if is_disowned(link):
        return see_other(child.links_uri)
    guardian = Actor(ActorKind.GUARDIAN, child.signed_in.citizen.citizen_id)
    try:
        ended, event = move(link, Status.ENDED, guardian, "ended_by_guardian", now)
    except IllegalMoveError:
        # Pressed twice, or ended elsewhere meanwhile: what the guardian wanted is the case.
        return await _ended_answer(context, http, child, link, link.ended_at or now)
    uow.account_links.move(link, ended, now)
    if not await is_linked_elsewhere(uow, link):
        uow.consents.withdraw(link.citizen_id, link.client_id, now)
    uow.ledger.append(event)
    try:
        await uow.commit()
    except GateClosedError:
        return see_other(f"{child.links_uri}/links/{link_id}/end")
    return await _ended_answer(context, http, child, ended, now)


async def _ended_answer(
    context: Context, http: Request, child: _Child, link: AccountLink, ended_at: datetime
) -> Response:
    view = ChildLinkEndedPage(
        csrf=form_token(context, child.signed_in.session),
        child=person_name(context, child.citizen),
        link=await _card(context, child, link),
        ended_at=ended_at,
        links_uri=child.links_uri,
    )
    return show(http, view)


async def _child(
    context: Context, uow: UnitOfWork, http: Request, guardianship_id: str, now: datetime
) -> _Child | Response:
    """Return a child of whoever is signed in. Another's looks exactly like none (abuse cases 24, P6, P10)."""
    signed_in = await signed_in_or_way(context, uow, http, now, CHILDREN)
    if isinstance(signed_in, Response):
        return signed_in
    relation = await uow.guardianships.find(guardianship_id) if is_id(guardianship_id) else None
    if (
        relation is None
        or relation.guardian_citizen_id != signed_in.citizen.citizen_id
        or not relation.is_in_force(now)
    ):
        raise JourneyError(Trouble.NOT_FOUND)
    child = await uow.citizens.find(relation.child_citizen_id)
    if child is None or not speaks_for(signed_in.citizen, child, now):
        raise JourneyError(Trouble.NOT_FOUND)
    return _Child(signed_in, child, f"{context.issuer}/my/children/{quote(guardianship_id, safe='')}")


async def _link_of(uow: UnitOfWork, child: _Child, link_id: str) -> AccountLink:
    link = await uow.account_links.find(link_id) if is_id(link_id) else None
    if link is None or link.citizen_id != child.citizen.citizen_id or link.status is Status.PENDING:
        raise JourneyError(Trouble.NOT_FOUND)
    return link


async def _card(context: Context, child: _Child, link: AccountLink) -> LinkCard:
    """Return a link as a guardian sees it: what the network was given besides is for the child's own page."""
    return await link_card(context, link, {}, detail_uri=f"{child.links_uri}/links/{link.link_id}")
