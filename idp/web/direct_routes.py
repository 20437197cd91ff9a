"""Paths of one or two parts, found in a dictionary before the router looks at its list. Pure ASGI.

The router costs more than some of our endpoints do. The same handlers stay registered with it, for
everything else about them (405, HEAD, the list of routes); a test holds the two against each other.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
"""Answers an exact path."""
NamedHandler = Callable[[Request, str], Awaitable[Response]]
"""Answers `/prefix/{name}`, given the name."""
Failure = Callable[[Request, Exception], Awaitable[Response]]


class Route:
    """The path of a direct route, as the log names it."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class DirectRoutes:
    """Passes known (method, path) pairs to their handlers and everything else on."""

    def __init__(
        self,
        app: ASGIApp,
        handlers: Mapping[tuple[str, str], Handler],
        named_handlers: Mapping[tuple[str, str], NamedHandler],
        failures: tuple[type[Exception], ...],
        answer_failure: Failure,
    ) -> None:
        self._app = app
        self._exact = {key: (handler, Route(key[1])) for key, handler in handlers.items()}
        self._named = {key: (handler, Route(f"{key[1]}/{{name}}")) for key, handler in named_handlers.items()}
        self._failures = failures
        self._answer_failure = answer_failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or pass the request on to the router."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        answer = self._find(request, scope)
        if answer is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await answer
        except self._failures as failure:
            response = await self._answer_failure(request, failure)
        await response(scope, receive, send)

    def _find(self, request: Request, scope: Scope) -> Awaitable[Response] | None:
        method, path = scope["method"], scope["path"]
        exact = self._exact.get((method, path))
        if exact is not None:
            handler, scope["route"] = exact
            return handler(request)
        prefix, _, name = path.rpartition("/")
        named = self._named.get((method, prefix)) if name else None
        if named is None:
            return None
        named_handler, scope["route"] = named
        return named_handler(request, name)
