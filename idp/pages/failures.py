"""Every refusal becomes an answer here: JSON for machines, a page with a reference for people.

The one place that builds error responses (RFC 6749 §5.2; UI: `#error-reference`). The reference is
in the log line of the same request; descriptions are public sentences, details never leave the log.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from idp.pages.frame import client_header, locale_of, pages_of, show
from idp.pages.views import ClientHeader, ErrorPage, FormPostPage
from idp.protocol.errors import (
    InvalidRequestError,
    OAuthError,
    ProtocolError,
    ServerError,
    TemporarilyUnavailableError,
    UntrustedRequestError,
)
from idp.protocol.logout_request import UntrustedLogoutError
from idp.protocol.problems import Problem, ProblemError, oauth_problem
from idp.protocol.resources import ACCOUNT_LINKS, resource_at
from idp.store.writes import StoreUnavailableError
from idp.web.answers import json_answer, problem_document_answer, with_retry_after
from idp.web.failures import STATUS, JourneyError, Trouble, log_members, new_reference, note
from idp.web.protected_resource import challenge_headers
from idp.web.state import context_of

_MACHINES = (
    "/backchannel-authentication",
    "/device-authorization",
    "/automated-approval",
    "/register",
    "/sandbox/",
    "/ssf",
    "/token",
    "/account-links",
    "/problems",
    "/introspect",
    "/revoke",
    "/par",
    "/userinfo",
    "/jwks",
    "/.well-known",
    "/healthz",
    "/readyz",
)


def is_for_people(scope: Scope) -> bool:
    """Tell whether a person reads the answer: everything that is not a machine's endpoint."""
    path: str = scope["path"]
    return not path.startswith(_MACHINES)


async def error_answer(http: Request, error: OAuthError) -> Response:
    """Answer a refusal that has a registered code."""
    trouble = Trouble.UNAVAILABLE if error.status == 503 else Trouble.BAD_REQUEST
    reference = new_reference(trouble)
    note(http, error=error.error, detail=error.detail, reference=reference)
    if not is_for_people(http.scope):
        return _told_to_machine(http, error, challenge_headers(context_of(http), http, error))
    view = ErrorPage(
        trouble=trouble,
        reference=reference,
        named=await _named_network(http),
        error=error.error,
        detail=error.description,
    )
    return show(http, view, status=error.status)


async def _named_network(http: Request, client_id: str | None = None) -> ClientHeader | None:
    """Return the network that the request names, so that its own reviewed address can be the way on.

    Whoever sent the request: an address that was reviewed leads nobody astray. Clients are in memory, so
    this works when the database is out of reach.
    """
    client_id = client_id or log_members(http.scope).get("client_id")
    context = context_of(http)
    client = None if client_id is None else await context.clients.find(client_id)
    return None if client is None else client_header(context, client, None)


def _told_to_machine(http: Request, error: OAuthError, headers: Mapping[str, str]) -> Response:
    """RFC 6749 §5.2; at the platform API as a problem document, which holds the same members (RFC 9457)."""
    if resource_at(http.scope["path"]) == ACCOUNT_LINKS:
        return problem_document_answer(oauth_problem(error, context_of(http).issuer), error.status, headers)
    return json_answer(error.as_parameters(), error.status, headers)


def _problem(http: Request, error: ProblemError, headers: Mapping[str, str] | None = None) -> Response:
    note(http, error=error.problem.value, reference=new_reference())
    return problem_document_answer(error.as_document(context_of(http).issuer), error.status, headers)


async def protocol_failure(http: Request, exception: Exception) -> Response:
    """Answer a ProtocolError."""
    if isinstance(exception, OAuthError):
        return await error_answer(http, exception)
    if isinstance(exception, ProblemError):
        return _problem(http, exception)
    if isinstance(exception, UntrustedRequestError):
        return await _untrusted(http, exception)
    raise exception


async def _untrusted(http: Request, error: ProtocolError) -> Response:
    """RFC 6749 §4.1.2.1: the client or its redirect URI is not proven, so the person stays here."""
    is_sign_out = isinstance(error, UntrustedLogoutError)
    trouble = Trouble.SIGN_OUT_REFUSED if is_sign_out else Trouble.BAD_REQUEST
    reference = new_reference(trouble)
    note(http, error="invalid_request", detail=error.detail or error.description, reference=reference)
    view = ErrorPage(
        trouble=trouble,
        reference=reference,
        named=None if is_sign_out else await _named_network(http),
        error=InvalidRequestError.error,
        detail=error.description,
        sign_out_uri=f"{context_of(http).issuer}/end_session",
    )
    return show(http, view, status=400)


async def journey_failure(http: Request, exception: Exception) -> Response:
    """Answer a JourneyError."""
    if not isinstance(exception, JourneyError):
        raise exception
    reference = new_reference(exception.trouble)
    note(http, trouble=exception.trouble.value, detail=exception.detail, reference=reference)
    view = ErrorPage(
        client=await _named_network(http, exception.client_id) if exception.client_id else None,
        named=await _named_network(http),
        trouble=exception.trouble,
        reference=reference,
    )
    answer = show(http, view, status=STATUS[exception.trouble])
    return answer if exception.retry_after is None else with_retry_after(answer, exception.retry_after)


async def store_failure(http: Request, exception: Exception) -> Response:
    """Answer when the database is out of reach: try again, nothing was lost."""
    note(http, fault="store_unavailable", where=str(exception))
    busy = TemporarilyUnavailableError("the service is busy; please try again shortly")
    return await error_answer(http, busy)


async def http_failure(http: Request, exception: Exception) -> Response:
    """Answer what the router refuses: an unknown address, a method that is not allowed."""
    if not isinstance(exception, HTTPException):
        raise exception
    headers: Mapping[str, str] = exception.headers or {}
    if resource_at(http.scope["path"]) == ACCOUNT_LINKS:
        is_method = exception.status_code == 405
        problem = Problem.METHOD_NOT_ALLOWED if is_method else Problem.NO_SUCH_ADDRESS
        told = "this address does not take this method" if is_method else "there is no such address"
        return _problem(http, ProblemError(problem, told), headers)
    if not is_for_people(http.scope):
        error = InvalidRequestError("there is no such address, or it does not take this method")
        return json_answer(error.as_parameters(), exception.status_code, headers)
    reference = new_reference(Trouble.NOT_FOUND)
    note(http, reference=reference)
    view = ErrorPage(trouble=Trouble.NOT_FOUND, reference=reference)
    answer = show(http, view, status=exception.status_code)
    answer.headers.update(headers)
    return answer


_ANSWERS: Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    ProtocolError: protocol_failure,
    JourneyError: journey_failure,
    StoreUnavailableError: store_failure,
    HTTPException: http_failure,
}

FAILURES = tuple(_ANSWERS)
"""Every exception that is an answer; anything else is a fault."""


async def answer_failure(http: Request, failure: Exception) -> Response:
    """Answer an exception that is one of FAILURES."""
    for kind, answer in _ANSWERS.items():
        if isinstance(failure, kind):
            return await answer(http, failure)
    raise failure


def fault_answer(scope: Scope) -> Response:
    """Answer an exception that nobody foresaw. The caller learns a reference and nothing else."""
    reference = new_reference(Trouble.FAULT)
    log_members(scope)["reference"] = reference
    http = Request(scope)
    if not is_for_people(scope):
        return _told_to_machine(http, ServerError(f"something went wrong, reference {reference}"), {})
    return show(http, ErrorPage(trouble=Trouble.FAULT, reference=reference), status=500)


def render_form_post(http: Request, redirect_uri: str, parameters: Mapping[str, str]) -> bytes:
    """Render an authorization response as a form (OAuth 2.0 Form Post Response Mode §2)."""
    view = FormPostPage(action=redirect_uri, parameters=tuple(parameters.items()))
    return pages_of(http).render(view, locale_of(http))
