"""What people see: the door, the feed, a member's page, the settings."""

import re

from fastapi import APIRouter
from fastapi.responses import Response

from clients.social_network.accounts import LONGEST_POST, UnfitPostError, read_post
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
        link=store.find_link(visit.member.account_id),
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
    link = visit.network.store.find_link(visit.member.account_id)
    if link is None or not link.is_active(visit.now):
        return _feed(visit, 403)
    text = form.get("text", "")
    try:
        visit.network.store.add_post(visit.member.account_id, read_post(text), visit.now)
    except UnfitPostError as error:
        return _feed(visit, 400, problem=error.reason, draft=text[: LONGEST_POST * 2])
    return see("/")


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
        link=visit.network.store.find_link(account.account_id),
        posts=visit.network.store.latest_posts(POSTS_ON_A_PAGE, account.account_id),
    )


@router.get("/settings")
async def settings(visit: Here) -> Response:
    """Show where the link lives."""
    if visit.member is None:
        return see("/")
    store = visit.network.store
    return render(
        visit,
        "settings.html",
        link=store.find_link(visit.member.account_id),
        notice=store.take_notice(visit.session_id),
        is_provider_known=store.find_id_token(visit.session_id) is not None,
    )


_OWN_PAGE = re.compile(r"/(settings|@[a-z0-9]{1,30})?", re.ASCII)


@router.get("/language/{language}")
async def language(visit: Here, language: str, to: str = "/") -> Response:
    """Switch the language and return to the page it was switched on, if that is one of ours."""
    if language not in WORDS:
        return render(visit, "problem.html", 404, reason="missing")
    response = see(to if _OWN_PAGE.fullmatch(to) else "/")
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 86_400, httponly=True, samesite="lax")
    return response
