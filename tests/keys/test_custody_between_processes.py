"""Several processes on one key directory, and processes that die in the middle of a change."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

import pytest

from keys import Custody, KeyState
from keys.policy import KeyPolicy

ROOT = Path(__file__).parents[2]

ROTATE = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from keys import Custody
from keys.policy import read_policy

policy = read_policy()
policy = replace(policy, signing=replace(policy.signing, algorithms=("ES256", "EdDSA")))
now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
custody = Custody.open(Path(sys.argv[1]), None, now, policy=policy)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    custody.signing.rotate(now)
    custody.data.rotate(now)
    print(custody.signing.signer("ES256").kid, flush=True)
"""


def rotating_process(directory: Path, times: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ROTATE, str(directory), str(times)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def check_ring(custody: Custody) -> None:
    for algorithm in ("ES256", "EdDSA"):
        states = [record.state for record in custody.signing.list() if record.algorithm == algorithm]
        assert states.count(KeyState.ACTIVE) == 1
        assert states.count(KeyState.NEXT) == 1


def test_two_that_open_an_empty_directory_at_once_make_one_keyring(
    directory: Path, open_custody: Callable[..., Custody]
) -> None:
    together = Barrier(4)

    def opened(_: int) -> Custody:
        together.wait()
        return open_custody()

    with ThreadPoolExecutor(4) as threads:
        rings = list(threads.map(opened, range(4)))
    first = rings[0]
    for custody in rings:
        assert custody.signing.list() == first.signing.list()
        assert custody.data.list() == first.data.list()
    check_ring(open_custody())
    assert (directory / "seal.secret").exists()


def test_two_processes_that_rotate_at_once_lose_no_rotation_and_no_published_key(
    directory: Path, open_custody: Callable[..., Custody], now: datetime
) -> None:
    custody = open_custody()
    times = 10
    with rotating_process(directory, times) as one, rotating_process(directory, times) as other:
        for process in (one, other):
            wait_until_ready(process)
        for process in (one, other):
            let_go(process)
        signed = [kid for process in (one, other) for kid in process.communicate()[0].split()]
    assert (one.returncode, other.returncode) == (0, 0)
    assert custody.reload_if_changed(now)
    check_ring(custody)
    assert all(custody.signing.verification_key(kid) for kid in signed)
    assert len(custody.signing.list()) == 2 * (2 + 2 * times)
    assert len(custody.data.list()) == 3 + 2 * times


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_a_process_killed_in_the_middle_of_rotations_leaves_a_whole_keyring(
    directory: Path, open_custody: Callable[..., Custody], now: datetime, lines: int
) -> None:
    sealed = open_custody().data.seal(b"value", b"context")
    with rotating_process(directory, 10_000) as process:
        wait_until_ready(process)
        let_go(process)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
    custody = open_custody()
    check_ring(custody)
    assert all(custody.signing.verification_key(kid) for kid in acknowledged)
    assert custody.data.open(sealed, b"context") == b"value"
    custody.signing.rotate(now)
    check_ring(open_custody())


@pytest.mark.parametrize("step", ["seal_written", "index_half_written"])
def test_a_first_opening_that_was_killed_is_taken_up_again(
    directory: Path, open_custody: Callable[..., Custody], step: str
) -> None:
    whole = open_custody()
    seal = (directory / "seal.secret").read_bytes()
    half = (directory / "keyring.json").read_bytes()[:500]
    (directory / "keyring.json").unlink()
    (directory / "keyring.lock").write_bytes(b"")
    if step == "index_half_written":
        (directory / "keyring.json.new").write_bytes(half)
    again = open_custody()
    check_ring(again)
    assert (directory / "seal.secret").read_bytes() == seal
    assert again.signing.list() != whole.signing.list()
    assert not (directory / "keyring.json.new").exists()


def test_a_reader_never_sees_a_half_written_keyring(
    directory: Path, quick_policy: KeyPolicy, now: datetime
) -> None:
    writer = Custody.open(directory, None, now, policy=quick_policy)
    reader = Custody.open(directory, None, now, policy=quick_policy)
    with ThreadPoolExecutor(1) as thread:
        rotations = thread.submit(lambda: [writer.data.rotate(now) for _ in range(60)])
        while not rotations.done():
            reader.reload_if_changed(now)
            assert reader.data.open(writer.data.seal(b"value", b"context"), b"context") == b"value"
        assert rotations.result() == [None] * 60
    reader.reload_if_changed(now)
    assert reader.data.list() == writer.data.list()
