"""The cookies: for the session, to tell browsers apart before anybody signed in, for a sandbox. RFC 6265bis.

With https both carry the `__Host-` prefix: no other host or path can set or shadow them. On plain
http://localhost the prefix is impossible, so the names differ and `Secure` is left out.
"""

from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

_BROWSER_SECONDS = 365 * 24 * 3600
_LANGUAGE_SECONDS = 365 * 24 * 3600
_LONGEST_COOKIE = 128
_LONGEST_SANDBOX_TOKEN = 512


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and attributes, by whether browsers reach us through https."""

    is_secure: bool

    @property
    def session(self) -> str:
        """The name of the session cookie."""
        return "__Host-lienket-session" if self.is_secure else "lienket-session"

    @property
    def browser(self) -> str:
        """The name of the cookie that binds an interaction to a browser."""
        return "__Host-lienket-browser" if self.is_secure else "lienket-browser"

    @property
    def app(self) -> str:
        """The name of the cookie of a phone on which the app is open."""
        return "__Host-lienket-app" if self.is_secure else "lienket-app"

    @property
    def trusted(self) -> str:
        """The name of the cookie by which a browser is known that its person had remembered."""
        return "__Host-lienket-trusted" if self.is_secure else "lienket-trusted"

    def asking(self, visit_id: str) -> str:
        """Return the name of the cookie of a browser that asks a phone on this visit."""
        name = f"lienket-asking-{visit_id}"
        return f"__Host-{name}" if self.is_secure else name

    @property
    def sandbox(self) -> str:
        """The name of the cookie that holds a developer's sandbox token; not in production."""
        return "__Host-lienket-sandbox" if self.is_secure else "lienket-sandbox"

    def read(self, request: Request, name: str) -> str | None:
        """Return a cookie of ours, or None when it is absent or cannot be one."""
        value = request.cookies.get(name)
        if not value or len(value) > _LONGEST_COOKIE or not value.isascii():
            return None
        return value

    def set_session(self, response: Response, value: str) -> None:
        """Set the session cookie; it ends with the browser, the server's limits end it before."""
        self._set(response, self.session, value, None)

    def clear_session(self, response: Response) -> None:
        """Take the session cookie back."""
        self._set(response, self.session, "", 0)

    def set_browser(self, response: Response, value: str) -> None:
        """Set the browser cookie."""
        self._set(response, self.browser, value, _BROWSER_SECONDS)

    def set_asking(self, response: Response, visit_id: str, value: str, validity: timedelta) -> None:
        """Set the cookie of a browser that asks a phone; made anew whenever it asks."""
        self._set(response, self.asking(visit_id), value, validity // timedelta(seconds=1))

    def set_app(self, response: Response, value: str) -> None:
        """Remember that the app is open; the value says itself how long."""
        self._set(response, self.app, value, None)

    def clear_app(self, response: Response) -> None:
        """Take the cookie of the app back."""
        self._set(response, self.app, "", 0)

    def set_trusted(self, response: Response, value: str, validity: timedelta) -> None:
        """Set the cookie of a browser that is remembered; it ends when that does."""
        self._set(response, self.trusted, value, validity // timedelta(seconds=1))

    def clear_trusted(self, response: Response) -> None:
        """Take the cookie of a remembered browser back."""
        self._set(response, self.trusted, "", 0)

    def set_language(self, response: Response, value: str) -> None:
        """Remember the language a person chose."""
        self._set(response, "lang", value, _LANGUAGE_SECONDS)

    def read_sandbox(self, request: Request) -> str | None:
        """Return a sandbox token, or None when it is absent or cannot be one."""
        value = request.cookies.get(self.sandbox)
        return value if value and len(value) <= _LONGEST_SANDBOX_TOKEN and value.isascii() else None

    def set_sandbox(self, response: Response, value: str) -> None:
        """Remember a sandbox token until the browser ends; it ends by itself before."""
        self._set(response, self.sandbox, value, None)

    def clear_sandbox(self, response: Response) -> None:
        """Forget a sandbox token."""
        self._set(response, self.sandbox, "", 0)

    def _set(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        response.set_cookie(
            name, value, max_age=max_age, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )
