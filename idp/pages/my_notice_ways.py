"""How do I want to be told? Which ways, and in which language; changed by a strong, fresh sign-in alone."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.notices import Channel, Notice, NoticeKind, NoticePreferences, UILocale
from idp.pages.frame import check_form_token, check_same_origin, form_token, show
from idp.pages.notice_views import NoticeWaysPage
from idp.pages.own_pages import strong_or_way
from idp.web.answers import see_other
from idp.web.requests import read_form_with_choices
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

VISIT = "notice-ways"


@router.get("/my/notice-ways")
async def notice_ways(http: Request) -> Response:
    """Show the ways by which messages leave, and their language."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await strong_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    view = NoticeWaysPage(
        csrf=form_token(context, signed_in.session),
        preferences=await uow.notices.preferences(signed_in.citizen.citizen_id),
        action=f"{context.issuer}/my/notice-ways",
        is_saved="saved" in http.query_params,
    )
    return show(http, view)


@router.post("/my/notice-ways")
async def choose(http: Request) -> Response:
    """Keep how the person wants to be told; they are told of that by the ways of before."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    check_same_origin(http)
    form, ticked = await read_form_with_choices(http, "channel")
    signed_in = await strong_or_way(context, uow, http, now, VISIT)
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
    return see_other(f"{context.issuer}/my/notice-ways?saved=1")
