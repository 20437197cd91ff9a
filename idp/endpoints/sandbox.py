"""The sandbox, for programs: what a platform's own tests need of the provider. Not in production.

A client shows once who it is, by the method that it is registered for, and gets a token for an hour that
opens its sandbox and nothing else; the page for people takes the same token.
"""

import functools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any, ParamSpec

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import ThrottledError
from idp.protocol.account_link_resource import link_members
from idp.protocol.errors import InvalidClientError, InvalidRequestError, InvalidTokenError
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.problems import Problem, ProblemError
from idp.protocol.simulation import read_simulation, simulation_members
from idp.protocol.strict_json import StrictJSONError, read_json
from idp.store.simulations import SimulationInForce
from idp.web.answers import NO_STORE, json_answer, problem_answer, with_retry_after
from idp.web.client_authentication import authenticate_client, spend_alone
from idp.web.platform_access import JSON, read_json_body
from idp.web.requests import is_form, read_form
from idp.web.sandbox import (
    TOKEN_VALIDITY,
    check_in_sandbox,
    check_sandbox_token,
    sandbox_of,
    seal_sandbox_token,
)
from idp.web.sandbox_actions import MOVES, invent_person, move_own_link, read_wished_person, rotate_keys
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

_P = ParamSpec("_P")
Handler = Callable[_P, Coroutine[Any, Any, Response]]


def _answering_throttled(handler: Handler[_P]) -> Handler[_P]:
    """Have a wish that comes too soon answered."""

    @functools.wraps(handler)
    async def answering(*args: _P.args, **kwargs: _P.kwargs) -> Response:
        try:
            return await handler(*args, **kwargs)
        except ThrottledError as throttled:
            http = next(arg for arg in (*args, *kwargs.values()) if isinstance(arg, Request))
            wait = throttled.retry_at - context_of(http).clock()
            return with_retry_after(problem_answer(429, "The sandbox does this less often."), wait)

    return answering


@router.post("/sandbox/token")
async def sandbox_token(http: Request) -> Response:
    """Give a client that proves itself a token for its sandbox."""
    context = context_of(http)
    now = context.clock()
    # Whoever authenticates in the header has nothing to send.
    parameters = await read_form(http) if is_form(http) else Parameters({})
    check_not_repeated(parameters)
    authenticated = await authenticate_client(context, http, parameters, now)
    if authenticated.client.is_public:
        raise InvalidClientError("a client without a credential has no sandbox to open: anybody could")
    await spend_alone(context.unit_of_work(), authenticated)
    check_in_sandbox(authenticated.client)
    token = seal_sandbox_token(context, authenticated.client, now)
    return json_answer({"sandbox_token": token, "expires_in": int(TOKEN_VALIDITY.total_seconds())})


@router.get("/sandbox/simulation")
async def simulation(http: Request) -> Response:
    """Return what is simulated."""
    context = context_of(http)
    client = await _client_of(context, http)
    found = await context.unit_of_work().simulations.find(client.client_id, context.clock())
    return json_answer(_simulation_members(found))


@router.put("/sandbox/simulation")
async def put_simulation(http: Request) -> Response:
    """Simulate something from now on: in this process at once, in others within a second."""
    context = context_of(http)
    client = await _client_of(context, http)
    wished = read_simulation(await read_json_body(http, JSON))
    now = context.clock()
    uow = context.unit_of_work()
    uow.simulations.put(client.client_id, wished, now)
    await uow.commit()
    await sandbox_of(context).refresh(now)
    found = await context.unit_of_work().simulations.find(client.client_id, now)
    return json_answer(_simulation_members(found))


@router.delete("/sandbox/simulation")
async def delete_simulation(http: Request) -> Response:
    """Simulate nothing any more."""
    context = context_of(http)
    client = await _client_of(context, http)
    uow = context.unit_of_work()
    uow.simulations.remove(client.client_id)
    await uow.commit()
    await sandbox_of(context).refresh(context.clock())
    return Response(status_code=204, headers=NO_STORE)


@router.post("/sandbox/keys/rotate")
@_answering_throttled
async def rotate(http: Request) -> Response:
    """Let other keys sign from now on."""
    context = context_of(http)
    client = await _client_of(context, http)
    return json_answer({"signing": await rotate_keys(context, client, context.clock())})


@router.post("/sandbox/links/{link_id}/{word}")
async def move_link(http: Request, link_id: str, word: str) -> Response:
    """Suspend, reinstate, end a link of the client's own, or let it lapse."""
    context = context_of(http)
    client = await _client_of(context, http)
    if word not in MOVES:
        raise ProblemError(Problem.NO_SUCH_ADDRESS, f"a link can {', '.join(MOVES)} here")
    now = context.clock()
    moved = await move_own_link(context, client, link_id, MOVES[word], now)
    return json_answer(link_members(moved, context.issuer, now))


@router.get("/sandbox/people")
async def people(http: Request) -> Response:
    """Return the fictitious people of the demonstration, with what they sign in with."""
    context = context_of(http)
    await _client_of(context, http)
    return json_answer({"people": [asdict(person) for person in sandbox_of(context).people]})


@router.post("/sandbox/people")
@_answering_throttled
async def new_person(http: Request) -> Response:
    """Invent a fictitious person of an age and a level."""
    context = context_of(http)
    client = await _client_of(context, http)
    wish = read_wished_person(_object(await read_json_body(http, JSON)))
    return json_answer(asdict(await invent_person(context, client, wish, context.clock())), 201)


async def _client_of(context: Context, http: Request) -> Client:
    sandbox_of(context)
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidTokenError("a sandbox token is required")
    return await check_sandbox_token(context, token.strip(), context.clock())


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        members = read_json(body.decode()) if body else {}
    except (UnicodeDecodeError, StrictJSONError):
        raise InvalidRequestError("the body is not JSON that every reader understands") from None
    if not isinstance(members, dict):
        raise InvalidRequestError("the body must be a JSON object")
    return members


def _simulation_members(found: SimulationInForce | None) -> dict[str, object]:
    if found is None:
        return {"simulation": None}
    return {
        "simulation": simulation_members(found.simulation),
        "remaining": found.remaining,
        "expires_at": int(found.expires_at.timestamp()),
    }
