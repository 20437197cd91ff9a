"""HTTP/1.1 connections to receivers, kept open between deliveries. RFC 9112.

A receiver that is told a hundred things a second is told them over a few connections. Each carries one
request at a time; one that was idle and turns out to be closed is replaced once.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

from idp.outbound.addresses import OutboundRefusedError

LARGEST_RECEIPT = 16 * 1024
"""Bytes that are read of the answer to a delivery; a longer answer costs it the connection."""
KEPT_FOR = 10.0
"""Seconds that an idle connection is kept."""
KEPT_EACH = 64
"""Idle connections to one receiver."""

_TEXT = re.compile(rb"[\x20-\x7e\t]*")
_TARGET = re.compile(r"[!-~]+", re.ASCII)
"""What may stand in a request line (RFC 9112 §3.2): no space and no control character."""

FindAddresses = Callable[[str, int], Awaitable[list[str]]]
Origin = tuple[str, str, int]
"""Scheme, host and port."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a delivery, or its beginning."""

    status: int
    body: bytes


class _StaleError(Exception):
    """A kept connection was closed by the receiver before anything of the answer came."""


class _Connection(asyncio.Protocol):
    """One connection. What its parser finds is collected until the answer is complete."""

    def __init__(self) -> None:
        self.is_usable = True
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Receipt] | None = None
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._status = 0
        self._has_begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> asyncio.Future[Receipt]:
        """Send a request; the future gives its answer, or ConnectionError."""
        self._begin()
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or not self.is_usable:
            self._fail(_StaleError())
        else:
            self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Read a part of the answer. What nobody asked for ends the connection."""
        if self._answer is None or self._answer.done():
            self.close()
            return
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(ConnectionError("not HTTP"))

    def on_headers_complete(self) -> None:
        """Note the status; called by the parser."""
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Keep the body as far as it is of interest; called by the parser."""
        self._body += body
        if len(self._body) > LARGEST_RECEIPT:
            self._finish()
            self.close()

    def on_message_complete(self) -> None:
        """Finish, unless this was only an interim response (RFC 9110 §15.2); called by the parser."""
        if self._status >= 200:
            self.is_usable = self.is_usable and self._parser.should_keep_alive()
            self._finish()

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Receipt(self._status, bytes(self._body[:LARGEST_RECEIPT])))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is under way. An answer without a length ends with its connection (RFC 9112 §6.3)."""
        self.is_usable = False
        if self._status >= 200 and exc is None:
            self._finish()
        self._fail(ConnectionError("closed within the answer") if self._has_begun else _StaleError())

    def close(self) -> None:
        """Close it at once."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()


class KeptConnections:
    """All connections of a process to receivers, by receiver."""

    def __init__(self, find_addresses: FindAddresses, tls: ssl.SSLContext) -> None:
        self._find_addresses = find_addresses
        self._tls = tls
        self._idle: dict[Origin, list[_Connection]] = {}
        self._swept: set[Origin] = set()
        """Receivers for which a timer runs that closes what is not used."""

    async def post(self, uri: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Send a body and return the answer, whatever it is. Raises OutboundRefusedError, ConnectionError.

        A kept connection that is found closed sends nothing: what was lost with it may be sent again.
        """
        origin, request = _request(uri, body, headers)
        kept = self._take(origin)
        if kept is not None:
            with contextlib.suppress(_StaleError):
                return await self._exchange(kept, origin, request)
        connection = await self._connect(origin)
        try:
            return await self._exchange(connection, origin, request)
        except _StaleError as error:
            raise ConnectionError("closed without an answer") from error

    async def _exchange(self, connection: _Connection, origin: Origin, request: bytes) -> Receipt:
        try:
            receipt = await connection.ask(request)
        except BaseException:
            # Also when the caller gives up: what comes later would be taken for the answer to another.
            connection.close()
            raise
        self._keep(origin, connection)
        return receipt

    def _take(self, origin: Origin) -> _Connection | None:
        """Return the connection that was used last, and drop those that were idle for long."""
        idle, oldest = self._idle.get(origin, []), asyncio.get_running_loop().time() - KEPT_FOR
        while idle:
            connection = idle.pop()
            if connection.is_usable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: _Connection) -> None:
        idle = self._idle.setdefault(origin, [])
        if not connection.is_usable or len(idle) >= KEPT_EACH:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        idle.append(connection)
        if origin not in self._swept:
            self._swept.add(origin)
            loop.call_later(KEPT_FOR, self._drop_old, origin)

    def _drop_old(self, origin: Origin) -> None:
        """Close what was not used for long, and look again while anything is kept."""
        loop = asyncio.get_running_loop()
        idle, oldest = self._idle.get(origin, []), loop.time() - KEPT_FOR
        while idle and (not idle[0].is_usable or idle[0].idle_since <= oldest):
            idle.pop(0).close()
        if idle:
            loop.call_later(KEPT_FOR, self._drop_old, origin)
        else:
            self._swept.discard(origin)
            self._idle.pop(origin, None)

    async def _connect(self, origin: Origin) -> _Connection:
        """Connect to a checked address; a name may have one of each family, and one of them be silent."""
        _, host, port = origin
        *others, last = await self._find_addresses(host, port)
        for address in others:
            with contextlib.suppress(OSError):
                return await self._connect_to(address, origin)
        return await self._connect_to(last, origin)

    async def _connect_to(self, address: str, origin: Origin) -> _Connection:
        scheme, host, port = origin
        loop = asyncio.get_running_loop()
        if scheme == "http":
            return (await loop.create_connection(_Connection, address, port))[1]
        # The certificate is checked against the name, whatever the address.
        return (
            await loop.create_connection(_Connection, address, port, ssl=self._tls, server_hostname=host)
        )[1]

    def close(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()


def _request(uri: str, body: bytes, headers: Mapping[str, str]) -> tuple[Origin, bytes]:
    """Return where a request goes, and its bytes. Raises OutboundRefusedError for what is no request."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise OutboundRefusedError("the address cannot be one") from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(target) or not _TARGET.fullmatch(host) or "@" in parts.netloc:
        raise OutboundRefusedError("the address cannot be one")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "User-Agent: lienket"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    try:
        head = [line.encode("ascii") for line in (*lines, f"Content-Length: {len(body)}")]
    except UnicodeEncodeError as error:
        raise OutboundRefusedError("a header cannot be one") from error
    if not all(map(_TEXT.fullmatch, head)):
        raise OutboundRefusedError("a header cannot be one")
    return (parts.scheme, host, port), b"\r\n".join((*head, b"", body))
