"""`idp serve`, as real processes: it starts whole, stops whole, and leaves nobody behind."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from idp.operators import companions
from tests.operators.conftest import Installation
from tests.support.served import ServedProvider

MODULES = {"Housekeeping": "idp.housekeeping", "Delivering": "idp.deliveries"}
PROGRAM = (sys.executable, "-c", "from idp.operators.cli import main; main()", "serve")


def provider_of(folder: Path, database_url: str, workers: int) -> ServedProvider:
    return ServedProvider(folder, database_url, workers=workers, program=PROGRAM)


def family(provider: ServedProvider) -> list[psutil.Process]:
    assert provider.process is not None
    return psutil.Process(provider.process.pid).children(recursive=True)


def wait_until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(map(is_alive, processes))


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_of(process: psutil.Process) -> list[str]:
    """Return a process's command line; one that is just ending has none any more."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def companions_of(provider: ServedProvider, module: str) -> list[psutil.Process]:
    return [process for process in family(provider) if module in command_of(process)]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_everything_with_status_0(
    tmp_path: Path, sqlite_url: str, workers: int, number: signal.Signals
) -> None:
    provider = provider_of(tmp_path, sqlite_url, workers)
    provider.start()
    with urlopen(f"{provider.url}/healthz", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}
        assert answer.headers["Date"]
        assert "Server" not in answer.headers
    processes = family(provider)
    assert [len(companions_of(provider, module)) for module in MODULES.values()] == [1, 1]
    # Python's own watcher of workers ends when it sees that we have ended.
    trackers = [each for each in processes if "resource_tracker" in " ".join(command_of(each))]
    process = provider.process
    assert process is not None
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    assert are_gone([each for each in processes if each not in trackers])
    wait_until(lambda: are_gone(trackers))
    assert "Traceback" not in provider.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_leaves_no_process_behind(tmp_path: Path, sqlite_url: str, workers: int) -> None:
    provider = provider_of(tmp_path, sqlite_url, workers)
    provider.start()
    processes = family(provider)
    assert len(processes) >= workers
    process = provider.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    wait_until(lambda: are_gone(processes))


@pytest.mark.parametrize("name", MODULES)
def test_a_companion_that_dies_is_started_again(tmp_path: Path, sqlite_url: str, name: str) -> None:
    provider = provider_of(tmp_path, sqlite_url, 1)
    provider.start()
    try:
        (first,) = companions_of(provider, MODULES[name])
        first.kill()
        wait_until(
            lambda: [each.pid for each in companions_of(provider, MODULES[name])] not in ([], [first.pid])
        )
        assert f"{name} ended with status -9" in provider.log.read_text()
    finally:
        assert provider.stop() == 0


def test_it_serves_from_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    provider = provider_of(tmp_path, postgresql_url, 2)
    provider.start()
    with urlopen(f"{provider.url}/readyz", timeout=10) as answer:
        assert json.load(answer) == {"status": "ready"}
    assert provider.stop() == 0


def test_a_busy_port_is_told_in_a_sentence(small_installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = small_installation.refused("serve", "--port", port)
    assert said == f"Port {port} on 127.0.0.1 cannot be used: address already in use."


def test_an_address_of_another_machine_is_told_in_a_sentence(small_installation: Installation) -> None:
    said = small_installation.refused("serve", "--host", "192.0.2.1", "--port", 8123)
    assert said.startswith("Port 8123 on 192.0.2.1 cannot be used: ")


def test_a_companion_waits_longer_after_each_death_and_still_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    command = (sys.executable, "-c", "raise SystemExit(7)")
    monkeypatch.setattr(companions, "COMPANIONS", {"Housekeeping": command})
    monkeypatch.setattr(companions, "FIRST_PAUSE", 0.05)
    said: list[str] = []
    with companions.companions(said.append):
        wait_until(lambda: len(said) >= 3)
    assert {message.partition(";")[0] for message in said} == {"Housekeeping ended with status 7"}


def test_a_companion_that_does_not_listen_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    monkeypatch.setattr(companions, "COMPANIONS", {"Deaf": (sys.executable, "-c", deaf)})
    monkeypatch.setattr(companions, "STOPPED_WITHIN", 0.3)
    with companions.companions(lambda _: None):
        wait_until(lambda: bool(psutil.Process().children()))
        time.sleep(0.5)
        (child,) = [each for each in psutil.Process().children() if deaf in command_of(each)]
    assert are_gone([child])
