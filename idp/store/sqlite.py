"""SQLite through the standard library. Reads run at once; writes queue for one thread and one connection.

A single writer connection is what keeps SQLite quick under concurrency. In WAL mode its readers
never wait for it. `synchronous=FULL`: an acknowledged link survives a power failure.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Dialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.expression import ClauseElement

from idp.store.database import Database, Row
from idp.store.schema import metadata
from idp.store.writes import (
    BulkStep,
    GateClosedError,
    Step,
    StoreUnavailableError,
    UniquenessError,
    Values,
    Write,
)

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-65536",
)
T = TypeVar("T")

_REFUSED_BY_INDEX = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}

_OLDEST = (3, 35, 0)
"""The first SQLite with RETURNING."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file with the settings every connection shares. Raises StoreUnavailableError."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StoreUnavailableError(f"SQLite 3.35 or newer is needed, this is {sqlite3.sqlite_version}")
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"the database file {path} cannot be opened: {error}") from error
    return connection


@dataclass(slots=True)
class SQLite(Database):
    """One file, one reading connection on the event loop, one writing connection in its own thread."""

    path: Path
    _reader: sqlite3.Connection = field(init=False)
    _writer: sqlite3.Connection = field(init=False)
    _thread: ThreadPoolExecutor = field(init=False)
    _dialect: Dialect = field(default_factory=lambda: SQLiteDialect_pysqlite(paramstyle="qmark"), init=False)

    def __post_init__(self) -> None:
        self._reader = connect(self.path)
        self._writer = connect(self.path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")

    @property
    def dialect(self) -> Dialect:
        """The dialect of sqlite3 with question marks."""
        return self._dialect

    async def fetch_all(self, statement: ClauseElement, values: Values) -> Sequence[Row]:
        """Run a read and return its rows."""
        return self._read(statement, values).fetchall()

    async def fetch_one(self, statement: ClauseElement, values: Values) -> Row | None:
        """Run a read and return its first row, if any."""
        cursor = self._read(statement, values)
        row: Row | None = cursor.fetchone()
        cursor.close()
        return row

    def _read(self, statement: ClauseElement, values: Values) -> sqlite3.Cursor:
        compiled = self.compiled(statement)
        self.statistics.statements += 1
        try:
            return self._reader.execute(compiled.text, compiled.arguments(values))
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(str(error)) from error

    async def execute(self, write: Write, values: Values, returning: Sequence[str]) -> Row | None:
        """Run one write by itself and return the named columns of the row it touched."""
        return next(iter(await self.execute_all(write, values, returning)), None)

    async def execute_all(self, write: Write, values: Values, returning: Sequence[str]) -> Sequence[Row]:
        """Run one write by itself and return the named columns of every row it touched."""
        compiled = self.compiled_write(write, tuple(returning))
        self.statistics.statements += 1
        self.statistics.commits += 1

        def run() -> list[Row]:
            return self._writer.execute(compiled.text, compiled.arguments(values)).fetchall()

        return await self._in_writer_thread(run)

    async def commit(self, steps: Sequence[Step | BulkStep]) -> None:
        """Execute all steps in one immediate transaction."""
        self.statistics.commits += 1
        closed = await self._in_writer_thread(lambda: self._run_transaction(steps))
        if closed is not None:
            raise GateClosedError(closed)

    def _run_transaction(self, steps: Sequence[Step | BulkStep]) -> str | None:
        """Run the steps; return the name of the gate that was closed, if one was."""
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            closed = self._run_steps(steps)
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise
        return closed

    def _run_steps(self, steps: Sequence[Step | BulkStep]) -> str | None:
        for step in steps:
            compiled = self.compiled_write(step.write)
            if isinstance(step, BulkStep):
                self.statistics.statements += len(step.rows)
                self._writer.executemany(compiled.text, [compiled.arguments(row) for row in step.rows])
                continue
            self.statistics.statements += 1
            touched = self._writer.execute(compiled.text, compiled.arguments(step.values)).rowcount
            if step.write.gate and touched == 0:
                return step.write.name
        return None

    async def _in_writer_thread(self, run: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, run)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode not in _REFUSED_BY_INDEX:
                raise
            raise UniquenessError(_index_named_in(str(error))) from error
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(str(error)) from error

    async def close(self) -> None:
        """Finish the writes under way and close both connections."""
        self._thread.shutdown(wait=True)
        self._writer.close()
        self._reader.close()


def _index_named_in(message: str) -> str:
    """Turn SQLite's "UNIQUE constraint failed: table.column, …" into the name of the index."""
    columns = message.partition(": ")[2].split(", ")
    table = metadata.tables.get(columns[0].partition(".")[0])
    if table is None:
        return message
    names = [column.partition(".")[2] for column in columns]
    for index in table.indexes:
        if index.unique and [column.name for column in index.columns] == names:
            return str(index.name)
    return str(table.primary_key.name)
