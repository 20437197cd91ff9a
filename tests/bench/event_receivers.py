"""Simulated receivers of security events, in one process: some at once, some after two seconds, some never.

`python -m tests.bench.event_receivers RESULTS live=PORT slow=PORT dead=PORT …` listens until SIGTERM and then
writes to RESULTS when each link was told of, by platform.
"""

import asyncio
import base64
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvloop

SLOW_SECONDS = 2.0
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

Arrivals = dict[str, list[tuple[str, float]]]


class Receiving(asyncio.Protocol):
    """One kept-alive connection: reads requests, notes what they tell, answers as its platform does."""

    def __init__(self, note: Callable[[str], None], behaviour: str) -> None:
        self._note = note
        self._behaviour = behaviour
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (body := self._next_body()) is not None:
            if self._behaviour == "dead":
                continue
            self._note(_link_in(body))
            if self._behaviour == "slow":
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._accept)
            else:
                self._accept()

    def _accept(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ACCEPTED)

    def _next_body(self) -> bytes | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._buffer[:end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        whole = end + 4 + length
        if len(self._buffer) < whole:
            return None
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        return body


def _link_in(token: bytes) -> str:
    payload = token.split(b".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    ((_, told),) = claims["events"].items()
    return str(told.get("link_id", ""))


async def receive(platforms: list[tuple[str, int]]) -> Arrivals:
    """Listen for every platform until told to stop; return what arrived."""
    loop, stop, arrivals = asyncio.get_running_loop(), asyncio.Event(), Arrivals()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    for name, port in platforms:
        arrived = arrivals.setdefault(name, [])

        def note(link_id: str, arrived: list[tuple[str, float]] = arrived) -> None:
            arrived.append((link_id, time.monotonic()))

        behaviour = name.partition("-")[0]
        await loop.create_server(lambda note=note, how=behaviour: Receiving(note, how), "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await stop.wait()
    return arrivals


def main() -> None:
    given = [argument.partition("=") for argument in sys.argv[2:]]
    arrivals = uvloop.run(receive([(name, int(port)) for name, _, port in given]))
    Path(sys.argv[1]).write_text(json.dumps(arrivals))


if __name__ == "__main__":
    main()
