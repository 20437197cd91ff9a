"""HTTP to addresses that others name, made safe. Abuse class 13 (server-side request forgery).

The connection is made to the address that was checked: a name that changes its mind in between gains
nothing. No redirects, a short time limit, a cap on size. Fetching a client's keys and every delivery go
through here; deliveries over connections that are kept (see `kept_connections`).
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpcore
import orjson

from idp.outbound.addresses import CheckedAddresses, OutboundRefusedError
from idp.outbound.kept_connections import KeptConnections, Receipt

TIMEOUT_SECONDS = 2.5
LARGEST_ANSWER = 256 * 1024
"""Bytes of a document that is fetched."""
_JSON_TYPES = ("application/json", "application/jwk-set+json")
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""RFC 9325 (BCP 195) §4.2, for TLS 1.2; those of TLS 1.3 are all good."""


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return how servers are verified: by the system's authorities, and by those in `ca_file`.

    Raises OSError and ssl.SSLError (an OSError) for a file that cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole answer, at most LARGEST_ANSWER bytes."""

    status: int
    media_type: str
    """Without parameters, in lower case; empty where none was given."""
    body: bytes = field(repr=False)


def _media_type(answer: httpcore.Response) -> str:
    # Servers spell header names as they like, and httpcore passes them on as they came.
    headers = {name.lower(): value for name, value in answer.headers}
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


async def _body_of(answer: httpcore.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_stream():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise OutboundRefusedError("the answer is too large")
    return bytes(body)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that passed the check."""

    def __init__(self, addresses: CheckedAddresses) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._addresses = addresses

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address that was checked; the certificate is still checked against the name.

        A name may have an address of each family, and nobody listen at the first one.
        """
        *others, last = await self._addresses.find(host, port)
        for address in others:
            with contextlib.suppress(httpcore.ConnectError):
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._inner.connect_tcp(last, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait, as the connection pool asks between tries."""
        await asyncio.sleep(seconds)


class GuardedHTTP:
    """One connection pool per process. Every method raises OutboundRefusedError, and nothing else."""

    def __init__(self, *, allow_loopback: bool, ca_file: Path | None = None, connections: int = 20) -> None:
        """Open the pool; `connections` is how many documents may be fetched at once."""
        self._allow_loopback = allow_loopback
        self._addresses = CheckedAddresses(allow_loopback=allow_loopback)
        tls = tls_context(ca_file)
        self._connections = KeptConnections(self._addresses.find, tls)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            keepalive_expiry=5.0,
            network_backend=_GuardedBackend(self._addresses),
        )

    async def get_json(self, uri: str) -> bytes:
        """Return the body of a JSON document, at most LARGEST_ANSWER bytes."""
        async with self._called("GET", uri, {"Accept": "application/json"}) as answer:
            if answer.status != 200:
                raise OutboundRefusedError(f"the answer was {answer.status}; redirects are not followed")
            if _media_type(answer) not in _JSON_TYPES:
                raise OutboundRefusedError("the answer is not JSON")
            return await _body_of(answer)

    async def call(
        self,
        method: str,
        uri: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        seconds: float = TIMEOUT_SECONDS,
    ) -> Heard:
        """Send a request and return the whole answer, whatever its status; a 3xx is not followed."""
        async with self._called(method, uri, headers, body, seconds) as answer:
            return Heard(answer.status, _media_type(answer), await _body_of(answer))

    async def post_form(
        self, uri: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> int:
        """Send a form and return the status of the answer, whatever it is; a 3xx is not followed."""
        sent = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
        return (await self.post(uri, urlencode(form).encode(), sent)).status

    async def post_json(
        self, uri: str, document: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> int:
        """Send a JSON document and return the status of the answer, as `post_form` does."""
        sent = {**(headers or {}), "Content-Type": "application/json"}
        return (await self.post(uri, orjson.dumps(dict(document)), sent)).status

    async def post(self, uri: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Send a body and return the answer, whatever it is; a 3xx is not followed."""
        self._check_scheme(uri)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._connections.post(uri, body, headers)
        except TimeoutError as error:
            raise OutboundRefusedError(f"no answer within {TIMEOUT_SECONDS} s") from error
        except OSError as error:
            raise OutboundRefusedError(f"the call failed: {type(error).__name__}") from error

    @contextlib.asynccontextmanager
    async def _called(
        self,
        method: str,
        uri: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        seconds: float = TIMEOUT_SECONDS,
    ) -> AsyncIterator[httpcore.Response]:
        """Give the answer, of which only the head was read yet; the time limit covers all of it."""
        self._check_scheme(uri)
        sent = [("User-Agent", "lienket"), *headers.items()]
        try:
            async with (
                asyncio.timeout(seconds),
                self._pool.stream(method, uri, headers=sent, content=body) as answer,
            ):
                yield answer
        except TimeoutError as error:
            raise OutboundRefusedError(f"no answer within {seconds} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise OutboundRefusedError(f"the call failed: {type(error).__name__}") from error

    def _check_scheme(self, uri: str) -> None:
        scheme = urlsplit(uri).scheme
        if scheme != "https" and not (scheme == "http" and self._allow_loopback):
            raise OutboundRefusedError("only https is called")

    async def close(self) -> None:
        """Close every connection."""
        self._addresses.close()
        self._connections.close()
        await self._pool.aclose()
