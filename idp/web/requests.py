"""Reading what a caller sent, with caps, before any of it is believed."""

from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from idp.protocol.errors import InvalidRequestError
from idp.protocol.parameters import Parameters, read_parameters

LARGEST_BODY = 64 * 1024
"""Bytes; an authorization request with every optional part stays far below."""

_FORM = "application/x-www-form-urlencoded"


async def read_body(request: Request) -> bytes:
    """Return the body. Raises InvalidRequestError when it is larger than LARGEST_BODY."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > LARGEST_BODY:
        raise InvalidRequestError("the request body is too large")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise InvalidRequestError("the request body is too large")
    return bytes(body)


async def read_form(request: Request) -> Parameters:
    """Return the form of a POST. Raises InvalidRequestError; RFC 6749 Appendix B wants this media type."""
    _check_media_type(request)
    return read_parameters(await read_body(request))


async def read_form_with_choices(request: Request, name: str) -> tuple[Parameters, frozenset[str]]:
    """Return a form and the ticked checkboxes of one name: the only field of our forms that repeats."""
    _check_media_type(request)
    body = await read_body(request)
    parameters = read_parameters(body)
    return parameters, frozenset(parse_qs(body.decode()).get(name, ()))


def is_form(request: Request) -> bool:
    """Tell whether the request says that its body is a form."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


def _check_media_type(request: Request) -> None:
    if not is_form(request):
        raise InvalidRequestError(f"the request body must be {_FORM}")


def read_query(request: Request) -> Parameters:
    """Return the query of a request. Raises InvalidRequestError."""
    query: bytes = request.scope["query_string"]
    return read_parameters(query)


def is_id(text: str) -> bool:
    """Tell whether a text may be an id of ours. PostgreSQL takes no NUL, so nothing else goes there."""
    return 0 < len(text) <= 64 and text.isascii() and text.isprintable()


def address_of(request: Request) -> str:
    """Return the caller's address; behind a trusted proxy, the one that proxy reports."""
    return request.client.host if request.client is not None else "unknown"


def is_same_origin(request: Request, issuer: str) -> bool:
    """Tell whether a form came from our own pages, by what the browser itself says of its origin.

    A browser sends `Origin` with every POST, and `Sec-Fetch-Site` where it knows it; no page can forge
    either. A caller that sends neither is no browser and carries no person's cookies by accident.
    """
    site = request.headers.get("sec-fetch-site")
    if site == "same-origin":
        # Decides alone: a browser set to hide where it comes from says `Origin: null` beside it.
        return True
    if site not in {None, "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    own = urlsplit(issuer)
    return origin == f"{own.scheme}://{own.netloc}"
