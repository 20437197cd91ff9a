"""Changes of links become security events, for the clients that have an event stream.

The events of one subject leave in the order of the changes. Those of different subjects are put in no order:
were one person after another told to two platforms in the same order, their order would tell who is who.
"""

import random
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from idp.deliveries.neighbours import Neighbours
from idp.deliveries.world import World
from idp.identity.account_links import AccountLink
from idp.identity.link_changes import LinkChange
from idp.protocol.event_stream import EventStream, is_wanted
from idp.protocol.security_events import SecurityEvent, events_of_change
from idp.store.outbox import Delivery
from idp.store.set_deliveries import delivery_of
from idp.store.unit_of_work import UnitOfWork

Change = tuple[LinkChange, AccountLink]
Told = tuple[SecurityEvent, str]
"""An event, and the `txn` that it shares with others of the same change."""

_STEP = timedelta(microseconds=1)
_CHANCE = random.SystemRandom()


async def record_events(world: World, uow: UnitOfWork, followed: Sequence[Change], now: datetime) -> None:
    """Record the events that clients asked for; nothing is committed."""
    by_client: dict[str, list[Change]] = {}
    for change, link in followed:
        by_client.setdefault(change.client_id, []).append((change, link))
    for client_id, changes in by_client.items():
        # Looked up anew: whether an event is recorded depends on the stream as it is in this moment.
        stream = await uow.event_streams.of_client(client_id)
        if stream is not None:
            uow.outbox.add_many(await _deliveries(world, uow, stream, changes, now))


async def _deliveries(
    world: World, uow: UnitOfWork, stream: EventStream, changes: Sequence[Change], now: datetime
) -> list[Delivery]:
    issuer, due_at = world.policy.issuer, world.clock()
    neighbours = await Neighbours.of(uow, changes)
    removed = await uow.event_streams.removed(stream.stream_id, {link.subject for _, link in changes})
    by_subject: dict[str, list[Told]] = {}
    for change, link in changes:
        txn = secrets.token_urlsafe(16)
        for event in events_of_change(change, link, neighbours.states_at(change, link), issuer):
            if is_wanted(stream, event.uri, issuer, is_removed=link.subject in removed):
                by_subject.setdefault(link.subject, []).append((event, txn))
    return [
        # Each recorded a little later than the one before it, which keeps the order within a subject.
        replace(delivery_of(stream.client_id, event, due_at, txn=txn), created_at=now + number * _STEP)
        for number, (event, txn) in enumerate(_shuffled(by_subject.values()))
    ]


async def record_about_person(
    world: World, uow: UnitOfWork, client_id: str, event: SecurityEvent, cause: str
) -> None:
    """Record an event that is not about a link, where the client asked for it; nothing is committed.

    `cause` is random and ours alone; the same one is told once, and no two clients see the same id of it.
    """
    stream, issuer = await uow.event_streams.of_client(client_id), world.policy.issuer
    if stream is None:
        return
    subject = event.sub_id["sub"]
    removed = await uow.event_streams.removed(stream.stream_id, {subject})
    if is_wanted(stream, event.uri, issuer, is_removed=subject in removed):
        jti = sha256(f"{event.uri}\0{cause}\0{client_id}".encode()).hexdigest()
        uow.outbox.add(replace(delivery_of(client_id, event, world.clock()), delivery_id=jti))


def _shuffled(groups: Iterable[list[Told]]) -> list[Told]:
    shuffled = list(groups)
    _CHANCE.shuffle(shuffled)
    return [told for group in shuffled for told in group]
