"""The main job's cast: the real provider and the real sample network, prepared by the operator's commands.

with main_job(folder, database_url) as scene:
    scene.network.url, scene.provider.run("links", "list"), scene.person("Nguyễn Thị Lan").code()
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pyotp

from idp.authenticators.totp import step_at
from idp.operators.demo_servers import ServerCommand, running
from idp.web.demo_people import CITIZENS, DemoPerson, demo_people
from tests.support.postgresql import free_port
from tests.support.served import LOGS, ROOT, ServedProvider

TYPED_WITHIN = timedelta(seconds=12)
"""How long it may take on a busy machine until a code arrives."""

NETWORK = (sys.executable, "-m", "clients.social_network")


@dataclass
class Person:
    """A demo person with an authenticator app that never shows a code twice."""

    known: DemoPerson
    used_step: int = 0

    @property
    def number(self) -> str:
        return self.known.personal_number

    @property
    def password(self) -> str:
        return self.known.password

    @property
    def name(self) -> str:
        return self.known.name

    def code(self) -> str:
        """Return an unused code that is valid for a while: of the step before, this one or the next."""
        while self.used_step > _present_step():
            time.sleep(0.2)
        self.used_step = max(self.used_step + 1, step_at(datetime.now(UTC) + TYPED_WITHIN) - 1)
        return pyotp.TOTP(self.known.totp_secret).generate_otp(self.used_step)

    def last_code(self) -> str:
        """Return the code that was shown last."""
        return pyotp.TOTP(self.known.totp_secret).generate_otp(self.used_step)

    def wrong_code(self) -> str:
        """Return six digits that are no code of these minutes."""
        right = {
            pyotp.TOTP(self.known.totp_secret).generate_otp(_present_step() + beside)
            for beside in range(-3, 4)
        }
        return next(f"{number:06d}" for number in range(10) if f"{number:06d}" not in right)


def _present_step() -> int:
    return step_at(datetime.now(UTC))


@dataclass(frozen=True)
class Network:
    """The sample network: where it is read, and what it keeps."""

    folder: Path
    issuer: str
    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def key_file(self) -> Path:
        return self.folder / "key.json"

    @property
    def registration(self) -> Path:
        return self.folder / "registration.toml"

    def keygen(self) -> None:
        """Make its key and its registration, with its own command."""
        files = ("--key-file", self.key_file, "--registration", self.registration)
        subprocess.run([*NETWORK, "keygen", *files, "--base-url", self.url], check=True, cwd=ROOT, timeout=60)

    @contextmanager
    def serving(self, data_dir: Path) -> Iterator[None]:
        """Serve until the block ends. With a new folder everybody there is new, and nobody is linked."""
        log = LOGS / f"network-{self.port}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        listening = ("--port", str(self.port), "--issuer", self.issuer)
        files = ("--key-file", str(self.key_file), "--data-dir", str(data_dir))
        command = ServerCommand(
            "The sample network",
            (*NETWORK, *listening, *files),
            {"PYTHONPATH": str(ROOT)},
            self.port,
            "/",
            log,
        )
        with running([command], threading.Event()):
            yield


@dataclass(frozen=True)
class Scene:
    """Everything that takes part."""

    provider: ServedProvider
    network: Network

    @cached_property
    def people(self) -> Mapping[str, Person]:
        return {known.name: Person(known) for known in demo_people()}

    def person(self, name: str) -> Person:
        return self.people[name]

    @property
    def origins(self) -> Sequence[str]:
        return (self.provider.url, self.network.url)


@contextmanager
def main_job(
    folder: Path, database_url: str, *, workers: int = 1, ports: tuple[int, int] | None = None
) -> Iterator[Scene]:
    """Prepare an empty database with the operator's commands, and serve the provider until the block ends.

    The network is prepared and registered; `scene.network.serving(folder)` starts it. Without `ports` both
    take a free one.
    """
    provider_port, network_port = ports or (free_port(), free_port())
    provider = ServedProvider(folder, database_url, workers=workers, port=provider_port)
    network = Network(folder, provider.url, network_port)
    provider.run("migrate")
    imported = provider.run("citizens", "import", CITIZENS)
    assert imported["added"] == len(demo_people())
    assert imported["rejected"] == 0
    network.keygen()
    applied = provider.run("clients", "apply", network.registration)
    assert applied["clients"][0]["action"] == "registered"
    provider.start()
    try:
        yield Scene(provider, network)
    finally:
        provider.stop()
