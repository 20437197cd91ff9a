"""My linked accounts: every link, what happened to it, and its end in two clicks. Rules R8, R9."""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.chain import SealedEvent
from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import LIVE, AccountLink, IllegalMoveError, Status, move
from idp.identity.cases import NOT_ME
from idp.identity.consents import withdrawal_event
from idp.identity.withdrawals import platform_clock
from idp.pages.frame import check_form_token, domain_of, form_token, person_name, read_own_form, show
from idp.pages.list_views import FilterName
from idp.pages.lists import (
    ListAddress,
    chosen,
    chosen_id,
    network_filter,
    place_of,
    read_place,
    words_filter,
)
from idp.pages.login_initiation import login_initiation_uri
from idp.pages.logos import logo_address
from idp.pages.my_networks import Known, known_to_networks, network_card, withdrawn_at
from idp.pages.network_views import LinkedAccountsPage
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.pages.public_marks import mark_switch
from idp.pages.views import (
    AccountCard,
    EndedPage,
    EndLinkPage,
    LinkCard,
    LinkDetailPage,
    TimelineEntry,
)
from idp.pages.visit import OWN
from idp.store.encoding import moment
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble
from idp.web.journey import find_signed_in
from idp.web.requests import is_id
from idp.web.sign_out import record_sign_out
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "accounts"
PAGE_SIZE = 20
HISTORY_SIZE = 30
SHOWN_STATES = tuple(status for status in Status if status is not Status.PENDING)
"""What somebody may look for: a link that its network never completed is not shown."""


@router.get("/my/accounts")
async def linked_accounts(http: Request) -> Response:
    """Show one card per link, then one per network without a link; each list in pages of its own."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    client_id, status = chosen_id(http, "network"), chosen(http, FilterName.STATE, SHOWN_STATES)
    after, networks_after = chosen_id(http, "after"), chosen_id(http, "networks_after")
    links: list[AccountLink] = []
    if not networks_after:
        links = await _links(uow, citizen_id, client_id, status, after)
    networks: list[tuple[str, datetime]] = []
    if not after and status is None:
        networks = await _networks(uow, citizen_id, client_id, networks_after, now)
    known = await known_to_networks(uow, citizen_id)
    address = ListAddress(
        f"{context.issuer}/my/accounts",
        (
            await network_filter(context, await uow.consents.networks_of(citizen_id), client_id),
            words_filter(FilterName.STATE, SHOWN_STATES, status),
        ),
    )
    is_first = not (after or networks_after)
    last_link = links[PAGE_SIZE - 1].link_id if len(links) > PAGE_SIZE else None
    last_network = networks[PAGE_SIZE - 1][0] if len(networks) > PAGE_SIZE else None
    view = LinkedAccountsPage(
        csrf=form_token(context, signed_in.session),
        person=person_name(context, signed_in.citizen),
        links=tuple([await link_card(context, link, known) for link in links[:PAGE_SIZE]]),
        networks=tuple([await network_card(context, *each, known) for each in networks[:PAGE_SIZE]]),
        filters=address.form(),
        paging=address.paging(is_first=is_first, next_place=last_link, name="after"),
        networks_paging=address.paging(is_first=True, next_place=last_network, name="networks_after"),
    )
    return show(http, view)


async def _links(
    uow: UnitOfWork, citizen_id: str, client_id: str, status: Status | None, after: str
) -> list[AccountLink]:
    """Return a page of the person's links, and one more where there is another page."""
    if client_id:
        return await uow.account_links.of_citizen_at_client(
            citizen_id, client_id, status=status, after=after, limit=PAGE_SIZE + 1
        )
    return await uow.account_links.of_citizen(citizen_id, status=status, after=after, limit=PAGE_SIZE + 1)


async def _networks(
    uow: UnitOfWork, citizen_id: str, client_id: str, after: str, now: datetime
) -> list[tuple[str, datetime]]:
    """Return a page of the networks without a link, as `_links`; at most one where it is named."""
    if client_id:
        since = await uow.consents.find_without_link(citizen_id, client_id, now)
        return [] if since is None else [(client_id, since)]
    return await uow.consents.without_link(citizen_id, now, after=after, limit=PAGE_SIZE + 1)


@router.get("/my/accounts/{link_id}")
async def link_detail(http: Request, link_id: str) -> Response:
    """Show one link with its history."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    link = await own_link(uow, signed_in, link_id)
    before = read_place(http.query_params.get("before", ""))
    events = await uow.ledger.of_link(link_id, before=before, limit=HISTORY_SIZE + 1)
    card = await link_card(context, link, await known_to_networks(uow, link.citizen_id))
    last = events[HISTORY_SIZE - 1] if len(events) > HISTORY_SIZE else None
    view = LinkDetailPage(
        csrf=form_token(context, signed_in.session),
        link=card,
        timeline=tuple(_entry(context, event) for event in events[:HISTORY_SIZE]),
        mark=await mark_switch(context, link),
        paging=ListAddress(card.detail_uri).paging(
            is_first="before" not in http.query_params,
            next_place=None if last is None else place_of(moment(last.occurred_at), last.event_id),
        ),
        not_me_uri=f"{card.detail_uri}/not-me",
    )
    return show(http, view)


@router.get("/my/accounts/{link_id}/end")
async def end_link_page(http: Request, link_id: str) -> Response:
    """Ask once whether the link should end."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    link = await own_link(uow, signed_in, link_id)
    card = await link_card(context, link, await known_to_networks(uow, link.citizen_id))
    if card.end_uri is None:
        return see_other(card.detail_uri)
    view = EndLinkPage(
        csrf=form_token(context, signed_in.session), link=card, action=f"{card.detail_uri}/end"
    )
    return show(http, view)


@router.post("/my/accounts/{link_id}/end")
async def end_link(http: Request, link_id: str) -> Response:
    """End the link: at once, everywhere. Its grants go with it, and with the last link the consent."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, VISIT)
    if isinstance(sent, Response):
        return sent
    signed_in = sent.signed_in
    link = await own_link(uow, signed_in, link_id)
    citizen_id = signed_in.citizen.citizen_id
    if is_disowned(link):
        return see_other(f"{context.issuer}/my/accounts/{link_id}")
    try:
        ended, event = move(link, Status.ENDED, Actor(ActorKind.CITIZEN, citizen_id), "ended_by_holder", now)
    except IllegalMoveError:
        # Pressed twice, or ended elsewhere meanwhile: what the person wanted is the case.
        return await _ended_answer(context, http, signed_in, link, link.ended_at or now)
    uow.account_links.move(link, ended, now)
    if not await is_linked_elsewhere(uow, link):
        uow.consents.withdraw(citizen_id, link.client_id, now)
        clock = platform_clock(now, context.days_off)
        uow.ledger.append(withdrawal_event(citizen_id, link.client_id, clock, now))
    uow.ledger.append(event)
    try:
        await uow.commit()
    except GateClosedError:
        return see_other(f"{context.issuer}/my/accounts/{link_id}")
    return await _ended_answer(context, http, signed_in, ended, now)


def is_disowned(link: AccountLink) -> bool:
    """Tell whether its holder said that it was not them: then our staff decide, and nobody links it anew."""
    return link.status is Status.SUSPENDED and link.suspended_because == NOT_ME


async def is_linked_elsewhere(uow: UnitOfWork, link: AccountLink) -> bool:
    """Tell whether the person has another account at the same network: the consent answers for that, too."""
    neighbours = await uow.account_links.neighbours(link.client_id, link.account_id, link.citizen_id)
    return any(other.citizen_id == link.citizen_id and other.link_id != link.link_id for other in neighbours)


async def _ended_answer(
    context: Context, http: Request, signed_in: SignedIn, link: AccountLink, ended_at: datetime
) -> Response:
    withdrawn = await withdrawn_at(context.unit_of_work(), link.citizen_id, link.client_id)
    view = EndedPage(
        csrf=form_token(context, signed_in.session),
        link=await link_card(context, link, await known_to_networks(context.unit_of_work(), link.citizen_id)),
        ended_at=ended_at,
        clock=None if withdrawn is None else platform_clock(withdrawn, context.days_off),
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


@router.post("/my/sign-out")
async def sign_out(http: Request) -> Response:
    """End this session."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    cookies = Cookies(context.is_secure)
    signed_in = await find_signed_in(context, uow, http, now)
    if signed_in is not None:
        check_form_token(context, signed_in.session, form)
        record_sign_out(uow, signed_in, now)
        await uow.commit()
    answer = see_other(f"{context.issuer}/sign-in/{OWN}?signed_out=1")
    cookies.clear_session(answer)
    return answer


async def own_link(uow: UnitOfWork, signed_in: SignedIn, link_id: str) -> AccountLink:
    """Return the person's own link; another's looks exactly like none (abuse case 24)."""
    link = await uow.account_links.find(link_id) if is_id(link_id) else None
    if link is None or link.citizen_id != signed_in.citizen.citizen_id or link.status is Status.PENDING:
        raise JourneyError(Trouble.NOT_FOUND)
    return link


async def link_card(
    context: Context, link: AccountLink, known: Known, *, detail_uri: str | None = None
) -> LinkCard:
    """Return one link as its holder sees it, or, under another address, somebody who speaks for them."""
    client = await context.clients.find(link.client_id)
    own_uri = f"{context.issuer}/my/accounts/{link.link_id}"
    detail_uri = detail_uri or own_uri
    return LinkCard(
        network=link.client_id if client is None else client.client_name,
        domain="" if client is None else domain_of(client),
        logo=None if client is None else logo_address(context.issuer, client),
        account=AccountCard(account_id=link.account_id, handle=link.handle, profile_uri=link.profile_uri),
        status=link.status,
        proofing=link.proofing,
        acr=link.acr,
        detail_uri=detail_uri,
        end_uri=None if link.status is Status.ENDED or is_disowned(link) else f"{detail_uri}/end",
        open_uri=login_initiation_uri(context.issuer, client),
        linked_at=link.linked_at,
        last_used_at=link.last_used_at,
        expires_at=link.expires_at,
        ended_at=link.ended_at,
        claims=known.get(link.client_id, ()),
        own_consent_due_at=link.own_consent_due_at if link.status in LIVE else None,
        own_consent_uri=f"{own_uri}/own-consent",
    )


def _entry(context: Context, event: SealedEvent) -> TimelineEntry:
    return TimelineEntry(
        type=event.type,
        occurred_at=moment(event.occurred_at),
        actor=ActorKind(event.actor_kind),
        proof_uri=f"{context.issuer}/my/activity/{event.event_id}",
    )
