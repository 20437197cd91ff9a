"""Who may use the platform API, and how its requests are read and answered.

A platform acts with a token of its own (client_credentials). Whatever lists or changes links needs one that
is bound to its sender; a person's token, and an unbound one of a client whose profile allows that, reads one
link whose id is known.
"""

from collections.abc import Collection
from urllib.parse import unquote_plus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.errors import InsufficientScopeError
from idp.protocol.parameters import Parameters
from idp.protocol.problems import Problem, ProblemError
from idp.protocol.resources import ACCOUNT_LINKS, MANAGE_ACCOUNT_LINKS, READ_ACCOUNT_LINKS
from idp.protocol.result_pages import check_known_parameters
from idp.protocol.sender_constraint import check_sender_is_bound
from idp.web.access_tokens import Access
from idp.web.answers import NO_STORE
from idp.web.protected_resource import check_access, read_token
from idp.web.requests import read_body, read_query
from idp.web.state import Context

JSON = frozenset({"application/json"})
MERGE_PATCH = frozenset({"application/merge-patch+json", "application/json"})


async def check_reader(context: Context, http: Request) -> Access:
    """Check a token that reads links: a person's, or the client's own.

    Raises InvalidTokenError, InsufficientScopeError, InsufficientUserAuthenticationError.
    """
    token = read_token(http, Parameters({}))
    return await check_access(
        context,
        context.unit_of_work(),
        http,
        token,
        path=ACCOUNT_LINKS,
        scope=frozenset({READ_ACCOUNT_LINKS}),
        now=context.clock(),
    )


def check_own_bound_token(access: Access) -> None:
    """Check that a token is the client's own and bound to its sender.

    Raises InsufficientScopeError, InvalidDPoPTokenError.
    """
    if access.grant is not None:
        raise InsufficientScopeError("this needs a token of the client's own (client_credentials)")
    check_sender_is_bound(access.token.confirmation)


async def check_platform_reader(context: Context, http: Request) -> Access:
    """Check a token with which a platform reads all of its own links.

    Raises InvalidTokenError, InsufficientScopeError.
    """
    access = await check_reader(context, http)
    check_own_bound_token(access)
    return access


async def check_manager(context: Context, http: Request) -> Access:
    """Check a token with which a platform changes its links.

    Raises InvalidTokenError, InsufficientScopeError.
    """
    token = read_token(http, Parameters({}))
    access = await check_access(
        context,
        context.unit_of_work(),
        http,
        token,
        path=ACCOUNT_LINKS,
        scope=frozenset({MANAGE_ACCOUNT_LINKS}),
        now=context.clock(),
    )
    check_own_bound_token(access)
    return access


def read_known_query(http: Request, known: Collection[str]) -> Parameters:
    """Return the query, which holds known parameters only. Raises InvalidRequestError."""
    query = read_query(http)
    sent: bytes = http.scope["query_string"]
    names = {unquote_plus(pair.partition("=")[0]) for pair in sent.decode().split("&") if pair}
    check_known_parameters(query, names, known)
    return query


async def read_json_body(http: Request, media_types: Collection[str]) -> bytes:
    """Return a body that says it is JSON, or that is not there. Raises ProblemError, InvalidRequestError."""
    body = await read_body(http)
    sent = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and sent not in media_types:
        raise ProblemError(
            Problem.UNSUPPORTED_MEDIA_TYPE, f"the body must be {' or '.join(sorted(media_types))}"
        )
    return body


def resource_answer(document: bytes, status: int = 200, *, etag: str | None = None) -> Response:
    """Return a JSON document, made already, that no cache keeps."""
    headers = dict(NO_STORE) if etag is None else {**NO_STORE, "ETag": etag}
    return Response(document, status, headers=headers, media_type="application/json")


def dump_document(document: object) -> bytes:
    """Return a document as it is sent, and hashed into its entity tag."""
    return orjson.dumps(document)
