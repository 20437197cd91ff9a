"""What did I agree to, and what did I refuse? Each decision as it was made. Rules R7, R8, R9."""

from collections.abc import Collection
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import LIVE
from idp.identity.consents import Consent, ConsentState
from idp.pages.consent_views import ConsentCard, ConsentsPage
from idp.pages.frame import domain_of, show
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
from idp.pages.logos import logo_address
from idp.pages.own_pages import signed_in_or_way
from idp.protocol.claims import ASSURANCE_LEVEL
from idp.store.unit_of_work import UnitOfWork
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "consents"
PAGE_SIZE = 10
LINKS_READ = 200
"""So many of a person's links are looked at to say how a decision ends; more than anybody has."""


@router.get("/my/consents")
async def consents(http: Request) -> Response:
    """Show every decision, newest first; of one network or as it stands where that is asked."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    client_id, state = chosen_id(http, "network"), chosen(http, FilterName.STATE, ConsentState)
    before = read_place(http.query_params.get("before", ""))
    found = await uow.consents.history(
        citizen_id, client_id=client_id, state=state, before=before, limit=PAGE_SIZE + 1
    )
    networks = await network_filter(context, await uow.consents.networks_of(citizen_id), client_id)
    address = ListAddress(
        f"{context.issuer}/my/consents", (networks, words_filter(FilterName.STATE, ConsentState, state))
    )
    shown = found[:PAGE_SIZE]
    linked = await _linked_at(uow, citizen_id)
    last = shown[-1] if len(found) > PAGE_SIZE else None
    view = ConsentsPage(
        consents=tuple([await _card(context, uow, each, linked, now) for each in shown]),
        filters=address.form(),
        paging=address.paging(
            is_first="before" not in http.query_params,
            next_place=None if last is None else place_of(last.decided_at, last.consent_id),
        ),
    )
    return show(http, view)


async def _linked_at(uow: UnitOfWork, citizen_id: str) -> Collection[str]:
    """Return the networks at which something of the person's is linked."""
    links = await uow.account_links.of_citizen(citizen_id, limit=LINKS_READ)
    return {link.client_id for link in links if link.status in LIVE}


async def _card(
    context: Context, uow: UnitOfWork, consent: Consent, linked: Collection[str], now: datetime
) -> ConsentCard:
    client = await context.clients.find(consent.client_id)
    return ConsentCard(
        network=consent.client_id if client is None else client.client_name,
        domain="" if client is None else domain_of(client),
        logo=None if client is None else logo_address(context.issuer, client),
        state=consent.state,
        decided_at=consent.decided_at,
        withdrawn_at=consent.withdrawn_at,
        reason=consent.reason,
        purpose=consent.purpose,
        claims=tuple(sorted(consent.claims - {ASSURANCE_LEVEL})),
        withheld=tuple(sorted(consent.offered - consent.claims - {ASSURANCE_LEVEL})),
        text_version=consent.text_version,
        ui_locale=consent.ui_locale,
        end_uri=await _way_to_its_end(context, uow, consent, linked, now),
    )


async def _way_to_its_end(
    context: Context, uow: UnitOfWork, consent: Consent, linked: Collection[str], now: datetime
) -> str | None:
    """Return where it is withdrawn: with the last link at the network, or where there is none by itself."""
    if consent.state is not ConsentState.AGREED:
        return None
    named = quote(consent.client_id, safe="")
    if consent.client_id in linked:
        return f"{context.issuer}/my/accounts?network={named}"
    since = await uow.consents.find_without_link(consent.citizen_id, consent.client_id, now)
    return None if since is None else f"{context.issuer}/my/networks/{named}/end"
