"""The real application behind a real https server in a thread of this process, with a clock that tests move.

Sockets, TLS and HTTP are real, so what a relying party observes is what it would observe; only time is ours.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn

from idp.protocol.model import Client
from tests.support.clock import FrozenClock
from tests.support.postgresql import free_port
from tests.support.provider import Person, Provider, running_provider
from tests.support.self_signed import write_certificate

T = TypeVar("T")

READY_WITHIN = 30.0

CLIENT_CERTIFICATE = "x-client-certificate"
BEHIND_A_PROXY = {
    "client_certificate_header": CLIENT_CERTIFICATE,
    "client_certificate_proxies": "127.0.0.1",
}
"""Client certificates come as a proxy passes them on; the proxy is the test."""


@dataclass
class ServedHere:
    """One issuer, and the hands to prepare its world."""

    provider: Provider
    loop: asyncio.AbstractEventLoop
    trust: ssl.SSLContext
    _browsers: list[httpx.Client] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return self.provider.settings.issuer

    @property
    def clock(self) -> FrozenClock:
        return self.provider.clock

    @property
    def now(self) -> int:
        """The server's present in seconds since 1970."""
        return int(self.clock.now.timestamp())

    def wait(self, **span: float) -> None:
        """Let time pass, by the keywords of timedelta, without waiting for it."""
        self.clock.now += timedelta(**span)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the server's loop, where its database is open."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(READY_WITHIN)

    def browser(self) -> httpx.Client:
        """Open a new browser or back-end, which `close_browsers` closes."""
        self._browsers.append(self.new_browser())
        return self._browsers[-1]

    def new_browser(self) -> httpx.Client:
        """Open one that whoever asked closes: cookies of its own, no redirects followed."""
        return httpx.Client(base_url=self.issuer, verify=self.trust, trust_env=False, timeout=30.0)

    def path(self, endpoint: str) -> str:
        """Return where an endpoint lies, by its name in the metadata."""
        with self.new_browser() as http:
            address: str = http.get("/.well-known/openid-configuration").json()[endpoint]
        assert address.startswith(f"{self.issuer}/")
        return address.removeprefix(self.issuer)

    @contextmanager
    def open(self, context: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter an asynchronous context on the server's loop."""
        entered = self.run(context.__aenter__())
        try:
            yield entered
        finally:
            self.run(context.__aexit__(None, None, None))

    def add_client(self, metadata: dict[str, Any], client_id: str, **policy: Any) -> Client:
        return self.run(self.provider.add_client(metadata, client_id=client_id, **policy))

    def add_person(self, **facts: Any) -> Person:
        return self.run(self.provider.add_person(**facts))

    def close_browsers(self) -> None:
        while self._browsers:
            self._browsers.pop().close()


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def served_here(database_url: str, folder: Path, **settings: Any) -> Iterator[ServedHere]:
    """Serve a migrated database on a free port until the block ends; keys and certificate lie in `folder`."""
    port = free_port()
    certificate, key = write_certificate(folder)
    ready, served, servers = threading.Event(), list[ServedHere](), list[_Server]()

    async def serve() -> None:
        origin = f"https://localhost:{port}"
        chosen = {"issuer": origin, "mtls_origin": origin, **BEHIND_A_PROXY} | settings
        async with running_provider(database_url, folder, **chosen) as provider:
            trust = ssl.create_default_context(cafile=certificate)
            served.append(ServedHere(provider, asyncio.get_running_loop(), trust))
            config = uvicorn.Config(
                provider.asgi,
                host="127.0.0.1",
                port=port,
                interface="asgi3",
                lifespan="off",
                log_level="warning",
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
            servers.append(_Server(config, ready))
            await servers[0].serve()

    with ThreadPoolExecutor(1, "provider") as thread:
        running = thread.submit(asyncio.run, serve())
        running.add_done_callback(lambda _: ready.set())
        try:
            ready.wait(READY_WITHIN)
            if running.done():
                running.result()
            yield served[0]
        finally:
            for each in served:
                each.close_browsers()
            for server in servers:
                server.should_exit = True
            running.result(READY_WITHIN)
