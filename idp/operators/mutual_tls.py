"""The second listener, for mutual TLS: it asks clients for a certificate, which the first must not do.

A browser that is asked for a certificate shows the person a dialogue, so browsers have a listener of their
own (RFC 8705 §5). Uvicorn serves one kind of listener; this one lives beside it in every worker, between the
start and the end of the application.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from idp.operators.connections import Connection
from idp.operators.tls import ServerCertificate, mutual_context, server_context, take_certificates
from idp.protocol.client_certificate import registered_certificates
from idp.web.clients import ClientDirectory

TICK_SECONDS = 1.0
"""How often the date of answers and the certificates of clients are looked at."""


@dataclass(frozen=True, slots=True)
class MutualTLS:
    """What the listener needs; it travels to the workers."""

    listener: socket.socket
    certificate: ServerCertificate
    authorities: Path | None


class TLSConfig(uvicorn.Config):
    """A configuration with TLS of our own, and perhaps the second listener."""

    certificate: ServerCertificate | None = None
    mutual_tls: MutualTLS | None = None

    def load(self) -> None:
        """Load the application; contexts are made here, for they cannot travel to a worker."""
        super().load()
        if self.certificate is not None:
            self.ssl = server_context(self.certificate)
        if self.mutual_tls is not None:
            self.lifespan_class = LifespanWithMutualTLS


class LifespanWithMutualTLS(LifespanOn):
    """The application's life, and within it that of the second listener."""

    _door: "_Door | None" = None

    async def startup(self) -> None:
        """Start the application, then let clients in."""
        await super().startup()
        if not self.should_exit and isinstance(self.config, TLSConfig) and self.config.mutual_tls:
            self._door = await _Door.open(self.config, self.config.mutual_tls, self.state)

    async def shutdown(self) -> None:
        """Let nobody in any more and wait for those inside, then end the application."""
        if self._door is not None:
            await self._door.close()
        await super().shutdown()


class _Door:
    """The open listener of one worker."""

    def __init__(self, config: uvicorn.Config, context: ssl.SSLContext, clients: ClientDirectory) -> None:
        self._config = config
        self._context = context
        self._clients = clients
        self._server_state = ServerState()
        self._seen: object = None
        self._taken: frozenset[bytes] = frozenset()
        self._server: asyncio.Server
        self._ticking: asyncio.Task[None]

    @classmethod
    async def open(cls, config: uvicorn.Config, mutual_tls: MutualTLS, state: dict[str, Any]) -> "_Door":
        """Listen with the certificates that are registered now, and keep up with them."""
        context = mutual_context(mutual_tls.certificate, mutual_tls.authorities)
        door = cls(config, context, state["context"].clients)
        door._tick()
        loop = asyncio.get_running_loop()
        door._server = await loop.create_server(
            lambda: Connection(config, door._server_state, state, loop),
            sock=mutual_tls.listener,
            ssl=context,
            backlog=config.backlog,
        )
        door._ticking = asyncio.create_task(door._keep_ticking())
        return door

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._tick()

    def _tick(self) -> None:
        self._server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        registered = self._clients.registered()
        if registered is not self._seen:
            self._seen = registered
            found = frozenset(
                certificate
                for client in registered.values()
                for certificate in registered_certificates(client.jwks)
            )
            take_certificates(self._context, found - self._taken)
            self._taken |= found

    async def close(self) -> None:
        """Close the listener; requests under way get the time that they get elsewhere."""
        self._ticking.cancel()
        self._server.close()
        for connection in list(self._server_state.connections):
            connection.shutdown()
        if self._server_state.tasks:
            await asyncio.wait(self._server_state.tasks, timeout=self._config.timeout_graceful_shutdown)
