"""What a command works with: settings, database, keys, the clock, and the operator it acts for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from idp.audit.events import Actor
from idp.operators.acting import acting_operator
from idp.operators.failures import explained
from idp.operators.output import CommandFailedError
from idp.settings import Settings
from idp.store.database import Database
from idp.store.opening import open_database, sqlite_path
from idp.store.schema_revision import newest_revision, revision_of
from idp.store.unit_of_work import UnitOfWork
from keys import Custody

Answer = TypeVar("Answer")


def utc_now() -> datetime:
    """Return the present; the only clock of the commands."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """The opened parts."""

    settings: Settings
    database: Database
    custody: Custody
    operator: Actor
    clock: Callable[[], datetime] = utc_now

    def unit_of_work(self) -> UnitOfWork:
        """Return a fresh unit of work."""
        return UnitOfWork(self.database, self.custody.data)


def at_desk(work: Callable[[Desk], Awaitable[Answer]]) -> Answer:
    """Open everything, do the work, close everything. Raises CommandFailedError for what may go wrong."""
    with explained():
        return asyncio.run(_with_everything_open(work, acting_operator()))


async def _with_everything_open(work: Callable[[Desk], Awaitable[Answer]], operator: Actor) -> Answer:
    settings = Settings.load()
    async with migrated_database(settings) as database:
        custody = Custody.open(settings.keys_dir, settings.seal_file, utc_now())
        return await work(Desk(settings, database, custody, operator))


@asynccontextmanager
async def migrated_database(settings: Settings) -> AsyncIterator[Database]:
    """Open a database that has this version's tables. Raises CommandFailedError when it has others."""
    url = settings.database_url
    if url.startswith("sqlite:") and not sqlite_path(url).exists():
        # Opening would make an empty file, and the next start would take it for a database.
        raise CommandFailedError(f"There is no database at {sqlite_path(url)}. `idp migrate` creates it.")
    database = open_database(url, connections=settings.database_connections)
    try:
        _check_revision(await revision_of(database), newest_revision())
        yield database
    finally:
        await database.close()


def _check_revision(stands_at: str | None, newest: str) -> None:
    if stands_at is None:
        raise CommandFailedError("The database has no tables yet. Run `idp migrate` first.")
    if stands_at != newest:
        raise CommandFailedError(
            f"The database is at revision {stands_at} and this version works with {newest}. "
            "Run `idp migrate`, or the version that the database was brought to."
        )
