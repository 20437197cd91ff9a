"""`kill -9` of provider, companions and PostgreSQL at random moments of a rush loses and doubles nothing."""

import asyncio
import random
import sys
from pathlib import Path

from idp.store.migrate import upgrade
from tests.rush.course import discovered, followed, settled
from tests.rush.field import prepared
from tests.rush.killing import rush_under_kills
from tests.rush.making import Made
from tests.support.postgresql import DURABLE, PostgreSQLServer, create_database, running_postgresql

ROUNDS = 1


async def killed(folder: Path, database: PostgreSQLServer, url: str, chance: random.Random) -> None:
    made = Made()
    async with prepared(folder, url, {}) as field, discovered(field) as back_ends:
        async with followed(back_ends):
            await rush_under_kills(field, database, made, chance, ROUNDS)
        outcome = await settled(field, back_ends, made, 60)
    sys.stdout.write(
        f"{outcome.links} links, {made.unanswered} commits without an answer,"
        f" {sum(heard.copies for heard in outcome.heard.values())} events told twice\n"
    )
    assert not outcome.differences
    assert outcome.links >= made.count("established") > 0


def test_kill_9_of_anything_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")  # shown with a failure, to kill in the same order again
    with running_postgresql(DURABLE) as database:
        url = create_database(database.url, "lienket")
        upgrade(url)
        asyncio.run(killed(tmp_path, database, url, random.Random(seed)))
