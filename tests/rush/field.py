"""The field of the rush: a provider as it is served, three platforms, and their receivers.

The provider runs with its companions, as an operator starts it. Beside it stands the same application in this
process, on the same database, through whose rules and stores the masses go.
"""

import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from idp.protocol.event_stream import DeliveryMethod, EventStream
from idp.protocol.model import Client
from tests.rush.receivers import AUTHORIZATION
from tests.support.distant import AS_USUAL, SteeredTransport
from tests.support.postgresql import free_port
from tests.support.provider import ISSUER, Provider, running_provider
from tests.support.served import ROOT, ServedProvider

PLATFORMS = ("live", "slow", "dead")
SETTINGS = {**AS_USUAL, "IDP_FETCH_LOOPBACK": "true"}
_METADATA: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid offline_access account_links.read account_links.manage ssf.read ssf.manage",
    "id_token_signed_response_alg": "ES256",
}


@dataclass
class Field:
    """Everything the rush happens on."""

    served: ServedProvider
    inside: Provider
    clients: Mapping[str, Client]
    receivers: "subprocess.Popen[str]"
    results: Path
    streams: dict[str, str] = field(default_factory=dict)

    def http(self) -> httpx.AsyncClient:
        """A back-end or browser of its own connections; it speaks to the served provider."""
        transport = SteeredTransport(self.served.port)
        return httpx.AsyncClient(transport=transport, base_url=ISSUER, timeout=30)

    def process_ids(self) -> dict[str, list[int]]:
        """Return the provider's processes by what they are."""
        found: dict[str, list[int]] = {"server": [], "idp.housekeeping": [], "idp.deliveries": []}
        if self.served.process is None:
            return found
        for pid in _with_descendants(self.served.process.pid):
            command = _command_of(pid)
            kind = next((kind for kind in found if kind in command), "server")
            found[kind].append(pid)
        return found

    def recover(self) -> None:
        """Let the slow platform and the dead one be well again."""
        self.receivers.send_signal(signal.SIGUSR1)

    async def poll_from_now_on(self, name: str) -> None:
        """Let a platform fetch what it was pushed in vain."""
        uow = self.inside.unit_of_work()
        before = await uow.event_streams.of_client(self.clients[name].client_id)
        if before is None:
            raise LookupError(name)
        uow.event_streams.change(before, _polled(before))
        await uow.commit()


def _polled(stream: EventStream) -> EventStream:
    return EventStream(
        stream_id=stream.stream_id,
        client_id=stream.client_id,
        method=DeliveryMethod.POLL,
        endpoint_url=None,
        events_requested=None,
        created_at=stream.created_at,
        updated_at=datetime.now(UTC),
        revision=stream.revision,
    )


@asynccontextmanager
async def prepared(folder: Path, database_url: str, settings: Mapping[str, str]) -> AsyncIterator[Field]:
    """Serve a migrated database with three platforms registered until the block ends."""
    provider = ServedProvider(folder, database_url, settings={**SETTINGS, **settings})
    ports = {name: free_port() for name in PLATFORMS}
    async with running_provider(database_url, folder, fetch_loopback=True) as inside:
        inside.clock.now = datetime.now(UTC)
        clients = {name: await _registered(inside, name) for name in PLATFORMS}
        streams = {name: await _stream(inside, clients[name], ports[name]) for name in PLATFORMS}
        provider.start()
        try:
            results = folder / "heard.json"
            listening = [f"{name}={port}={clients[name].client_id}" for name, port in ports.items()]
            with _receivers(results, provider, listening) as receivers:
                yield Field(provider, inside, clients, receivers, results, streams)
        finally:
            provider.stop()


async def _registered(inside: Provider, name: str) -> Client:
    return await inside.add_client(_METADATA, client_id=f"rush-{name}", min_acr="vn-1")


async def _stream(inside: Provider, client: Client, port: int) -> str:
    now, stream_id = datetime.now(UTC), f"stream-{client.client_id}"
    uow = inside.unit_of_work()
    uow.event_streams.add(
        EventStream(
            stream_id=stream_id,
            client_id=client.client_id,
            method=DeliveryMethod.PUSH,
            endpoint_url=f"http://127.0.0.1:{port}/events",
            events_requested=None,
            created_at=now,
            updated_at=now,
            authorization_header=AUTHORIZATION,
        )
    )
    await uow.commit()
    return stream_id


@contextmanager
def _receivers(
    results: Path, provider: ServedProvider, listening: list[str]
) -> Iterator["subprocess.Popen[str]"]:
    process: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-m", "tests.rush.receivers", str(results), str(provider.port), *listening],
        cwd=ROOT,
        env=provider.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is not None:
            process.stdout.readline()
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)
        if process.stdout is not None:
            process.stdout.close()


def peak_megabytes(pids: list[int]) -> float:
    """Return the most memory that any of these processes ever had."""
    return max((_peak(pid) for pid in pids), default=0.0)


def _peak(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _with_descendants(pid: int) -> list[int]:
    found, waiting = list[int](), [pid]
    while waiting:
        found.append(waiting.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            try:
                waiting += map(int, children.read_text().split())
            except OSError:
                continue  # it ended meanwhile
    return found


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def monotonic() -> float:
    """Return the clock that all processes of this machine share."""
    return time.monotonic()


Figures = dict[str, Any]
