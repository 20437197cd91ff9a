"""Is this account genuine? The public mark, for anybody, without signing in. Rule R21.

Everything that is not to be found (unknown, not linked, not wanted, ended, suspended, a network that shows no
marks) is answered by the same bytes, after the same question to the database (abuse case P6).
"""

from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import MARK_LIMITS, ThrottledError, source_of
from idp.identity.account_links import AccountLink
from idp.identity.public_marks import can_have_mark, is_shown, mark_uri, read_account_name, shown_level
from idp.pages.frame import domain_of, locale_of, read_own_form, show
from idp.pages.logos import logo_address
from idp.pages.mark_badge import badge
from idp.pages.mark_views import MarkPage, NamedNetwork, NoMarkPage, VerifyPage
from idp.pages.views import MarkSwitch
from idp.protocol.model import Client, ClientStatus
from idp.web.answers import NO_STORE, see_other, with_retry_after
from idp.web.failures import note
from idp.web.requests import address_of, is_id
from idp.web.state import Context, context_of
from idp.web.throttle import count_attempts

router = APIRouter(include_in_schema=False)

BADGE_VALIDITY = timedelta(seconds=60)
"""How long a badge may outlive a change, in whatever cache."""


@router.get("/verify")
async def verify_page(http: Request) -> Response:
    """Ask which account."""
    return _not_indexed(show(http, _form(context_of(http))))


@router.post("/verify")
async def verify(http: Request) -> Response:
    """Lead to the mark of the account that was named, if there is one to be seen."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    client_id, typed = form.get("network", ""), form.get("account", "")
    key = context.custody.data.lookup("marks_of_source", source_of(address_of(http)))
    try:
        await count_attempts(uow, ((key, MARK_LIMITS),), now)
    except ThrottledError as throttled:
        note(http, refused="throttled")
        view = _form(context, chosen=client_id, account=typed, retry_at=throttled.retry_at)
        return with_retry_after(_not_indexed(show(http, view, status=429)), throttled.retry_at - now)
    name = read_account_name(typed)
    if name is None or not is_id(client_id):
        return _no_mark(context, http)
    named = await uow.public_marks.named(client_id, name, limit=2)
    # A handle may have passed on to another account: where two hold it, neither is told to be the one.
    link = named[0] if len(named) == 1 else None
    if link is None or await _network_of(context, link) is None:
        return _no_mark(context, http)
    return see_other(mark_uri(link, context.issuer))


@router.get("/verify/{mark_id}")
async def mark_page(http: Request, mark_id: str) -> Response:
    """Show that an account is linked to a verified person, at which level and since when."""
    context = context_of(http)
    link = await context.unit_of_work().public_marks.find(mark_id) if is_id(mark_id) else None
    client = await _network_of(context, link)
    if link is None or client is None or link.linked_at is None:
        return _no_mark(context, http)
    view = MarkPage(
        network=client.client_name,
        domain=domain_of(client),
        logo=logo_address(context.issuer, client),
        handle=link.handle,
        profile_uri=link.profile_uri,
        proofing=shown_level(link.proofing),
        linked_at=link.linked_at,
        checked_at=context.clock(),
    )
    return _not_indexed(show(http, view))


@router.get("/verify/{mark_id}/badge.svg")
async def mark_badge(http: Request, mark_id: str) -> Response:
    """Return the mark as a picture that a page of another origin may show."""
    context = context_of(http)
    link = await context.unit_of_work().public_marks.find(mark_id) if is_id(mark_id) else None
    if link is None or await _network_of(context, link) is None:
        return Response(status_code=404, headers=NO_STORE)
    headers = {
        "Cache-Control": f"public, max-age={int(BADGE_VALIDITY.total_seconds())}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Robots-Tag": "noindex",
    }
    return Response(badge(link.proofing, locale_of(http)), headers=headers, media_type="image/svg+xml")


async def _network_of(context: Context, link: AccountLink | None) -> Client | None:
    """Return the network of a link whose mark is to be seen; None where it is not."""
    if link is None or not is_shown(link, context.clock()):
        return None
    client = await context.clients.find(link.client_id)
    return client if client is not None and shows_marks(client) else None


def shows_marks(client: Client) -> bool:
    """Tell whether a network shows marks: it said so in its registration, and it may use the provider."""
    return client.public_mark and client.status is ClientStatus.ACTIVE


async def mark_switch(context: Context, link: AccountLink) -> MarkSwitch | None:
    """Return the switch on the holder's page of a link; None where there is nothing to decide."""
    client = await context.clients.find(link.client_id)
    is_offered = client is not None and shows_marks(client) and can_have_mark(link, context.clock())
    if not is_offered and link.mark_id is None:
        return None
    return MarkSwitch(
        action=f"{context.issuer}/my/accounts/{link.link_id}/mark",
        mark_uri=None if link.mark_id is None else mark_uri(link, context.issuer),
    )


def _form(
    context: Context, *, chosen: str = "", account: str = "", retry_at: datetime | None = None
) -> VerifyPage:
    networks = [
        NamedNetwork(client_id=client.client_id, name=client.client_name)
        for client in context.clients.registered().values()
        if shows_marks(client)
    ]
    networks.sort(key=lambda network: (network.name.casefold(), network.client_id))
    return VerifyPage(
        action=f"{context.issuer}/verify",
        networks=tuple(networks),
        chosen=chosen,
        account=account,
        retry_at=retry_at,
    )


def _no_mark(context: Context, http: Request) -> Response:
    note(http, refused="no_mark")
    return _not_indexed(show(http, NoMarkPage(verify_uri=f"{context.issuer}/verify"), status=404))


def _not_indexed(answer: Response) -> Response:
    """Keep marks out of search engines: they are to be asked for, not to be collected."""
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
