"""What a person should look at now, the most urgent first: read for their start page, from every corner."""

from collections.abc import AsyncIterator
from datetime import datetime

from idp.identity.account_links import LIVE
from idp.identity.activation_grounds import Purpose
from idp.identity.assurance import Method
from idp.identity.cases import CaseKind
from idp.identity.citizens import Citizen
from idp.identity.disputes import is_asked
from idp.pages.start_views import Attention, AttentionKind
from idp.store.unit_of_work import UnitOfWork
from idp.web.journey import enrolled_methods

COUNTED = 20
"""Up to how many things of one kind are counted."""
LINKS_READ = 200
"""So many of a person's links are looked at; more than anybody has."""

_DEVICES = frozenset({Method.PASSKEY, Method.APP, Method.ONE_TIME_PASSWORD})


async def attention_of(
    uow: UnitOfWork, issuer: str, citizen: Citizen, now: datetime
) -> tuple[Attention, ...]:
    """Return what waits for this person, and what is amiss with their ways of signing in."""
    found = [
        attention
        for group in (_asked(uow, issuer, citizen, now), _about_links(uow, issuer, citizen))
        async for attention in group
    ]
    if citizen.links_frozen_at is not None:
        found.append(Attention(kind=AttentionKind.FROZEN, uri=f"{issuer}/my/freeze"))
    found += [each async for each in _about_signing_in(uow, issuer, citizen.citizen_id)]
    order = tuple(AttentionKind)
    return tuple(sorted(found, key=lambda each: order.index(each.kind)))


async def _asked(uow: UnitOfWork, issuer: str, citizen: Citizen, now: datetime) -> AsyncIterator[Attention]:
    citizen_id = citizen.citizen_id
    for activation in await uow.activations.open_of_citizen(citizen_id, now):
        if activation.purpose is Purpose.RECOVERY:
            yield Attention(
                kind=AttentionKind.RECOVERY_OPEN,
                uri=f"{issuer}/my/recovery",
                until=activation.usable_from if now < activation.usable_from else activation.expires_at,
            )
    undecided = await uow.cases.of_citizen(citizen_id, COUNTED, kind=CaseKind.DISPUTE, is_closed=False)
    for case in undecided:
        if is_asked(case, citizen_id):
            address = f"{issuer}/my/cases/{case.reference}"
            yield Attention(kind=AttentionKind.CASE_ASKED, uri=address, until=case.due_at)
    waiting = await uow.backchannel_requests.open_of(citizen_id, now, COUNTED)
    if waiting:
        yield Attention(kind=AttentionKind.REQUESTS_WAIT, uri=f"{issuer}/approvals", count=len(waiting))
    asked = await uow.guardian_requests.waiting_for(citizen_id, now, limit=COUNTED)
    if asked:
        yield Attention(kind=AttentionKind.CHILDREN_ASK, uri=f"{issuer}/my/children", count=len(asked))


async def _about_links(uow: UnitOfWork, issuer: str, citizen: Citizen) -> AsyncIterator[Attention]:
    for link in await uow.account_links.of_citizen(citizen.citizen_id, limit=LINKS_READ):
        address = f"{issuer}/my/accounts/{link.link_id}"
        if link.status not in LIVE:
            continue
        if link.own_consent_due_at is not None:
            yield Attention(
                kind=AttentionKind.OWN_CONSENT_DUE,
                uri=f"{address}/own-consent",
                until=link.own_consent_due_at,
            )
        if link.reverify_requested_at is not None:
            yield Attention(kind=AttentionKind.REVERIFY_ASKED, uri=address)


async def _about_signing_in(uow: UnitOfWork, issuer: str, citizen_id: str) -> AsyncIterator[Attention]:
    methods = enrolled_methods(await uow.authenticators.find(citizen_id))
    devices = _DEVICES.intersection(methods)
    if methods and not devices:
        yield Attention(kind=AttentionKind.PASSWORD_ALONE, uri=f"{issuer}/my/security")
    elif len(devices) == 1 and await uow.recovery_codes.find_set(citizen_id) is None:
        yield Attention(kind=AttentionKind.NO_WAY_BACK, uri=f"{issuer}/my/recovery-codes")
