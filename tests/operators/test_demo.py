"""The demonstration's supervision, with stand-ins for the two programs, and its people."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import psutil
import pyotp
import pytest
from click.testing import CliRunner

from idp.authenticators.password import check_password
from idp.identity.register import read_line
from idp.operators.demo import demo
from idp.web.demo_people import CITIZENS, demo_people
from tests.support.postgresql import free_port

ROOT = Path(__file__).resolve().parents[2]

STAND_IN = """
import http.server, os, pathlib, signal, sys
words = sys.argv[1:]
with open(os.environ["STAND_IN_JOURNAL"], "a") as journal:
    print(*words, file=journal)
if words[0] in os.environ.get("STAND_IN_FAILS", "").split():
    sys.exit(f"{words[0]} went wrong")
if words[0] == "migrate":
    pathlib.Path(os.environ["IDP_DATABASE_URL"].removeprefix("sqlite:///")).touch()
if "--port" in words:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    http.server.HTTPServer(("127.0.0.1", int(words[words.index("--port") + 1])), Answer).serve_forever()
"""

DRIVER = """
import sys
from pathlib import Path
from idp.operators import demo
stand_in, *arguments = sys.argv[1:]
demo.IDP = Path(stand_in)
demo.NETWORK = (stand_in,)
demo.demo(arguments)
"""


class Demonstration:
    """One demonstration with stand-ins, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / "data"
        self.journal = folder / "journal"
        self.journal.touch()
        self.stand_in = folder / "stand-in"
        self.stand_in.write_text(f"#!{sys.executable}\n{STAND_IN}")
        self.stand_in.chmod(0o755)
        self.ports = (free_port(), free_port())
        self.process: subprocess.Popen[str] | None = None

    def start(self, **environment: str) -> "subprocess.Popen[str]":
        provider_port, network_port = map(str, self.ports)
        options = ["--port", provider_port, "--network-port", network_port, "--directory", self.directory]
        command = [sys.executable, "-c", DRIVER, self.stand_in, *options]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "STAND_IN_JOURNAL": str(self.journal), **environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def start_and_wait(self) -> "subprocess.Popen[str]":
        process = self.start()
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                return process
        raise AssertionError(process.communicate())

    def prepared(self) -> list[str]:
        lines = self.journal.read_text().splitlines()
        return [line.split()[0] for line in lines if "--port" not in line]

    def servers(self) -> list[psutil.Process]:
        started = [
            process
            for process in psutil.process_iter(["cmdline"])
            if (process.info["cmdline"] or ())[1:2] == [str(self.stand_in)]
            and "--port" in process.info["cmdline"]
        ]
        return sorted(started, key=lambda process: "serve" not in process.info["cmdline"])


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    made = Demonstration(tmp_path)
    yield made
    if made.process is not None:
        if made.process.poll() is None:
            made.process.terminate()
        made.process.communicate(timeout=20)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_a_stop_signal_stops_both_servers_and_succeeds(
    demonstration: Demonstration, how: signal.Signals
) -> None:
    process = demonstration.start_and_wait()
    for port in demonstration.ports:
        with urlopen(f"http://localhost:{port}/") as answer:
            assert answer.status == 200
    process.send_signal(how)
    _, complaints = process.communicate(timeout=15)
    assert process.returncode == 0
    assert complaints.endswith("Stopped. What was done is kept; `make demo` goes on from here.\n")
    assert demonstration.servers() == []


def test_a_second_start_prepares_nothing_and_keeps_the_data(demonstration: Demonstration) -> None:
    demonstration.start_and_wait().terminate()
    assert demonstration.process is not None
    demonstration.process.communicate(timeout=15)
    assert demonstration.prepared() == ["migrate", "citizens", "keygen", "clients"]
    demonstration.start_and_wait()
    assert demonstration.prepared() == ["migrate", "citizens", "keygen", "clients"]


def test_a_lost_database_is_made_again(demonstration: Demonstration) -> None:
    demonstration.start_and_wait().terminate()
    assert demonstration.process is not None
    demonstration.process.communicate(timeout=15)
    (demonstration.directory / "lienket.sqlite3").unlink()
    demonstration.start_and_wait()
    assert demonstration.prepared().count("migrate") == 2


def test_a_server_that_dies_stops_the_other_and_leaves_its_last_words(demonstration: Demonstration) -> None:
    process = demonstration.start_and_wait()
    log = demonstration.directory / "logs" / "provider.log"
    log.write_text("the disk is on fire\n")
    provider, _ = demonstration.servers()
    provider.kill()
    _, complaints = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "The provider ended with status -9" in complaints
    assert "the disk is on fire" in complaints
    assert demonstration.servers() == []


def test_a_failing_step_is_named_with_what_it_said(demonstration: Demonstration) -> None:
    process = demonstration.start(STAND_IN_FAILS="clients")
    _, complaints = process.communicate(timeout=15)
    assert process.returncode == 1
    assert complaints.endswith("Registering the sample network failed. It said:\nclients went wrong\n")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(("which", "variable"), [(0, "PORT"), (1, "NETWORK_PORT")])
def test_a_busy_port_is_one_sentence(
    demonstration: Demonstration, family: socket.AddressFamily, which: int, variable: str
) -> None:
    address = "127.0.0.1" if family is socket.AF_INET else "::1"
    with socket.create_server((address, demonstration.ports[which]), family=family):
        process = demonstration.start()
        _, complaints = process.communicate(timeout=15)
    assert process.returncode == 1
    assert complaints.startswith(f"Port {demonstration.ports[which]}, for the ")
    assert f"make demo {variable}=" in complaints
    assert complaints.count("\n") == 1
    assert demonstration.prepared() == []


def test_an_unusable_folder_is_one_sentence(demonstration: Demonstration) -> None:
    demonstration.directory.write_text("a file stands where the folder should be")
    process = demonstration.start()
    _, complaints = process.communicate(timeout=15)
    assert process.returncode == 1
    assert complaints == f"The folder {demonstration.directory} cannot be used: Not a directory.\n"


def test_every_demo_person_can_be_imported_and_can_sign_in() -> None:
    people = [json.loads(line) for line in CITIZENS.read_text(encoding="utf-8").splitlines()]
    entries = [read_line(person, "demo", datetime.now(UTC)) for person in people]
    for entry in entries:
        assert entry.password is not None
        check_password(entry.password)
    numbers = [entry.personal_number for entry in entries]
    assert len(set(numbers)) == len(numbers) >= 6
    assert {entry.proofing.value for entry in entries} == {"vn1", "vn2", "vnf"}
    assert any(len(entry.personal_data.birthdate) == 4 for entry in entries)


@pytest.mark.parametrize("words", ["000192000001", "+84000192001", "Nguyễn Thị Lan", "lan"])
def test_a_code_is_found_by_number_phone_or_name(words: str) -> None:
    printed = CliRunner().invoke(demo, ["code", words])
    totp = pyotp.TOTP(demo_people()[0].totp_secret)
    assert printed.exit_code == 0
    assert totp.verify(printed.output.strip(), valid_window=1)


def test_a_code_of_nobody_is_refused() -> None:
    printed = CliRunner().invoke(demo, ["code", "Elvis"])
    assert printed.exit_code == 1
    assert "“Elvis” is nobody" in printed.output
