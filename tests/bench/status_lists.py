"""`make bench-lists`: what status lists cost at ten million links.

Ten lists of 2^20 indexes with a million links each; of a hundred links two are suspended, one has lapsed
and two have ended. Measured: giving a link its index, building every list from nothing, signing it, writing
one change, and a platform that checks a million links. PostgreSQL holds the lists.
"""

import argparse
import asyncio
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from clients.relying_party import StatusLists
from clients.relying_party.keys import KeyCache
from clients.relying_party.receipts import LinkReceipt, StatusReference
from idp.identity.link_status import LinkStatus
from idp.protocol.status_indexes import BLOCK, capacity, draw_indexes, none_taken
from idp.protocol.status_list import (
    SIZE,
    STATUS_LIST_TYPE,
    changed_array,
    empty_array,
    status_list_claims,
    status_list_uri,
)
from idp.store.migrate import upgrade
from idp.store.opening import open_database
from idp.store.status_lists import Occupancy, Statuses
from idp.store.unit_of_work import UnitOfWork
from idp.web.status_indexes import reserve_indexes
from keys import Custody
from tests.support.postgresql import DURABLE, create_database, running_postgresql

ISSUER = "https://idp.example"
CLIENT = "bench"
LINKS = 1_000_000
SHARES = {LinkStatus.VALID: 95, LinkStatus.SUSPENDED: 2, LinkStatus.LAPSED: 1, LinkStatus.INVALID: 2}
BLOCKS = 40
CHANGES = 40
LIMIT = 1000.0
"""Milliseconds within which the list of a million links is built."""

OpenUnitOfWork = Callable[[], UnitOfWork]


@dataclass
class Figures:
    """Milliseconds of processor time by what took them, and sizes."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    token_bytes: list[int] = field(default_factory=list)
    resident_megabytes: float = 0.0

    @contextmanager
    def measured(self, name: str, times: int = 1) -> Iterator[None]:
        before = time.process_time()
        yield
        self.milliseconds.setdefault(name, []).append((time.process_time() - before) * 1000 / times)

    def mean(self, name: str) -> float:
        return sum(self.milliseconds[name]) / len(self.milliseconds[name])


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-lists ARGS=…", description=__doc__)
    parser.add_argument("--lists", type=int, default=10, help="of a million links each")
    parser.add_argument("--markdown", type=Path, help="write the table to this file as well")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lienket-bench-") as folder,
        running_postgresql(DURABLE) as server,
    ):
        url = create_database(server.url, "lienket")
        upgrade(url)
        figures = asyncio.run(_measure(Path(folder), url, given.lists))
    table = markdown(figures, given.lists)
    sys.stdout.write(f"{table}\n")
    if given.markdown:
        given.markdown.write_text(f"{table}\n")
    return int(max(figures.milliseconds["build"]) >= LIMIT)


async def _measure(folder: Path, database_url: str, lists: int) -> Figures:
    figures, now = Figures(), datetime.now(UTC)
    custody = Custody.open(folder / "keys", None, now)
    before = _resident_megabytes()
    arrays = [_build(figures) for _ in range(lists)]
    tokens = [_sign(figures, custody, f"list-{number}", array, now) for number, array in enumerate(arrays)]
    figures.resident_megabytes = _resident_megabytes() - before
    database = open_database(database_url, connections=2)
    try:
        await _reserve(figures, lambda: UnitOfWork(database, custody.data), now)
        await _change(figures, lambda: UnitOfWork(database, custody.data), arrays[0], now)
    finally:
        await database.close()
    await _check(figures, custody, tokens[0], now)
    return figures


def _build(figures: Figures) -> bytes:
    """Build a list from nothing: a value for each of a million links, wherever its index fell."""
    indexes = random.sample(range(SIZE), LINKS)
    values: Sequence[LinkStatus] = random.choices(list(SHARES), list(SHARES.values()), k=LINKS)
    statuses: Mapping[int, int] = dict(zip(indexes, values, strict=True))
    with figures.measured("build"):
        return changed_array(empty_array(), statuses)


def _sign(figures: Figures, custody: Custody, list_id: str, array: bytes, now: datetime) -> str:
    signer = custody.signing.signer("ES256")
    with figures.measured("sign"):
        token = signer.sign(status_list_claims(ISSUER, list_id, array, now), typ=STATUS_LIST_TYPE)
    figures.token_bytes.append(len(token))
    return token


async def _reserve(figures: Figures, open_unit_of_work: OpenUnitOfWork, now: datetime) -> None:
    """Give links their indexes, from a list of which half is taken already."""
    half = capacity(SIZE) // 2 // BLOCK * BLOCK
    _, taken = draw_indexes(none_taken(SIZE), SIZE, capacity(SIZE), half, os.urandom)
    uow = open_unit_of_work()
    occupancy = Occupancy("list-half", SIZE, capacity(SIZE) - half, taken, revision=1)
    uow.status_lists.add(occupancy, Statuses("list-half", CLIENT, empty_array(), version=1), now)
    await uow.commit()
    for _ in range(BLOCKS):
        with figures.measured("index", BLOCK):
            await reserve_indexes(open_unit_of_work(), CLIENT, BLOCK, now)


async def _change(figures: Figures, open_unit_of_work: OpenUnitOfWork, array: bytes, now: datetime) -> None:
    """Write one change after the other into the list of a million links, each into the database."""
    uow = open_unit_of_work()
    occupancy = Occupancy("list-0", SIZE, 0, none_taken(SIZE), revision=1)
    uow.status_lists.add(occupancy, Statuses("list-0", CLIENT, array, version=1), now)
    await uow.commit()
    for number in range(CHANGES):
        with figures.measured("change"):
            uow = open_unit_of_work()
            found = await uow.status_lists.find("list-0")
            if found is None:
                raise AssertionError("the list is gone")
            changed = changed_array(found.compressed, {number: (number % 3) + 1})
            if changed is not found.compressed:
                uow.status_lists.rewrite(found, changed, now)
            await uow.commit()


async def _check(figures: Figures, custody: Custody, token: str, now: datetime) -> None:
    """Be a platform with a million receipts."""
    uri, jwks = status_list_uri(ISSUER, "list-0"), custody.signing.public_jwks()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=token) if str(request.url) == uri else httpx.Response(200, json=jwks)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        lists = StatusLists(ISSUER, KeyCache(f"{ISSUER}/jwks", http), http)
        with figures.measured("download"):
            await lists.get(uri)
        one = _receipt(uri, now)
        receipts = [replace(one, link_id=f"{n}", status=StatusReference(uri, n)) for n in range(LINKS)]
        with figures.measured("check"):
            found = await lists.check(receipts)
    if len(found) != LINKS:
        raise AssertionError("links are missing")


def _receipt(uri: str, now: datetime) -> LinkReceipt:
    return LinkReceipt(
        issuer=ISSUER,
        client_id=CLIENT,
        link_id="link",
        account_id="account",
        subject="subject",
        assurance_level="vn2",
        acr="vn-2",
        issued_at=now,
        linked_at=now,
        expires_at=now + timedelta(days=730),
        policy_version=1,
        status=StatusReference(uri, 0),
    )


def _resident_megabytes() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def markdown(figures: Figures, lists: int) -> str:
    """Return the table as the README shows it."""
    kilobytes = sum(figures.token_bytes) / len(figures.token_bytes) / 1024
    rows = [
        ("the index of a new link, drawn and reserved", f"{figures.mean('index') * 1000:.0f} µs"),
        (f"building the list of a million links from nothing (below {LIMIT:g} ms)", _ms(figures, "build")),
        (f"building all {lists} lists", f"{sum(figures.milliseconds['build']) / 1000:.1f} s"),
        ("memory for that at most, input included", f"{figures.resident_megabytes:.0f} MB"),
        ("signing a list, once for each of its states", _ms(figures, "sign")),
        ("size of a list as it is sent", f"{kilobytes:.0f} kB"),
        (f"size of all {lists}, as a server keeps them", f"{sum(figures.token_bytes) / 1024**2:.1f} MB"),
        ("one change, written into the database", _ms(figures, "change")),
        ("a platform: one list, verified and unpacked", _ms(figures, "download")),
        ("a platform: a million links looked up in it", f"{figures.mean('check') / 1000:.1f} s"),
    ]
    lines = [
        f"{lists} lists of 2^20 indexes with a million links each; of a hundred links two are suspended, one",
        "has lapsed and two have ended. Processor time, on one of two shared cores.",
        "",
        "| what | cost |",
        "|---|--:|",
        *(f"| {what} | {cost} |" for what, cost in rows),
    ]
    return "\n".join(lines)


def _ms(figures: Figures, name: str) -> str:
    return f"{figures.mean(name):.0f} ms" if figures.mean(name) >= 10 else f"{figures.mean(name):.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
