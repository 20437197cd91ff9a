"""Status lists: what became of a platform's links, for anybody who holds a receipt. Token Status List §8.

A list names nobody and may be had by everybody, through any cache.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.status_list import (
    MAX_AGE,
    MEDIA_TYPE,
    STATUS_LISTS,
    accepts_jwt,
)
from idp.web.answers import problem_answer
from idp.web.requests import is_id, read_query
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


_CACHED = {
    "Cache-Control": f"public, max-age={int(MAX_AGE.total_seconds())}",
    "Access-Control-Allow-Origin": "*",
    "Vary": "Accept",
}


@router.api_route(f"{STATUS_LISTS}/{{list_id}}", methods=["GET", "HEAD"])
async def status_list(http: Request, list_id: str) -> Response:
    """Return a list, as JWT alone (§8.2). Of former times there is none (§8.4)."""
    if not accepts_jwt(http.headers.get("accept")):
        return problem_answer(406, f"Status lists are {MEDIA_TYPE}.")
    if "time" in read_query(http):
        return problem_answer(501, "Only the present state of a list can be had.")
    context = context_of(http)
    signed = await context.status_lists.find(list_id, context.clock()) if is_id(list_id) else None
    if signed is None:
        return problem_answer(404, "There is no such status list.")
    headers = {**_CACHED, "ETag": signed.etag}
    if _has_already(http, signed.etag):
        return Response(status_code=304, headers=headers)
    return Response(signed.body, headers=headers, media_type=MEDIA_TYPE)


def _has_already(http: Request, etag: str) -> bool:
    """RFC 9110 §13.1.2, by weak comparison: the tag of another process of ours is as good."""
    known = {tag.strip().removeprefix("W/") for tag in http.headers.get("if-none-match", "").split(",")}
    return etag.removeprefix("W/") in known
