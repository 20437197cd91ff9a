"""A platform's jwks_uri on the loopback interface, with keys that a test changes and calls that it counts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class KeySetServer:
    keys: list[dict[str, Any]]
    uri: str = ""
    calls: int = 0
    status: str = "200 OK"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent instead of the keys, when given."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.calls += 1
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        head = {"Content-Type": self.content_type, "Content-Length": str(len(body)), "Connection": "close"}
        lines = [
            f"HTTP/1.1 {self.status}",
            *(f"{name}: {value}" for name, value in (head | self.headers).items()),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def key_set_server(*keys: dict[str, Any]) -> AsyncIterator[KeySetServer]:
    served = KeySetServer(list(keys))
    server = await asyncio.start_server(served.answer, "127.0.0.1", 0)
    served.uri = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    async with server:
        yield served
