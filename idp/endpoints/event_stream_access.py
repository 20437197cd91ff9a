"""What every endpoint of event streams begins with: whose token it is, what it sent, which stream it means.

A client acts in its own name, on its own stream: another's looks exactly like none (abuse class 24).
What goes wrong is a problem document (RFC 9457); what is wrong with a token is said as RFC 6750 §3 has it.
"""

import functools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec

from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.protocol.errors import InsufficientScopeError, InvalidRequestError
from idp.protocol.event_stream import EventStream
from idp.protocol.event_stream_request import EventStreamRequestError, StatusNotAllowedError
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters
from idp.protocol.resources import MANAGE_STREAMS, READ_STREAMS, SSF
from idp.protocol.strict_json import StrictJSONError, read_json
from idp.store.event_streams import CHANGED_GATE
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import problem_answer
from idp.web.protected_resource import check_access, read_token
from idp.web.requests import is_id, read_body
from idp.web.state import Context, context_of

READ = frozenset({READ_STREAMS, MANAGE_STREAMS})
MANAGE = frozenset({MANAGE_STREAMS})
"""CAEP Interoperability Profile 1.0 §2.7.2: what manages reads, too."""

_TRIES = 5
Rule = Callable[[EventStream], EventStream]
_P = ParamSpec("_P")
Handler = Callable[_P, Coroutine[Any, Any, Response]]


class NoSuchStreamError(Exception):
    """The client has no such stream: 404."""


class StreamConflictError(Exception):
    """Others change the stream at the same moment, or it exists already: 409. The message says which."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A client whose own token was checked."""

    context: Context
    client: Client
    now: datetime

    def unit_of_work(self) -> UnitOfWork:
        """Return a fresh unit of work."""
        return self.context.unit_of_work()

    def record(self, uow: UnitOfWork, event_type: str, **details: str) -> None:
        """Record in the audit log what the receiver did."""
        actor = Actor(ActorKind.CLIENT, self.client.client_id)
        uow.ledger.append(
            Event(event_type, actor, self.now, client_id=self.client.client_id, details=details)
        )


def answering_problems(handler: Handler[_P]) -> Handler[_P]:
    """Have the refusals of a handler answered: SSF §8.1.1.1 to §8.1.4.2, their tables of errors."""

    @functools.wraps(handler)
    async def answering(*args: _P.args, **kwargs: _P.kwargs) -> Response:
        try:
            return await handler(*args, **kwargs)
        except EventStreamRequestError as error:
            return problem_answer(400, str(error))
        except StatusNotAllowedError as error:
            return problem_answer(403, str(error))
        except NoSuchStreamError:
            return problem_answer(404, "There is no such event stream.")
        except StreamConflictError as error:
            return problem_answer(409, str(error))

    return answering


async def check_receiver(http: Request, scope: frozenset[str]) -> Receiver:
    """Check the token of a request: a client's own. Raises InvalidTokenError, InsufficientScopeError."""
    context = context_of(http)
    now = context.clock()
    token = read_token(http, Parameters({}))
    access = await check_access(context, context.unit_of_work(), http, token, path=SSF, scope=scope, now=now)
    if access.grant is not None:
        raise InsufficientScopeError("event streams are a client's own: no person's token opens them")
    return Receiver(context, access.client, now)


async def read_members(http: Request) -> Mapping[str, Any]:
    """Return the JSON object that was sent. Raises EventStreamRequestError.

    No media type is asked for: the requests of SSF's own examples have none.
    """
    try:
        document = read_json((await read_body(http)).decode())
    except InvalidRequestError as error:
        raise EventStreamRequestError(error.description) from error
    except (UnicodeDecodeError, StrictJSONError):
        raise EventStreamRequestError("the body is not JSON that every reader understands") from None
    if not isinstance(document, dict):
        raise EventStreamRequestError("the body must be a JSON object")
    return document


async def find_own(receiver: Receiver, stream_id: str) -> EventStream:
    """Return the client's own stream of this id. Raises NoSuchStreamError."""
    found = await receiver.unit_of_work().event_streams.find(stream_id) if is_id(stream_id) else None
    if found is None or found.client_id != receiver.client.client_id:
        raise NoSuchStreamError
    return found


async def change_own(
    receiver: Receiver,
    stream_id: str,
    rule: Rule,
    record: Callable[[UnitOfWork, EventStream, EventStream], None],
) -> EventStream:
    """Change the client's own stream by a rule, whoever else changes it meanwhile; return what it is now.

    `record` adds what belongs into the same commit. Raises NoSuchStreamError, StreamConflictError, and what
    the rule raises.
    """
    for _ in range(_TRIES):
        before = await find_own(receiver, stream_id)
        after = rule(before)
        uow = receiver.unit_of_work()
        uow.event_streams.change(before, after)
        record(uow, before, after)
        try:
            await uow.commit()
        except GateClosedError as closed:
            if closed.gate != CHANGED_GATE:
                raise
            continue
        return after
    raise StreamConflictError("the stream is changed by others at this moment; try again")
