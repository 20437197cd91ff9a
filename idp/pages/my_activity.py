"""What was done with my data: every event that concerns me, and its proof. Rules R9, R20; abuse case P9.

The looks of our own staff are among them. Each entry can be checked against the public log, and its proof
taken along: `python -m clients.log_verifier` verifies it without us.
"""

from collections.abc import Sequence
from urllib.parse import quote

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.activity import EVERYTHING, PATTERNS, USES, ActivityKind
from idp.audit.chain import SealedEvent, encode
from idp.audit.checkpoints import Checkpoint, text_of_hash
from idp.audit.events import ActorKind
from idp.audit.merkle import ProofError
from idp.audit.tiles import TileError
from idp.identity.consents import Decision
from idp.pages.activity_views import ActivityEntry, ActivityPage, EntryPage, UseTotal
from idp.pages.frame import show
from idp.pages.list_views import FilterName, Period
from idp.pages.lists import (
    ListAddress,
    before_of,
    chosen,
    chosen_id,
    network_filter,
    place_of,
    since_of,
    words_filter,
)
from idp.pages.my_networks import DECISIONS_READ, known_to_networks
from idp.pages.own_pages import signed_in_or_way
from idp.store.activity import Total
from idp.store.encoding import load_mapping, moment
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import NO_STORE
from idp.web.failures import JourneyError, Trouble
from idp.web.log_proofs import Inclusion, prove_event
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "activity"
PAGE_SIZE = 30
NETWORKS_SHOWN = 20


@router.get("/my/activity")
async def activity(http: Request) -> Response:
    """Show how often who used what, then each event; of one network, kind or time where that is asked."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    client_id, kind = chosen_id(http, "network"), chosen(http, FilterName.KIND, ActivityKind)
    period = chosen(http, FilterName.PERIOD, Period)
    events = await uow.activity.page(
        citizen_id,
        client_id=client_id,
        pattern=EVERYTHING if kind is None else PATTERNS[kind],
        since=since_of(period, now),
        before=before_of(http, period, now),
        limit=PAGE_SIZE + 1,
    )
    totals = await uow.activity.totals(citizen_id)
    networks = {total.client_id for total in totals if total.client_id is not None}
    address = ListAddress(
        f"{context.issuer}/my/activity",
        (
            await network_filter(context, networks, client_id),
            words_filter(FilterName.KIND, ActivityKind, kind),
            words_filter(FilterName.PERIOD, Period, period),
        ),
    )
    last = events[PAGE_SIZE - 1] if len(events) > PAGE_SIZE else None
    is_first = "before" not in http.query_params
    filters = address.form()
    view = ActivityPage(
        network=await name_of(context, client_id) if client_id else None,
        filters=filters,
        totals=() if filters.is_used or not is_first else await _use_totals(context, uow, citizen_id, totals),
        timeline=tuple([await _entry(context, event) for event in events[:PAGE_SIZE]]),
        paging=address.paging(
            is_first=is_first,
            next_place=None if last is None else place_of(moment(last.occurred_at), last.event_id),
        ),
    )
    return show(http, view)


@router.get("/my/activity/{event_id}")
async def entry(http: Request, event_id: str) -> Response:
    """Show one event as it stands in the log, and check now that it is in the public one."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    event = await _own_event(uow, signed_in, event_id)
    newest = await uow.merkle_log.newest_checkpoint()
    proof, is_altered = None, False
    try:
        proof = None if newest is None else await prove_event(uow, event, newest)
    except (ProofError, TileError):
        is_altered = True
    address = f"{context.issuer}/my/activity"
    view = EntryPage(
        entry=await _entry(context, event),
        claims=tuple(load_mapping(event.details).get("claims", "").split()),
        place=None if proof is None else event.sequence,
        signed_at=None if proof is None or newest is None else newest.created_at,
        is_altered=is_altered,
        leaf=_leaf(event, signed_in),
        proof_uri=f"{address}/{event.event_id}/proof",
        activity_uri=address,
    )
    return show(http, view)


@router.get("/my/activity/{event_id}/proof")
async def proof_of_entry(http: Request, event_id: str) -> Response:
    """Give the proof that an event is in the public log, as a file for `clients.log_verifier`."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    event = await _own_event(uow, signed_in, event_id)
    newest = await uow.merkle_log.newest_checkpoint()
    try:
        proof = None if newest is None else await prove_event(uow, event, newest)
    except (ProofError, TileError) as damage:
        raise JourneyError(Trouble.UNAVAILABLE, detail=str(damage)) from damage
    if proof is None or newest is None:
        raise JourneyError(Trouble.NOT_FOUND, detail="the entry is not signed yet; it will be in a minute")
    body = orjson.dumps(_proof_document(event, signed_in, proof, newest), option=orjson.OPT_INDENT_2)
    headers = {
        **NO_STORE,
        "Content-Disposition": f'attachment; filename="lienket-{event.sequence}.json"',
    }
    return Response(body, headers=headers, media_type="application/json")


async def name_of(context: Context, client_id: str) -> str:
    """Return a network's name; its id where it is registered no more."""
    client = await context.clients.find(client_id)
    return client_id if client is None else client.client_name


def _proof_document(
    event: SealedEvent, signed_in: SignedIn, proof: Inclusion, checkpoint: Checkpoint
) -> dict[str, object]:
    return {
        "leaf": _leaf(event, signed_in),
        "leaf_hash": text_of_hash(proof.leaf_hash),
        "leaf_index": proof.leaf_index,
        "tree_size": proof.tree_size,
        "inclusion_path": [text_of_hash(each) for each in proof.path],
        "checkpoint": checkpoint.signed,
    }


def _leaf(event: SealedEvent, signed_in: SignedIn) -> str | None:
    """Return what was hashed; None where another person acted, who is named in it by their id of ours."""
    is_person = event.actor_kind in {ActorKind.CITIZEN, ActorKind.GUARDIAN}
    is_another = is_person and event.actor_id != signed_in.citizen.citizen_id
    return None if is_another or not event.sequence else encode(event).decode()


async def _own_event(uow: UnitOfWork, signed_in: SignedIn, event_id: str) -> SealedEvent:
    """Return the person's own event; another's looks exactly like none (abuse case 24)."""
    event = None
    if is_id(event_id):
        event = await uow.activity.find(signed_in.citizen.citizen_id, event_id)
    if event is None:
        raise JourneyError(Trouble.NOT_FOUND)
    return event


async def _entry(context: Context, event: SealedEvent) -> ActivityEntry:
    return ActivityEntry(
        type=event.type,
        occurred_at=moment(event.occurred_at),
        actor=ActorKind(event.actor_kind),
        network=None if event.client_id is None else await name_of(context, event.client_id),
        uri=f"{context.issuer}/my/activity/{event.event_id}",
    )


async def _use_totals(
    context: Context, uow: UnitOfWork, citizen_id: str, totals: Sequence[Total]
) -> tuple[UseTotal, ...]:
    """Return the networks that used something, the latest first, and those that may."""
    known = await known_to_networks(uow, citizen_id)
    purposes: dict[str, str | None] = {}
    for consent in await uow.consents.of_citizen(citizen_id, DECISIONS_READ):
        if consent.decision is Decision.ALLOW:
            purposes.setdefault(consent.client_id, consent.purpose)
    found = [total for total in totals if total.type in USES and total.client_id is not None]
    used: list[UseTotal] = []
    for client_id in {*known, *(total.client_id for total in found if total.client_id)}:
        own = [total for total in found if total.client_id == client_id]
        used.append(
            UseTotal(
                network=await name_of(context, client_id),
                count=sum(total.count for total in own),
                last_at=max((total.last_at for total in own), default=None),
                purpose=purposes.get(client_id),
                claims=known.get(client_id, ()),
                uri=f"{context.issuer}/my/activity?network={quote(client_id, safe='')}",
            )
        )
    used.sort(key=lambda total: (total.last_at is None, total.network))
    used.sort(key=lambda total: -total.last_at.timestamp() if total.last_at else 0.0)
    return tuple(used[:NETWORKS_SHOWN])
