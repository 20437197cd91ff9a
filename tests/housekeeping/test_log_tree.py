"""The Merkle tree grows with the chain, on both engines; checkpoints are signed once a minute."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import jwt
import pytest

from idp.audit.chain import encode
from idp.audit.merkle import leaf_hash, root_of
from idp.audit.tiles import TileError, TileId
from idp.housekeeping.checkpoints import publish_checkpoint
from idp.housekeeping.sequencer import GapError, catch_up, seal_waiting
from idp.store.oversight_tables import merkle_tiles
from idp.store.tables import audit_events
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import Remove
from keys import Custody
from tests.support.public_log import ISSUER, append, seal_all, sign_all
from tests.support.stores import NOW, Memory, opened_memory

pytestmark = pytest.mark.anyio


@pytest.fixture
async def memory(anyio_backend: str, database_url: str) -> AsyncIterator[Memory]:
    async with opened_memory(database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def custody(tmp_path_factory: pytest.TempPathFactory) -> Custody:
    return Custody.open(tmp_path_factory.mktemp("keys"), None, NOW)


async def leaves(uow: UnitOfWork) -> list[bytes]:
    return [leaf_hash(encode(event)) for event in await uow.ledger.sealed(None, 10_000)]


async def signed_root(uow: UnitOfWork) -> tuple[int, bytes]:
    newest = await uow.merkle_log.newest_checkpoint()
    assert newest is not None
    return newest.tree_size, newest.root_hash


async def forget(memory: Memory, *tiles: TileId) -> None:
    """Remove tiles as nobody should."""
    write = Remove(
        "tampering",
        merkle_tiles,
        where=lambda bind: (merkle_tiles.c.level == bind("level")) & (merkle_tiles.c.tile == bind("tile")),
    )
    uow = memory.unit_of_work()
    for tile in tiles:
        uow.record(write, level=tile.level, tile=tile.index)
    await uow.commit()


async def test_the_tree_grows_with_the_chain(memory: Memory, custody: Custody) -> None:
    uow = memory.unit_of_work()
    size = 0
    for count in (1, 254, 1, 1, 520, 3):
        await append(uow, count, NOW)
        while sealed := await seal_waiting(uow, NOW, batch=200):
            size += sealed
        assert await uow.merkle_log.size() == size
    await publish_checkpoint(uow, custody, ISSUER, NOW)
    assert await signed_root(uow) == (780, root_of(await leaves(uow)))
    assert set(await uow.merkle_log.tiles([TileId(0, 3), TileId(1, 0), TileId(1, 1)])) == {
        TileId(0, 3),
        TileId(1, 0),
    }


async def test_events_sealed_before_there_was_a_tree_are_brought_in(memory: Memory, custody: Custody) -> None:
    uow = memory.unit_of_work()
    await append(uow, 600, NOW)
    await seal_all(uow, NOW)
    before = await leaves(uow)
    await forget(memory, TileId(0, 0), TileId(0, 1), TileId(0, 2), TileId(1, 0))
    await append(uow, 1, NOW)
    with pytest.raises(TileError):
        await seal_waiting(uow, NOW)
    assert [await catch_up(uow, batch=250) for _ in range(4)] == [250, 250, 100, 0]
    await sign_all(uow, custody, NOW)
    assert await signed_root(uow) == (601, root_of([*before, (await leaves(uow))[-1]]))


async def test_a_tree_is_not_built_over_a_gap(memory: Memory) -> None:
    uow = memory.unit_of_work()
    await append(uow, 5, NOW)
    await seal_all(uow, NOW)
    await forget(memory, TileId(0, 0))
    uow.record(
        Remove("tampering", audit_events, where=lambda bind: audit_events.c.sequence == bind("sequence")),
        sequence=3,
    )
    await uow.commit()
    with pytest.raises(GapError, match="event 1 or one soon after it"):
        await catch_up(uow)


async def test_many_sequencers_build_one_tree(memory: Memory, custody: Custody) -> None:
    await append(memory.unit_of_work(), 700, NOW)
    while await memory.unit_of_work().ledger.waiting() != (0, None):
        await asyncio.gather(*(seal_waiting(memory.unit_of_work(), NOW, batch=90) for _ in range(4)))
    uow = memory.unit_of_work()
    await publish_checkpoint(uow, custody, ISSUER, NOW)
    assert await signed_root(uow) == (700, root_of(await leaves(uow)))


async def test_checkpoints_come_once_a_minute_and_only_when_the_log_has_grown(
    memory: Memory, custody: Custody
) -> None:
    uow = memory.unit_of_work()
    assert not await publish_checkpoint(uow, custody, ISSUER, NOW), "an empty log says nothing"
    await append(uow, 2, NOW)
    await seal_all(uow, NOW)
    assert await publish_checkpoint(uow, custody, ISSUER, NOW)
    await append(uow, 1, NOW)
    await seal_all(uow, NOW)
    assert not await publish_checkpoint(uow, custody, ISSUER, NOW + timedelta(seconds=59))
    assert await publish_checkpoint(uow, custody, ISSUER, NOW + timedelta(seconds=60))
    assert not await publish_checkpoint(uow, custody, ISSUER, NOW + timedelta(days=1))
    assert [each.tree_size for each in await uow.merkle_log.checkpoints_before(2**40, 9)] == [3, 2]
    newest = await uow.merkle_log.newest_checkpoint()
    assert newest is not None
    key = custody.signing.verification_key(jwt.get_unverified_header(newest.signed)["kid"])
    assert key is not None
    claims = jwt.decode(newest.signed, key.public_key, [key.algorithm], options={"verify_iat": False})
    assert claims["iss"] == ISSUER
    assert claims["iat"] == int((NOW + timedelta(seconds=60)).timestamp())
    assert jwt.get_unverified_header(newest.signed)["typ"] == "checkpoint+jwt"


async def test_of_two_who_sign_at_once_one_is_kept(memory: Memory, custody: Custody) -> None:
    uow = memory.unit_of_work()
    await append(uow, 2, NOW)
    await seal_all(uow, NOW)
    signing = [publish_checkpoint(memory.unit_of_work(), custody, ISSUER, NOW) for _ in range(4)]
    assert sum(await asyncio.gather(*signing)) == 1
    assert len(await uow.merkle_log.checkpoints_after(0, 9)) == 1
