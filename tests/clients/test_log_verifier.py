"""The independent verifier, run as anybody would run it against a provider that is served: what it tells."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.audit.chain import encode
from idp.audit.checkpoints import text_of_hash
from idp.audit.tiles import TileId
from idp.store.opening import open_database
from idp.store.oversight_tables import checkpoints
from idp.store.unit_of_work import UnitOfWork
from idp.web.log_proofs import prove_event
from keys import Custody
from tests.support import tampering
from tests.support.databases import joined_test_run, sqlite_database
from tests.support.public_log import append, sign_all
from tests.support.served import ROOT, ServedProvider

BEGAN = datetime.now(UTC) - timedelta(hours=1)
FIRST, SECOND = 270, 560


@dataclass
class Log:
    """A provider that is served, its log, and the hands of an attacker."""

    provider: ServedProvider
    folder: Path

    def custody(self, name: str = "keys") -> Custody:
        return Custody.open(self.provider.folder / name, None, datetime.now(UTC))

    def with_store(self, work: Callable[[UnitOfWork], Awaitable[Any]]) -> Any:
        async def opened() -> Any:
            database = open_database(self.provider.database_url)
            try:
                return await work(UnitOfWork(database, self.custody().data))
            finally:
                await database.close()

        return asyncio.run(opened())

    def grow(self, to: int, minutes: int) -> None:
        """Let the log grow and have it signed."""
        at, issuer = BEGAN + timedelta(minutes=minutes), self.provider.url

        async def fill(uow: UnitOfWork) -> None:
            size = await uow.merkle_log.size()
            await append(uow, to - size, at)
            await sign_all(uow, self.custody(), at, issuer)
            newest = await uow.merkle_log.newest_checkpoint()
            assert newest is not None
            assert newest.tree_size == to

        self.with_store(fill)

    def verify(self, *arguments: object) -> tuple[int, str]:
        """Run the verifier; return its exit status and what it says."""
        environment = {
            name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
        }
        finished = subprocess.run(
            [sys.executable, "-m", "clients.log_verifier", self.provider.url, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return finished.returncode, finished.stdout + finished.stderr

    def proof_of(self, sequence: int) -> Path:
        """Write the proof of an entry as a person downloads it."""

        async def prove(uow: UnitOfWork) -> dict[str, Any]:
            newest = await uow.merkle_log.newest_checkpoint()
            (event,) = await uow.ledger.sealed_after(sequence - 1, 1)
            assert newest is not None
            proof = await prove_event(uow, event, newest)
            assert proof is not None
            return {
                "leaf": encode(event).decode(),
                "leaf_hash": text_of_hash(proof.leaf_hash),
                "leaf_index": proof.leaf_index,
                "tree_size": proof.tree_size,
                "inclusion_path": [text_of_hash(each) for each in proof.path],
                "checkpoint": newest.signed,
            }

        file = self.folder / f"proof-{sequence}.json"
        file.write_text(json.dumps(self.with_store(prove)))
        return file


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """Give a served provider with a log of 270 entries, and no process that seals or signs on."""
    with sqlite_database(joined_test_run(), tmp_path) as url:
        provider = ServedProvider(tmp_path, url)
        log = Log(provider, tmp_path)
        log.grow(FIRST, 0)
        provider.program = (sys.executable, "-m", "uvicorn", "--factory", "idp.app:from_environment")
        provider.start()
        try:
            yield log
        finally:
            provider.stop()


def test_a_log_that_grew_is_verified_from_what_was_known(log: Log) -> None:
    known = log.folder / "known.json"
    status, said = log.verify("--known", known)
    assert (status, "270 entries" in said, "follows from the leaves" in said) == (0, True, True), said
    log.grow(SECOND, 2)
    log.grow(SECOND + 1, 4)
    status, said = log.verify("--known", known)
    assert status == 0, said
    assert "It begins with the 270 entries that were known." in said
    assert "as do 1 checkpoints before it" in said
    held = json.loads(known.read_text())
    assert held["tree_size"] == SECOND + 1
    assert log.verify("--known", known, "--quick")[0] == 0
    assert log.verify()[0] == 0, "without a memory everything is derived"


def test_a_persons_proof_is_verified_and_no_other_passes(log: Log) -> None:
    proof = log.proof_of(123)
    log.grow(SECOND, 2)
    status, said = log.verify("--quick", "--proof", proof)
    assert status == 0, said
    assert "Entry 123 is in it" in said
    assert '"citizen_id":"citizen-1"' in said
    sound = json.loads(proof.read_text())
    for changes, told in (
        ({"leaf": sound["leaf"].replace("minh", "nobody")}, "not the one that was logged"),
        ({"leaf_index": 5}, "does not stand in the signed log"),
        ({"inclusion_path": sound["inclusion_path"][:-1]}, "too short"),
        ({"checkpoint": sound["checkpoint"][:-4] + "AAAA"}, "does not verify"),
        ({"tree_size": 5}, "not of the tree"),
    ):
        proof.write_text(json.dumps(sound | changes))
        status, said = log.verify("--quick", "--proof", proof)
        assert (status, told in said) == (1, True), said
    for unreadable in ("", "[]", "{}", '{"leaf_index": "x"}'):
        proof.write_text(unreadable)
        assert log.verify("--quick", "--proof", proof)[0] == 2


def test_a_log_that_was_written_anew_is_told_by_whoever_remembers_it(log: Log) -> None:
    """P9: an insider who can write every table and sign makes another log that holds together."""
    known = log.folder / "known.json"
    assert log.verify("--known", known)[0] == 0

    async def attack(uow: UnitOfWork) -> None:
        events = await tampering.rewrite_chain(uow, 9, actor_id="somebody")
        await tampering.rewrite_tiles(uow, events)
        await tampering.rewrite_checkpoint(uow, events, log.custody(), log.provider.url, BEGAN)

    log.with_store(attack)
    status, said = log.verify()
    assert status == 0, "who remembers nothing sees a log that holds together: " + said
    status, said = log.verify("--known", known)
    assert (status, "two different logs of 270 entries were signed" in said) == (1, True), said
    log.grow(SECOND, 2)
    status, said = log.verify("--known", known)
    assert (status, "are not those that were signed before" in said) == (1, True), said


def test_a_split_view_is_told_by_the_proof_of_somebody_who_saw_the_other(log: Log) -> None:
    proof = log.proof_of(9)

    async def attack(uow: UnitOfWork) -> None:
        events = await tampering.rewrite_chain(uow, 9, actor_id="somebody")
        await tampering.rewrite_tiles(uow, events)
        await tampering.rewrite_checkpoint(uow, events, log.custody(), log.provider.url, BEGAN)

    log.with_store(attack)
    status, said = log.verify("--quick", "--proof", proof)
    assert (status, "two different logs" in said) == (1, True), said


def test_a_log_that_became_shorter_is_told(log: Log) -> None:
    known = log.folder / "known.json"
    log.grow(SECOND, 2)
    assert log.verify("--known", known)[0] == 0
    log.with_store(lambda uow: tampering.remove(uow, checkpoints, tree_size=SECOND))
    status, said = log.verify("--known", known)
    assert (status, "has become shorter" in said) == (1, True), said


@pytest.mark.parametrize("what", ["root", "stranger", "leaf", "tile"])
def test_what_does_not_follow_from_what_was_signed_is_told(log: Log, what: str) -> None:
    strange = log.custody("strange")

    async def attack(uow: UnitOfWork) -> None:
        events = await uow.ledger.sealed(None, 1000)
        tile = TileId(0, 0)
        hashes = (await uow.merkle_log.tiles([tile]))[tile]
        if what == "stranger":
            await tampering.rewrite_checkpoint(uow, events, strange, log.provider.url, BEGAN)
        elif what == "root":
            await tampering.rewrite_checkpoint(uow, events, log.custody(), log.provider.url + "x", BEGAN)
        elif what == "leaf":
            await tampering.set_tile(uow, tile, bytes(32) + hashes[32:])
        else:
            await tampering.set_tile(uow, tile, hashes[:-32])

    log.with_store(attack)
    status, said = log.verify()
    told = {
        "root": (1, "of another log"),
        "stranger": (1, "never published"),
        "leaf": (1, "not those that were signed"),
        "tile": (2, "answered 503"),
    }[what]
    assert (status, told[1] in said) == (told[0], True), said


def test_a_checkpoint_by_a_key_that_has_retired_since_is_still_believed(log: Log) -> None:
    """Rotated twice, its key is neither active nor next; it stands in the set until it is retired."""
    log.provider.run("keys", "rotate")
    log.provider.run("keys", "rotate")
    assert log.verify()[0] == 0


def test_what_cannot_be_found_out_is_not_called_wrong(log: Log, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    assert log.verify("--known", broken)[0] == 2
    assert log.verify("--quick", "--known", tmp_path / "new.json")[0] == 2
    log.provider.stop()
    status, said = log.verify()
    assert (status, "Not verified" in said) == (2, True), said
