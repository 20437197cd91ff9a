"""Networks that I signed in to without linking an account: what each knows, and its end in two clicks.

Whoever signs in somewhere, or lets a device do so, agrees to something and links nothing. It ends here as a
link does in `my_accounts`: the consent is withdrawn, and every grant that rests on it goes. Rules R7, R8.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.consents import Decision, withdrawal_event
from idp.identity.withdrawals import platform_clock
from idp.pages.frame import domain_of, form_token, show
from idp.pages.logos import logo_address
from idp.pages.network_views import EndNetworkPage, NetworkCard, NetworkEndedPage
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.protocol.claims import ASSURANCE_LEVEL
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

DECISIONS_READ = 200
"""So many of a person's decisions are read to say what their networks know."""

Known = Mapping[str, tuple[str, ...]]
"""For each network, the claims it was ever given about a person, beside the levels."""


async def known_to_networks(uow: UnitOfWork, citizen_id: str) -> Known:
    """Return what each network knows. It stays known when the link or the consent has ended."""
    known: dict[str, set[str]] = {}
    for consent in await uow.consents.of_citizen(citizen_id, DECISIONS_READ):
        if consent.decision is Decision.ALLOW:
            known.setdefault(consent.client_id, set()).update(consent.claims - {ASSURANCE_LEVEL})
    return {client_id: tuple(sorted(claims)) for client_id, claims in known.items()}


async def network_card(context: Context, client_id: str, agreed_at: datetime, known: Known) -> NetworkCard:
    """Return one network as the person sees it."""
    client = await context.clients.find(client_id)
    return NetworkCard(
        network=client_id if client is None else client.client_name,
        domain="" if client is None else domain_of(client),
        logo=None if client is None else logo_address(context.issuer, client),
        agreed_at=agreed_at,
        claims=known.get(client_id, ()),
        end_uri=f"{context.issuer}/my/networks/{quote(client_id, safe='')}/end",
    )


@router.get("/my/networks/{client_id}/end")
async def end_network_page(http: Request, client_id: str) -> Response:
    """Ask once whether what was agreed to should end. Nothing to end looks the same for every network."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    agreed_at = await _agreed_at(uow, citizen_id, client_id, now)
    if agreed_at is None:
        return see_other(f"{context.issuer}/my/accounts")
    card = await network_card(context, client_id, agreed_at, await known_to_networks(uow, citizen_id))
    view = EndNetworkPage(
        csrf=form_token(context, signed_in.session),
        card=card,
        action=card.end_uri,
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


@router.post("/my/networks/{client_id}/end")
async def end_network(http: Request, client_id: str) -> Response:
    """Withdraw the consent and revoke its grants: at once, everywhere."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now)
    if isinstance(sent, Response):
        return sent
    signed_in = sent.signed_in
    citizen_id = signed_in.citizen.citizen_id
    if await _agreed_at(uow, citizen_id, client_id, now) is not None:
        uow.consents.withdraw(citizen_id, client_id, now)
        uow.consents.revoke_grants(citizen_id, client_id, "consent_withdrawn", now)
        clock = platform_clock(now, context.days_off)
        uow.ledger.append(withdrawal_event(citizen_id, client_id, clock, now))
        await uow.commit()
    ended_at = await withdrawn_at(uow, citizen_id, client_id)
    if ended_at is None:
        return see_other(f"{context.issuer}/my/accounts")
    # Pressed twice, or ended elsewhere meanwhile: what the person wanted is the case.
    card = await network_card(context, client_id, ended_at, {})
    view = NetworkEndedPage(
        csrf=form_token(context, signed_in.session),
        network=card.network,
        ended_at=ended_at,
        clock=platform_clock(ended_at, context.days_off),
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


async def _agreed_at(uow: UnitOfWork, citizen_id: str, client_id: str, now: datetime) -> datetime | None:
    if not is_id(client_id):
        return None
    return await uow.consents.find_without_link(citizen_id, client_id, now)


async def withdrawn_at(uow: UnitOfWork, citizen_id: str, client_id: str) -> datetime | None:
    """Return since when the latest consent for the client no longer answers; None while it does."""
    for consent in await uow.consents.of_citizen(citizen_id, DECISIONS_READ):
        if consent.client_id == client_id and consent.decision is Decision.ALLOW:
            return consent.withdrawn_at
    return None
