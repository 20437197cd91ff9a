"""Writes as values: what a store records and one atomic commit executes.

A write is built from bind names, so that the same definition can stand alone (SQLite, inside a
transaction) or be folded with others into one PostgreSQL statement (see postgresql.py). A *gate*
is a write that must touch a row: when it does not, nothing that follows it is written. Single use
of a code, a token or a `jti` is a gate (RFC 6749 §10.5, RFC 9700 §4.14).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Delete, Table, Update, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

Value = str | int | bytes | None
Values = Mapping[str, Value]
Bind = Callable[[str], BindParameter[Any]]
InsertStatement = postgresql.Insert | sqlite.Insert

_INSERT: Mapping[str, Callable[[Table], InsertStatement]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


def binder(prefix: str) -> Bind:
    """Return the function that makes bind parameters whose names begin with `prefix`."""
    return lambda name: bindparam(prefix + name)


@dataclass(frozen=True, eq=False, slots=True)
class Merge:
    """What becomes of a row that exists already: INSERT … ON CONFLICT DO UPDATE."""

    columns: tuple[str, ...]
    """The columns of the unique index that conflicts."""
    changed: Callable[[Any, Table], Mapping[str, ColumnElement[Any]]]
    """The new values, from (proposed row, existing row)."""
    only_if: Callable[[Any, Table], ColumnElement[bool]] | None = None
    """A condition without which the existing row stays, and the gate is closed."""


@dataclass(frozen=True, eq=False, slots=True)
class Insert:
    """INSERT of one row. With `unless_exists` an existing row stays as it is and the gate is closed."""

    name: str
    table: Table
    columns: tuple[str, ...]
    gate: bool = False
    unless_exists: bool = False
    merge: Merge | None = None

    def build(self, dialect: str, prefix: str, condition: ColumnElement[bool] | None) -> InsertStatement:
        """Return the statement; with a condition the row is inserted only when it holds."""
        statement = _INSERT[dialect](self.table)
        binds = {name: bindparam(prefix + name, type_=self.table.c[name].type) for name in self.columns}
        if condition is None:
            statement = statement.values(binds)
        else:
            statement = statement.from_select(list(self.columns), select(*binds.values()).where(condition))
        if self.unless_exists:
            return statement.on_conflict_do_nothing()
        if self.merge is not None:
            proposed, only_if = statement.excluded, self.merge.only_if
            return statement.on_conflict_do_update(
                index_elements=self.merge.columns,
                set_=self.merge.changed(proposed, self.table),
                where=None if only_if is None else only_if(proposed, self.table),
            )
        return statement


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """UPDATE of the rows that `where` names."""

    name: str
    table: Table
    where: Callable[[Bind], ColumnElement[bool]]
    values: Callable[[Bind], Mapping[str, ColumnElement[Any]]]
    gate: bool = False

    def build(self, dialect: str, prefix: str, condition: ColumnElement[bool] | None) -> Update:
        """Return the statement, narrowed by the condition."""
        del dialect  # UPDATE is the same on both engines
        bind = binder(prefix)
        statement = update(self.table).where(self.where(bind)).values(self.values(bind))
        return statement if condition is None else statement.where(condition)


@dataclass(frozen=True, eq=False, slots=True)
class Remove:
    """DELETE of the rows that `where` names."""

    name: str
    table: Table
    where: Callable[[Bind], ColumnElement[bool]]
    gate: bool = False

    def build(self, dialect: str, prefix: str, condition: ColumnElement[bool] | None) -> Delete:
        """Return the statement, narrowed by the condition."""
        del dialect  # DELETE is the same on both engines
        statement = delete(self.table).where(self.where(binder(prefix)))
        return statement if condition is None else statement.where(condition)


Write = Insert | Change | Remove


@dataclass(frozen=True, slots=True)
class Step:
    """One write with the values of its binds, as recorded by a unit of work."""

    write: Write
    values: Values


@dataclass(frozen=True, slots=True)
class BulkStep:
    """One write executed for many rows; never a gate."""

    write: Write
    rows: tuple[Values, ...]


class GateClosedError(Exception):
    """A write that had to touch a row touched none: spent already, or changed by somebody else."""

    def __init__(self, gate: str) -> None:
        super().__init__(f"the gate {gate} is closed")
        self.gate = gate


class UniquenessError(Exception):
    """A unique index refused a row; nothing of the commit was stored."""

    def __init__(self, index: str) -> None:
        super().__init__(f"the unique index {index} refuses this row")
        self.index = index


class StoreUnavailableError(Exception):
    """The database cannot be reached or is too busy; nothing was answered for sure."""
