"""What people see: the door, the feed, a member's page, the settings."""

import re

from fastapi import APIRouter
from fastapi.responses import Response

from clients.relying_party import Decision
from clients.social_network.accounts import LONGEST_POST, Account, UnfitPostError, read_post
from clients.social_network.features import LIVE_SALE, POST
from clients.social_network.following import kept_receipt
from clients.social_network.web import (
    LANGUAGE_COOKIE,
    Form,
    Here,
    Visit,
    render,
    see,
    set_session,
)
from clients.social_network.words import WORDS

POSTS_ON_A_PAGE = 10

router = APIRouter()


@router.get("/")
async def home(visit: Here) -> Response:
    """Show the door to strangers and the feed to members."""
    if visit.member is None:
        return render(visit, "welcome.html", accounts=visit.network.store.demo_accounts())
    return _feed(visit)


def _feed(visit: Visit, status: int = 200, problem: str | None = None, draft: str = "") -> Response:
    store = visit.network.store
    if visit.member is None:
        return see("/")
    return render(
        visit,
        "feed.html",
        status,
        link=store.links.find(visit.member.account_id),
        decision=_decide(visit, visit.member, POST),
        posts=store.latest_posts(POSTS_ON_A_PAGE),
        notice=store.take_notice(visit.session_id),
        problem=problem,
        draft=draft,
        longest=LONGEST_POST,
    )


@router.post("/sign-in")
async def sign_in(visit: Here, form: Form) -> Response:
    """Sign in as one of the demo members: the network's own sign-in, always with a new session."""
    account = visit.network.store.find_account(form.get("account", ""))
    if account is None or not account.is_demo:
        return render(visit, "problem.html", 400, reason="form")
    visit.network.store.end_session(visit.session_id)
    response = see("/")
    set_session(response, visit, visit.network.store.begin_session(account.account_id, visit.now))
    return response


@router.post("/posts")
async def post(visit: Here, form: Form) -> Response:
    """Keep a post of a linked member; anybody else is told kindly why not."""
    if visit.member is None:
        return see("/")
    if not _decide(visit, visit.member, POST).is_allowed:
        return _feed(visit, 403)
    text = form.get("text", "")
    try:
        visit.network.store.add_post(visit.member.account_id, read_post(text), visit.now)
    except UnfitPostError as error:
        return _feed(visit, 400, problem=error.reason, draft=text[: LONGEST_POST * 2])
    return see("/")


@router.get("/live")
async def live(visit: Here) -> Response:
    """Show where a member sells in a live stream, or what that needs."""
    return _live(visit)


@router.post("/live")
async def go_live(visit: Here, form: Form) -> Response:
    """Announce a live sale. The provider's policy asks more for it than for a post."""
    if visit.member is None:
        return see("/")
    if not _decide(visit, visit.member, LIVE_SALE).is_allowed:
        return _live(visit, 403)
    text = form.get("text", "")
    try:
        announced = f"{visit.words['live_post']} {read_post(text)}"
        visit.network.store.add_post(visit.member.account_id, announced, visit.now, picture="stall")
    except UnfitPostError as error:
        return _live(visit, 400, problem=error.reason, draft=text[: LONGEST_POST * 2])
    return see("/")


def _live(visit: Visit, status: int = 200, problem: str | None = None, draft: str = "") -> Response:
    if visit.member is None:
        return see("/")
    return render(
        visit,
        "live.html",
        status,
        decision=_decide(visit, visit.member, LIVE_SALE),
        notice=visit.network.store.take_notice(visit.session_id),
        problem=problem,
        draft=draft,
        longest=LONGEST_POST,
    )


def _decide(visit: Visit, member: Account, feature: str) -> Decision:
    link = visit.network.store.links.find(member.account_id)
    return visit.network.features.decide(member, link, feature, visit.now)


@router.get("/@{handle}")
async def profile(visit: Here, handle: str) -> Response:
    """Show a member, to everybody: this is the address the provider shows at consent."""
    account = visit.network.store.find_account(handle)
    if account is None:
        return render(visit, "problem.html", 404, reason="missing")
    return render(
        visit,
        "profile.html",
        account=account,
        link=visit.network.store.links.find(account.account_id),
        posts=visit.network.store.latest_posts(POSTS_ON_A_PAGE, account.account_id),
    )


@router.get("/settings")
async def settings(visit: Here) -> Response:
    """Show where the link lives."""
    if visit.member is None:
        return see("/")
    store = visit.network.store
    link = store.links.find(visit.member.account_id)
    return render(
        visit,
        "settings.html",
        link=link,
        receipt=None if link is None else kept_receipt(visit.network, link),
        decision=_decide(visit, visit.member, POST),
        notice=store.take_notice(visit.session_id),
        is_provider_known=store.find_id_token(visit.session_id) is not None,
    )


_OWN_PAGE = re.compile(r"/(settings|live|@[a-z0-9]{1,30})?", re.ASCII)


@router.get("/language/{language}")
async def language(visit: Here, language: str, to: str = "/") -> Response:
    """Switch the language and return to the page it was switched on, if that is one of ours."""
    if language not in WORDS:
        return render(visit, "problem.html", 404, reason="missing")
    response = see(to if _OWN_PAGE.fullmatch(to) else "/")
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 86_400, httponly=True, samesite="lax")
    return response
