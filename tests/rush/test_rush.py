"""A small rush through the real processes; then every platform knows what the provider's tables say."""

from pathlib import Path

import pytest

from tests.rush.course import discovered, followed, link_over_http, settled
from tests.rush.field import prepared
from tests.rush.making import Made, Rush

pytestmark = pytest.mark.anyio

LINKS = 600


async def test_after_a_rush_every_platform_knows_what_the_tables_say(
    database_url: str, tmp_path: Path
) -> None:
    made = Made()
    async with prepared(tmp_path, database_url, {}) as field, discovered(field) as back_ends:
        async with followed(back_ends):
            await link_over_http(field, made, 3)
            await Rush(field, LINKS, 60, made).run()
        outcome = await settled(field, back_ends, made, 60)
    assert not outcome.differences
    assert made.count("established") >= LINKS
    assert outcome.links == made.count("established")
    assert outcome.changes == len(made.at)
    assert made.count("suspended") == LINKS // 50
    assert made.disputes == LINKS // 20
    assert made.count("ended") == LINKS // 40
    assert not made.unanswered
