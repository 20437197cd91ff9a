"""Indexes in memory: taken in blocks, handed out once, whatever happens at the same time."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from idp.protocol.status_indexes import BLOCK
from idp.web.status_indexes import StatusIndexes
from tests.support.protocol_builders import NOW
from tests.support.stores import Memory, opened_memory

pytestmark = pytest.mark.anyio


@pytest.fixture
async def memory(anyio_backend: str, database_url: str) -> AsyncIterator[Memory]:
    async with opened_memory(database_url) as opened:
        yield opened


def process(memory: Memory) -> StatusIndexes:
    return StatusIndexes(memory.unit_of_work, lambda: NOW)


async def test_no_two_links_get_the_same_index_from_any_process(memory: Memory) -> None:
    first, second = process(memory), process(memory)
    taken = await asyncio.gather(
        *(indexes.take("network") for indexes in (first, second) for _ in range(BLOCK + 20))
    )
    assert len(set(taken)) == len(taken) == 2 * BLOCK + 40
    assert len({list_id for list_id, _ in taken}) <= 2, "two processes may begin a list each"


async def test_a_block_costs_one_reservation_however_many_ask_at_once(memory: Memory) -> None:
    indexes = process(memory)
    before = memory.database.statistics.commits
    await asyncio.gather(*(indexes.take("network") for _ in range(BLOCK)))
    assert memory.database.statistics.commits == before + 1
    statements = memory.database.statistics.statements
    await indexes.take("network")
    assert memory.database.statistics.statements - statements <= 2


async def test_each_client_has_indexes_of_its_own(memory: Memory) -> None:
    indexes = process(memory)
    [mine, _], [others, _] = await indexes.take("network"), await indexes.take("another")
    assert mine != others
