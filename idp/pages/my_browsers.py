"""Which browsers are remembered? One more, one less, none. What it is good for: `web.trusted_browsers`."""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import Acr
from idp.identity.notices import Credential, NoticeKind
from idp.pages.frame import form_token, show
from idp.pages.lists import ListAddress
from idp.pages.own_pages import own_form_or_way, signed_in_or_way, strong_form_or_way
from idp.pages.security_views import BrowserCard, BrowsersPage
from idp.store.sessions import SignedIn
from idp.store.trusted_browsers import TrustedBrowser
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.cookies import Cookies
from idp.web.credential_changes import check_may_change, write_down
from idp.web.failures import JourneyError, Trouble, note
from idp.web.requests import is_id
from idp.web.state import context_of
from idp.web.trusted_browsers import TRUSTED_FOR, find_trusted, remember

router = APIRouter(include_in_schema=False)

BROWSERS = "browsers"
PAGE_SIZE = 20
_MOST_SKIPPED = 10_000


@router.get("/my/browsers")
async def browsers(http: Request) -> Response:
    """Show them, the one used last first."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, BROWSERS)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id, base = signed_in.citizen.citizen_id, f"{context.issuer}/my/browsers"
    skipped = _skipped(http.query_params.get("from", ""))
    found = await uow.trusted_browsers.of_citizen(citizen_id, now, limit=PAGE_SIZE + 1, skipped=skipped)
    current = await find_trusted(context, uow, http, citizen_id, now)
    next_place = str(skipped + PAGE_SIZE) if len(found) > PAGE_SIZE else None
    view = BrowsersPage(
        csrf=form_token(context, signed_in.session),
        browsers=tuple(_card(browser, current) for browser in found[:PAGE_SIZE]),
        remember_action=await _remember_action(uow, base, signed_in, current, now),
        forget_action=f"{base}/forget",
        forget_all_action=f"{base}/forget-all" if found else None,
        days=TRUSTED_FOR.days,
        paging=ListAddress(base).paging(is_first=not skipped, next_place=next_place, name="from"),
    )
    return show(http, view)


@router.post("/my/browsers")
async def remember_this(http: Request) -> Response:
    """Remember this browser; whoever does so has just shown two factors.

    With a password alone it would outlast the day on which its holder adds a second factor: whoever had
    stolen the password before would go on reading.
    """
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, BROWSERS, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    answer = see_other(f"{context.issuer}/my/browsers")
    if await find_trusted(context, uow, http, citizen_id, now) is None:
        await check_may_change(context, citizen_id, now)
        cookie = remember(uow, http, citizen_id, now)
        Cookies(context.is_secure).set_trusted(answer, cookie, TRUSTED_FOR)
    await uow.commit()
    return answer


@router.post("/my/browsers/forget")
async def forget(http: Request) -> Response:
    """Forget one of them."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, BROWSERS)
    if isinstance(sent, Response):
        return sent
    citizen_id, browser_id = sent.signed_in.citizen.citizen_id, sent.form.get("browser", "")
    if not is_id(browser_id):
        raise JourneyError(Trouble.NOT_FOUND)
    uow.trusted_browsers.forget(citizen_id, browser_id, now)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_REMOVED, Credential.BROWSER, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        # Another person's looks exactly like none, and like one that is forgotten already.
        note(http, refused=closed.gate)
    return see_other(f"{context.issuer}/my/browsers")


@router.post("/my/browsers/forget-all")
async def forget_all(http: Request) -> Response:
    """Forget all of them, this one too."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, BROWSERS)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    answer = see_other(f"{context.issuer}/my/browsers")
    if await uow.trusted_browsers.of_citizen(citizen_id, now, limit=1):
        uow.trusted_browsers.forget_all(citizen_id, now)
        write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_REMOVED, Credential.BROWSER, now)
        await uow.commit()
    Cookies(context.is_secure).clear_trusted(answer)
    return answer


async def _remember_action(
    uow: UnitOfWork, base: str, signed_in: SignedIn, current: TrustedBrowser | None, now: datetime
) -> str | None:
    if current is not None:
        return None
    overview = await uow.security_overviews.of_citizen(signed_in.citizen.citizen_id, now)
    return base if overview.passkeys or overview.phones or overview.totp_since else None


def _card(browser: TrustedBrowser, current: TrustedBrowser | None) -> BrowserCard:
    return BrowserCard(
        browser_id=browser.browser_id,
        name=browser.name,
        is_current=current is not None and browser.browser_id == current.browser_id,
        since=browser.created_at,
        last_used_at=browser.last_used_at,
        until=browser.expires_at,
    )


def _skipped(text: str) -> int:
    """Read how many come before a page from an address; whatever is no number means none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_SKIPPED))
    return min(int(text), _MOST_SKIPPED) if is_number else 0
