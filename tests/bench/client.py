"""A small HTTP/1.1 client on bare streams: the load must cost less than what it measures."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from gzip import decompress
from typing import TypeVar
from urllib.parse import urlencode

Item = TypeVar("Item")
Result = TypeVar("Result")

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_GZIP = re.compile(rb"content-encoding: *gzip", re.IGNORECASE)
_LOCATION = re.compile(rb"location: *([^\r]+)", re.IGNORECASE)
_COOKIE = re.compile(rb"set-cookie: *([^=]+)=([^;\r]*)", re.IGNORECASE)
_NONCE = re.compile(rb"dpop-nonce: *([^\r]+)", re.IGNORECASE)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class UnexpectedAnswerError(AssertionError):
    """The server answered something else than the operation needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    head: bytes
    body: bytes

    @property
    def location(self) -> str:
        found = _LOCATION.search(self.head)
        if found is None:
            raise UnexpectedAnswerError(f"no redirect but {self.status}: {self.body[:600].decode()}")
        return found[1].decode()

    @property
    def cookies(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in _COOKIE.findall(self.head)}

    @property
    def dpop_nonce(self) -> str:
        found = _NONCE.search(self.head)
        if found is None:
            raise UnexpectedAnswerError(f"no nonce but {self.status}: {self.body[:600].decode()}")
        return found[1].decode()

    @property
    def hidden_fields(self) -> dict[str, str]:
        return dict(_HIDDEN.findall(self.body.decode()))

    def expect(self, status: int) -> "Answer":
        if self.status != status:
            raise UnexpectedAnswerError(f"{self.status} instead of {status}: {self.body[:600].decode()}")
        return self


class Connection:
    """One kept-alive connection, used by one caller at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader = reader
        self._writer = writer
        self._host = f"localhost:{port}"

    async def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self._exchange("GET", target, headers or {}, b"")

    async def post(
        self, target: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        media = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._exchange("POST", target, {**media, **(headers or {})}, urlencode(form).encode())

    async def _exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += ["Accept-Encoding: gzip", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        content = await self._reader.readexactly(int(length[1])) if length else b""
        return Answer(int(head[9:12]), head, decompress(content) if _GZIP.search(head) else content)


@asynccontextmanager
async def connections(port: int, count: int) -> AsyncIterator[Sequence[Connection]]:
    """Open so many connections; close them at the end."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        yield [Connection(reader, writer, port) for reader, writer in streams]
    finally:
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()


async def spread(
    pool: Sequence[Connection],
    items: Sequence[Item],
    operation: Callable[[Connection, Item], Awaitable[Result]],
) -> list[Result]:
    """Perform the operation on every item, as many at a time as there are connections; keep their order.

    All of a round are sent before the first answer is read. A server that waits for its load again and again
    pays more for falling asleep and waking than for its work, and this load is slower than the server.
    """
    results: list[Result] = []
    for start in range(0, len(items), len(pool)):
        part = items[start : start + len(pool)]
        results += await asyncio.gather(*map(operation, pool, part))
    return results
