"""The configuration endpoint of event streams: SSF 1.0 §8.1.1. A client has one stream at most."""

import secrets
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.endpoints.event_stream_access import (
    MANAGE,
    READ,
    Receiver,
    Rule,
    StreamConflictError,
    answering_problems,
    change_own,
    check_receiver,
    find_own,
    read_members,
)
from idp.protocol.event_stream import EventStream, configuration
from idp.protocol.event_stream_request import (
    EventStreamRequestError,
    check_may_end,
    read_new_stream,
    read_replacement,
    read_stream_id,
    read_update,
)
from idp.store.event_streams import REMOVED_GATE
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import NO_STORE, json_answer
from idp.web.requests import read_query

router = APIRouter(include_in_schema=False)

PATH = "/ssf/streams"


@router.post(PATH)
@answering_problems
async def create_stream(http: Request) -> Response:
    """Create the client's stream: §8.1.1.1; a second one is refused with 409."""
    receiver = await check_receiver(http, MANAGE)
    stream = read_new_stream(
        await read_members(http), receiver.client, stream_id=secrets.token_urlsafe(16), now=receiver.now
    )
    uow = receiver.unit_of_work()
    uow.event_streams.add(stream)
    receiver.record(uow, "event_stream:created", method=stream.method.value)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise StreamConflictError("this client has a stream already; read it and change it") from closed
    return json_answer(_shown(receiver, stream), 201)


@router.get(PATH)
@answering_problems
async def read_stream(http: Request) -> Response:
    """Return one stream, or the list of the client's streams: §8.1.1.2."""
    receiver = await check_receiver(http, READ)
    stream_id = read_query(http).get("stream_id")
    if stream_id is not None:
        return json_answer(_shown(receiver, await find_own(receiver, stream_id)))
    own = await receiver.unit_of_work().event_streams.of_client(receiver.client.client_id)
    listed = [] if own is None else [_shown(receiver, own)]
    return Response(orjson.dumps(listed), headers=NO_STORE, media_type="application/json")


@router.patch(PATH)
@answering_problems
async def update_stream(http: Request) -> Response:
    """Change what is named and nothing else: §8.1.1.3."""
    receiver = await check_receiver(http, MANAGE)
    members = await read_members(http)

    def rule(stream: EventStream) -> EventStream:
        return read_update(members, stream, receiver.client, receiver.context.issuer, receiver.now)

    return await _changed(receiver, read_stream_id(members), rule)


@router.put(PATH)
@answering_problems
async def replace_stream(http: Request) -> Response:
    """Replace what is the receiver's; what is missing is gone: §8.1.1.4."""
    receiver = await check_receiver(http, MANAGE)
    members = await read_members(http)

    def rule(stream: EventStream) -> EventStream:
        return read_replacement(members, stream, receiver.client, receiver.context.issuer, receiver.now)

    return await _changed(receiver, read_stream_id(members), rule)


@router.delete(PATH)
@answering_problems
async def delete_stream(http: Request) -> Response:
    """End the stream, with the events that still wait and the list of its subjects: §8.1.1.5."""
    receiver = await check_receiver(http, MANAGE)
    stream_id = read_query(http).get("stream_id")
    if stream_id is None:
        raise EventStreamRequestError("stream_id is required")
    stream = await find_own(receiver, stream_id)
    check_may_end(stream)
    uow = receiver.unit_of_work()
    uow.event_streams.remove(stream)
    uow.polled_sets.drop(stream.client_id)
    receiver.record(uow, "event_stream:deleted")
    try:
        await uow.commit()
    except GateClosedError as closed:
        # Somebody else deleted it in the same moment: it is gone, as was asked for.
        if closed.gate != REMOVED_GATE:
            raise
    return Response(status_code=204, headers=NO_STORE)


async def _changed(receiver: Receiver, stream_id: str, rule: Rule) -> Response:
    def record(uow: UnitOfWork, before: EventStream, after: EventStream) -> None:
        receiver.record(
            uow, "event_stream:updated", method=after.method.value, revision=str(before.revision + 1)
        )

    return json_answer(_shown(receiver, await change_own(receiver, stream_id, rule, record)))


def _shown(receiver: Receiver, stream: EventStream) -> dict[str, Any]:
    return configuration(stream, receiver.context.issuer)
