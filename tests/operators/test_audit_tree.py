"""`idp audit verify` beyond the chain: whoever reseals it is told by the tree, and by what was signed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from idp.audit.chain import Head
from idp.audit.retention import KEPT_FOR
from idp.audit.tiles import TileId
from idp.housekeeping.retention import purge_history
from idp.store.oversight_tables import checkpoints, merkle_tiles
from idp.store.tables import audit_events
from idp.store.unit_of_work import UnitOfWork
from keys import Custody
from tests.operators.conftest import Installation
from tests.support import tampering
from tests.support.public_log import ISSUER, append, sign_all

FIRST, WHOLE = 150, 300
"""Events at the first checkpoint and at the second; a full tile of leaves lies between them and the end."""
MINUTES_AGO = datetime.now(UTC) - timedelta(minutes=30)


@pytest.fixture
def log(installation: Installation) -> Installation:
    custody = installation.custody()

    async def fill(uow: UnitOfWork) -> None:
        for count, minutes in ((FIRST, 0), (WHOLE - FIRST, 10)):
            at = MINUTES_AGO + timedelta(minutes=minutes)
            await append(uow, count, at)
            await sign_all(uow, custody, at)

    installation.with_store(fill)
    return installation


def tamper(log: Installation, attack: Callable[[UnitOfWork], Awaitable[Any]]) -> None:
    log.with_store(attack)


def finding(log: Installation) -> tuple[str, int, int]:
    document = log.answer("audit", "verify", status=1)
    assert document["finding"] is None, "the chain alone does not tell"
    found = document["tree"]["finding"]
    assert document["error"]["message"].startswith("Event")
    return found["kind"], found["first"], found["last"]


def test_tree_and_checkpoints_agree(log: Installation) -> None:
    tree = log.answer("audit", "verify")["tree"]
    newest = log.answer("audit", "checkpoint")
    assert (tree["size"], tree["checkpoints"], tree["finding"]) == (WHOLE, 2, None)
    assert (newest["tree_size"], newest["root_hash"]) == (WHOLE, tree["root_hash"])
    claims = jwt.decode(newest["checkpoint"], options={"verify_signature": False})
    assert (claims["tree_size"], claims["root_hash"], claims["iss"]) == (WHOLE, tree["root_hash"], ISSUER)
    assert f"root {WHOLE} {tree['root_hash']}, as in 2 checkpoints" in log.run("audit", "verify").stdout


def test_nothing_is_signed_before_the_first_event(installation: Installation) -> None:
    assert "Nothing was signed yet" in installation.refused("audit", "checkpoint")
    assert installation.answer("audit", "verify")["tree"]["size"] == 0


def test_events_that_are_not_in_the_tree_yet_are_no_finding(log: Installation) -> None:
    log.answer("keys", "rotate", "--algorithm", "ES256")
    log.seal()
    document = log.answer("audit", "verify")
    assert document["verified"] > document["tree"]["size"] == WHOLE
    assert document["tree"]["checkpoints"] == 2, "signed by a key that is retiring now"


def test_a_chain_that_was_sealed_anew_is_told_by_the_tree(log: Installation) -> None:
    tamper(log, lambda uow: tampering.rewrite_chain(uow, 7, actor_id="somebody"))
    assert finding(log) == ("leaf_differs", 7, 7)


@pytest.mark.parametrize(("sequence", "told"), [(7, (1, FIRST)), (FIRST + 1, (FIRST + 1, WHOLE))])
def test_a_tree_that_was_grown_anew_is_told_by_what_was_signed(
    log: Installation, sequence: int, told: tuple[int, int]
) -> None:
    async def attack(uow: UnitOfWork) -> None:
        await tampering.rewrite_tiles(uow, await tampering.rewrite_chain(uow, sequence, actor_id="somebody"))

    tamper(log, attack)
    assert finding(log) == ("root_differs", *told)


def test_what_others_signed_is_told(log: Installation) -> None:
    strange = Custody.open(log.folder / "strange", None, datetime.now(UTC))

    async def attack(uow: UnitOfWork) -> None:
        events = await tampering.rewrite_chain(uow, WHOLE, actor_id="somebody")
        await tampering.rewrite_tiles(uow, events)
        at = MINUTES_AGO + timedelta(minutes=10)
        await tampering.rewrite_checkpoint(uow, events, strange, ISSUER, at)

    tamper(log, attack)
    assert finding(log) == ("signature_invalid", 1, WHOLE)


@pytest.mark.parametrize(
    "values", [{"tree_size": FIRST + 1}, {"root_hash": bytes(32)}, {"created_at": 1}], ids=str
)
def test_what_is_kept_beside_a_signature_is_what_was_signed(
    log: Installation, values: dict[str, Any]
) -> None:
    tamper(log, lambda uow: tampering.change(uow, checkpoints, {"tree_size": FIRST}, **values))
    assert finding(log)[0] == "signature_invalid"


def test_a_tile_that_is_gone_or_changed_is_told(log: Installation) -> None:
    tiles: dict[TileId, bytes] = {}

    async def read(uow: UnitOfWork) -> None:
        tiles.update(await uow.merkle_log.tiles([TileId(0, 0), TileId(0, 1), TileId(1, 0)]))

    log.with_store(read)
    for tile, hashes, told in (
        (TileId(1, 0), bytes(32), ("tile_differs", 1, WHOLE)),
        (TileId(0, 1), tiles[TileId(0, 1)][:32] + bytes(43 * 32), ("leaf_differs", 258, 258)),
        (TileId(0, 0), tiles[TileId(0, 0)][:-32], ("tile_differs", 256, 256)),
    ):
        tamper(log, lambda uow, tile=tile, hashes=hashes: tampering.set_tile(uow, tile, hashes))
        assert finding(log) == told
        tamper(log, lambda uow, tile=tile: tampering.set_tile(uow, tile, tiles[tile]))
    tamper(log, lambda uow: tampering.remove(uow, merkle_tiles, level=1, tile=0))
    assert finding(log) == ("tile_differs", 1, WHOLE)


def test_an_end_that_was_cut_off_everywhere_is_told_by_what_was_signed(log: Installation) -> None:
    async def attack(uow: UnitOfWork) -> None:
        events = await uow.ledger.sealed(None, 1000)
        for event in events[200:]:
            await tampering.remove(uow, audit_events, event_id=event.event_id)
        await tampering.set_head(uow, Head(200, events[199].chain_hash))
        for tile in (TileId(0, 1), TileId(1, 0)):
            await tampering.remove(uow, merkle_tiles, level=tile.level, tile=tile.index)
        first = (await uow.merkle_log.tiles([TileId(0, 0)]))[TileId(0, 0)]
        await tampering.set_tile(uow, TileId(0, 0), first[: 200 * 32])

    tamper(log, attack)
    assert finding(log) == ("checkpoint_beyond", 201, WHOLE)


def test_nobody_can_call_a_removal_a_purge_before_five_years_are_over(log: Installation) -> None:
    async def attack(uow: UnitOfWork) -> None:
        events = await uow.ledger.sealed(None, 1000)
        uow.merkle_log.purge(Head(FIRST, events[FIRST - 1].chain_hash), datetime.now(UTC))
        uow.ledger.purge(0, FIRST)
        await uow.commit()

    tamper(log, attack)
    assert finding(log) == ("purged_too_soon", 1, FIRST)


def test_a_purged_log_is_verified_from_where_it_begins(
    log: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = MINUTES_AGO + KEPT_FOR + timedelta(minutes=5)
    monkeypatch.setattr("idp.operators.audit.utc_now", lambda: later)

    async def purge(uow: UnitOfWork) -> int:
        gone = 0
        while piece := await purge_history(uow, later, batch=60):
            gone += piece
        return gone

    assert log.with_store(purge) == FIRST, "the second checkpoint is not old enough"
    document = log.answer("audit", "verify")
    assert (document["purged"], document["verified"], document["tree"]["size"]) == (FIRST, WHOLE, WHOLE)
    assert document["tree"]["checkpoints"] == 2, "the root of what was purged can still be derived"
    said = log.run("audit", "verify").stdout
    assert said.startswith(f"{WHOLE - FIRST} events are intact.\n{FIRST} older ones were purged")
    tamper(log, lambda uow: tampering.change(uow, audit_events, {"sequence": FIRST + 1}, actor_id="x"))
    assert log.answer("audit", "verify", status=1)["finding"]["sequence"] == FIRST + 1
