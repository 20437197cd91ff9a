"""Responses, each kind with the headers it needs. Built from bytes: a dict would be encoded twice."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Scope

from idp.web.stylesheet import STYLE_SOURCE, packed

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: under that, browsers send `Origin: null` with our own forms (Fetch §3.2).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


_HEADERS = "lienket.headers"


def add_header(scope: Scope, name: str, value: str) -> None:
    """Have a header added to the answer of this request, whichever it will be, unless it has one."""
    scope.setdefault(_HEADERS, {})[name.lower().encode("latin-1")] = value.encode("latin-1")


def write_added_headers(scope: Scope, start: Message) -> None:
    """Write the headers into the message that begins an answer; for the boundary, which sees every one."""
    added = scope.get(_HEADERS)
    if added:
        present = {name for name, _ in start["headers"]}
        start["headers"].extend((name, value) for name, value in added.items() if name not in present)


def json_answer(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON that no cache keeps (RFC 6749 §5.1)."""
    return Response(
        orjson.dumps(content),
        status,
        headers={**NO_STORE, **(headers or {})},
        media_type="application/json",
    )


def problem_answer(status: int, detail: str) -> Response:
    """Return a problem that has no type of its own: RFC 9457 §3, where `about:blank` is §4.2.1."""
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return problem_document_answer(problem, status)


def problem_document_answer(
    problem: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem document: RFC 9457 §3."""
    return Response(
        orjson.dumps(problem),
        status,
        headers={**NO_STORE, **(headers or {})},
        media_type="application/problem+json",
    )


def page_answer(
    http: Request, content: bytes, status: int = 200, *, form_targets: Sequence[str] = ()
) -> Response:
    """Return a page under a strict Content-Security-Policy; its stylesheet compressed for who takes that.

    `form_targets` are sources a form may lead to: browsers hold `form-action` against every redirect
    that follows a form, so the way to the platform must be open on every page of its journey.
    """
    form_action = " ".join(("'self'", *form_targets))
    policy = (
        f"default-src 'none'; style-src {STYLE_SOURCE}; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {form_action}"
    )
    headers = {**_PAGE_HEADERS, "Content-Security-Policy": policy}
    if takes_gzip(http.headers):
        content, headers["Content-Encoding"] = packed(content), "gzip"
    return Response(content, status, headers=headers, media_type="text/html; charset=utf-8")


def takes_gzip(headers: Headers) -> bool:
    """RFC 9110 §12.5.3; a browser that takes it says so without a weight."""
    return "gzip" in (coding.strip() for coding in headers.get("accept-encoding", "").split(","))


def with_retry_after(answer: Response, wait: timedelta) -> Response:
    """Say in how many seconds it is worth trying again, never none (RFC 9110 §10.2.3)."""
    answer.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
    return answer


def see_other(location: str) -> Response:
    """Return a redirect that is always followed by GET, so that no form is sent on (RFC 9700 §4.12)."""
    return Response(b"", 303, headers={"Location": location, **NO_STORE, "Referrer-Policy": "no-referrer"})
