"""The platform API: account links as their platform may see them. Domain rules R1, R12; abuse case P6.

With a person's token: that person's links at this client. With a token of the client's own: any of its links.
Nobody learns of another's link whether it exists, and nobody a reason.
"""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import AccountLink
from idp.protocol.account_link_resource import is_visible, link_members
from idp.protocol.errors import InsufficientScopeError
from idp.protocol.parameters import Parameters
from idp.protocol.resources import ACCOUNT_LINKS, READ_ACCOUNT_LINKS
from idp.web.access_tokens import Access
from idp.web.answers import json_answer, problem_answer
from idp.web.protected_resource import check_access, read_token
from idp.web.requests import is_id, read_query
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

_READ = frozenset({READ_ACCOUNT_LINKS})
PAGE_SIZE = 100


@router.get("/account-links")
async def account_links(http: Request) -> Response:
    """Return a person's links in pages by id; `next` leads on, while there is more."""
    context = context_of(http)
    uow = context.unit_of_work()
    access = await _check_access(context, http)
    if access.grant is None:
        raise InsufficientScopeError("a client's own token reads one account link at a time, by its link_id")
    after = read_query(http).get("after", "")
    links = await uow.account_links.of_citizen_at_client(
        access.grant.citizen_id,
        access.client.client_id,
        after=after if is_id(after) else "",
        limit=PAGE_SIZE + 1,
    )
    content: dict[str, Any] = {"account_links": [_shown(context, link) for link in links[:PAGE_SIZE]]}
    if len(links) > PAGE_SIZE:
        content["next"] = f"{context.issuer}{ACCOUNT_LINKS}?after={links[PAGE_SIZE - 1].link_id}"
    return json_answer(content)


@router.get("/account-links/{link_id}")
async def account_link(http: Request, link_id: str) -> Response:
    """Return one link. Another client's or person's looks exactly like none (abuse class 24)."""
    context = context_of(http)
    uow = context.unit_of_work()
    access = await _check_access(context, http)
    link = await uow.account_links.find(link_id) if is_id(link_id) else None
    citizen_id = None if access.grant is None else access.grant.citizen_id
    if link is None or not is_visible(link, access.client.client_id, citizen_id):
        return problem_answer(404, "There is no such account link.")
    return json_answer(_shown(context, link))


async def _check_access(context: Context, http: Request) -> Access:
    token = read_token(http, Parameters({}))
    uow, now = context.unit_of_work(), context.clock()
    return await check_access(context, uow, http, token, path=ACCOUNT_LINKS, scope=_READ, now=now)


def _shown(context: Context, link: AccountLink) -> dict[str, Any]:
    return link_members(link, context.issuer, context.clock())
