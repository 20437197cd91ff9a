"""The platform API, reading: account links as their platform may see them. Rules R1, R12; abuse case P6.

With a person's token: that person's links at this client. With a token of the client's own: all of its
links, page by page, or the one of an account. Nobody learns of another's link whether it exists, and nobody a
reason.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import AccountLink, Status
from idp.protocol.account_link_details import MAX_ACCOUNT_ID
from idp.protocol.account_link_resource import entity_tag, is_visible, link_members
from idp.protocol.errors import InvalidRequestError
from idp.protocol.parameters import Parameters
from idp.protocol.problems import Problem, ProblemError
from idp.protocol.resources import ACCOUNT_LINKS
from idp.protocol.result_pages import read_page
from idp.store.platform_links import SHOWN
from idp.web.access_tokens import Access
from idp.web.answers import json_answer
from idp.web.platform_access import (
    check_own_bound_token,
    check_reader,
    dump_document,
    read_known_query,
    resource_answer,
)
from idp.web.requests import is_id, read_query
from idp.web.sealed_cursors import open_cursor, seal_cursor
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 100
LISTING = "links"


@router.get("/account-links")
async def account_links(http: Request) -> Response:
    """Return links: a person's, all of the client's, or the one of an account."""
    context = context_of(http)
    access = await check_reader(context, http)
    if access.grant is not None:
        return await _links_of_person(context, http, access.grant.citizen_id, access.client.client_id)
    check_own_bound_token(access)
    query = read_known_query(http, {"account_id", "cursor", "limit", "status"})
    if "account_id" in query:
        return await _link_of_account(context, query, access.client.client_id)
    return await _links_of_client(context, query, access.client.client_id)


@router.get("/account-links/{link_id}")
async def account_link(http: Request, link_id: str) -> Response:
    """Return one link, with its entity tag. Another's looks exactly like none (abuse class 24)."""
    context = context_of(http)
    access = await check_reader(context, http)
    link = await find_visible(context, access, link_id)
    document = dump_document(link_members(link, context.issuer, context.clock()))
    return resource_answer(document, etag=entity_tag(document))


async def find_visible(context: Context, access: Access, link_id: str) -> AccountLink:
    """Return a link that this token may see. Raises ProblemError, the same for every other."""
    link = await context.unit_of_work().account_links.find(link_id) if is_id(link_id) else None
    citizen_id = None if access.grant is None else access.grant.citizen_id
    if link is None or not is_visible(link, access.client.client_id, citizen_id):
        raise no_such_link()
    return link


def no_such_link() -> ProblemError:
    """Return the one answer to an id that is unknown, foreign or not redeemed."""
    return ProblemError(Problem.NO_SUCH_LINK, "There is no such account link.")


async def _links_of_person(context: Context, http: Request, citizen_id: str, client_id: str) -> Response:
    """Return a person's links in pages by id; `next` leads on, while there is more."""
    after = read_query(http).get("after", "")
    links = await context.unit_of_work().account_links.of_citizen_at_client(
        citizen_id, client_id, after=after if is_id(after) else "", limit=PAGE_SIZE + 1
    )
    content = _list(context, links[:PAGE_SIZE])
    if len(links) > PAGE_SIZE:
        content["next"] = f"{context.issuer}{ACCOUNT_LINKS}?after={links[PAGE_SIZE - 1].link_id}"
    return json_answer(content)


async def _link_of_account(context: Context, query: Parameters, client_id: str) -> Response:
    if {"cursor", "status", "limit"} & query.keys():
        raise InvalidRequestError("account_id finds one link; it stands alone")
    account_id = query["account_id"]
    if len(account_id) > MAX_ACCOUNT_ID or "\0" in account_id:
        return json_answer(_list(context, []))
    link = await context.unit_of_work().platform_links.of_account(client_id, account_id)
    return json_answer(_list(context, [] if link is None else [link]))


async def _links_of_client(context: Context, query: Parameters, client_id: str) -> Response:
    page, status = read_page(query), _read_status(query)
    after = "" if page.cursor is None else open_cursor(context, LISTING, client_id, page.cursor).decode()
    links = await context.unit_of_work().platform_links.page(
        client_id, status, context.clock(), after=after, limit=page.limit + 1
    )
    shown = links[: page.limit]
    content = _list(context, shown)
    if len(links) > page.limit:
        content["cursor"] = seal_cursor(context, LISTING, client_id, shown[-1].link_id.encode())
    return json_answer(content)


def _read_status(query: Parameters) -> Status | None:
    status = query.get("status")
    if status is None:
        return None
    if status not in set(SHOWN):
        raise InvalidRequestError(f"status must be one of {', '.join(sorted(SHOWN))}")
    return Status(status)


def _list(context: Context, links: list[AccountLink]) -> dict[str, Any]:
    now = context.clock()
    return {"account_links": [link_members(link, context.issuer, now) for link in links]}
