"""What only PostgreSQL can do to us: connections that die, requests that are cancelled, deadlocks."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import Text, bindparam, func, literal_column, select

from idp.store.opening import open_database
from idp.store.tables import spent
from idp.store.writes import BulkStep, Change, Insert, Step, StoreUnavailableError
from tests.support.stores import opened_memory

pytestmark = pytest.mark.anyio

PUT = Insert("put", spent, ("spent_key", "expires_at"))
COUNT = Change(
    "count",
    spent,
    where=lambda bind: spent.c.spent_key == bind("spent_key"),
    values=lambda bind: {"expires_at": spent.c.expires_at + bind("one")},
)
ECHO = select(func.concat(bindparam("said", type_=Text), literal_column("''")).label("heard"))
SLEEP = select(func.pg_sleep(literal_column("5")))
PID = select(func.pg_backend_pid().label("pid"))


def counting(*keys: bytes) -> list[Step]:
    return [Step(COUNT, {"spent_key": key, "one": 1}) for key in keys]


@dataclass
class Proxy:
    """A wire to the server that can be cut."""

    server_url: str
    url: str = ""
    _listener: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _pumps: set[asyncio.Task[None]] = field(default_factory=set)
    port: int = 0
    is_hanging_up: bool = True
    """Whether it passes on that one side hung up."""

    async def listen(self) -> None:
        listener = self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = listener.sockets[0].getsockname()[1]
        self.url = urlsplit(self.server_url)._replace(netloc=f"postgres@127.0.0.1:{self.port}").geturl()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.server_url)
        onward_reader, onward = await asyncio.open_connection(parts.hostname, parts.port)
        if self._listener is None:  # cut while this end was still on its way
            writer.transport.abort()
            onward.transport.abort()
            return
        self._writers |= {writer, onward}
        for source, sink in ((reader, onward), (onward_reader, writer)):
            self._pumps.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
        if self.is_hanging_up:
            sink.close()

    async def cut(self) -> None:
        """End every connection and take no new one."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for writer in self._writers:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        self._writers.clear()
        self._pumps.clear()


@contextlib.asynccontextmanager
async def proxied(server_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(server_url)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.cut()


async def test_a_server_that_is_gone_is_said_to_be_and_used_again_when_it_is_back(
    postgresql_url: str,
) -> None:
    async with proxied(postgresql_url) as proxy, opened_memory(proxy.url) as memory:
        database = memory.database
        await database.commit([Step(PUT, {"spent_key": b"1", "expires_at": 0})])
        under_way = [asyncio.create_task(database.fetch_one(SLEEP, {})) for _ in range(3)]
        await asyncio.sleep(0.1)
        await proxy.cut()
        outcomes = await asyncio.gather(*under_way, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError] * 3
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await database.fetch_one(PID, {})
            with pytest.raises(StoreUnavailableError):
                await database.commit(counting(b"1"))
        await proxy.listen()
        await asyncio.gather(*(database.commit(counting(b"1")) for _ in range(20)))
        (row,) = await database.fetch_all(select(spent), {})
        assert row["expires_at"] == 20


async def test_a_connection_that_the_server_ended_is_replaced(postgresql_url: str) -> None:
    async with opened_memory(postgresql_url, connections=1) as memory:
        row = await memory.database.fetch_one(PID, {})
        assert row is not None
        other = await asyncpg.connect(postgresql_url)
        await other.execute("SELECT pg_terminate_backend($1)", row["pid"])
        await other.close()
        await asyncio.sleep(0.1)
        replaced = await memory.database.fetch_one(PID, {})
        assert replaced is not None
        assert replaced["pid"] != row["pid"]


@pytest.mark.parametrize("is_bulk", [False, True], ids=["statement", "transaction"])
async def test_a_server_that_said_good_bye_but_has_not_hung_up_yet_is_gone(
    postgresql_url: str, *, is_bulk: bool
) -> None:
    step = BulkStep(COUNT, ({"spent_key": b"1", "one": 1},)) if is_bulk else counting(b"1")[0]
    async with proxied(postgresql_url) as proxy, opened_memory(proxy.url, connections=1) as memory:
        proxy.is_hanging_up = False
        row = await memory.database.fetch_one(PID, {})
        assert row is not None
        other = await asyncpg.connect(postgresql_url)
        await other.execute("SELECT pg_terminate_backend($1)", row["pid"])
        await other.close()
        await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailableError):
            await memory.database.commit([step])
        proxy.is_hanging_up = True
        await memory.database.commit([step])


@pytest.mark.parametrize("fault", ["/nowhere", "nobody"])
async def test_a_database_that_lets_nobody_in_is_unavailable(postgresql_url: str, fault: str) -> None:
    parts = urlsplit(postgresql_url)
    url = (
        parts._replace(path=fault)
        if fault.startswith("/")
        else parts._replace(netloc=f"{fault}@{parts.hostname}:{parts.port}")
    ).geturl()
    database = open_database(url)
    with pytest.raises(StoreUnavailableError):
        await database.fetch_one(PID, {})


async def test_a_cancelled_request_leaves_no_answer_behind_for_the_next_one(postgresql_url: str) -> None:
    """asyncio cancels a handler when its caller goes away, at any await; `seed` repeats a failure."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    async with opened_memory(postgresql_url, connections=2) as memory:
        database = memory.database
        await asyncio.gather(
            *(
                database.commit([Step(PUT, {"spent_key": key, "expires_at": 0})])
                for key in (b"done", b"cancelled")
            )
        )

        async def one(place: int) -> None:
            statements: list[Coroutine[Any, Any, object]] = [
                database.fetch_all(SLEEP, {}),
                database.commit(counting(b"cancelled")),
                database.commit([*counting(b"cancelled"), BulkStep(PUT, ())]),
            ]
            doomed = asyncio.create_task(statements.pop(place % 3))
            for unused in statements:
                unused.close()
            await asyncio.sleep(chance.random() * 0.003)
            doomed.cancel()
            await asyncio.gather(doomed, return_exceptions=True)
            row = await database.fetch_one(ECHO, {"said": f"{seed}-{place}"})
            assert row is not None
            assert row["heard"] == f"{seed}-{place}"
            await database.commit(counting(b"done"))

        async with asyncio.timeout(20):
            await asyncio.gather(*map(one, range(40)))
        rows = {
            bytes(row["spent_key"]): row["expires_at"] for row in await database.fetch_all(select(spent), {})
        }
        assert rows[b"done"] == 40, f"seed {seed}"
        assert rows[b"cancelled"] <= 27, f"seed {seed}"


async def _deadlocks(url: str) -> int:
    connection = await asyncpg.connect(url)
    await asyncio.sleep(0)
    await connection.execute("SELECT pg_stat_force_next_flush()")
    count = await connection.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    await connection.close()
    return int(count)


@pytest.mark.parametrize("is_crossed", [False, True])
async def test_commits_over_the_same_rows_wait_for_each_other_and_a_deadlock_is_tried_again(
    postgresql_url: str, *, is_crossed: bool
) -> None:
    connection = await asyncpg.connect(postgresql_url)
    name = urlsplit(postgresql_url).path[1:]
    await connection.execute(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '20ms'")
    await connection.close()
    before = await _deadlocks(postgresql_url)
    async with opened_memory(postgresql_url) as memory:
        keys = (b"a", b"b", b"c")
        await memory.database.commit([Step(PUT, {"spent_key": key, "expires_at": 0}) for key in keys])
        crossed = keys[::-1] if is_crossed else keys
        for _ in range(8):
            await asyncio.gather(
                memory.database.commit(counting(*keys)), memory.database.commit(counting(*crossed))
            )
        rows = await memory.database.fetch_all(select(spent), {})
        assert [row["expires_at"] for row in rows] == [16, 16, 16]
    if not is_crossed:
        assert await _deadlocks(postgresql_url) == before
