"""Sign in at another identity provider? Away to it, and back. OpenID Connect Core §3.1, RFC 9700 §4.

What goes away is bound to this browser by its cookie, to one upstream by an address of its own, to ten
minutes and to one answer (abuse classes 15, 16, 29). Whatever goes wrong leads to a page that says so and
leaves the other ways open; the log gets a word of ours and never what an upstream said.
"""

import re
import secrets
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.throttling import UNGUESSABLE_LIMITS, CredentialPath, ThrottledError, source_of
from idp.pages.frame import check_same_origin, show
from idp.pages.sign_in_views import UpstreamWay
from idp.pages.upstream_views import REFERENCE_CODES, STATUS, UpstreamPage, UpstreamTrouble
from idp.pages.visit import Visit, load_visit
from idp.protocol.errors import InvalidRequestError
from idp.protocol.parameters import Parameters
from idp.store.encoding import hash_secret
from idp.store.unit_of_work import UnitOfWork
from idp.store.upstream_visits import UpstreamVisit
from idp.store.writes import GateClosedError, UniquenessError
from idp.upstreams.arrival import ArrivalRefusal, ArrivalRefusedError
from idp.upstreams.directory import OfferedUpstream
from idp.upstreams.exchange import Fault, OpenVisit, UpstreamError, UpstreamIdentity
from idp.upstreams.messages import new_code_verifier
from idp.web.answers import see_other
from idp.web.arrival import lead_on
from idp.web.authorization_response import form_targets_of
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble, new_reference, note
from idp.web.journey import find_signed_in
from idp.web.requests import address_of, is_id, read_query
from idp.web.state import Context, context_of
from idp.web.throttle import count_attempts, count_credential_attempt
from idp.web.upstream_arrivals import admit

router = APIRouter(include_in_schema=False)

VALIDITY = timedelta(minutes=10)
_LONGEST_STATE = 64
_ANEW = frozenset({"login", "create"})
"""Values of `prompt` with which nobody who is signed in somewhere already is meant."""
_REFERENCE = re.compile(r"U[0-9]{2}-[0-9A-Z]{8}")

_TROUBLE_OF = {
    Fault.CANCELLED: UpstreamTrouble.CANCELLED,
    Fault.UNAVAILABLE: UpstreamTrouble.UNAVAILABLE,
    Fault.UNTRUSTED: UpstreamTrouble.UNTRUSTED,
    Fault.INCOMPLETE: UpstreamTrouble.INCOMPLETE,
    Fault.LEVEL_UNKNOWN: UpstreamTrouble.INCOMPLETE,
    Fault.NOT_FRESH: UpstreamTrouble.NOT_FRESH,
    ArrivalRefusal.UNREADABLE: UpstreamTrouble.INCOMPLETE,
    ArrivalRefusal.UNKNOWN_PERSON: UpstreamTrouble.UNKNOWN_PERSON,
    ArrivalRefusal.NOT_USABLE: UpstreamTrouble.NOT_USABLE,
    ArrivalRefusal.PAIR_CHANGED: UpstreamTrouble.PAIR_CHANGED,
    ArrivalRefusal.DISCONNECTED: UpstreamTrouble.DISCONNECTED,
}


def upstream_ways(context: Context, visit_id: str) -> tuple[UpstreamWay, ...]:
    """Return the upstreams that the sign-in page offers on a visit."""
    return tuple(
        UpstreamWay(name=offered.configuration.name, uri=_page_uri(context, visit_id, offered))
        for offered in context.upstreams
    )


@router.get("/sign-in/{visit_id}/upstream/{upstream_id}")
async def upstream_page(http: Request, visit_id: str, upstream_id: str) -> Response:
    """Say where the person would go; nothing is called yet."""
    return await _shown(http, visit_id, upstream_id, None)


@router.get("/sign-in/{visit_id}/upstream/{upstream_id}/{trouble}/{reference}")
async def upstream_trouble(
    http: Request, visit_id: str, upstream_id: str, trouble: str, reference: str
) -> Response:
    """Say why nobody was signed in, at an address of its own: it can be read again, in the other language."""
    if trouble not in {each.value for each in UpstreamTrouble} or not _REFERENCE.fullmatch(reference):
        raise JourneyError(Trouble.NOT_FOUND)
    return await _shown(http, visit_id, upstream_id, UpstreamTrouble(trouble), reference)


@router.post("/sign-in/{visit_id}/upstream/{upstream_id}")
async def go_to_upstream(http: Request, visit_id: str, upstream_id: str) -> Response:
    """Send the person to the upstream, bound to this browser."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    visit = await load_visit(context, uow, http, visit_id, now)
    check_same_origin(http)
    offered = _offered(context, upstream_id)
    try:
        await count_attempts(uow, [(_begun_key(context, http), UNGUESSABLE_LIMITS)], now)
    except ThrottledError:
        return _trouble(context, http, visit_id, offered, UpstreamTrouble.THROTTLED, "too many begun")
    is_signed_in = await find_signed_in(context, uow, http, now) is not None
    opened = _open_visit(context, visit, offered, now, is_signed_in=is_signed_in)
    try:
        address = await offered.upstream.way_out(opened)
    except UpstreamError as error:
        return _trouble(context, http, visit_id, offered, _TROUBLE_OF[error.fault], error.reason)
    cookies = Cookies(context.is_secure)
    browser = cookies.read(http, cookies.browser)
    bound_to = browser or secrets.token_urlsafe(32)
    uow.upstream_visits.add(
        opened.state,
        UpstreamVisit(
            upstream_id=offered.upstream_id,
            visit_id=visit.visit_id,
            browser_hash=hash_secret(bound_to),
            created_at=now,
            expires_at=now + VALIDITY,
            secrets={
                "nonce": opened.nonce,
                "code_verifier": opened.code_verifier,
                "wants_login": opened.wants_login,
                "max_age": opened.max_age,
            },
        ),
    )
    await uow.commit()
    answer = see_other(address)
    if browser is None:
        cookies.set_browser(answer, bound_to)
    return answer


@router.get("/upstreams/{upstream_id}/callback")
async def back_from_upstream(http: Request, upstream_id: str) -> Response:
    """Take the upstream's answer, once, in the browser that left."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    offered = _offered(context, upstream_id)
    parameters = _parameters(http)
    try:
        attempt = await count_credential_attempt(context, uow, CredentialPath.UPSTREAM, None, http, now)
    except ThrottledError as throttled:
        raise JourneyError(Trouble.UNAVAILABLE, detail="too many answers from one source") from throttled
    kept, state = await _kept_visit(context, uow, http, offered, parameters, now)
    uow.upstream_visits.use(state, now)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise JourneyError(Trouble.EXPIRED, detail=closed.gate) from closed
    visit = await load_visit(context, uow, http, kept.visit_id, now)
    try:
        identity = await _identified(context, offered, kept, state, parameters)
        cookie = await admit(context, http, offered, identity, attempt, client_id=visit.client_id)
    except UpstreamError as error:
        return _trouble(context, http, visit.visit_id, offered, _TROUBLE_OF[error.fault], error.reason)
    except ArrivalRefusedError as refused:
        trouble = _TROUBLE_OF[refused.refusal]
        return _trouble(context, http, visit.visit_id, offered, trouble, refused.refusal.value)
    except (GateClosedError, UniquenessError):
        # Other windows did the same in this moment; the person is asked once more, nothing is lost.
        trouble = UpstreamTrouble.SESSION_ENDED
        return _trouble(context, http, visit.visit_id, offered, trouble, "other windows were faster")
    uow.attempts.take_back(_begun_key(context, http))
    await uow.commit()
    return lead_on(context, http, visit.onward_uri, cookie)


def _parameters(http: Request) -> Parameters:
    try:
        return read_query(http)
    except InvalidRequestError as error:
        raise JourneyError(Trouble.EXPIRED, detail="an answer that cannot be read") from error


async def _kept_visit(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    offered: OfferedUpstream,
    parameters: Parameters,
    now: datetime,
) -> tuple[UpstreamVisit, str]:
    """Return the visit whose answer this is, and its state. Raises JourneyError.

    Another browser's is left as it is: whoever got hold of a state cannot use it up.
    """
    state = parameters.get("state", "")
    kept = await uow.upstream_visits.find(state) if 0 < len(state) <= _LONGEST_STATE else None
    if kept is None or kept.upstream_id != offered.upstream_id:
        raise JourneyError(Trouble.EXPIRED, detail="unknown state")
    cookies = Cookies(context.is_secure)
    browser = cookies.read(http, cookies.browser)
    if browser is None or hash_secret(browser) != kept.browser_hash:
        raise JourneyError(Trouble.OTHER_BROWSER, detail="the state is of another browser")
    if kept.used_at is not None or now >= kept.expires_at:
        raise JourneyError(Trouble.EXPIRED, detail="the state is used or expired")
    return kept, state


async def _identified(
    context: Context, offered: OfferedUpstream, kept: UpstreamVisit, state: str, parameters: Parameters
) -> UpstreamIdentity:
    if parameters.repeated:
        raise UpstreamError(Fault.UNTRUSTED, "answer: a parameter is repeated")
    opened = OpenVisit(
        state=state,
        redirect_uri=_redirect_uri(context, offered),
        begun_at=kept.created_at,
        **kept.secrets,
    )
    return await offered.upstream.identify(opened, parameters)


def _open_visit(
    context: Context, visit: Visit, offered: OfferedUpstream, now: datetime, *, is_signed_in: bool
) -> OpenVisit:
    """Return what the visit is bound to. Whoever is signed in here already is asked to sign in anew there."""
    request = visit.request
    return OpenVisit(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        code_verifier=new_code_verifier(),
        redirect_uri=_redirect_uri(context, offered),
        begun_at=now,
        wants_login=is_signed_in or (request is not None and bool(_ANEW & set(request.prompt))),
        max_age=None if request is None else request.max_age,
    )


async def _shown(
    http: Request,
    visit_id: str,
    upstream_id: str,
    trouble: UpstreamTrouble | None,
    reference: str | None = None,
) -> Response:
    context = context_of(http)
    visit = await load_visit(context, context.unit_of_work(), http, visit_id, context.clock())
    offered = _offered(context, upstream_id)
    view = UpstreamPage(
        client=visit.header(context),
        action=_page_uri(context, visit_id, offered),
        name=offered.configuration.name,
        domain=offered.domain,
        other_ways_uri=f"{context.issuer}/sign-in/{visit_id}",
        creates_account=offered.configuration.mapping.create,
        trouble=trouble,
        reference=reference,
    )
    status = 200 if trouble is None else STATUS[trouble]
    targets = form_targets_of(offered.address)
    return show(http, view, request=visit.request, status=status, form_targets=targets)


def _trouble(
    context: Context,
    http: Request,
    visit_id: str,
    offered: OfferedUpstream,
    trouble: UpstreamTrouble,
    reason: str,
) -> Response:
    reference = f"{REFERENCE_CODES[trouble]}-{new_reference()}"
    refused = f"upstream_{trouble.value}"
    note(http, upstream=offered.upstream_id, refused=refused, detail=reason, reference=reference)
    return see_other(f"{_page_uri(context, visit_id, offered)}/{trouble.value}/{reference}")


def _offered(context: Context, upstream_id: str) -> OfferedUpstream:
    offered = context.upstreams.find(upstream_id) if is_id(upstream_id) else None
    if offered is None:
        raise JourneyError(Trouble.NOT_FOUND)
    return offered


def _page_uri(context: Context, visit_id: str, offered: OfferedUpstream) -> str:
    return f"{context.issuer}/sign-in/{visit_id}/upstream/{offered.upstream_id}"


def _redirect_uri(context: Context, offered: OfferedUpstream) -> str:
    return f"{context.issuer}/upstreams/{offered.upstream_id}/callback"


def _begun_key(context: Context, http: Request) -> bytes:
    return context.custody.data.lookup("upstream_visits_begun", source_of(address_of(http)))
