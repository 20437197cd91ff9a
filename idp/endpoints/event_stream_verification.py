"""The verification endpoint of event streams: SSF 1.0 §8.1.4. The event takes the way of every other."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.endpoints.event_stream_access import (
    MANAGE,
    answering_problems,
    check_receiver,
    find_own,
    read_members,
)
from idp.protocol.event_stream import MIN_VERIFICATION_INTERVAL, StreamStatus
from idp.protocol.event_stream_request import EventStreamRequestError, read_state, read_stream_id
from idp.protocol.security_events import verification_event
from idp.store.set_deliveries import delivery_of
from idp.store.writes import GateClosedError
from idp.web.answers import NO_STORE, problem_answer, with_retry_after

router = APIRouter(include_in_schema=False)


@router.post("/ssf/verification")
@answering_problems
async def verify_stream(http: Request) -> Response:
    """Have a verification event sent: §8.1.4.2. On a paused stream it waits as the others do."""
    receiver = await check_receiver(http, MANAGE)
    members = await read_members(http)
    stream = await find_own(receiver, read_stream_id(members))
    event = verification_event(stream.stream_id, read_state(members))
    if stream.status is StreamStatus.DISABLED:
        raise EventStreamRequestError("the stream is disabled: nothing is sent on it")
    uow, now = receiver.unit_of_work(), receiver.now
    uow.event_streams.verify(stream, now - MIN_VERIFICATION_INTERVAL, now)
    uow.outbox.add(delivery_of(stream.client_id, event, now))
    try:
        await uow.commit()
    except GateClosedError:
        present = await find_own(receiver, stream.stream_id)
        wait = (present.verified_at or now) + MIN_VERIFICATION_INTERVAL - now
        refusal = problem_answer(
            429, "a verification was asked for a moment ago; see min_verification_interval"
        )
        return with_retry_after(refusal, wait)
    return Response(status_code=204, headers=NO_STORE)
