"""Exact paths, found in a dictionary before the router looks at its list. Pure ASGI.

The router costs more than some of our endpoints do. The same handlers stay registered with it, for
everything else about them (405, HEAD, the list of routes); a test holds the two against each other.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
Failure = Callable[[Request, Exception], Awaitable[Response]]


class Route:
    """The path of a direct route, as the log names it."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class DirectRoutes:
    """Passes exact (method, path) pairs to their handlers and everything else on."""

    def __init__(
        self,
        app: ASGIApp,
        handlers: Mapping[tuple[str, str], Handler],
        failures: tuple[type[Exception], ...],
        answer_failure: Failure,
    ) -> None:
        self._app = app
        self._routes = {key: (handler, Route(key[1])) for key, handler in handlers.items()}
        self._failures = failures
        self._answer_failure = answer_failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or pass the request on to the router."""
        found = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        handler, scope["route"] = found
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except self._failures as failure:
            response = await self._answer_failure(request, failure)
        await response(scope, receive, send)
