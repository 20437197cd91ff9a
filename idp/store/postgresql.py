"""PostgreSQL through asyncpg. A whole unit of work becomes one statement, hence one round trip.

The steps of a commit are folded into data-modifying CTEs: each step after a gate carries
`WHERE EXISTS (SELECT … FROM gate)`, so the gate decides and the server commits once. No step may
therefore read a row that another step of the same commit writes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from sqlalchemy import CTE, Dialect, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.expression import ClauseElement

from idp.store.database import Compiled, Database, Row, compile_statement
from idp.store.writes import (
    BulkStep,
    GateClosedError,
    Step,
    StoreUnavailableError,
    UniquenessError,
    Values,
    Write,
)

_CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server said good-bye while nobody asked, and has not hung up yet
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.AdminShutdownError,
    asyncpg.TooManyConnectionsError,
    ConnectionError,
    TimeoutError,
    OSError,
)
_TRY_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_TRIES = 3
_PAUSE = 0.05
"""Seconds in which the winner of a deadlock gets ahead, before the loser tries again."""


@dataclass(slots=True)
class PostgreSQL(Database):
    """A small set of long-lived connections; one is leased for one statement at a time."""

    url: str
    size: int = 8
    is_replanning: bool = False
    """Plan each statement for the tables as they are now: a queue that was empty when its statement was
    planned first would be read from end to end when it is long."""
    _idle: list[asyncpg.Connection] = field(default_factory=list, init=False)
    _places: asyncio.Semaphore = field(init=False)
    _batches: dict[tuple[Write, ...], Compiled] = field(default_factory=dict, init=False)
    _transactions: set[asyncio.Task[str | None]] = field(default_factory=set, init=False)
    _dialect: Dialect = field(default_factory=PGDialect_asyncpg, init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.size)

    @property
    def dialect(self) -> Dialect:
        """The dialect of asyncpg: numbered parameters with explicit types."""
        return self._dialect

    async def fetch_all(self, statement: ClauseElement, values: Values) -> Sequence[Row]:
        """Run a read and return its rows."""
        return await self._fetch_rows(self.compiled(statement), values)

    async def fetch_one(self, statement: ClauseElement, values: Values) -> Row | None:
        """Run a read and return its first row, if any."""
        return await self._fetch_row(self.compiled(statement), values)

    async def execute(self, write: Write, values: Values, returning: Sequence[str]) -> Row | None:
        """Run one write by itself and return the named columns of the row it touched."""
        self.statistics.commits += 1
        try:
            return await self._fetch_row(self.compiled_write(write, tuple(returning)), values)
        except asyncpg.UniqueViolationError as violation:
            raise UniquenessError(violation.constraint_name or "") from violation

    async def execute_all(self, write: Write, values: Values, returning: Sequence[str]) -> Sequence[Row]:
        """Run one write by itself and return the named columns of every row it touched."""
        self.statistics.commits += 1
        return await self._fetch_rows(self.compiled_write(write, tuple(returning)), values)

    async def _fetch_rows(self, compiled: Compiled, values: Values) -> list[asyncpg.Record]:
        connection = await self._lease()
        try:
            rows = await connection.fetch(compiled.text, *compiled.arguments(values))
        except BaseException as error:
            self._give_back_after(connection, error)
            raise
        self._give_back(connection)
        return rows

    async def _fetch_row(self, compiled: Compiled, values: Values) -> asyncpg.Record | None:
        connection = await self._lease()
        try:
            row = await connection.fetchrow(compiled.text, *compiled.arguments(values))
        except BaseException as error:
            self._give_back_after(connection, error)
            raise
        self._give_back(connection)
        return row

    async def commit(self, steps: Sequence[Step | BulkStep]) -> None:
        """Execute all steps atomically: folded into one statement, or as a transaction for bulk."""
        singles = [step for step in steps if isinstance(step, Step)]
        self.statistics.commits += 1
        for attempt in range(1, _TRIES + 1):
            try:
                if len(singles) == len(steps):
                    await self._commit_folded(singles)
                else:
                    await self._commit_transaction(steps)
            except asyncpg.UniqueViolationError as violation:
                raise UniquenessError(violation.constraint_name or "") from violation
            except _TRY_AGAIN as conflict:
                if attempt == _TRIES:
                    raise StoreUnavailableError("the database is too busy") from conflict
                await asyncio.sleep(_PAUSE * attempt)
            else:
                return

    async def _commit_folded(self, steps: Sequence[Step]) -> None:
        key = tuple(step.write for step in steps)
        compiled = self._batches.get(key)
        if compiled is None:
            compiled = self._batches[key] = _fold(key, self._dialect)
        values = {
            f"w{index}_{name}": value
            for index, step in enumerate(steps)
            for name, value in step.values.items()
        }
        row = await self._fetch_row(compiled, values)
        for index, write in enumerate(key):
            if write.gate and (row is None or not row[f"w{index}"]):
                raise GateClosedError(write.name)

    async def _commit_transaction(self, steps: Sequence[Step | BulkStep]) -> None:
        """Execute steps one after another, even if the caller is cancelled meanwhile.

        Cancelled between BEGIN and its answer, a connection would be given back inside a transaction that
        nobody ends, and swallow the commits of others.
        """
        transaction = asyncio.create_task(self._transact(steps))
        self._transactions.add(transaction)
        transaction.add_done_callback(self._transactions.discard)
        closed = await asyncio.shield(transaction)
        if closed is not None:
            raise GateClosedError(closed)

    async def _transact(self, steps: Sequence[Step | BulkStep]) -> str | None:
        """Return the closed gate, if there is one; what stood before it is committed, as folded steps are."""
        async with self._connection() as connection, connection.transaction():
            for step in steps:
                compiled = self.compiled_write(step.write)
                if isinstance(step, BulkStep):
                    self.statistics.statements += len(step.rows)
                    await connection.executemany(
                        compiled.text, [compiled.arguments(row) for row in step.rows]
                    )
                    continue
                self.statistics.statements += 1
                tag = await connection.execute(compiled.text, *compiled.arguments(step.values))
                if step.write.gate and tag.endswith(" 0"):
                    return step.write.name
        return None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await self._lease()
        try:
            yield connection
        except BaseException as error:
            self._give_back_after(connection, error)
            raise
        self._give_back(connection)

    async def _lease(self) -> asyncpg.Connection:
        """Take a connection for one statement. Raises StoreUnavailableError."""
        self.statistics.statements += 1
        await self._places.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await self._connect()
        except _CONNECTION_LOST as lost:
            self._places.release()
            raise StoreUnavailableError("the database cannot be reached") from lost
        except BaseException:
            self._places.release()
            raise

    def _give_back(self, connection: asyncpg.Connection) -> None:
        self._idle.append(connection)
        self._places.release()

    def _give_back_after(self, connection: asyncpg.Connection, error: BaseException) -> None:
        """Give a connection back after a failure. Raises StoreUnavailableError when it was lost.

        asyncpg cancels the statement of a cancelled request at the server too, and lets the next statement
        of the connection wait for that; one that is left inside a transaction is not used again.
        """
        is_lost = isinstance(error, _CONNECTION_LOST)
        if is_lost or connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
            self._places.release()
        else:
            self._give_back(connection)
        if is_lost:
            raise StoreUnavailableError("the connection to the database was lost") from error

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self.url,
            timeout=5,
            command_timeout=10,
            statement_cache_size=512,
            server_settings={
                "jit": "off",
                "application_name": "lienket",
                "plan_cache_mode": "force_custom_plan" if self.is_replanning else "auto",
            },
        )

    async def close(self) -> None:
        """Close the idle connections; leased ones close when their lease ends with the loop."""
        await asyncio.gather(*self._transactions, return_exceptions=True)
        while self._idle:
            await self._idle.pop().close()


def _fold(writes: tuple[Write, ...], dialect: Dialect) -> Compiled:
    """Fold writes into one statement whose row tells how many rows each write touched.

    It asks all of them, gates or not: the server then executes them in this order, and two commits that
    touch the same rows wait for each other instead of running into a deadlock. A write nobody asks about
    is executed at the end, the last one first.
    """
    gate: CTE | None = None
    answers = []
    for index, write in enumerate(writes):
        condition = None if gate is None else exists(select(literal_column("1")).select_from(gate))
        statement = write.build("postgresql", f"w{index}_", condition)
        step = statement.returning(literal_column("1").label("touched")).cte(f"w{index}")
        answers.append(select(func.count()).select_from(step).scalar_subquery().label(f"w{index}"))
        if write.gate:
            gate = step
    return compile_statement(select(*answers), dialect)
