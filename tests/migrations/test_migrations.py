"""Every revision, up and down, on both engines; and with a row of its time in every table."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from idp.store import migrate
from idp.store.opening import sqlite_path
from idp.store.schema import metadata
from idp.store.writes import StoreUnavailableError
from tests.migrations.rows_of_their_time import SURVIVORS, rows_of
from tests.support.postgresql import create_database, drop_database

T = TypeVar("T")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server_url, name = request.getfixturevalue("postgresql_server_url"), f"test_{uuid4().hex}"
    try:
        yield create_database(server_url, name)
    finally:
        drop_database(server_url, name)


def apart(run: Callable[[], T]) -> T:
    """Run in a thread without an event loop, as a command does."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(run).result()


def looked_at(url: str, look: Callable[[Connection], T]) -> T:
    found: list[T] = []
    apart(lambda: migrate._connect(url, lambda connection: found.append(look(connection))))
    return found[0]


def tables_of(url: str) -> set[str]:
    return looked_at(url, lambda connection: set(inspect(connection).get_table_names())) - {"alembic_version"}


def statements(url: str, *texts: str) -> list[list[tuple[Any, ...]]]:
    """Run SQL as it is written; return the rows of each statement."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(sqlite_path(url))
        with connection:
            rows = [connection.execute(text).fetchall() for text in texts]
        connection.close()
        return rows

    async def run() -> list[list[tuple[Any, ...]]]:
        connection = await asyncpg.connect(url)
        rows = [[tuple(row) for row in await connection.fetch(text)] for text in texts]
        await connection.close()
        return rows

    return apart(lambda: asyncio.run(run()))


def revisions() -> list[str]:
    script = ScriptDirectory.from_config(migrate.configuration())
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def test_the_revisions_are_one_line() -> None:
    script = ScriptDirectory.from_config(migrate.configuration())
    assert len(script.get_heads()) == len(script.get_bases()) == 1
    assert migrate.head_revision() == revisions()[-1]


def test_empty_to_head_to_base_to_head(empty_url: str) -> None:
    assert apart(lambda: migrate.current_revision(empty_url)) is None
    for _ in range(2):
        apart(lambda: migrate.upgrade(empty_url))
        assert apart(lambda: migrate.current_revision(empty_url)) == migrate.head_revision()
        assert tables_of(empty_url) == set(metadata.tables)
        apart(lambda: migrate.upgrade(empty_url))
        apart(lambda: migrate.downgrade(empty_url, "base"))
        assert apart(lambda: migrate.current_revision(empty_url)) is None
        assert tables_of(empty_url) == set()


def test_the_tables_of_the_program_are_those_of_the_last_revision(empty_url: str) -> None:
    apart(lambda: migrate.upgrade(empty_url))

    def difference(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert looked_at(empty_url, difference) == []


def test_partial_indexes_hold_the_same_rows_on_both_engines(database_url: str) -> None:
    """`compare_metadata` does not look at conditions, on which the uniqueness of links and the cap rest."""
    expected = conditions_for("postgresql")
    assert expected == conditions_for("sqlite")
    found = conditions_of(database_url)
    assert set(found) == set(expected)
    for name, condition in expected.items():
        assert words_of(found[name]) == words_of(condition), name


def conditions_for(engine: str) -> dict[str, str]:
    """Return the conditions of partial indexes as the tables of the program say them."""
    said = {
        str(index.name): index.dialect_options[engine]["where"]
        for table in metadata.tables.values()
        for index in table.indexes
    }
    return {name: str(condition) for name, condition in said.items() if condition is not None}


def conditions_of(url: str) -> dict[str, str]:
    """Return the conditions of partial indexes as the engine remembers them."""
    text = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
        if url.startswith("sqlite")
        else "SELECT indexname, indexdef FROM pg_indexes "
        "WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %'"
    )
    (rows,) = statements(url, text)
    return {name: sql.partition(" WHERE ")[2] for name, sql in rows}


def words_of(condition: str) -> set[str]:
    """PostgreSQL writes `a IN (…)` as `a = ANY (ARRAY[…])`: what remains is columns and literals."""
    for noise in "(),[]=":
        condition = condition.replace(noise, " ")
    said = {word.partition("::")[0] for word in condition.split()}
    return said - {"IN", "ANY", "ARRAY"}


def test_a_row_of_every_time_survives_every_later_revision(empty_url: str) -> None:
    assert sorted(SURVIVORS) == sorted(revisions()), "every revision tells rows of its time"
    for revision in revisions():
        apart(lambda revision=revision: migrate.upgrade(empty_url, revision))
        statements(empty_url, *rows_of(revision, empty_url))
    for revision in revisions():
        for question, answer in SURVIVORS[revision].items():
            (rows,) = statements(empty_url, question)
            assert rows == answer, f"{revision}: {question}"
    tables = tables_of(empty_url)
    counted = statements(empty_url, *(f"SELECT count(*) FROM {table}" for table in sorted(tables)))
    assert [rows[0][0] > 0 for rows in counted] == [True] * len(tables), "a row for every table"
    apart(lambda: migrate.downgrade(empty_url, "base"))
    assert tables_of(empty_url) == set()


def test_older_grants_are_found_by_their_subject(empty_url: str) -> None:
    apart(lambda: migrate.upgrade(empty_url, "0001"))
    columns = "grant_id, client_id, citizen_id, session_id, content, issued_at, expires_at"
    values = """'grant-1', 'network', 'citizen-1', 'session-1', '{"subject": "pairwise"}', 1, 2"""
    statements(empty_url, f"INSERT INTO grants ({columns}) VALUES ({values})")
    apart(lambda: migrate.upgrade(empty_url))
    assert statements(empty_url, "SELECT subject FROM grants") == [[("pairwise",)]]


def test_a_server_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(StoreUnavailableError):
        apart(lambda: migrate.upgrade("postgresql://postgres@127.0.0.1:1/nowhere"))
