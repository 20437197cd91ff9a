"""A link that a guardian once approved: is it yours from now on? Asked at 16, with a grace. R10."""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import AccountLink
from idp.identity.consents import TEXT_VERSION, AskReason, Consent, Decision, decision_event
from idp.identity.hand_over import is_asked, take_over
from idp.pages.frame import form_token, locale_of, show
from idp.pages.guardian_views import OwnConsentPage
from idp.pages.my_accounts import link_card, own_link
from idp.pages.my_networks import DECISIONS_READ, known_to_networks
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/my/accounts/{link_id}/own-consent")
async def own_consent_page(http: Request, link_id: str) -> Response:
    """Ask whether the link stays."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now)
    if isinstance(signed_in, Response):
        return signed_in
    link = await own_link(uow, signed_in, link_id)
    birthdate = signed_in.citizen.personal_data.birthdate
    if not is_asked(link, birthdate, now) or link.own_consent_due_at is None:
        return see_other(f"{context.issuer}/my/accounts/{link_id}")
    card = await link_card(context, link, await known_to_networks(uow, link.citizen_id))
    view = OwnConsentPage(
        csrf=form_token(context, signed_in.session),
        link=card,
        action=card.own_consent_uri,
        due_at=link.own_consent_due_at,
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


@router.post("/my/accounts/{link_id}/own-consent")
async def own_consent(http: Request, link_id: str) -> Response:
    """Keep the young person's own consent; no guardian is named by the link from now on."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now)
    if isinstance(sent, Response):
        return sent
    signed_in = sent.signed_in
    link = await own_link(uow, signed_in, link_id)
    detail = see_other(f"{context.issuer}/my/accounts/{link_id}")
    if not is_asked(link, signed_in.citizen.personal_data.birthdate, now):
        return detail
    consent = _consent(link, await _latest(uow, link), locale_of(http), now)
    own, event = take_over(link, now)
    uow.account_links.change(link, own, None, now)
    uow.consents.add(consent)
    uow.ledger.append(decision_event(consent))
    uow.ledger.append(event)
    try:
        await uow.commit()
    except GateClosedError:
        # The link changed in this moment; the page shows how it stands now.
        return see_other(f"{context.issuer}/my/accounts/{link_id}/own-consent")
    return detail


async def _latest(uow: UnitOfWork, link: AccountLink) -> Consent | None:
    """Return what was agreed to until now: that, and nothing beside it, is agreed to again."""
    for consent in await uow.consents.of_citizen(link.citizen_id, DECISIONS_READ):
        if consent.client_id == link.client_id and consent.decision is Decision.ALLOW:
            return consent
    return None


def _consent(link: AccountLink, latest: Consent | None, ui_locale: str, now: datetime) -> Consent:
    return Consent(
        consent_id=secrets.token_urlsafe(16),
        citizen_id=link.citizen_id,
        client_id=link.client_id,
        decision=Decision.ALLOW,
        reason=AskReason.CAME_OF_AGE,
        purpose=link.purpose,
        scope=frozenset() if latest is None else latest.scope,
        claims=frozenset() if latest is None else latest.claims,
        offered=frozenset() if latest is None else latest.offered,
        text_version=TEXT_VERSION,
        ui_locale=ui_locale,
        decided_at=now,
    )
