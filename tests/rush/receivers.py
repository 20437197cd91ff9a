"""The platforms' receivers of pushed events, in one process: each verifies with the SDK what it is told.

`python -m tests.rush.receivers RESULTS PROVIDER_PORT live=PORT=CLIENT_ID …` listens until SIGTERM and then
writes what was heard to RESULTS. The slow one takes its time, the dead one neither reads nor answers, until
SIGUSR1: then all are well.
"""

import asyncio
import json
import signal
import sys
from functools import partial
from pathlib import Path
from typing import cast

import httpx
import uvloop

from clients.relying_party import EventReceiver, Provider
from tests.rush.heard import Heard
from tests.support.distant import SteeredTransport
from tests.support.provider import ISSUER

SLOW_SECONDS = 1.2
"""Longer than what counts as slow (`idp.deliveries.lanes`), shorter than a call may take."""
AUTHORIZATION = "Bearer of-the-rush"


class Behaviour:
    """How a platform answers at the moment."""

    def __init__(self, name: str) -> None:
        self.is_dead = name == "dead"
        self.pause = SLOW_SECONDS if name == "slow" else 0.0


def _recover(behaviours: list[Behaviour]) -> None:
    for behaviour in behaviours:
        behaviour.is_dead, behaviour.pause = False, 0.0


class Receiving(asyncio.Protocol):
    """One kept-alive connection; a request is answered before the next one comes."""

    def __init__(self, receiver: EventReceiver, behaviour: Behaviour) -> None:
        self._receiver = receiver
        self._behaviour = behaviour
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next_request()) is not None:
            if not self._behaviour.is_dead:
                task = asyncio.create_task(self._answer(*request))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    def _next_request(self) -> tuple[dict[str, str], bytes] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        whole = end + 4 + int(headers.get("content-length", "0"))
        if len(self._buffer) < whole:
            return None
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        return headers, body

    async def _answer(self, headers: dict[str, str], body: bytes) -> None:
        answer = await self._receiver.answer_push(
            body, headers.get("content-type"), headers.get("authorization")
        )
        if self._behaviour.pause:
            await asyncio.sleep(self._behaviour.pause)
        if self._transport is not None and not self._transport.is_closing():
            head = f"HTTP/1.1 {answer.status} .\r\nContent-Length: {len(answer.body)}\r\n\r\n"
            self._transport.write(head.encode() + answer.body)


async def receive(provider_port: int, platforms: list[tuple[str, int, str]]) -> dict[str, Heard]:
    """Listen for every platform until told to stop; return what was heard."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    behaviours = {name: Behaviour(name) for name, _, _ in platforms}
    heard = {name: Heard() for name, _, _ in platforms}
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, _recover, list(behaviours.values()))
    async with httpx.AsyncClient(transport=SteeredTransport(provider_port)) as http:
        provider = await Provider.discover(ISSUER, http)
        for name, port, client_id in platforms:
            receiver = EventReceiver(provider, client_id, take=heard[name].take, authorization=AUTHORIZATION)
            listening = partial(Receiving, receiver, behaviours[name])
            await loop.create_server(listening, "127.0.0.1", port)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await stop.wait()
    return heard


def main() -> None:
    platforms = [(name, int(port), client) for name, port, client in (one.split("=") for one in sys.argv[3:])]
    heard = uvloop.run(receive(int(sys.argv[2]), platforms))
    Path(sys.argv[1]).write_text(json.dumps({name: each.as_json() for name, each in heard.items()}))


if __name__ == "__main__":
    main()
