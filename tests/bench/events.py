"""`make bench-events`: how soon platforms are told of suspensions, with receivers that are slow or gone.

PostgreSQL as it is delivered, delivering processes of their own, all receivers in another; all of them share
this machine. Links are suspended at a steady rate; measured is the time from the commit of a suspension to
the arrival of its event.
"""

import argparse
import asyncio
import json
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idp.audit.events import PROVIDER
from idp.companion import Opened, opened
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.assurance import Acr, Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.protocol.event_stream import DeliveryMethod, EventStream
from idp.protocol.security_events import own_event
from idp.settings import Settings
from idp.store.citizens import RegisteredCitizen
from idp.store.migrate import upgrade
from tests.bench.event_report import Measured, markdown
from tests.support.postgresql import DURABLE, create_database, free_port, running_postgresql
from tests.support.served import ROOT, ServedProvider

TOGETHER = 5
"""Suspensions in one commit."""
WRITERS = 8
PLATFORMS = ("live-1", "live-2", "live-3", "live-4", "live-5", "live-6", "live-7", "live-8", "slow", "dead")
"""Each has its share of the links."""
PATIENCE = 60.0
"""Seconds after the last suspension within which an event still counts."""

_REGISTRATION = """
[client]
client_id = "{client_id}"
client_name = "{client_id}"
client_uri = "https://{client_id}.example"
redirect_uris = ["https://{client_id}.example/callback"]
scope = "openid"
token_endpoint_auth_method = "client_secret_basic"
id_token_signed_response_alg = "ES256"
"""


@dataclass
class Run:
    """One measurement under way."""

    provider: ServedProvider
    rate: int
    seconds: int
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PLATFORMS})
    suspended_at: dict[str, float] = field(default_factory=dict)

    @property
    def links(self) -> int:
        return self.rate * self.seconds


def main() -> int:
    given = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="lienket-events-") as folder,
        running_postgresql(DURABLE) as server,
    ):
        url = create_database(server.url, "lienket")
        upgrade(url)
        provider = ServedProvider(
            Path(folder), url, settings={"IDP_FETCH_LOOPBACK": "true", "IDP_LOG_FILE": f"{folder}/log"}
        )
        run = Run(provider, given.rate, given.seconds)
        measured = _measure(run, given.processes, server.pid)
    table = markdown(measured)
    sys.stdout.write(f"{table}\n")
    if given.markdown:
        given.markdown.write_text(f"{table}\n")
    return int(given.strict and measured.share_within(60.0) < 0.99)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-events ARGS=…", description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="suspensions a second")
    parser.add_argument("--seconds", type=int, default=60, help="how long links are suspended")
    parser.add_argument("--processes", type=int, default=2, help="delivering processes")
    parser.add_argument("--markdown", type=Path, help="write the table to this file as well")
    parser.add_argument("--strict", action="store_true", help="fail when less than 99 %% arrive in 60 s")
    return parser.parse_args()


def _measure(run: Run, processes: int, database_pid: int) -> Measured:
    register(run)
    results = run.provider.folder / "arrivals.json"
    listening = [f"{name}={port}" for name, port in run.ports.items()]
    environment = run.provider.environment
    with (
        child(
            ["tests.bench.event_receivers", str(results), *listening], environment, ready=True
        ) as receivers,
        children(processes, environment) as delivering,
    ):
        asyncio.run(load(run))
        began = {process.pid: _cpu_seconds(process.pid) for process in delivering}
        base = _cpu_seconds_of_children(database_pid)
        asyncio.run(suspend(run))
        time.sleep(PATIENCE if run.seconds > 20 else 10.0)
        spent = sum(_cpu_seconds(pid) - before for pid, before in began.items())
        spent_by_database = _cpu_seconds_of_children(database_pid) - base
        receivers.send_signal(signal.SIGTERM)
        receivers.wait(timeout=20)
    arrivals: dict[str, list[tuple[str, float]]] = json.loads(results.read_text())
    return Measured(
        rate=run.rate,
        seconds=run.seconds,
        processes=processes,
        suspended_at=run.suspended_at,
        arrivals=arrivals,
        cpu_delivering=spent,
        cpu_database=spent_by_database,
    )


def register(run: Run) -> None:
    """Register the platforms with the program's own command."""
    for name in PLATFORMS:
        file = run.provider.folder / f"{name}.toml"
        file.write_text(_REGISTRATION.format(client_id=name))
        run.provider.run("clients", "apply", file)


@contextmanager
def child(
    arguments: Sequence[str], environment: Mapping[str, str], *, ready: bool = False
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            if ready and process.stdout is not None:
                process.stdout.readline()
            yield process
        finally:
            process.terminate()


@contextmanager
def children(count: int, environment: Mapping[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = [
        subprocess.Popen([sys.executable, "-m", "idp.deliveries"], cwd=ROOT, env=environment)
        for _ in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            process.wait(timeout=20)


def _cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def _cpu_seconds_of_children(pid: int) -> float:
    """Return what a PostgreSQL server has used, its ended children included."""
    ended = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])) / 100
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return ended + sum(_cpu_seconds(int(child)) for child in children)


def _settings(environment: Mapping[str, str]) -> Settings:
    own = {name: value for name, value in environment.items() if name.startswith("IDP_")}
    return Settings.model_validate({name.removeprefix("IDP_").lower(): own[name] for name in own})


async def load(run: Run) -> None:
    """Add the people, one link of each, and a stream for every platform."""
    settings = _settings(run.provider.environment)
    async with opened(settings) as parts:
        now = datetime.now(UTC)
        for start in range(0, run.links, 100):
            numbers = range(start, min(start + 100, run.links))
            uow = parts.unit_of_work()
            uow.citizens.add_many([_person(number, now) for number in numbers], now)
            await uow.commit()
            for number in numbers:
                uow.account_links.add(_link(number, now), now)
            await uow.commit()
        for name, port in run.ports.items():
            stream = EventStream(
                stream_id=f"stream-{name}",
                client_id=name,
                method=DeliveryMethod.PUSH,
                endpoint_url=f"http://127.0.0.1:{port}/events",
                events_requested=(own_event(settings.issuer, "account-link-suspended"),),
                created_at=now,
                updated_at=now,
            )
            uow.event_streams.add(stream)
            await uow.commit()


def _person(number: int, now: datetime) -> RegisteredCitizen:
    data = PersonalData(name="Nguyễn Văn Thử", birthdate="1990-01-01")
    citizen = Citizen(f"citizen-{number}", CitizenStatus.ACTIVE, Proofing.VN2, now, data)
    return RegisteredCitizen(citizen, f"000{number:09}")


def _link(number: int, now: datetime) -> AccountLink:
    return AccountLink(
        link_id=f"link-{number}",
        client_id=PLATFORMS[number % len(PLATFORMS)],
        account_id=f"account-{number}",
        citizen_id=f"citizen-{number}",
        subject=secrets.token_urlsafe(32),
        status=Status.ACTIVE,
        proofing=Proofing.VN2,
        acr=Acr.VN_2,
        requested_at=now,
        place=1,
        linked_at=now,
        expires_at=now + timedelta(days=730),
    )


async def suspend(run: Run) -> None:
    """Suspend every link, TOGETHER in one commit, at the given rate."""
    async with opened(_settings(run.provider.environment), connections=WRITERS) as parts:
        starts = iter(range(0, run.links, TOGETHER))
        began = time.monotonic()
        await asyncio.gather(*(_suspend_in_turn(run, parts, starts, began) for _ in range(WRITERS)))
        sys.stderr.write(f"{run.links} suspensions in {time.monotonic() - began:.1f} s\n")


async def _suspend_in_turn(run: Run, parts: Opened, starts: Iterator[int], began: float) -> None:
    for start in starts:
        await asyncio.sleep(max(0.0, began + start / run.rate - time.monotonic()))
        uow, now = parts.unit_of_work(), datetime.now(UTC)
        links = [_link(number, now) for number in range(start, start + TOGETHER)]
        for link in links:
            after, event = move(link, Status.SUSPENDED, PROVIDER, "measured", now)
            uow.account_links.move(link, after, now)
            uow.ledger.append(event)
        await uow.commit()
        committed = time.monotonic()
        run.suspended_at.update({link.link_id: committed for link in links})


if __name__ == "__main__":
    sys.exit(main())
