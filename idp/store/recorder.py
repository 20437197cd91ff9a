"""What every store is given: a database to read from and a list to record writes in."""

from collections.abc import Sequence

from sqlalchemy.sql.expression import ClauseElement

from idp.store.database import Database, Row
from idp.store.writes import BulkStep, Step, Value, Values, Write


class Recorder:
    """Collects the writes of one unit of work."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._steps: list[Step | BulkStep] = []

    def record(self, write: Write, **values: Value) -> None:
        """Remember a write for the commit."""
        self._steps.append(Step(write, values))

    def record_many(self, write: Write, rows: Sequence[Values]) -> None:
        """Remember one write for many rows; it cannot be a gate."""
        if rows:
            self._steps.append(BulkStep(write, tuple(rows)))

    async def fetch_one(self, statement: ClauseElement, **values: Value) -> Row | None:
        """Read one row now."""
        return await self.database.fetch_one(statement, values)

    async def fetch_all(self, statement: ClauseElement, **values: Value) -> Sequence[Row]:
        """Read rows now."""
        return await self.database.fetch_all(statement, values)

    async def commit(self) -> None:
        """Execute everything recorded, atomically and in order, then forget it.

        Raises GateClosedError when a single use was spent already, UniquenessError when an index
        refused (nothing stored), StoreUnavailableError when the outcome is unknown.
        """
        steps, self._steps = self._steps, []
        if steps:
            await self.database.commit(steps)
