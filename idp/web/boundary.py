"""The outermost layer: one log line for each request, one answer for whatever was not foreseen. Pure ASGI."""

import time
import traceback
from collections.abc import Callable
from datetime import datetime

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idp.web.answers import write_added_headers
from idp.web.failures import log_members
from idp.web.log import Log

RenderFault = Callable[[Scope], Response]


class Boundary:
    """Wraps the application. An exception nobody handled is logged by place, never by its words."""

    def __init__(
        self,
        app: ASGIApp,
        log: Callable[[Scope], Log],
        clock: Callable[[], datetime],
        render_fault: RenderFault,
    ) -> None:
        self._app = app
        self._log = log
        self._clock = clock
        self._render_fault = render_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 with a reference when something of ours broke."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-content-type-options", b"nosniff"))
                write_added_headers(scope, message)
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            log_members(scope)["gone"] = True  # nobody is left to answer, and nothing of ours broke
        except Exception as fault:  # the last net: whatever it is, the caller gets an answer with a reference
            log_members(scope).update(fault=type(fault).__name__, where=_places(fault))
            if status:
                raise
            await self._render_fault(scope)(scope, receive, watch)
        finally:
            route = scope.get("route")
            self._log(scope).write(
                "request",
                self._clock(),
                method=scope["method"],
                route=getattr(route, "path", None),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 2),
                **log_members(scope),
            )


def _places(fault: BaseException) -> str:
    """Return where it broke, innermost last; source lines and messages may hold data, so they stay out."""
    frames = traceback.extract_tb(fault.__traceback__)[-6:]
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
