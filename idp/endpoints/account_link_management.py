"""The platform API, changing: a platform keeps its own links in order, and reports what it suspects.

Every change is recorded with who made it, told to the holder, and seen in the change feed. Rules R12, R17;
abuse cases P6, P11, class 24.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.endpoints.account_links import find_visible
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.link_changes import ChangeKind
from idp.identity.link_upkeep import StateConflictError, reattach, request_reverification, update_details
from idp.protocol.account_link_requests import (
    has_other_details,
    read_details_update,
    read_due_at,
    read_new_account_id,
    read_nothing,
)
from idp.protocol.account_link_resource import (
    PREVIOUS_ACCOUNT_ID,
    check_precondition,
    entity_tag,
    link_members,
)
from idp.protocol.problems import Problem, ProblemError
from idp.store.unit_of_work import UnitOfWork
from idp.web.access_tokens import Access
from idp.web.idempotent_requests import TRIES, Outcome, answer_once, changed_meanwhile, is_committed
from idp.web.platform_access import (
    JSON,
    MERGE_PATCH,
    check_manager,
    dump_document,
    read_json_body,
    resource_answer,
)
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

ENDED_BY_PLATFORM = "ended_by_platform"


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What a platform wants of one link, as far as it is read."""

    context: Context
    access: Access
    now: datetime
    body: bytes

    @property
    def actor(self) -> Actor:
        """Who acts: the platform itself."""
        return Actor(ActorKind.CLIENT, self.access.client.client_id)


Act = Callable[[UnitOfWork, AccountLink, Wish], AccountLink]
"""Decides and records; returns the link as it will stand."""


@router.post("/account-links/{link_id}/end")
async def end_account_link(http: Request, link_id: str) -> Response:
    """End a link for good. One that has ended is answered as it stands: what was wanted is the case."""
    return await _act_once(http, link_id, _end)


@router.post("/account-links/{link_id}/reverify")
async def reverify_account_link(http: Request, link_id: str) -> Response:
    """Ask that the holder verify the link again by a date."""
    return await _act_once(http, link_id, _reverify)


@router.post("/account-links/{link_id}/reattach")
async def reattach_account_link(http: Request, link_id: str) -> Response:
    """Attach a link to the id that its account has from now on."""
    return await _act_once(http, link_id, _reattach)


@router.patch("/account-links/{link_id}")
async def update_account_link(http: Request, link_id: str) -> Response:
    """Change handle or profile address: RFC 7396; with If-Match only what the platform has read."""
    context = context_of(http)
    access = await check_manager(context, http)
    body = await read_json_body(http, MERGE_PATCH)
    update = read_details_update(body, access.client.profile_hosts)
    wish = Wish(context, access, context.clock(), body)
    for _ in range(TRIES):
        uow = context.unit_of_work()
        link = await find_visible(context, access, link_id)
        check_precondition(http.headers.get("if-match"), entity_tag(_document(link, wish)))
        try:
            changed, event = update_details(link, update.members, wish.actor, wish.now)
        except StateConflictError as conflict:
            raise _told(conflict) from conflict
        if has_other_details(link, update):
            uow.account_links.change(link, changed, ChangeKind.UPDATED, wish.now)
            uow.ledger.append(event)
        if await is_committed(uow):
            document = _document(changed, wish)
            return resource_answer(document, etag=entity_tag(document))
    raise changed_meanwhile()


async def _act_once(http: Request, link_id: str, act: Act) -> Response:
    context = context_of(http)
    access = await check_manager(context, http)
    wish = Wish(context, access, context.clock(), await read_json_body(http, JSON))

    async def decide(uow: UnitOfWork) -> Outcome:
        link = await find_visible(context, access, link_id)
        try:
            after = act(uow, link, wish)
        except StateConflictError as conflict:
            raise _told(conflict) from conflict
        return Outcome(_document(after, wish))

    return await answer_once(context, http, access.client.client_id, wish.body, decide)


def _end(uow: UnitOfWork, link: AccountLink, wish: Wish) -> AccountLink:
    read_nothing(wish.body)
    if link.status is Status.ENDED:
        return link
    ended, event = move(link, Status.ENDED, wish.actor, ENDED_BY_PLATFORM, wish.now)
    uow.account_links.move(link, ended, wish.now)
    uow.ledger.append(event)
    return ended


def _reverify(uow: UnitOfWork, link: AccountLink, wish: Wish) -> AccountLink:
    due_at = read_due_at(wish.body, wish.now)
    asked, event = request_reverification(link, due_at, wish.actor, wish.now)
    if link.reverify_requested_at is not None and asked.expires_at == link.expires_at:
        # Asked already, for no later a day: the holder was told, and is not told again.
        return link
    uow.account_links.change(link, asked, ChangeKind.REVERIFY_REQUESTED, wish.now)
    uow.ledger.append(event)
    return asked


def _reattach(uow: UnitOfWork, link: AccountLink, wish: Wish) -> AccountLink:
    account_id = read_new_account_id(wish.body)
    reattached, event = reattach(link, account_id, wish.actor, wish.now)
    if account_id == link.account_id:
        return link
    details = {PREVIOUS_ACCOUNT_ID: link.account_id}
    uow.account_links.change(link, reattached, ChangeKind.REATTACHED, wish.now, details)
    uow.ledger.append(event)
    return reattached


def _document(link: AccountLink, wish: Wish) -> bytes:
    return dump_document(link_members(link, wish.context.issuer, wish.now))


def _told(conflict: StateConflictError) -> ProblemError:
    return ProblemError(Problem.STATE_CONFLICT, str(conflict), link_status=conflict.status.value)
