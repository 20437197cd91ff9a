"""What was I told? Every notice is kept here for a year, whatever other way was open."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.notice_topics import KINDS, NoticeTopic
from idp.identity.notices import SECURITY_NOTICES, Notice, NoticeKind
from idp.pages.frame import show
from idp.pages.list_views import FilterName, Period
from idp.pages.lists import (
    ListAddress,
    before_of,
    chosen,
    chosen_id,
    network_filter,
    place_of,
    since_of,
    words_filter,
)
from idp.pages.notice_views import NoticeEntry, NoticesPage
from idp.pages.own_pages import signed_in_or_way
from idp.pages.visit import NOTICES
from idp.web.notice_facts import facts_of
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 20


@router.get("/my/notices")
async def notices(http: Request) -> Response:
    """Show the newest first; of one network, topic or time where that is asked."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, NOTICES)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    client_id, topic = chosen_id(http, "network"), chosen(http, FilterName.KIND, NoticeTopic)
    period = chosen(http, FilterName.PERIOD, Period)
    kept = await uow.notices.of_citizen(
        citizen_id,
        client_id=client_id,
        kinds=NoticeKind if topic is None else KINDS[topic],
        since=since_of(period, now),
        before=before_of(http, period, now),
        limit=PAGE_SIZE + 1,
    )
    address = ListAddress(
        f"{context.issuer}/my/notices",
        (
            await network_filter(context, await uow.notices.networks_of(citizen_id), client_id),
            words_filter(FilterName.KIND, NoticeTopic, topic),
            words_filter(FilterName.PERIOD, Period, period),
        ),
    )
    last = kept[PAGE_SIZE - 1] if len(kept) > PAGE_SIZE else None
    entries = [
        NoticeEntry(facts=await facts_of(uow, context.clients, each), uri=_uri(context, each.notice))
        for each in kept[:PAGE_SIZE]
    ]
    view = NoticesPage(
        notices=tuple(entries),
        filters=address.form(),
        paging=address.paging(
            is_first="before" not in http.query_params,
            next_place=None if last is None else place_of(last.created_at, last.notice_id),
        ),
    )
    return show(http, view)


def _uri(context: Context, notice: Notice) -> str | None:
    if notice.link_id is not None:
        return f"{context.issuer}/my/accounts/{notice.link_id}"
    return f"{context.issuer}{path}" if (path := _PATHS.get(notice.kind)) is not None else None


_PATHS = {
    NoticeKind.LINKS_QUICKLY: "/my/accounts",
    NoticeKind.FREEZE_ON: "/my/freeze",
    NoticeKind.FREEZE_OFF: "/my/freeze",
    NoticeKind.PREFERENCES_CHANGED: "/my/notice-ways",
    NoticeKind.NEW_REQUEST_WAITING: "/approvals",
    NoticeKind.GUARDIAN_REQUEST: "/my/children",
    NoticeKind.CASE_OPENED: "/my/cases",
    NoticeKind.CASE_CLOSED: "/my/cases",
    NoticeKind.CORRECTION_ASKED: "/my/cases",
    NoticeKind.DISPUTE_OPENED: "/my/cases",
    NoticeKind.DISPUTE_DECIDED: "/my/cases",
    **dict.fromkeys(SECURITY_NOTICES, "/my/security"),
}
"""Where a notice that is about no link of one's own leads."""
