"""Links and event streams made directly in the store, and what their platform is pushed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import jwt

from idp.audit.events import PROVIDER
from idp.deliveries.fan_out import FanOut
from idp.deliveries.world import World
from idp.identity.account_links import AccountLink, LinkPolicy, Status, activate, move
from idp.identity.assurance import Acr, Proofing
from idp.protocol.event_stream import DeliveryMethod, EventStream
from tests.support.deliveries import work_off, world_of
from tests.support.provider import Person, Provider
from tests.support.receiver import Received, Receiver

OWN_EVENTS_PATH = "/events/account-link-"


@dataclass(frozen=True)
class Linked:
    """A person's link at a platform."""

    provider: Provider
    link_id: str

    async def now(self) -> AccountLink:
        found = await self.provider.unit_of_work().account_links.find(self.link_id)
        assert found is not None
        return found

    async def moved(self, to: Status, because: str = "court_order_17") -> AccountLink:
        return (await moved([self], to, because))[0]


async def moved(links: Sequence[Linked], to: Status, because: str = "court_order_17") -> list[AccountLink]:
    """Move links in one commit."""
    provider = links[0].provider
    uow, now = provider.unit_of_work(), provider.clock.now
    after = []
    for link in links:
        before = await link.now()
        changed, event = move(before, to, PROVIDER, because, now)
        uow.account_links.move(before, changed, now)
        uow.ledger.append(event)
        after.append(changed)
    await uow.commit()
    return after


async def linked(provider: Provider, person: Person, client_id: str, place: int = 1) -> Linked:
    """Make an active link, as redeeming a code does."""
    now = provider.clock.now
    client = await provider.context.clients.find(client_id)
    assert client is not None
    pending = AccountLink(
        link_id=secrets.token_urlsafe(12),
        client_id=client_id,
        account_id=f"account-{secrets.token_hex(4)}",
        citizen_id=person.citizen_id,
        subject=provider.context.custody.data.pairwise_subject(client.sector, person.citizen_id),
        status=Status.PENDING,
        proofing=Proofing.VN2,
        acr=Acr.VN_2,
        requested_at=now,
    )
    uow = provider.unit_of_work()
    uow.account_links.add(pending, now)
    await uow.commit()
    active, event = activate(pending, place, LinkPolicy(), PROVIDER, now)
    uow.account_links.move(pending, active, now)
    uow.ledger.append(event)
    await uow.commit()
    return Linked(provider, pending.link_id)


async def add_stream(
    provider: Provider, client_id: str, hook: Receiver | None, **changes: Any
) -> EventStream:
    """Give a client a stream: pushed to the receiver, or polled where there is none."""
    now = provider.clock.now
    stream = EventStream(
        stream_id=secrets.token_urlsafe(8),
        client_id=client_id,
        method=DeliveryMethod.POLL if hook is None else DeliveryMethod.PUSH,
        endpoint_url=None if hook is None else hook.uri,
        events_requested=None,
        created_at=now,
        updated_at=now,
    )
    uow = provider.unit_of_work()
    uow.event_streams.add(replace(stream, **changes))
    await uow.commit()
    return replace(stream, **changes)


async def change_stream(provider: Provider, stream: EventStream, **changes: Any) -> EventStream:
    uow = provider.unit_of_work()
    before = await uow.event_streams.find(stream.stream_id)
    assert before is not None
    after = replace(before, **changes)
    uow.event_streams.change(before, after)
    await uow.commit()
    return after


async def follow(provider: Provider) -> int:
    """Have the fan-out place what waits, without sending anything."""
    async with world_of(provider) as world:
        return await follow_in(world)


async def follow_in(world: World) -> int:
    fan_out, placed = FanOut(world, secrets.token_hex(4)), 0
    while count := await fan_out.follow():
        placed += count
    return placed


async def told(provider: Provider) -> None:
    """Have the delivering process follow what happened and send what is due."""
    provider.clock.now += timedelta(seconds=2)
    async with world_of(provider) as world:
        await follow_in(world)
        await work_off(world)


def claims_in(received: Received) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(received.body, options={"verify_signature": False})
    return claims


def events_at(hook: Receiver) -> list[str]:
    """Return the events that arrived, by the last part of their URIs."""
    return [next(iter(claims_in(received)["events"])).rpartition("/")[2] for received in hook.received]
