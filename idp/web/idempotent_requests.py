"""Requests that may come twice and happen once. draft-ietf-httpapi-idempotency-key-header-07.

What is asked and its answer are stored in one commit, so that a repetition finds either nothing of it or all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.idempotency import (
    HEADER,
    KEEP,
    check_same_request,
    key_hash,
    read_idempotency_key,
    request_hash,
)
from idp.protocol.problems import Problem, ProblemError
from idp.store.account_links import ACCOUNT_INDEX
from idp.store.idempotency_keys import KEY_INDEX, RememberedAnswer
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.platform_access import resource_answer
from idp.web.state import Context

TRIES = 5
"""How often a decision is made anew because somebody else changed the same link meanwhile."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request is answered with, once what was recorded for it is committed."""

    document: bytes
    status: int = 200


Decide = Callable[[UnitOfWork], Awaitable[Outcome]]
"""Reads, decides and records, without committing; called again when others were faster."""


async def answer_once(
    context: Context, http: Request, client_id: str, body: bytes, decide: Decide
) -> Response:
    """Answer a POST as its first sending was answered. Only what was done is remembered, no refusal.

    Raises ProblemError, and whatever `decide` raises.
    """
    remembered_under = key_hash(client_id, read_idempotency_key(http.headers.get(HEADER)))
    asked = request_hash(http.method, http.scope["path"], body)
    for _ in range(TRIES):
        uow = context.unit_of_work()
        remembered = await uow.idempotency_keys.find(remembered_under)
        if remembered is not None:
            check_same_request(remembered.request_hash, asked)
            return resource_answer(remembered.body.encode(), remembered.status)
        outcome = await decide(uow)
        answer = RememberedAnswer(asked, outcome.status, outcome.document.decode())
        uow.idempotency_keys.add(remembered_under, answer, context.clock() + KEEP)
        if await is_committed(uow):
            return resource_answer(outcome.document, outcome.status)
    raise changed_meanwhile()


async def is_committed(uow: UnitOfWork) -> bool:
    """Commit; False where somebody else was faster and it must be decided anew. Raises ProblemError."""
    try:
        await uow.commit()
    except GateClosedError:
        return False
    except UniquenessError as taken:
        if taken.index == ACCOUNT_INDEX:
            raise ProblemError(
                Problem.ACCOUNT_ALREADY_LINKED, "another of your account links has this account_id"
            ) from taken
        if taken.index != KEY_INDEX:
            raise
        return False
    return True


def changed_meanwhile() -> ProblemError:
    """Return the refusal of a request that lost every race."""
    return ProblemError(
        Problem.CHANGED_MEANWHILE, "the account link is being changed by others; send the request again"
    )
