"""The real server as a child process, started as an operator starts it: `.venv/bin/idp serve`."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from tests.support.postgresql import free_port

IDP = Path(sys.executable).with_name("idp")
ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".artifacts" / "logs"
READY_WITHIN = 30.0

_open_locally = build_opener(ProxyHandler({})).open


class CommandFailedError(AssertionError):
    """A command of the program ended with another status than 0."""


class ServerStartError(AssertionError):
    """The server ended, or was not ready in time; the message ends with its log."""


@dataclass(slots=True)
class ServedProvider:
    """One provider: its settings, and the server process while there is one."""

    folder: Path
    database_url: str
    workers: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    program: Sequence[str | Path] = (IDP, "serve")
    ready_path: str = "/readyz"
    process: subprocess.Popen[Any] | None = None

    @property
    def url(self) -> str:
        """The address, and the issuer unless the settings say otherwise."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        return LOGS / f"{self.folder.name}-{self.port}.log"

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with the provider's settings and nobody else's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
        own = {
            "IDP_ISSUER": self.url,
            "IDP_DATABASE_URL": self.database_url,
            "IDP_KEYS_DIR": str(self.folder / "keys"),
            "IDP_MODE": "demo",
        }
        return {**inherited, **own, **self.settings}

    def run(self, *arguments: str | Path) -> Any:
        """Run a command of the program with `--json` and return its one document."""
        finished = subprocess.run(
            [IDP, *arguments, "--json"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if finished.returncode:
            raise CommandFailedError(
                f"idp {' '.join(map(str, arguments))}: {finished.stderr}{finished.stdout}"
            )
        return json.loads(finished.stdout)

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        listening = ("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.program, *listening],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_WITHIN
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerStartError(f"the server was not ready:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Ask the page that says so."""
        try:
            with _open_locally(f"{self.url}{self.ready_path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except HTTPError as refusal:
            refusal.close()
            return False
        except (URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> int:
        """Ask the server to end, as a service manager does; return its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server and its workers at once, without a word: what a power cut does."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.poll() is None:
            os.killpg(process.pid, how)
        try:
            return process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


@contextmanager
def served(
    folder: Path, database_url: str, *, workers: int = 1, settings: Mapping[str, str] | None = None
) -> Iterator[ServedProvider]:
    """Serve a migrated database from the folder until the block ends."""
    provider = ServedProvider(folder, database_url, workers=workers, settings=settings or {})
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
