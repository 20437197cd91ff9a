"""The platform API, following: what became of a platform's links, in one order. Rule R12; abuse case P7."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.account_link_resource import change_members
from idp.protocol.errors import InvalidRequestError
from idp.protocol.parameters import Parameters
from idp.protocol.result_pages import Page, position_content, read_page, read_position
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import json_answer
from idp.web.platform_access import check_platform_reader, read_known_query
from idp.web.sealed_cursors import open_cursor, seal_cursor
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

LISTING = "changes"


@router.get("/account-links/changes")
async def account_link_changes(http: Request) -> Response:
    """Return the changes behind a cursor, oldest first, and the cursor that goes on from there.

    There is a cursor in every answer, an empty one too: whoever keeps it misses nothing and asks again later.
    """
    context = context_of(http)
    access = await check_platform_reader(context, http)
    client_id = access.client.client_id
    query = read_known_query(http, {"cursor", "from", "limit"})
    page = read_page(query)
    uow = context.unit_of_work()
    position = await _position(context, uow, query, page, client_id)
    changes = await uow.link_changes.of_client_since(client_id, position, page.limit + 1)
    shown = changes[: page.limit]
    links = await uow.platform_links.changed_since(client_id, position, page.limit) if shown else {}
    now = context.clock()
    last = shown[-1].position if shown else None
    return json_answer(
        {
            "changes": [change_members(change, links, context.issuer, now) for change in shown],
            "cursor": seal_cursor(
                context, LISTING, client_id, position_content(position if last is None else last)
            ),
            "has_more": len(changes) > len(shown),
        }
    )


async def _position(context: Context, uow: UnitOfWork, query: Parameters, page: Page, client_id: str) -> int:
    """Return behind which position to begin: a cursor's, the newest, or the very first."""
    begin = query.get("from")
    if begin not in {None, "beginning", "now"} or (begin is not None and page.cursor is not None):
        raise InvalidRequestError("from is beginning or now, and only the first request has it")
    if page.cursor is not None:
        return read_position(open_cursor(context, LISTING, client_id, page.cursor))
    return await uow.link_changes.head() if begin == "now" else 0
