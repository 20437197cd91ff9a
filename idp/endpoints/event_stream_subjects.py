"""The subjects of an event stream: SSF 1.0 §8.1.3. Everybody is on it until the receiver removes them."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.endpoints.event_stream_access import (
    MANAGE,
    NoSuchStreamError,
    Receiver,
    answering_problems,
    check_receiver,
    find_own,
    read_members,
)
from idp.protocol.event_stream import EventStream
from idp.protocol.event_stream_request import read_stream_id, read_subject
from idp.store.event_streams import MOST_REMOVED_SUBJECTS, TOUCHED_GATE
from idp.store.writes import GateClosedError
from idp.web.answers import NO_STORE, problem_answer

router = APIRouter(include_in_schema=False)


@router.post("/ssf/subjects:add")
@answering_problems
async def add_subject(http: Request) -> Response:
    """Tell of a subject again: §8.1.3.2. Whether anybody is that subject is not said (§9.1)."""
    receiver, stream, subject = await _read(http)
    if subject is not None:
        uow = receiver.unit_of_work()
        uow.event_streams.add_subject(stream, subject)
        await uow.commit()
    return Response(status_code=200, headers=NO_STORE)


@router.post("/ssf/subjects:remove")
@answering_problems
async def remove_subject(http: Request) -> Response:
    """Tell no more of a subject: §8.1.3.3. Whether anybody is that subject is not said (§9.1)."""
    receiver, stream, subject = await _read(http)
    if subject is None:
        return Response(status_code=204, headers=NO_STORE)
    uow = receiver.unit_of_work()
    if await uow.event_streams.count_removed(stream.stream_id) >= MOST_REMOVED_SUBJECTS:
        return problem_answer(403, f"at most {MOST_REMOVED_SUBJECTS} subjects can be removed; add some again")
    uow.event_streams.remove_subject(stream, subject, receiver.now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        if closed.gate != TOUCHED_GATE:
            raise
        raise NoSuchStreamError from closed
    return Response(status_code=204, headers=NO_STORE)


async def _read(http: Request) -> tuple[Receiver, EventStream, str | None]:
    receiver = await check_receiver(http, MANAGE)
    members = await read_members(http)
    stream = await find_own(receiver, read_stream_id(members))
    return receiver, stream, read_subject(members, receiver.context.issuer)
