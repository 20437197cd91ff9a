"""An empty, migrated database for every test that asks for one, on both engines.

Migrations run once per engine and test run; each test gets a copy, of a file or by `CREATE DATABASE`.
All processes of a run share one PostgreSQL server, started by the first that needs it (see `TestRun`).
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from idp.store import migrate
from tests.support.postgresql import create_database, drop_database

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "lienket_template"
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
    """Copy the migrated template database; drop the copy afterwards."""
    server_url = postgresql_server(run)
    name = f"test_{uuid4().hex}"
    try:
        yield create_database(server_url, name, template=TEMPLATE)
    finally:
        drop_database(server_url, name)


def postgresql_server(run: TestRun) -> str:
    """Return the URL of the run's server; the first caller starts it and migrates its template."""
    with run.alone():
        if not run.server_address.exists():
            url = _start_server(run)
            _migrate(create_database(url, TEMPLATE))
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
