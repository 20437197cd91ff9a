"""At which other providers do I sign in? End one, connect one.

Ending one takes a strong sign-in of these minutes, signs out everywhere else, and is told on every way (NIST
SP 800-63B §4). The last way in cannot be ended here: nobody shall lock themselves out.
"""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import Method
from idp.identity.notices import Credential, NoticeKind
from idp.pages.frame import form_token, show
from idp.pages.own_pages import signed_in_or_way, strong_form_or_way
from idp.pages.upstream_sign_in import upstream_ways
from idp.pages.upstream_views import UpstreamCard, UpstreamsPage
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.store.upstream_accounts import UpstreamAccount
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.credential_changes import write_down
from idp.web.failures import JourneyError, Trouble
from idp.web.journey import enrolled_methods
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

UPSTREAMS = "upstreams"
_OTHER_WAYS_IN = frozenset({Method.PASSKEY, Method.APP, Method.PASSWORD})
"""What lets somebody in without another provider and without anybody's help."""


@router.get("/my/upstreams")
async def upstreams(http: Request) -> Response:
    """Show them, and those that could be connected."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, UPSTREAMS)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    accounts = await uow.upstream_accounts.of_citizen(citizen_id)
    last = await _last_way(context, uow, citizen_id, accounts)
    connected = {f"{context.issuer}/sign-in/{UPSTREAMS}/upstream/{each.upstream_id}" for each in accounts}
    view = UpstreamsPage(
        csrf=form_token(context, signed_in.session),
        accounts=tuple(
            UpstreamCard(
                upstream_id=each.upstream_id,
                name=context.upstreams.name_of(each.upstream_id),
                since=each.first_used_at,
                last_used_at=each.last_used_at,
                is_only_way=each.upstream_id == last,
            )
            for each in accounts
        ),
        end_action=f"{context.issuer}/my/upstreams/end",
        others=tuple(way for way in upstream_ways(context, UPSTREAMS) if way.uri not in connected),
    )
    return show(http, view)


@router.post("/my/upstreams/end")
async def end_upstream(http: Request) -> Response:
    """End one: from now on the account there lets nobody in here."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, UPSTREAMS)
    if isinstance(sent, Response):
        return sent
    upstream_id, citizen_id = sent.form.get("upstream", ""), sent.signed_in.citizen.citizen_id
    accounts = await uow.upstream_accounts.of_citizen(citizen_id)
    if upstream_id not in {each.upstream_id for each in accounts}:
        raise JourneyError(Trouble.NOT_FOUND)
    answer = see_other(f"{context.issuer}/my/upstreams")
    if await _last_way(context, uow, citizen_id, accounts) == upstream_id:
        return answer
    _record(uow, upstream_id, sent.signed_in, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise JourneyError(Trouble.NOT_FOUND, detail=closed.gate) from closed
    return answer


def _record(uow: UnitOfWork, upstream_id: str, signed_in: SignedIn, now: datetime) -> None:
    """Record the end, and that of every other session.

    One of them may be of whoever has the account there, who would connect it again.
    """
    citizen_id = signed_in.citizen.citizen_id
    uow.upstream_accounts.disconnect(upstream_id, citizen_id, now)
    uow.sessions.end_of_citizen(citizen_id, now, but=signed_in.session.session_id)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_REMOVED, Credential.UPSTREAM, now)


async def _last_way(
    context: Context, uow: UnitOfWork, citizen_id: str, accounts: list[UpstreamAccount]
) -> str | None:
    """Return the provider without which nothing would let the person in; None where something does."""
    if _OTHER_WAYS_IN & set(enrolled_methods(await uow.authenticators.find(citizen_id))):
        return None
    usable = [each.upstream_id for each in accounts if context.upstreams.find(each.upstream_id) is not None]
    return usable[0] if len(usable) == 1 else None
