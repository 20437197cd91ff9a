"""HTTP to addresses that others name, made safe. Abuse class 13 (server-side request forgery).

The name is resolved once, every address it yields is checked, and the connection is made to the
address that was checked: a name that changes its mind in between gains nothing. No redirects, a
short time limit, a cap on size.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore

TIMEOUT_SECONDS = 2.5
LARGEST_ANSWER = 256 * 1024


_JSON_TYPES = ("application/json", "application/jwk-set+json")


class OutboundRefusedError(Exception):
    """The address may not be called, or did not answer as it must."""


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that passed the check."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allow_loopback = allow_loopback

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address that was checked; the certificate is still checked against the name."""
        address = await self._checked_address(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait, as the connection pool asks between tries."""
        await asyncio.sleep(seconds)

    async def _checked_address(self, host: str, port: int) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: what cannot be a host name at all
            raise OutboundRefusedError(f"the host {host} has no address") from error
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        for address in addresses:
            if not (address.is_global or (self._allow_loopback and address.is_loopback)):
                raise OutboundRefusedError(f"the host {host} has an address that is not public")
        if not addresses:
            raise OutboundRefusedError(f"the host {host} has no address")
        return str(addresses[0])


class GuardedHTTP:
    """One connection pool per process."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=20,
            keepalive_expiry=5.0,
            network_backend=_GuardedBackend(allow_loopback=allow_loopback),
        )

    async def get_json(self, uri: str) -> bytes:
        """Return the body of a JSON document, at most LARGEST_ANSWER bytes. Raises OutboundRefusedError."""
        scheme = urlsplit(uri).scheme
        if scheme != "https" and not (scheme == "http" and self._allow_loopback):
            raise OutboundRefusedError("only https is called")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._get(uri)
        except TimeoutError as error:
            raise OutboundRefusedError(f"no answer within {TIMEOUT_SECONDS} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise OutboundRefusedError(f"the call failed: {type(error).__name__}") from error

    async def _get(self, uri: str) -> bytes:
        sent = [("Accept", "application/json"), ("User-Agent", "lienket")]
        async with self._pool.stream("GET", uri, headers=sent) as response:
            if response.status != 200:
                raise OutboundRefusedError(f"the answer was {response.status}; redirects are not followed")
            # Servers spell header names as they like, and httpcore passes them on as they came.
            headers = {name.lower(): value for name, value in response.headers}
            content_type = headers.get(b"content-type", b"").decode("latin-1")
            if content_type.partition(";")[0].strip().lower() not in _JSON_TYPES:
                raise OutboundRefusedError("the answer is not JSON")
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise OutboundRefusedError("the answer is too large")
            return bytes(body)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
