"""The authorization endpoint. RFC 6749 §4.1.1, OpenID Connect Core §3.1.2, RFC 9126 §4, RFC 9207.

A request is answered at once where nothing has to be asked; otherwise it becomes an interaction, the
pages ask one question each, and all roads lead back to `/authorize/{interaction}`. Codes are issued
here and nowhere else.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol import journey as rules
from idp.protocol.authorization_request import (
    CHECKS_AUTHORIZATION,
    find_pushed_request_uri,
    read_request,
    trusted_redirect_uri,
)
from idp.protocol.errors import (
    AccessDeniedError,
    InvalidRequestURIError,
    OAuthError,
    UntrustedRequestError,
)
from idp.protocol.model import AuthorizationRequest, Client
from idp.protocol.parameters import Parameters
from idp.protocol.redirect_uris import match_redirect_uri
from idp.protocol.response_modes import error_response_mode
from idp.protocol.simulation import SimulatedEndpoint
from idp.store.encoding import hash_secret
from idp.store.interactions import Interaction
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.authorization_response import Return, error_answer, grant_authorization, way_back
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble, check_client_is_open, note
from idp.web.journey import assess, commit_step, load_interaction
from idp.web.request_objects import read_request_object
from idp.web.requests import is_same_origin, read_form, read_query
from idp.web.sandbox import find_simulated
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that was read and validated, and the pushed request it came from."""

    request: AuthorizationRequest
    client: Client
    request_uri_hash: bytes | None = None


@router.get("/authorize")
async def authorization(http: Request) -> Response:
    """Answer a request, or begin its journey."""
    return await _arrive(http, read_query(http), is_post=False)


@router.post("/authorize")
async def authorization_by_post(http: Request) -> Response:
    """As GET: OpenID Connect Core §3.1.2.1.

    A form from another site brings no cookies of ours (SameSite), so the request is kept and the
    browser goes on by GET, which does.
    """
    return await _arrive(http, await read_form(http), is_post=True)


async def _arrive(http: Request, parameters: Parameters, *, is_post: bool) -> Response:
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    request_uri = find_pushed_request_uri(parameters)
    client = await _known_client(context, http, parameters)
    back = None
    try:
        if request_uri is None:
            back = _find_way_back(parameters, client)
            asked = await read_request_object(context, client, parameters, now)
            back = _trusted_way_back(asked, client)
            arrival = Arrival(read_request(asked, client, context.policy, CHECKS_AUTHORIZATION), client)
        else:
            arrival = await _take_pushed(uow, client, request_uri, now)
    except OAuthError as error:
        if back is None:
            raise UntrustedRequestError(error.description, detail=error.detail) from error
        note(http, error=error.error, detail=error.detail)
        return error_answer(context, http, back, error)
    simulated = await find_simulated(context, http, arrival.client, SimulatedEndpoint.AUTHORIZE)
    if simulated is not None:
        return error_answer(context, http, way_back(arrival.request, arrival.client), simulated)
    if is_post:
        return await _begin_interaction(context, uow, http, arrival, now, bind=False)
    return await _go_on(context, uow, http, arrival, None, now)


def _trusted_way_back(parameters: Parameters, client: Client) -> Return:
    """Return where answers may go. Raises UntrustedRequestError."""
    redirect_uri = trusted_redirect_uri(parameters, client)
    return Return(client, redirect_uri, error_response_mode(parameters, client), parameters.get("state"))


def _find_way_back(parameters: Parameters, client: Client) -> Return | None:
    """Return where the refusal of a request object may go: never to an address that stands in it alone.

    What stands beside the object decides, as it would without one: an object that was not verified proves
    nothing (RFC 6749 §4.1.2.1; abuse classes 2, 4).
    """
    try:
        return _trusted_way_back(parameters, client)
    except UntrustedRequestError:
        if "request" not in parameters:
            raise
        return None


async def _known_client(context: Context, http: Request, parameters: Parameters) -> Client:
    """Return the client that a request names. Raises UntrustedRequestError, JourneyError."""
    client_id = parameters.get("client_id")
    client = await context.clients.find(client_id)
    if client is None:
        raise UntrustedRequestError("client_id is missing or names no registered client")
    note(http, client_id=client.client_id)
    check_client_is_open(client)
    return client


async def _take_pushed(uow: UnitOfWork, client: Client, request_uri: str, now: datetime) -> Arrival:
    """RFC 9126 §4: the pushed request counts, alone; what else stands in the address is not looked at."""
    pushed = await uow.codes.find_pushed_request(request_uri)
    if pushed is None or pushed.client_id != client.client_id:
        raise InvalidRequestURIError("request_uri is not one that this client pushed")
    if pushed.used_at is not None or now >= pushed.expires_at:
        raise InvalidRequestURIError("request_uri was used already or has expired; push the request again")
    match_redirect_uri(pushed.request.redirect_uri, client.redirect_uris)
    return Arrival(pushed.request, client, pushed.request_uri_hash)


@router.get("/authorize/{interaction_id}")
async def continue_authorization(http: Request, interaction_id: str) -> Response:
    """Go on with an interaction: to its next page, or back to the platform with the answer."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    interaction, client = await load_interaction(context, uow, http, interaction_id, now, may_be_unbound=True)
    arrival = Arrival(interaction.request, client, interaction.request_uri_hash)
    if interaction.browser_hash is None:
        return await _bind_browser(context, uow, http, interaction, interaction_id)
    if interaction.denied_because is not None:
        return await _end(context, uow, http, arrival, interaction, _denied(), now)
    return await _go_on(context, uow, http, arrival, (interaction, interaction_id), now)


@router.post("/authorize/{interaction_id}/cancel")
async def cancel_authorization(http: Request, interaction_id: str) -> Response:
    """End an interaction because the person turned back: the platform gets access_denied."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    interaction, client = await load_interaction(context, uow, http, interaction_id, now)
    if not is_same_origin(http, context.issuer):
        raise JourneyError(Trouble.STALE_FORM, client_id=interaction.request.client_id)
    arrival = Arrival(interaction.request, client, interaction.request_uri_hash)
    return await _end(context, uow, http, arrival, interaction, _denied(), now)


async def _go_on(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    arrival: Arrival,
    underway: tuple[Interaction, str] | None,
    now: datetime,
) -> Response:
    """Answer where nothing has to be asked; otherwise show the page whose question is next."""
    request = arrival.request
    interaction = underway[0] if underway else None
    standing = await assess(context, uow, http, request, arrival.client, interaction, now)
    if standing.step.error is not None:
        return await _end(context, uow, http, arrival, interaction, standing.step.error, now)
    if standing.step.page is None:
        return await grant_authorization(
            context, uow, http, standing, arrival.request_uri_hash, interaction, now
        )
    if "none" in request.prompt:
        error = rules.error_instead_of(standing.step)
        note(http, error=error.error)
        return error_answer(context, http, way_back(request, arrival.client), error)
    if underway is not None:
        return see_other(f"{context.issuer}/{standing.step.page}/{underway[1]}")
    return await _begin_interaction(context, uow, http, arrival, now, bind=True, page=standing.step.page)


async def _begin_interaction(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    arrival: Arrival,
    now: datetime,
    *,
    bind: bool,
    page: str = "authorize",
) -> Response:
    """Keep the request, bound to this browser where its cookie could be read, and show the first page."""
    interaction_id = secrets.token_urlsafe(24)
    browser = _browser_of(context, http)
    uow.interactions.add(
        Interaction(
            interaction_hash=hash_secret(interaction_id),
            request=arrival.request,
            created_at=now,
            expires_at=now + context.policy.lifetimes.interaction,
            browser_hash=hash_secret(browser) if bind else None,
            request_uri_hash=arrival.request_uri_hash,
        )
    )
    await uow.commit()
    answer = see_other(f"{context.issuer}/{page}/{interaction_id}")
    return _remember_browser(context, http, answer, browser) if bind else answer


async def _bind_browser(
    context: Context, uow: UnitOfWork, http: Request, interaction: Interaction, interaction_id: str
) -> Response:
    """Bind an interaction that arrived by POST to the first browser that opens it (abuse case P1)."""
    browser = _browser_of(context, http)
    uow.interactions.bind(interaction, hash_secret(browser))
    await commit_step(uow, interaction.request.client_id, Trouble.OTHER_BROWSER)
    answer = see_other(f"{context.issuer}/authorize/{interaction_id}")
    return _remember_browser(context, http, answer, browser)


def _browser_of(context: Context, http: Request) -> str:
    """Return what tells this browser from others; drawn now for one that was never here."""
    cookies = Cookies(context.is_secure)
    return cookies.read(http, cookies.browser) or secrets.token_urlsafe(24)


def _remember_browser(context: Context, http: Request, answer: Response, browser: str) -> Response:
    """Give the answer the browser's cookie, unless it came with it."""
    cookies = Cookies(context.is_secure)
    if cookies.read(http, cookies.browser) is None:
        cookies.set_browser(answer, browser)
    return answer


def _denied() -> AccessDeniedError:
    return AccessDeniedError("the person, or the policy on their behalf, refused")


async def _end(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    arrival: Arrival,
    interaction: Interaction | None,
    error: OAuthError,
    now: datetime,
) -> Response:
    """Answer with an error, for good: an interaction that ends so is over, and its pushed request with it."""
    if interaction is not None:
        uow.interactions.finish(interaction, now)
        if arrival.request_uri_hash is not None:
            uow.codes.use_pushed_request(arrival.request_uri_hash, now)
        await commit_step(uow, arrival.client.client_id)
    note(http, error=error.error)
    return error_answer(context, http, way_back(arrival.request, arrival.client), error)
