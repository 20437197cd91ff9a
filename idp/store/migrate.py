"""Bring a database to the schema of this version, or back to empty. Alembic does the work."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from idp.store.opening import sqlite_path
from idp.store.writes import StoreUnavailableError

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run the revisions up to `revision`. Raises StoreUnavailableError."""
    _run(database_url, lambda config: command.upgrade(config, revision))


def downgrade(database_url: str, revision: str) -> None:
    """Run the revisions back to `revision` ("base" is an empty database)."""
    _run(database_url, lambda config: command.downgrade(config, revision))


def current_revision(database_url: str) -> str | None:
    """Return the revision the database stands at; None for an empty one."""
    found: list[str | None] = []
    _connect(
        database_url,
        lambda connection: found.append(MigrationContext.configure(connection).get_current_revision()),
    )
    return found[0]


def head_revision() -> str | None:
    """Return the newest revision this version knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def configuration() -> Config:
    """Return Alembic's configuration; it logs nothing and reads no file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _run(database_url: str, run: Callable[[Config], None]) -> None:
    config = configuration()

    def with_connection(connection: Connection) -> None:
        config.attributes["connection"] = connection
        run(config)
        connection.commit()

    _connect(database_url, with_connection)


def _connect(database_url: str, use: Callable[[Connection], None]) -> None:
    try:
        if database_url.startswith("sqlite:"):
            path = sqlite_path(database_url)
            path.parent.mkdir(parents=True, exist_ok=True)
            with create_engine(f"sqlite:///{path}", poolclass=NullPool).connect() as connection:
                use(connection)
        else:
            asyncio.run(_connect_postgresql(database_url, use))
    except DBAPIError as error:
        raise StoreUnavailableError(f"the database refuses: {error.orig}") from error
    except OSError as error:
        raise StoreUnavailableError(f"the database cannot be reached: {error}") from error


async def _connect_postgresql(database_url: str, use: Callable[[Connection], None]) -> None:
    url = "postgresql+asyncpg://" + database_url.partition("://")[2]
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(use)
    await engine.dispose()
