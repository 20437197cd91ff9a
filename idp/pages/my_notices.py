"""What was I told, and how do I want to be? Every notice is kept here, whatever other way was open."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.cases import shown_reference
from idp.identity.notices import (
    SECURITY_NOTICES,
    Channel,
    KeptNotice,
    Notice,
    NoticeKind,
    NoticePreferences,
    UILocale,
    what_of,
)
from idp.pages.frame import check_form_token, check_same_origin, form_token, show
from idp.pages.notice_views import NoticeEntry, NoticesPage
from idp.pages.own_pages import signed_in_or_way
from idp.pages.visit import NOTICES
from idp.store.encoding import micros
from idp.store.places import NEWEST
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.requests import is_id, read_form_with_choices
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 20


@router.get("/my/notices")
async def notices(http: Request) -> Response:
    """Show the newest first, and the ways by which they leave."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), NOTICES)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id, base = signed_in.citizen.citizen_id, f"{context.issuer}/my/notices"
    before = _place(http.query_params.get("before", ""))
    kept = await uow.notices.of_citizen(citizen_id, before=before, limit=PAGE_SIZE + 1)
    last = kept[PAGE_SIZE - 1] if len(kept) > PAGE_SIZE else None
    view = NoticesPage(
        csrf=form_token(context, signed_in.session),
        notices=tuple([await _entry(context, uow, each) for each in kept[:PAGE_SIZE]]),
        preferences=await uow.notices.preferences(citizen_id),
        action=base,
        is_saved="saved" in http.query_params,
        first_page_uri=base if before != NEWEST else None,
        next_page_uri=None if last is None else f"{base}?before={micros(last.created_at)}.{last.notice_id}",
        my_accounts_uri=f"{context.issuer}/my/accounts",
    )
    return show(http, view)


@router.post("/my/notices")
async def choose(http: Request) -> Response:
    """Keep how the person wants to be told; they are told of that by the ways of before."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    check_same_origin(http)
    form, ticked = await read_form_with_choices(http, "channel")
    signed_in = await signed_in_or_way(context, uow, http, now, NOTICES)
    if isinstance(signed_in, Response):
        return signed_in
    check_form_token(context, signed_in.session, form)
    citizen_id, locale = signed_in.citizen.citizen_id, form.get("ui_locale")
    before = await uow.notices.preferences(citizen_id)
    wanted = NoticePreferences(
        frozenset(channel for channel in Channel if channel.value in ticked),
        UILocale(locale) if locale in set(UILocale) else before.ui_locale,
    )
    if wanted != before:
        uow.notices.prefer(citizen_id, wanted, now)
        actor = Actor(ActorKind.CITIZEN, citizen_id)
        uow.ledger.append(Event("citizen:notices_changed", actor, now, citizen_id=citizen_id))
        # Whoever is about to act in another's name would silence these ways first.
        told = Notice(NoticeKind.PREFERENCES_CHANGED, citizen_id)
        uow.notices.tell(told, now, channels=before.channels)
        await uow.commit()
    return see_other(f"{context.issuer}/my/notices?saved=1")


def _place(text: str) -> tuple[int, str]:
    """Read the time and id of a notice from an address; whatever is neither means the newest."""
    time, _, notice_id = text.partition(".")
    is_place = time.isascii() and time.isdecimal() and len(time) < 18 and is_id(notice_id)
    return (int(time), notice_id) if is_place else NEWEST


async def _entry(context: Context, uow: UnitOfWork, kept: KeptNotice) -> NoticeEntry:
    notice = kept.notice
    client = None if notice.client_id is None else await context.clients.find(notice.client_id)
    link = None if notice.link_id is None else await uow.account_links.find(notice.link_id)
    case = None if notice.case_id is None else await uow.cases.find(notice.case_id)
    account = notice.details.get("account", "")
    if link is not None:
        account = link.handle or link.account_id
    elif case is not None and case.account_id is not None:
        account = case.account_id
    return NoticeEntry(
        kind=notice.kind,
        at=kept.created_at,
        network=(notice.client_id or "") if client is None else client.client_name,
        account=account,
        reference="" if case is None else shown_reference(case.reference),
        count=notice.details.get("count", ""),
        what=what_of(notice),
        uri=_uri(context, notice),
    )


def _uri(context: Context, notice: Notice) -> str | None:
    if notice.link_id is not None:
        return f"{context.issuer}/my/accounts/{notice.link_id}"
    return f"{context.issuer}{path}" if (path := _PATHS.get(notice.kind)) is not None else None


_PATHS = {
    NoticeKind.LINKS_QUICKLY: "/my/accounts",
    NoticeKind.FREEZE_ON: "/my/freeze",
    NoticeKind.FREEZE_OFF: "/my/freeze",
    NoticeKind.NEW_REQUEST_WAITING: "/approvals",
    NoticeKind.GUARDIAN_REQUEST: "/my/children",
    NoticeKind.DISPUTE_OPENED: "/my/cases",
    NoticeKind.DISPUTE_DECIDED: "/my/cases",
    **dict.fromkeys(SECURITY_NOTICES, "/my/security"),
}
"""Where a notice that is about no link of one's own leads."""
