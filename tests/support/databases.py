"""An empty, migrated database for every test that asks for one, on both engines.

Migrations run once per engine and test run. On SQLite each test gets a copy of a file. On PostgreSQL a copy
takes half a second, so a process keeps those that it made, and empties one when its test is over; whoever
changes a schema makes a database of their own. All processes of a run share one PostgreSQL server, started by
the first that needs it (see `TestRun`).
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from idp.store import migrate
from tests.support.postgresql import create_database, drop_database, execute

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "lienket_template"
USES = 50
"""How many tests a database serves: nothing is vacuumed."""

KEEP_SEED = """
CREATE SCHEMA seed;
DO $$ DECLARE t name; filled boolean; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t) INTO filled;
    IF filled THEN EXECUTE format('CREATE TABLE seed.%I AS TABLE public.%I', t, t); END IF;
  END LOOP;
END $$"""
"""Remember what the migrations put into tables."""

EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE t name; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM public.%I', t);
  END LOOP;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'seed' LOOP
    EXECUTE format('INSERT INTO public.%I SELECT * FROM seed.%I', t, t);
  END LOOP;
END $$"""
"""Make a database what it was after the migrations; foreign keys need no order in this role."""

FOLDER_VARIABLE = "LIENKET_TEST_RUN"


@dataclass(frozen=True, slots=True)
class TestRun:
    """What the processes of one test run share: a folder, and in it a lifeline.

    The lifeline is a pipe that the first process holds open. The PostgreSQL server reads it, and stops
    when it ends: however that process ended.
    """

    __test__ = False
    folder: Path

    @property
    def lifeline(self) -> Path:
        return self.folder / "lifeline"

    @property
    def server_address(self) -> Path:
        return self.folder / "postgresql"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold back the other processes of the run."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def shared_test_run() -> Iterator[TestRun]:
    """Make what the run shares, in the process that starts it; everything is stopped and gone afterwards."""
    run = TestRun(Path(tempfile.mkdtemp(prefix="lienket-tests-")))
    os.mkfifo(run.lifeline)
    held = os.open(run.lifeline, os.O_RDWR)
    os.environ[FOLDER_VARIABLE] = str(run.folder)
    try:
        yield run
    finally:
        os.close(held)
        deadline = time.monotonic() + 20
        while run.server_address.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(run.folder)
        del os.environ[FOLDER_VARIABLE]


def joined_test_run() -> TestRun:
    """Return the run this process takes part in."""
    return TestRun(Path(os.environ[FOLDER_VARIABLE]))


def migrated_database(engine: str, folder: Path) -> AbstractContextManager[str]:
    """Give an empty, migrated database on `sqlite`, as a file in the folder, or on `postgresql`."""
    run = joined_test_run()
    return sqlite_database(run, folder) if engine == "sqlite" else postgresql_database(run)


@contextmanager
def sqlite_database(run: TestRun, folder: Path) -> Iterator[str]:
    """Copy the migrated file into the folder."""
    template = run.folder / "template.sqlite3"
    with run.alone():
        if not template.exists():
            _migrate(f"sqlite:///{template}")
            with sqlite3.connect(template) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
    path = folder / "lienket.sqlite3"
    shutil.copyfile(template, path)
    yield f"sqlite:///{path}"


@contextmanager
def postgresql_database(run: TestRun) -> Iterator[str]:
    """Give a migrated database that nobody else of the run uses now."""
    database = _spare.pop() if _spare else _Copy(postgresql_server(run), f"test_{uuid4().hex}")
    if not database.uses:
        create_database(database.server_url, database.name, template=TEMPLATE)
    database.uses += 1
    try:
        yield database.url
    finally:
        database.put_back()


@dataclass(slots=True)
class _Copy:
    """A copy of the template."""

    server_url: str
    name: str
    uses: int = 0

    @property
    def url(self) -> str:
        return f"{self.server_url.rpartition('/')[0]}/{self.name}"

    def put_back(self) -> None:
        """Empty it for the next test; drop it when so much was deleted that it has become slow."""
        if self.uses >= USES:
            drop_database(self.server_url, self.name)
            return
        execute(self.url, EMPTY)
        _spare.append(self)


_spare: list[_Copy] = []


def postgresql_server(run: TestRun) -> str:
    """Return the URL of the run's server; the first caller starts it and migrates its template."""
    with run.alone():
        if not run.server_address.exists():
            url = _start_server(run)
            template = create_database(url, TEMPLATE)
            _migrate(template)
            execute(template, KEEP_SEED)
            run.server_address.write_text(url)
    return run.server_address.read_text()


_started: list["subprocess.Popen[str]"] = []
"""Held so that nobody waits for the server: it outlives this process and ends with the lifeline."""


def _start_server(run: TestRun) -> str:
    serve = f"exec 0<{run.lifeline}; {sys.executable} -m tests.support.postgresql; rm -f {run.server_address}"
    process = subprocess.Popen(
        ["sh", "-c", serve], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    _started.append(process)
    if process.stdout is None or not (url := process.stdout.readline().strip()):
        raise RuntimeError("the shared PostgreSQL server did not start; its reason is above")
    return url


def _migrate(database_url: str) -> None:
    """Run the migrations in a thread of their own, where no event loop of the test's is in the way."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(migrate.upgrade, database_url).result()
