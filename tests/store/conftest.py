"""A memory on each engine, opened for one test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stores import Memory, opened_memory


@pytest.fixture
async def memory(anyio_backend: str, database_url: str) -> AsyncIterator[Memory]:
    """Give the stores over an empty database, once per engine."""
    async with opened_memory(database_url) as opened:
        yield opened
