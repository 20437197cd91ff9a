"""Where a receiver fetches its events: RFC 8936. What it acknowledges is gone before anything is looked at.

A poll that may wait holds neither a connection nor a transaction: it looks once a second. Only so many wait
at once, for one client and for all; the others are answered at once, as if their time were over.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.endpoints.event_stream_access import (
    READ,
    Receiver,
    answering_problems,
    check_receiver,
    find_own,
    read_members,
)
from idp.protocol.event_poll import Poll, PollRequestError, poll_answer, read_poll
from idp.protocol.event_stream import DeliveryMethod, StreamStatus
from idp.protocol.event_stream_request import EventStreamRequestError
from idp.protocol.security_events import SET_TYPE
from idp.store.outbox import Delivery
from idp.store.set_deliveries import claims_of
from idp.web.answers import json_answer

router = APIRouter(include_in_schema=False)

WAIT_SECONDS = 25.0
"""How long a poll waits for an event; below what proxies usually wait for an answer."""
LOOK_EVERY = 1.0
WAITING_EACH = 4
WAITING_ALTOGETHER = 256
SIGNED_AT_A_STRETCH = 10
"""Signatures between which other requests get their turn."""


@router.post("/ssf/poll/{stream_id}")
@answering_problems
async def poll(http: Request, stream_id: str) -> Response:
    """Take acknowledgements and return what waits: RFC 8936 §2.2, §2.3, §2.4."""
    receiver = await check_receiver(http, READ)
    await _check_polled(receiver, stream_id)
    try:
        asked = read_poll(await read_members(http))
    except PollRequestError as error:
        raise EventStreamRequestError(str(error)) from error
    await _settle(receiver, asked)
    if not asked.max_events:
        return json_answer(poll_answer({}, is_more=False))
    found = await _wait(http, receiver, stream_id, asked)
    sets = await _signed(receiver, found[: asked.max_events])
    return json_answer(poll_answer(sets, is_more=len(found) > asked.max_events))


async def _check_polled(receiver: Receiver, stream_id: str) -> StreamStatus:
    """Return the status of the client's own stream. Raises NoSuchStreamError, EventStreamRequestError."""
    stream = await find_own(receiver, stream_id)
    if stream.method is not DeliveryMethod.POLL:
        raise EventStreamRequestError("the events of this stream are pushed")
    return stream.status


async def _settle(receiver: Receiver, asked: Poll) -> None:
    """Commit what the receiver says of SETs that it was sent."""
    if asked.acknowledged or asked.refused:
        uow, client_id = receiver.unit_of_work(), receiver.client.client_id
        uow.polled_sets.acknowledge(client_id, asked.acknowledged, receiver.now)
        uow.polled_sets.refuse(client_id, asked.refused, receiver.now)
        await uow.commit()


async def _wait(http: Request, receiver: Receiver, stream_id: str, asked: Poll) -> list[Delivery]:
    """Return what waits, one more than is wanted where there is more; nothing when the time is over."""
    found = await _look(receiver, stream_id, asked)
    if found or asked.is_immediate:
        return found
    with _place(receiver) as is_given:
        looks = int(WAIT_SECONDS / LOOK_EVERY) if is_given else 0
        for _ in range(looks):
            await asyncio.sleep(LOOK_EVERY)
            if await http.is_disconnected():
                return []
            found = await _look(receiver, stream_id, asked)
            if found:
                return found
    return []


async def _look(receiver: Receiver, stream_id: str, asked: Poll) -> list[Delivery]:
    """Look at the stream again, too: it may have been stopped, or be gone, since the last look."""
    status = await _check_polled(receiver, stream_id)
    return await receiver.unit_of_work().polled_sets.waiting(
        receiver.client.client_id,
        is_stopped=status is not StreamStatus.ENABLED,
        limit=asked.max_events + 1,
    )


@contextlib.contextmanager
def _place(receiver: Receiver) -> Iterator[bool]:
    """Give a poll a place to wait in, or tell that there is none."""
    waiting, client_id = receiver.context.waiting_polls, receiver.client.client_id
    if waiting[client_id] >= WAITING_EACH or waiting.total() >= WAITING_ALTOGETHER:
        yield False
        return
    waiting[client_id] += 1
    try:
        yield True
    finally:
        waiting[client_id] -= 1
        if not waiting[client_id]:
            del waiting[client_id]


async def _signed(receiver: Receiver, found: list[Delivery]) -> Mapping[str, str]:
    """Return the SETs by their `jti`, signed as the client's ID tokens are: RFC 8417 §2.2, SSF §4.1."""
    context, client = receiver.context, receiver.client
    signer = context.custody.signing.signer(client.id_token_signed_response_alg)
    sets, now = dict[str, str](), context.clock()
    for number, delivery in enumerate(found, start=1):
        sets[delivery.delivery_id] = signer.sign(claims_of(delivery, context.issuer, now), typ=SET_TYPE)
        if number % SIGNED_AT_A_STRETCH == 0:
            await asyncio.sleep(0)
    return sets
