"""May the public mark of my account be found? On, off, and a new address each time it goes on. Rule R21."""

import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.link_changes import ChangeKind
from idp.identity.public_marks import can_have_mark, with_mark, without_mark
from idp.pages.my_accounts import own_link
from idp.pages.own_pages import own_form_or_way
from idp.pages.public_marks import shows_marks
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.post("/my/accounts/{link_id}/mark")
async def switch_mark(http: Request, link_id: str) -> Response:
    """Let the mark be found, or no more. The platform is told that the link changed, as for a new handle."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    link = await own_link(uow, signed_in, link_id)
    client = await context.clients.find(link.client_id)
    back = see_other(f"{context.issuer}/my/accounts/{link_id}#mark")
    is_wanted = form.get("findable") == "yes"
    if is_wanted == (link.mark_id is not None):
        return back
    if not is_wanted:
        changed, event = without_mark(link, now)
    elif client is not None and shows_marks(client) and can_have_mark(link, now):
        changed, event = with_mark(link, secrets.token_urlsafe(16), now)
    else:
        return back
    uow.account_links.change(link, changed, ChangeKind.UPDATED, now)
    uow.ledger.append(event)
    try:
        await uow.commit()
    except GateClosedError:
        # The link changed meanwhile: the page says how it stands, and the person decides again.
        return back
    return back
