"""The audit log: appended in the transaction of every change, sealed into a chain by the sequencer."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, desc, func, null, or_, select

from idp.audit.chain import Head, SealedEvent
from idp.audit.events import Event
from idp.store.database import Row
from idp.store.encoding import dump_mapping, micros
from idp.store.places import NEWEST, Place
from idp.store.recorder import Recorder
from idp.store.tables import audit_events as t
from idp.store.tables import audit_head
from idp.store.writes import Change, Insert, Remove, Values

_COLUMNS = (
    "event_id",
    "occurred_at",
    "type",
    "actor_kind",
    "actor_id",
    "client_id",
    "citizen_id",
    "link_id",
    "details",
)
_APPEND = Insert("audit_event", t, _COLUMNS)
_SEAL = Change(
    "audit_event_sealed",
    t,
    where=lambda bind: (t.c.event_id == bind("id")) & (t.c.sequence == null()),
    values=lambda bind: {"sequence": bind("sequence"), "chain_hash": bind("chain_hash")},
)
_ADVANCE = Change(
    "audit_head",
    audit_head,
    where=lambda bind: (
        (audit_head.c.head_id == bind("id"))
        & (audit_head.c.sequence == bind("sequence_before"))
        & (audit_head.c.chain_hash == bind("chain_hash_before"))
    ),
    values=lambda bind: {
        "sequence": bind("sequence"),
        "chain_hash": bind("chain_hash"),
        "sealed_at": bind("now"),
    },
    gate=True,
)
_UNSEALED = (
    select(t).where(t.c.sequence == null()).order_by(t.c.occurred_at, t.c.event_id).limit(bindparam("limit"))
)
_SEALED = (
    select(t)
    .where(t.c.sequence != null())
    .where(
        or_(
            t.c.sequence > bindparam("after_sequence"),
            and_(t.c.sequence == bindparam("after_sequence"), t.c.event_id > bindparam("after_event_id")),
        )
    )
    .order_by(t.c.sequence, t.c.event_id)
    .limit(bindparam("limit"))
)
_AFTER = select(t).where(t.c.sequence > bindparam("after")).order_by(t.c.sequence).limit(bindparam("limit"))
_PURGE = Remove(
    "audit_events_purged",
    t,
    where=lambda bind: (t.c.sequence > bind("after")) & (t.c.sequence <= bind("through")),
)
_BEFORE_EVERYTHING = -(2**63)
_HEAD = select(audit_head)
_LATEST = select(t).order_by(desc(t.c.occurred_at), desc(t.c.event_id)).limit(bindparam("limit"))
_NEWEST_SEALED = (
    select(t).where(t.c.sequence != null()).order_by(desc(t.c.sequence)).limit(bindparam("limit"))
)
_NEWEST_UNSEALED = (
    select(t)
    .where(t.c.sequence == null())
    .order_by(desc(t.c.occurred_at), desc(t.c.event_id))
    .limit(bindparam("limit"))
)
_OF_LINK = (
    select(t)
    .where(t.c.link_id == bindparam("link_id"))
    .where(
        or_(
            t.c.occurred_at < bindparam("before_time"),
            and_(t.c.occurred_at == bindparam("before_time"), t.c.event_id < bindparam("before_event_id")),
        )
    )
    .order_by(desc(t.c.occurred_at), desc(t.c.event_id))
    .limit(bindparam("limit"))
)
_WAITING = select(func.count().label("events"), func.min(t.c.occurred_at).label("oldest")).where(
    t.c.sequence == null()
)


class Ledger:
    """What the program remembers about what was done."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def append(self, event: Event) -> None:
        """Record an event beside the change it tells of."""
        self._recorder.record(_APPEND, **_row_from_event(event))

    def append_many(self, events: Sequence[Event]) -> None:
        """Record the events of a bulk change."""
        self._recorder.record_many(_APPEND, [_row_from_event(event) for event in events])

    async def head(self) -> Head:
        """Return the end of the chain. Raises LookupError when the table was emptied."""
        row = await self._recorder.fetch_one(_HEAD)
        if row is None:
            raise LookupError("the audit log has no head")
        return Head(row["sequence"], bytes(row["chain_hash"]))

    async def unsealed(self, limit: int) -> list[SealedEvent]:
        """Return events that wait for the sequencer, oldest first; their sequence and hash are empty."""
        return [sealed_event(row) for row in await self._recorder.fetch_all(_UNSEALED, limit=limit)]

    async def sealed(self, after: SealedEvent | None, limit: int) -> list[SealedEvent]:
        """Return sealed events in the order of the chain; nothing that claims a place is left out."""
        rows = await self._recorder.fetch_all(
            _SEALED,
            after_sequence=_BEFORE_EVERYTHING if after is None else after.sequence,
            after_event_id="" if after is None else after.event_id,
            limit=limit,
        )
        return [sealed_event(row) for row in rows]

    async def sealed_after(self, sequence: int, limit: int) -> list[SealedEvent]:
        """Return the events behind a place in the chain."""
        rows = await self._recorder.fetch_all(_AFTER, after=sequence, limit=limit)
        return [sealed_event(row) for row in rows]

    async def latest(self, limit: int) -> list[SealedEvent]:
        """Return the newest events, sealed or not."""
        return [sealed_event(row) for row in await self._recorder.fetch_all(_LATEST, limit=limit)]

    async def tail(self, limit: int) -> list[SealedEvent]:
        """Return the end of the log, newest first: the events that wait, then the end of the chain.

        Both have an index of their own; in the order of their times all events would have to be sorted.
        """
        waiting = await self._recorder.fetch_all(_NEWEST_UNSEALED, limit=limit)
        sealed = await self._recorder.fetch_all(_NEWEST_SEALED, limit=limit)
        return [sealed_event(row) for row in (*waiting, *sealed)][:limit]

    async def of_link(self, link_id: str, *, before: Place = NEWEST, limit: int = 20) -> list[SealedEvent]:
        """Return the events of one link, newest first.

        `before` is the time in microseconds and the id of the event before which to go on: several may
        have happened in one microsecond, all those of one transaction for example.
        """
        time, event_id = before
        rows = await self._recorder.fetch_all(
            _OF_LINK, link_id=link_id, before_time=time, before_event_id=event_id, limit=limit
        )
        return [sealed_event(row) for row in rows]

    async def waiting(self) -> tuple[int, int | None]:
        """Return how many events wait to be sealed, and the time of the oldest in microseconds."""
        row = await self._recorder.fetch_one(_WAITING)
        return (0, None) if row is None else (row["events"], row["oldest"])

    def purge(self, after: int, through: int) -> None:
        """Record the removal of a piece of the chain, without its first place and with its last."""
        self._recorder.record(_PURGE, after=after, through=through)

    def seal(self, events: Sequence[SealedEvent], before: Head, now: datetime) -> None:
        """Record a piece of the chain. The gate `audit_head` closes when another sequencer was faster."""
        last = events[-1]
        self._recorder.record(
            _ADVANCE,
            id=1,
            sequence_before=before.sequence,
            chain_hash_before=before.chain_hash,
            sequence=last.sequence,
            chain_hash=last.chain_hash,
            now=micros(now),
        )
        self._recorder.record_many(
            _SEAL,
            [
                {"id": event.event_id, "sequence": event.sequence, "chain_hash": event.chain_hash}
                for event in events
            ],
        )


def sealed_event(row: Row) -> SealedEvent:
    """Read a row of the log."""
    return SealedEvent(
        sequence=row["sequence"] or 0,
        event_id=row["event_id"],
        occurred_at=row["occurred_at"],
        type=row["type"],
        actor_kind=row["actor_kind"],
        actor_id=row["actor_id"],
        client_id=row["client_id"],
        citizen_id=row["citizen_id"],
        link_id=row["link_id"],
        details=row["details"],
        chain_hash=bytes(row["chain_hash"] or b""),
    )


def _row_from_event(event: Event) -> Values:
    return {
        "event_id": secrets.token_urlsafe(16),
        "occurred_at": micros(event.occurred_at),
        "type": event.type,
        "actor_kind": event.actor.kind.value,
        "actor_id": event.actor.id,
        "client_id": event.client_id,
        "citizen_id": event.citizen_id,
        "link_id": event.link_id,
        "details": dump_mapping(event.details),
    }
