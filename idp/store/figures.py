"""Counts over the whole log and over what was delivered, for the public figures. Never of a person.

The log has no index on time, which every sign-in would pay for. Its sequence is nearly one: a month is a
piece of it, found by halving and read in parts.
"""

from datetime import datetime

from sqlalchemy import bindparam, case, func, literal_column, null, select

from idp.audit.figures import STEPS
from idp.store.client_tables import outbox
from idp.store.encoding import micros
from idp.store.oversight_tables import delivery_figures as d
from idp.store.recorder import Recorder
from idp.store.tables import audit_events as t
from idp.store.writes import Insert, Values

_TIME_AT = (
    select(t.c.sequence, t.c.occurred_at)
    .where(t.c.sequence >= bindparam("sequence"))
    .order_by(t.c.sequence)
    .limit(literal_column("1"))
)
_IN_PIECE = (
    (t.c.sequence > bindparam("after"))
    & (t.c.sequence <= bindparam("through"))
    & (t.c.occurred_at >= bindparam("since"))
    & (t.c.occurred_at < bindparam("until"))
)
_COUNTS = select(t.c.type, func.count().label("count")).where(_IN_PIECE).group_by(t.c.type)
_DETAILS = (
    select(t.c.details, func.count().label("count"))
    .where(_IN_PIECE, t.c.type == bindparam("type"))
    .group_by(t.c.details)
)
_took = outbox.c.delivered_at - outbox.c.created_at
_STEP = case(
    *((_took <= literal_column(f"{step}000000"), literal_column(str(step))) for step in STEPS),
    else_=literal_column(str(STEPS[-1])),
).label("seconds")
_DELIVERED = (
    select(outbox.c.kind, _STEP, func.count().label("deliveries"))
    .where(outbox.c.delivered_at != null())
    .where((outbox.c.delivered_at >= bindparam("since")) & (outbox.c.delivered_at < bindparam("until")))
    .group_by(outbox.c.kind, _STEP)
)
_HOURS = select(d.c.hour).distinct().where(d.c.hour >= bindparam("since"))
_TIMES = (
    select(d.c.kind, d.c.seconds, func.sum(d.c.deliveries).label("deliveries"))
    .where((d.c.hour >= bindparam("since")) & (d.c.hour < bindparam("until")))
    .group_by(d.c.kind, d.c.seconds)
)
_ADD = Insert("delivery_figure", d, ("hour", "kind", "seconds", "deliveries"), unless_exists=True)


class Figures:
    """What the program can count."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def place_at(self, at: datetime, first: int, last: int) -> int:
        """Return a place in the chain between two others near which events of a time stand, by halving."""
        wanted = micros(at)
        while first < last:
            middle = (first + last) // 2
            row = await self._recorder.fetch_one(_TIME_AT, sequence=middle)
            if row is not None and row["occurred_at"] < wanted:
                first = middle + 1
            else:
                last = middle
        return first

    async def counts(self, after: int, through: int, since: datetime, until: datetime) -> dict[str, int]:
        """Return how many events of each type a piece of the chain has, of those times."""
        rows = await self._recorder.fetch_all(_COUNTS, **_piece(after, through, since, until))
        return {row["type"]: row["count"] for row in rows}

    async def details(
        self, after: int, through: int, since: datetime, until: datetime, event_type: str
    ) -> dict[str, int]:
        """Return the same of one type, by its details: for types whose details are few."""
        piece = _piece(after, through, since, until)
        rows = await self._recorder.fetch_all(_DETAILS, **piece, type=event_type)
        return {row["details"]: row["count"] for row in rows}

    async def hours_counted(self, since: datetime) -> set[int]:
        """Return which hours have delivery figures, in microseconds."""
        return {row["hour"] for row in await self._recorder.fetch_all(_HOURS, since=micros(since))}

    async def count_deliveries(self, since: datetime, until: datetime) -> None:
        """Record how long the deliveries of an hour took, before the outbox forgets them."""
        rows = await self._recorder.fetch_all(_DELIVERED, since=micros(since), until=micros(until))
        figures: list[Values] = [
            {
                "hour": micros(since),
                "kind": row["kind"],
                "seconds": row["seconds"],
                "deliveries": row["deliveries"],
            }
            for row in rows
        ]
        self._recorder.record_many(_ADD, figures)

    async def delivery_times(self, since: datetime, until: datetime) -> dict[str, dict[int, int]]:
        """Return how many deliveries of each kind took how long: by upper bound in seconds."""
        found: dict[str, dict[int, int]] = {}
        for row in await self._recorder.fetch_all(_TIMES, since=micros(since), until=micros(until)):
            found.setdefault(row["kind"], {})[row["seconds"]] = int(row["deliveries"])
        return found


def _piece(after: int, through: int, since: datetime, until: datetime) -> dict[str, int]:
    return {"after": after, "through": through, "since": micros(since), "until": micros(until)}
