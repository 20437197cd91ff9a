"""What both upstream providers of the tests share: an address on the loopback, one-time codes, mischief.

Neither has code of ours: Starlette serves, joserfc signs and encrypts, Authlib checks PKCE.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tests.support.clock import FrozenClock
from tests.support.postgresql import free_port

READY_WITHIN = 20.0


@dataclass
class UpstreamPerson:
    """Somebody with an account at an upstream."""

    subject: str
    claims: dict[str, Any]


@dataclass
class Granted:
    """What a code stands for."""

    person: UpstreamPerson
    parameters: dict[str, str]
    access_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass
class UpstreamServer:
    """A provider at which one person is signed in; tests bend what it says."""

    client_id: str = "lienket"
    secret: str = "a-secret-that-both-sides-keep"
    clock: Callable[[], datetime] = field(default_factory=FrozenClock)
    port: int = field(default_factory=free_port)
    person: UpstreamPerson | None = None
    signed_in_at: datetime | None = None
    """When the person signed in there; None signs in anew each time."""
    denies: str | None = None
    """The error that the next authorization gets instead of a code."""
    answers: dict[str, Response] = field(default_factory=dict)
    """Answers by path, given instead of the right ones."""
    pauses: dict[str, float] = field(default_factory=dict)
    """Seconds of silence before the answer, by path."""
    answer_parameters: dict[str, str | None] = field(default_factory=dict)
    """Parameters of the authorization response that are changed; None leaves one out."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and parameters of every request."""
    codes: dict[str, Granted] = field(default_factory=dict)
    tokens: dict[str, Granted] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def app(self) -> Starlette:
        raise NotImplementedError

    def forget(self) -> None:
        """Behave again."""
        self.signed_in_at = self.denies = None
        self.answers, self.pauses, self.answer_parameters, self.requests = {}, {}, {}, []

    def bent(self, http: Request, parameters: dict[str, str]) -> Response | None:
        """Note a request; return what it gets instead of the right answer, if anything."""
        self.requests.append((http.url.path, parameters))
        time.sleep(self.pauses.get(http.url.path, 0.0))
        return self.answers.get(http.url.path)

    def authorized(self, parameters: dict[str, str]) -> Response:
        """Send the browser back, with a code for whoever is signed in."""
        if parameters.get("response_type") != "code" or parameters.get("client_id") != self.client_id:
            return JSONResponse({"error": "invalid_request"}, 400)
        answer: dict[str, str | None] = {"state": parameters["state"], **self.told_with_every_answer()}
        if self.denies is not None:
            answer |= {"error": self.denies, "error_description": f"of {self.person}"}
        else:
            assert self.person is not None
            code = secrets.token_urlsafe(24)
            self.codes[code] = Granted(self.person, parameters)
            answer["code"] = code
        answer |= self.answer_parameters
        query = urlencode({name: value for name, value in answer.items() if value is not None})
        return RedirectResponse(f"{parameters['redirect_uri']}?{query}", 302)

    def told_with_every_answer(self) -> dict[str, str]:
        return {}

    def redeemed(self, form: dict[str, str]) -> Granted | None:
        """Take a code, once, with its redirect URI and its verifier."""
        granted = self.codes.pop(form.get("code", ""), None)
        if granted is None or form.get("grant_type") != "authorization_code":
            return None
        if form.get("redirect_uri") != granted.parameters["redirect_uri"]:
            return None
        challenge = granted.parameters.get("code_challenge")
        if challenge is not None and challenge != create_s256_code_challenge(form.get("code_verifier", "")):
            return None
        self.tokens[granted.access_token] = granted
        return granted

    def bearer(self, http: Request) -> Granted | None:
        scheme, _, token = http.headers.get("authorization", "").partition(" ")
        return self.tokens.get(token) if scheme == "Bearer" else None

    def auth_time(self) -> int:
        return int((self.signed_in_at or self.clock()).timestamp())


async def form_of(http: Request) -> dict[str, str]:
    return dict(parse_qsl((await http.body()).decode(), strict_parsing=True))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def served(upstream: UpstreamServer) -> Iterator[None]:
    """Serve an upstream in a thread of its own."""
    ready = threading.Event()
    config = uvicorn.Config(
        upstream.app(), host="127.0.0.1", port=upstream.port, lifespan="off", log_level="error"
    )
    server = _Server(config, ready)
    with ThreadPoolExecutor(1, "upstream") as thread:
        running = thread.submit(server.run)
        running.add_done_callback(lambda _: ready.set())
        try:
            assert ready.wait(READY_WITHIN)
            yield
        finally:
            server.should_exit = True
            running.result(READY_WITHIN)
