"""The log as the person it concerns reads it: their events alone, newest first, and how often what was."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, desc, func, literal_column, or_, select

from idp.audit.activity import EVERYTHING, Pattern
from idp.audit.chain import SealedEvent
from idp.store.encoding import micros, moment
from idp.store.ledger import sealed_event
from idp.store.places import NEWEST, Place
from idp.store.recorder import Recorder
from idp.store.tables import audit_events as t

_PAGE = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")))
    .where(or_(t.c.type.like(bindparam("either")), t.c.type.like(bindparam("other"))))
    .where(t.c.type.not_like(bindparam("never")))
    .where(t.c.occurred_at >= bindparam("since"))
    .where(
        or_(
            t.c.occurred_at < bindparam("before_time"),
            and_(t.c.occurred_at == bindparam("before_time"), t.c.event_id < bindparam("before_event_id")),
        )
    )
    .order_by(desc(t.c.occurred_at), desc(t.c.event_id))
    .limit(bindparam("limit"))
)
_FIND = select(t).where(t.c.event_id == bindparam("event_id"), t.c.citizen_id == bindparam("citizen_id"))
_TOTALS = (
    select(
        t.c.client_id,
        t.c.type,
        func.count().label("count"),
        func.min(t.c.occurred_at).label("first_at"),
        func.max(t.c.occurred_at).label("last_at"),
    )
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .group_by(t.c.client_id, t.c.type)
    .order_by(t.c.client_id, t.c.type)
)


@dataclass(frozen=True, slots=True)
class Total:
    """How often something happened."""

    client_id: str | None
    type: str
    count: int
    first_at: datetime
    last_at: datetime


class Activity:
    """What the program remembers of what concerns one person."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def page(
        self,
        citizen_id: str,
        *,
        client_id: str = "",
        pattern: Pattern = EVERYTHING,
        since: datetime | None = None,
        before: Place = NEWEST,
        limit: int,
    ) -> list[SealedEvent]:
        """Return a person's events, newest first; of one client where one is named.

        `before` is the time and the id of the event before which to go on.
        """
        rows = await self._recorder.fetch_all(
            _PAGE,
            citizen_id=citizen_id,
            client_id=client_id,
            either=pattern.either,
            other=pattern.other,
            never=pattern.never,
            since=0 if since is None else micros(since),
            before_time=before[0],
            before_event_id=before[1],
            limit=limit,
        )
        return [sealed_event(row) for row in rows]

    async def find(self, citizen_id: str, event_id: str) -> SealedEvent | None:
        """Return one of the person's events; another's is none."""
        row = await self._recorder.fetch_one(_FIND, event_id=event_id, citizen_id=citizen_id)
        return None if row is None else sealed_event(row)

    async def totals(self, citizen_id: str) -> list[Total]:
        """Return how often each client did what."""
        rows = await self._recorder.fetch_all(_TOTALS, citizen_id=citizen_id)
        return [
            Total(
                row["client_id"],
                row["type"],
                row["count"],
                moment(row["first_at"]),
                moment(row["last_at"]),
            )
            for row in rows
        ]
