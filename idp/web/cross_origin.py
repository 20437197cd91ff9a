"""What pages of other origins may call: the endpoints of public clients. Fetch Standard §3.3. Pure ASGI.

Every origin may, because none of these endpoints looks at a cookie: whoever calls shows what they hold, and a
page of another origin holds nothing. Credentials are therefore never allowed along. Pages of ours are not
among them.
"""

from collections.abc import Collection

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from idp.web.answers import add_header

ANY_ORIGIN = "*"
READABLE = "DPoP-Nonce, WWW-Authenticate"
"""Headers of answers that a client has to read: RFC 9449 §8, RFC 6750 §3."""
PREFLIGHT = {
    "Access-Control-Allow-Origin": ANY_ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "7200",
}


class CrossOrigin:
    """Answers preflight requests for the paths, and lets any origin read what they answer."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight request, or pass the request on."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        names = {name for name, _ in scope["headers"]}
        if b"origin" not in names:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in names:
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
        else:
            add_header(scope, "Access-Control-Allow-Origin", ANY_ORIGIN)
            add_header(scope, "Access-Control-Expose-Headers", READABLE)
            await self._app(scope, receive, send)
