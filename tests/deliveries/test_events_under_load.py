"""A small rush of suspensions through the real processes, two of which are killed in the middle of it.

The measurement of `make bench-events` in small: nothing is lost, whoever is killed, and neither the slow
platform nor the dead one holds up the others.
"""

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from idp.store.set_deliveries import SECURITY_EVENT
from tests.bench.event_report import Measured
from tests.bench.events import PLATFORMS, Run, child, children, load, register, suspend
from tests.support.served import ServedProvider

PATIENCE = 60.0


def waiting(run: Run) -> dict[str, int]:
    figures = run.provider.run("outbox", "figures", "--kind", SECURITY_EVENT)
    changes = figures["changes"]["link_changes_waiting"]
    return {"changes": changes} | {lane["client_id"]: lane["waiting"] for lane in figures["lanes"]}


def is_told_to_the_living(run: Run) -> bool:
    left = waiting(run)
    return not any(count for name, count in left.items() if name == "changes" or name.startswith("live"))


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_every_living_platform_hears_of_every_suspension_though_deliverers_are_killed(
    postgresql_url: str, tmp_path: Path
) -> None:
    settings = {"IDP_FETCH_LOOPBACK": "true", "IDP_LOG_FILE": str(tmp_path / "log")}
    run = Run(ServedProvider(tmp_path, postgresql_url, settings=settings), rate=80, seconds=5)
    register(run)
    results, environment = tmp_path / "arrivals.json", run.provider.environment
    listening = [f"{name}={port}" for name, port in run.ports.items()]
    with child(
        ["tests.bench.event_receivers", str(results), *listening], environment, ready=True
    ) as receivers:
        asyncio.run(load(run))
        suspending = threading.Thread(target=lambda: asyncio.run(suspend(run)))
        with children(2, environment) as killed:
            time.sleep(4)
            suspending.start()
            for process in killed:
                time.sleep(1.5)
                kill(process)
            suspending.join()
        with children(2, environment):
            deadline = time.monotonic() + PATIENCE
            while not is_told_to_the_living(run):
                assert time.monotonic() < deadline, waiting(run)
                time.sleep(0.5)
        receivers.send_signal(signal.SIGTERM)
        receivers.wait(timeout=20)
    measured = Measured(
        rate=run.rate,
        seconds=run.seconds,
        processes=2,
        suspended_at=run.suspended_at,
        arrivals=json.loads(results.read_text()),
        cpu_delivering=0.0,
        cpu_database=0.0,
    )
    assert len(measured.delays("live")) == measured.expected("live") == run.links * 8 // len(PLATFORMS)
    assert measured.delays("slow"), "the slow one hears, too, at its own pace"
    assert waiting(run)["dead"] == measured.expected("dead"), "what nobody takes waits"
    assert measured.doubled("live") <= 2 * 64 * 8, "only what was under way when they were killed comes again"


@pytest.mark.parametrize("behaviour", ["live", "slow", "dead"])
def test_every_kind_of_platform_is_there(behaviour: str) -> None:
    assert any(name.startswith(behaviour) for name in PLATFORMS)
