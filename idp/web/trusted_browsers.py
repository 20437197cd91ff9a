"""Browsers that a person had remembered. They lower friction, never the level that is claimed.

What one is good for: its person reads their own pages after one factor (`pages.own_pages`), and guesses made
elsewhere do not slow them down here (`web.throttle` knows the browser that a person was right in). Whatever
changes something still takes every factor, and no session says more than what was shown.
"""

import secrets
from datetime import datetime, timedelta

from starlette.requests import Request

from idp.authenticators.browser_names import browser_name
from idp.identity.notices import Credential, NoticeKind
from idp.store.trusted_browsers import TrustedBrowser
from idp.store.unit_of_work import UnitOfWork
from idp.web.cookies import Cookies
from idp.web.credential_changes import write_down
from idp.web.state import Context

TRUSTED_FOR = timedelta(days=90)
"""How long a browser is remembered; then its person confirms it once more."""
_LONGEST_USER_AGENT = 1024
_SEEN_EVERY = timedelta(hours=1)


async def find_trusted(
    context: Context, uow: UnitOfWork, http: Request, citizen_id: str, now: datetime
) -> TrustedBrowser | None:
    """Return this browser, when this very person had it remembered; record that it was used."""
    cookies = Cookies(context.is_secure)
    cookie = cookies.read(http, cookies.trusted)
    browser = None if cookie is None else await uow.trusted_browsers.find(cookie, now)
    if browser is None or browser.citizen_id != citizen_id:
        return None
    if now - browser.last_used_at >= _SEEN_EVERY:
        uow.trusted_browsers.seen(browser.browser_id, now)
    return browser


def remember(uow: UnitOfWork, http: Request, citizen_id: str, now: datetime) -> str:
    """Record that this browser is remembered, told on every way; return its cookie for after the commit."""
    cookie = secrets.token_urlsafe(32)
    user_agent = http.headers.get("user-agent", "")[:_LONGEST_USER_AGENT]
    browser = TrustedBrowser(
        browser_id=secrets.token_urlsafe(12),
        citizen_id=citizen_id,
        name=browser_name(user_agent),
        created_at=now,
        last_used_at=now,
        expires_at=now + TRUSTED_FOR,
    )
    uow.trusted_browsers.add(browser, cookie)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_ADDED, Credential.BROWSER, now)
    return cookie
