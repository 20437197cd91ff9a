"""The server under measurement: the program's own application, and beside it one page that counts.

`python -m tests.bench.measured_server --port N` serves the provider by its settings; with `--bare` it serves
the yardstick, one FastAPI route that returns a ready response.
"""

import argparse
import json
import time

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from idp.app import create_app
from idp.pages import sign_in
from idp.settings import Settings
from idp.web import phones

COUNTERS = "/bench/counters"
BARE = "/bench/bare"


class Counting:
    """Answers COUNTERS itself and passes everything else on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == COUNTERS:
            await Response(json.dumps(_counters(scope)))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _counters(scope: Scope) -> dict[str, float]:
    context = scope.get("state", {}).get("context")
    statistics = None if context is None else context.database.statistics
    return {
        "cpu": time.process_time(),
        "statements": 0 if statistics is None else statistics.statements,
        "commits": 0 if statistics is None else statistics.commits,
    }


def _accept(encoded: str, password: str) -> None:
    """Stand in for the password hash, whose cost is budgeted apart and would hide everything else."""


def _bare_application() -> FastAPI:
    app = FastAPI()
    answer = Response(b'{"a":1}', media_type="application/json")

    @app.get(BARE)
    async def bare(_request: Request) -> Response:
        return answer

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bare", action="store_true")
    given, _ = parser.parse_known_args()
    sign_in.verify_password = _accept
    phones.verify_password = _accept
    app: ASGIApp = _bare_application() if given.bare else create_app(Settings.load())
    uvicorn.run(
        Counting(app),
        host="127.0.0.1",
        port=given.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    main()
