"""`idp audit`: whatever is done to the table, the first event concerned is named."""

import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam

from idp.audit.chain import seal
from idp.operators import audit_verification
from idp.store.ledger import Ledger
from idp.store.tables import audit_events, audit_head
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import Change, Remove
from tests.operators.conftest import Installation, register_line, write_register

PEOPLE = 12


@pytest.fixture
def log(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A log of twelve sealed events that is read five at a time."""
    monkeypatch.setattr(audit_verification, "PAGE", 5)
    file = write_register(installation.folder / "people.jsonl", *map(register_line, range(PEOPLE)))
    installation.answer("citizens", "import", file)
    installation.seal()
    return installation


def event_at(installation: Installation, sequence: int) -> str:
    return next(row["event_id"] for row in installation.rows("audit_events") if row["sequence"] == sequence)


def change(installation: Installation, event_id: str, **values: Any) -> None:
    """Change a row as somebody would who can write to the table."""
    write = Change(
        "tampering",
        audit_events,
        where=lambda bind: audit_events.c.event_id == bind("id"),
        values=lambda _: {
            name: bindparam(f"new_{name}", value, required=False) for name, value in values.items()
        },
    )

    async def tamper(uow: UnitOfWork) -> None:
        uow.record(write, id=event_id)
        await uow.commit()

    installation.with_store(tamper)


def remove(installation: Installation, event_id: str) -> None:
    write = Remove("tampering", audit_events, where=lambda bind: audit_events.c.event_id == bind("id"))

    async def tamper(uow: UnitOfWork) -> None:
        uow.record(write, id=event_id)
        await uow.commit()

    installation.with_store(tamper)


def finding(installation: Installation) -> tuple[str, int, str | None]:
    document = installation.answer("audit", "verify", status=1)
    found = document["finding"]
    assert document["error"]["message"].startswith(f"Event {found['sequence']}")
    return found["kind"], found["sequence"], found["event_id"]


def test_an_intact_log_is_verified_from_the_table_alone(log: Installation) -> None:
    document = log.answer("audit", "verify")
    assert (document["verified"], document["finding"]) == (PEOPLE, None)
    assert document["head"]["sequence"] == PEOPLE
    assert document["waiting"] == {"events": 0, "since": None}
    assert log.run("audit", "verify").stdout.startswith("12 events are intact.\nhead 12 ")


@pytest.mark.parametrize("sequence", [1, 5, 6, PEOPLE])
def test_an_altered_event_is_named(log: Installation, sequence: int) -> None:
    event_id = event_at(log, sequence)
    change(log, event_id, actor_id="somebody")
    assert "was altered" in log.run("audit", "verify").stderr
    assert finding(log) == ("altered", sequence, event_id)


@pytest.mark.parametrize("sequence", [1, 6, PEOPLE])
def test_a_removed_event_is_named(log: Installation, sequence: int) -> None:
    remove(log, event_at(log, sequence))
    assert finding(log) == ("removed", sequence, None)


@pytest.mark.parametrize("sequence", [0, -3, PEOPLE + 1, PEOPLE + 50])
def test_an_event_that_was_slipped_in_is_named(log: Installation, sequence: int) -> None:
    log.answer("keys", "rotate", "--algorithm", "ES256")
    (waiting,) = [row["event_id"] for row in log.rows("audit_events") if row["sequence"] is None]
    change(log, waiting, sequence=sequence, chain_hash=bytes(32))
    assert finding(log) == ("slipped_in", sequence, waiting)


def test_a_head_that_is_gone_is_a_failure(log: Installation) -> None:
    write = Remove("tampering", audit_head, where=lambda bind: audit_head.c.head_id == bind("id"))

    async def tamper(uow: UnitOfWork) -> None:
        uow.record(write, id=1)
        await uow.commit()

    log.with_store(tamper)
    assert "no head" in log.refused("audit", "verify")


def test_a_sequencer_at_work_is_no_finding(log: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are sealed after the head was read and before the last page is."""
    log.answer("keys", "rotate", "--algorithm", "ES256")
    sealed, pages = Ledger.sealed, []

    async def sealed_late(self: Ledger, after: Any, limit: int) -> Any:
        pages.append(after)
        if len(pages) == 2:
            uow = UnitOfWork(self._recorder.database, log.custody().data)
            head = await uow.ledger.head()
            uow.ledger.seal(seal(await uow.ledger.unsealed(100), head), head, datetime.now(UTC))
            await uow.commit()
        return await sealed(self, after, limit)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "sealed", sealed_late)
        document = log.answer("audit", "verify")
    assert (document["verified"], document["finding"]) == (PEOPLE, None)
    assert log.answer("audit", "verify")["verified"] == PEOPLE + 1


def test_events_that_wait_are_counted_and_old_ones_are_warned_of(log: Installation) -> None:
    log.answer("keys", "rotate", "--algorithm", "ES256")
    assert log.answer("audit", "verify")["waiting"]["events"] == 1
    assert log.run("audit", "verify").stderr == ""
    (waiting,) = [row["event_id"] for row in log.rows("audit_events") if row["sequence"] is None]
    change(log, waiting, occurred_at=1_700_000_000_000_000)
    result = log.run("audit", "verify")
    assert (result.exit_code, "is `idp serve` running?" in result.stderr) == (0, True)


def test_the_tail_shows_the_newest_events_last(log: Installation) -> None:
    log.answer("keys", "rotate", "--algorithm", "ES256")
    events = log.answer("audit", "tail", "-n", 3)["events"]
    assert [event["sequence"] for event in events] == [PEOPLE - 1, PEOPLE, None]
    assert events[-1]["type"] == "key:rotated"
    assert events[-1]["actor"] == {"kind": "operator", "id": "nga"}
    assert len(log.run("audit", "tail").stdout.splitlines()) == PEOPLE + 1


def test_following_and_one_document_exclude_each_other(small_installation: Installation) -> None:
    assert small_installation.run("audit", "tail", "--follow", "--json").exit_code == 2


def test_following_shows_every_event_once(small_installation: Installation) -> None:
    """A real process, for it ends by Ctrl-C."""
    small_installation.answer("keys", "rotate", "--algorithm", "ES256")
    program = [
        sys.executable,
        "-c",
        "from idp.operators.cli import main; main()",
        "audit",
        "tail",
        "--follow",
    ]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "key:rotated" in first
        small_installation.seal()
        small_installation.answer("keys", "rotate", "--data")
        second = process.stdout.readline()
        assert "method=encryption" in second
        small_installation.seal()
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    assert (rest, errors, process.returncode) == ("", "", 0)


def test_a_log_that_is_gone_is_told_in_a_sentence(small_installation: Installation) -> None:
    path = small_installation.database_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE audit_events")
    connection.close()
    assert "The database cannot be used: no such table" in small_installation.refused("audit", "verify")
