"""A receiver of deliveries on the loopback interface: it answers as told and keeps what it got."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


@dataclass
class Receiver:
    """What was received, and how the next request is answered."""

    uri: str = ""
    received: list[Received] = field(default_factory=list)
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pause: float = 0.0
    """Seconds of silence before the answer."""
    pause_in_body: float = 0.0
    """Seconds of silence after each byte of the body."""
    at_once: int = 0
    most_at_once: int = 0
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    """Told of each request."""
    decide: Callable[[Received], str] | None = None
    """Chooses the status from the request, where it depends on it."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        async with self.heard:
            self.received.append(request)
            self.heard.notify_all()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.pause)
            await self._send(writer, request)
        except ConnectionError:
            pass  # the caller has given up, as some tests want
        finally:
            self.at_once -= 1
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, request: Received) -> None:
        status = self.status if self.decide is None else self.decide(request)
        head = {"Content-Length": str(len(self.body)), "Connection": "close"} | self.headers
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in head.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        if self.pause_in_body:
            for byte in self.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(self.pause_in_body)
        else:
            writer.write(self.body)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


@asynccontextmanager
async def receiver(*, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    """Listen until the block ends."""
    listening = Receiver()
    server = await asyncio.start_server(listening.answer, "127.0.0.1", port, ssl=tls)
    bound = server.sockets[0].getsockname()[1]
    listening.uri = f"http://127.0.0.1:{bound}/hook" if tls is None else f"https://localhost:{bound}/hook"
    async with server:
        yield listening
