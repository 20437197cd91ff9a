"""Changes to a database past the program: what time would do, without waiting for it."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import asyncpg


def run_sql(url: str, statement: str) -> None:
    """Execute one statement on a database of either engine."""
    if url.startswith("sqlite:///"):
        database = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=20)
        try:
            database.execute(statement)
        finally:
            database.close()
        return

    async def execute() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    # In a thread of its own: while a browser is open, this one counts as inside an event loop.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: asyncio.run(execute())).result()
