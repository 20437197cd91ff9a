"""The status endpoint of event streams: SSF 1.0 §8.1.2."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.endpoints.event_stream_access import (
    MANAGE,
    READ,
    answering_problems,
    change_own,
    check_receiver,
    find_own,
    read_members,
)
from idp.protocol.event_stream import ChangedBy, EventStream, StreamStatus, status_members
from idp.protocol.event_stream_request import (
    EventStreamRequestError,
    read_status,
    read_stream_id,
    with_status,
)
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import json_answer
from idp.web.requests import read_query

router = APIRouter(include_in_schema=False)

PATH = "/ssf/status"


@router.get(PATH)
@answering_problems
async def read_stream_status(http: Request) -> Response:
    """Return how a stream stands: §8.1.2.1."""
    receiver = await check_receiver(http, READ)
    stream_id = read_query(http).get("stream_id")
    if stream_id is None:
        raise EventStreamRequestError("stream_id is required")
    return json_answer(status_members(await find_own(receiver, stream_id)))


@router.post(PATH)
@answering_problems
async def update_stream_status(http: Request) -> Response:
    """Enable, pause or disable a stream: §8.1.2.2. What waits on one that is disabled is never told."""
    receiver = await check_receiver(http, MANAGE)
    members = await read_members(http)
    stream_id, wanted = read_stream_id(members), read_status(members)

    def rule(stream: EventStream) -> EventStream:
        return with_status(stream, wanted, ChangedBy.RECEIVER, receiver.now)

    def record(uow: UnitOfWork, before: EventStream, after: EventStream) -> None:
        if after.status is StreamStatus.DISABLED:
            uow.polled_sets.drop(after.client_id)
        receiver.record(
            uow, "event_stream:updated", changed=after.status.value, revision=str(before.revision + 1)
        )

    return json_answer(status_members(await change_own(receiver, stream_id, rule, record)))
