"""What every page of the network shares: who is there, forms that cannot be forged, rendering, headers."""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qsl

import jinja2
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients.relying_party import AccountLink, LinkedAccount, LinkReceipt, LoggedOut, Started, Tokens
from clients.relying_party.keys import Clock
from clients.relying_party.messages import CallbackParameters
from clients.social_network.accounts import Account
from clients.social_network.features import Features
from clients.social_network.settings import Settings
from clients.social_network.store import SESSION_LIFETIME, Store
from clients.social_network.words import DEFAULT_LANGUAGE, WORDS

SESSION_COOKIE = "quan_coc_session"
LANGUAGE_COOKIE = "quan_coc_language"
LARGEST_FORM = 8 * 1024
VIET_NAM = timezone(timedelta(hours=7))
"""UTC+7, without summer time."""


ReadLink = Callable[[str], Awaitable[AccountLink]]


class LinkingParty(Protocol):
    """What the network needs of the SDK; tests give something smaller."""

    async def start_linking(
        self,
        *,
        account_id: str,
        handle: str | None = None,
        profile_uri: str | None = None,
        purpose: str | None = None,
        acr_values: Sequence[str] = (),
        claims: Mapping[str, Any] | None = None,
        max_age: int | None = None,
        ui_locales: Sequence[str] = (),
    ) -> Started:
        """Begin."""
        ...

    async def finish(self, callback: CallbackParameters, started: Started) -> LinkedAccount:
        """Redeem and verify."""
        ...

    async def read_receipt(self, receipt: str) -> LinkReceipt:
        """Verify a receipt."""
        ...

    async def refresh(self, refresh_token: str, *, subject: str) -> Tokens:
        """Replace the tokens."""
        ...

    async def userinfo(self, access_token: str, *, subject: str) -> dict[str, Any]:
        """Ask about the person now."""
        ...

    def end_session_url(self, id_token: str, post_logout_redirect_uri: str | None = None) -> str:
        """Say where a person signs out at the provider."""
        ...

    async def read_logout_token(self, token: str) -> LoggedOut:
        """Verify that a session at the provider is over."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """The running network."""

    settings: Settings
    store: Store
    clock: Clock
    features: Features
    connect: Callable[[], Awaitable[LinkingParty]]
    read_link: ReadLink | None = None
    """Asks the platform API about a link; None where nobody is to be asked."""
    checking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a link is checked."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: who asks, in which session, in which language, when."""

    network: Network
    request: Request
    session_id: str = field(repr=False)
    is_first: bool
    member: Account | None
    language: str
    now: datetime

    @property
    def csrf(self) -> str:
        """A value that only pages of this session hold: keyed with the cookie no script can read."""
        return hmac.new(self.session_id.encode(), b"form", "sha256").hexdigest()

    @property
    def words(self) -> dict[str, str]:
        """The words of this visit's language."""
        return WORDS[self.language]


def _visit(request: Request) -> Visit:
    network: Network = request.app.state.network
    now = network.clock()
    cookie = request.cookies.get(SESSION_COOKIE, "")
    is_first = not 43 <= len(cookie) <= 64
    session_id = secrets.token_urlsafe(32) if is_first else cookie
    language = request.cookies.get(LANGUAGE_COOKIE, DEFAULT_LANGUAGE)
    return Visit(
        network=network,
        request=request,
        session_id=session_id,
        is_first=is_first,
        member=None if is_first else network.store.find_member(session_id, now),
        language=language if language in WORDS else DEFAULT_LANGUAGE,
        now=now,
    )


Here = Annotated[Visit, Depends(_visit)]


class UnfitFormError(Exception):
    """A form that was not sent by a page of this session, or cannot be read."""


async def read_pairs(request: Request) -> dict[str, str]:
    """Read what was posted, each name once. Raises UnfitFormError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise UnfitFormError("too large")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise UnfitFormError("unreadable") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise UnfitFormError("a field is repeated")
    return form


async def _read_form(visit: Here) -> dict[str, str]:
    """Read a form strictly; refuse what another site sent. Raises UnfitFormError.

    SameSite keeps the cookie at home, the Origin header and the csrf field say the same once more.
    """
    request = visit.request
    if request.headers.get("origin", visit.network.settings.base_url) != visit.network.settings.base_url:
        raise UnfitFormError("another origin")
    form = await read_pairs(request)
    if not hmac.compare_digest(form.get("csrf", "").encode(), visit.csrf.encode()):
        raise UnfitFormError("not from a page of this session")
    return form


Form = Annotated[dict[str, str], Depends(_read_form)]


async def refuse_form(request: Request, _: Exception) -> Response:
    """Answer a form that was refused: nothing was stored, the person may start again."""
    return render(_visit(request), "problem.html", 400, reason="form")


_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters["day"] = lambda moment: moment.astimezone(VIET_NAM).strftime("%d/%m/%Y")
_PAGES.filters["minute"] = lambda moment: moment.astimezone(VIET_NAM).strftime("%H:%M %d/%m/%Y")


def ago(moment: datetime, visit: Visit) -> str:
    """Say how long ago something was, in the visitor's words; older things by their day."""
    minutes = int((visit.now - moment).total_seconds() // 60)
    if minutes < 1:
        return visit.words["just_now"]
    if minutes < 60:
        return visit.words["minutes_ago"].format(minutes)
    if minutes < 24 * 60:
        return visit.words["hours_ago"].format(minutes // 60)
    return str(_PAGES.filters["day"](moment))


def render(visit: Visit, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """Render a page of the network."""
    page = _PAGES.get_template(template).render(
        visit=visit,
        t=visit.words,
        me=visit.member,
        csrf=visit.csrf,
        issuer=visit.network.settings.issuer,
        ago=lambda moment: ago(moment, visit),
        **context,
    )
    response = HTMLResponse(page, status)
    if visit.is_first:
        set_session(response, visit, visit.session_id)
    return response


def see(path: str) -> RedirectResponse:
    """Send the browser on after a form (RFC 9110 §15.4.4)."""
    return RedirectResponse(path, 303)


def set_session(response: Response, visit: Visit, session_id: str) -> None:
    """Give the browser its session cookie."""
    response.set_cookie(
        SESSION_COOKIE,
        session_id,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=visit.network.settings.base_url.startswith("https://"),
    )


class Headers:
    """Strict headers on every answer. No script runs here, and nothing is fetched from elsewhere.

    Browsers apply form-action to the redirect that follows a form, so the provider is named in it.
    """

    def __init__(self, app: ASGIApp, form_targets: Sequence[str]) -> None:
        self._app = app
        self._policy = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {' '.join(form_targets)}"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add headers to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if not str(scope["path"]).startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)
