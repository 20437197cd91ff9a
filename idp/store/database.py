"""The database as the stores see it: reads at once, writes together, counted.

Statements are SQLAlchemy Core, compiled once for the dialect, and run on the bare driver
(asyncpg or sqlite3): the measured difference to SQLAlchemy's own execution is a factor of two
on every hot path. Both engines implement this one interface and pass the same tests.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from idp.store.writes import BulkStep, Step, Values, Write


class Row(Protocol):
    """A row of either driver: values by column name."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(slots=True)
class Statistics:
    """How many statements and commits this process sent; read by `make bench`."""

    statements: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as text, and where each positional argument comes from."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the positional arguments. Raises KeyError for a bind without a value."""
        constants = self.constants
        return [constants[name] if name in constants else values[name] for name in self.names]


def compile_statement(statement: ClauseElement, dialect: Dialect) -> Compiled:
    """Compile a Core statement once; literals in it become constants beside the named binds."""
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only SQL statements are compiled here")
    names = tuple(compiled.positiontup or ())
    required = {bind.key for bind in compiled.binds.values() if bind.required}
    constants = {name: value for name, value in compiled.params.items() if name not in required}
    return Compiled(str(compiled), names, constants)


@dataclass(slots=True)
class Database(ABC):
    """One engine. Open it inside the running event loop, close it at the end."""

    statistics: Statistics = field(default_factory=Statistics, init=False)
    _compiled: dict[ClauseElement, Compiled] = field(default_factory=dict, init=False)
    _compiled_writes: dict[tuple[Write, tuple[str, ...]], Compiled] = field(default_factory=dict, init=False)

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """The SQLAlchemy dialect whose text the driver understands."""

    @abstractmethod
    async def fetch_all(self, statement: ClauseElement, values: Values) -> Sequence[Row]:
        """Run a read and return its rows. Raises StoreUnavailableError."""

    @abstractmethod
    async def fetch_one(self, statement: ClauseElement, values: Values) -> Row | None:
        """Run a read and return its first row, if any. Raises StoreUnavailableError."""

    @abstractmethod
    async def execute(self, write: Write, values: Values, returning: Sequence[str]) -> Row | None:
        """Run one write by itself, commit it, and return the named columns of the row it touched."""

    @abstractmethod
    async def execute_all(self, write: Write, values: Values, returning: Sequence[str]) -> Sequence[Row]:
        """Run one write by itself, commit it, and return the named columns of every row it touched."""

    @abstractmethod
    async def commit(self, steps: Sequence[Step | BulkStep]) -> None:
        """Execute all steps atomically, in order.

        At a gate that touches no row the rest is not written; what stood before it is kept, for a
        spent `jti` stays spent. Raises GateClosedError, UniquenessError (nothing stored) and
        StoreUnavailableError.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give every connection back to the engine."""

    def compiled(self, statement: ClauseElement) -> Compiled:
        """Return the compiled form of a module-level statement."""
        found = self._compiled.get(statement)
        if found is None:
            found = self._compiled[statement] = compile_statement(statement, self.dialect)
        return found

    def compiled_write(self, write: Write, returning: tuple[str, ...] = ()) -> Compiled:
        """Return the compiled form of a write that is executed by itself."""
        found = self._compiled_writes.get((write, returning))
        if found is None:
            statement = write.build(self.dialect.name, "", None)
            columns = [write.table.c[name] for name in returning]
            found = compile_statement(statement.returning(*columns) if columns else statement, self.dialect)
            self._compiled_writes[write, returning] = found
        return found
