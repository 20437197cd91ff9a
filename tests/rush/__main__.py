"""`make rush`: links made as fast as they can be, on PostgreSQL, told to three platforms and then compared.

PostgreSQL as it is delivered, the provider with its companions as an operator starts it, and all receivers in
a process of their own share this machine. At the end every platform's view, by events, by its change feed and
by status lists, must be what the provider's tables say; otherwise this fails and names the differences.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from idp.store.migrate import upgrade
from tests.rush.course import Outcome, discovered, followed, link_over_http, settled
from tests.rush.field import prepared
from tests.rush.killing import rush_under_kills
from tests.rush.making import Made, Rush
from tests.rush.report import markdown
from tests.support.postgresql import DURABLE, PostgreSQLServer, create_database, running_postgresql


def main() -> int:
    given = _arguments()
    with (
        tempfile.TemporaryDirectory(prefix="lienket-rush-") as folder,
        running_postgresql(DURABLE) as server,
    ):
        url = create_database(server.url, "lienket")
        upgrade(url)
        outcome = asyncio.run(_rush(Path(folder), url, given, server))
    busy = f"{os.cpu_count()} shared cores; load at the end {os.getloadavg()[1]:.1f}."
    table = markdown(outcome, busy)
    sys.stdout.write(f"{table}\n")
    if given.markdown:
        given.markdown.write_text(f"{table}\n")
    for difference in outcome.differences:
        sys.stderr.write(f"{difference}\n")
    return int(bool(outcome.differences))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rush LINKS=… ARGS=…", description=__doc__)
    parser.add_argument("--links", type=int, default=20_000, help="how many are made at least")
    parser.add_argument("--seconds", type=float, default=240.0, help="after which no more are made")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds until all must be told")
    parser.add_argument("--over-http", type=int, default=12, help="links made through every page, first")
    parser.add_argument("--kills", type=int, default=0, help="make links until all was killed so often")
    parser.add_argument("--markdown", type=Path, help="write the table to this file as well")
    return parser.parse_args()


async def _rush(folder: Path, url: str, given: argparse.Namespace, server: PostgreSQLServer) -> Outcome:
    made, began = Made(), time.monotonic()
    settings = {"IDP_LOG_FILE": str(folder / "log")}
    async with prepared(folder, url, settings) as field, discovered(field) as back_ends:
        async with followed(back_ends):
            await link_over_http(field, made, given.over_http)
            _say(began, f"{given.over_http} links over HTTP")
            if given.kills:
                await rush_under_kills(field, server, made, random.Random(), given.kills)
            else:
                await Rush(field, given.links, given.seconds, made).run()
            _say(began, f"{made.count('established')} links in {made.seconds:.0f} s; now all is told")
        outcome = await settled(field, back_ends, made, given.patience)
        _say(began, "all is told and compared")
    return outcome


def _say(began: float, what: str) -> None:
    sys.stderr.write(f"{time.monotonic() - began:6.0f} s  {what}\n")


if __name__ == "__main__":
    sys.exit(main())
