"""`make bench`: processor time and SQL statements per operation, on SQLite and on PostgreSQL.

The real application runs in a process of its own; the load comes from this one, over kept-alive connections.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from idp.store.migrate import upgrade
from tests.bench.client import connections
from tests.bench.operations import Measurement, measure_bare_route, measure_provider
from tests.bench.population import Population, populate
from tests.bench.processors import give_the_free_one_to, keep_one_free
from tests.bench.report import BUDGETS, Row, markdown
from tests.support.postgresql import DURABLE, create_database, running_postgresql
from tests.support.served import ServedProvider

CONNECTIONS = 64
SERVER = (sys.executable, "-m", "tests.bench.measured_server")


def main() -> int:
    given = _arguments()
    keep_one_free()
    with tempfile.TemporaryDirectory(prefix="lienket-bench-") as folder:
        bare = _bare_route(Path(folder), given.operations)
        rows: list[Row] = []
        for engine in given.engines:
            rows += _rows(engine, Path(folder) / engine, bare, given.operations)
    table = markdown(rows, bare, given.operations)
    sys.stdout.write(f"{table}\n")
    if given.markdown:
        given.markdown.write_text(f"{table}\n")
    return int(given.strict and any(row.excesses for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--operations", type=int, default=500, help="of each kind; at most 10000")
    parser.add_argument(
        "--engine", dest="engines", action="append", choices=["sqlite", "postgresql"], help="default: both"
    )
    parser.add_argument("--markdown", type=Path, help="write the table to this file as well")
    parser.add_argument("--strict", action="store_true", help="fail when anything is over its budget")
    given = parser.parse_args()
    given.engines = given.engines or ["sqlite", "postgresql"]
    given.operations = min(given.operations, 10_000)
    return given


def _bare_route(folder: Path, operations: int) -> float:
    server = ServedProvider(folder, "", program=(*SERVER, "--bare"), ready_path="/bench/bare")
    _start(server)
    try:
        cost = asyncio.run(_measure_bare_route(server, operations))
    finally:
        server.stop()
    return cost


def _start(server: ServedProvider) -> None:
    server.start()
    if server.process is not None:
        give_the_free_one_to(server.process.pid)


async def _measure_bare_route(server: ServedProvider, operations: int) -> float:
    async with connections(server.port, CONNECTIONS) as pool:
        return (await measure_bare_route(Measurement(server.url, pool), operations)).milliseconds


def _rows(engine: str, folder: Path, bare: float, operations: int) -> Sequence[Row]:
    folder.mkdir()
    if engine == "sqlite":
        return _rows_of_database(engine, folder, f"sqlite:///{folder}/lienket.sqlite3", bare, operations)
    with running_postgresql(DURABLE) as server:
        url = create_database(server.url, "lienket")
        return _rows_of_database(engine, folder, url, bare, operations)


def _rows_of_database(
    engine: str, folder: Path, database_url: str, bare: float, operations: int
) -> Sequence[Row]:
    upgrade(database_url)
    provider = ServedProvider(folder, database_url, program=SERVER)
    population = populate(provider, operations)
    _start(provider)
    try:
        measurement = asyncio.run(_measure_provider(provider, population, operations))
    finally:
        provider.stop()
    return [Row(engine, operation, measurement.costs[operation], bare) for operation in BUDGETS]


async def _measure_provider(provider: ServedProvider, population: Population, operations: int) -> Measurement:
    async with connections(provider.port, CONNECTIONS) as pool:
        measurement = Measurement(provider.url, pool)
        await measure_provider(measurement, population, operations)
    return measurement


if __name__ == "__main__":
    sys.exit(main())
