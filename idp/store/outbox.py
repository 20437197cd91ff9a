"""The outbox: what is to be told to others, recorded in the same commit as what it tells of.

A worker claims a delivery by moving its next attempt behind the time it needs; a worker that dies meanwhile
loses nothing but that time. Claiming is one atomic statement, so that any number of workers may look at
once. Deliveries with the same ordering key leave one after another; a parked one holds nobody up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
)

from idp.store.client_tables import outbox as t
from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Bind, Change, GateClosedError, Insert, Remove

_INSERT = Insert(
    "delivery",
    t,
    (
        "delivery_id",
        "kind",
        "client_id",
        "ordering_key",
        "content",
        "attempts",
        "created_at",
        "next_attempt_at",
    ),
    unless_exists=True,
)


_WAITING = (t.c.delivered_at == null()) & (t.c.parked_at == null())


def _is_claimed(bind: Bind) -> ColumnElement[bool]:
    """Name the delivery only while the claim under which it was taken still stands."""
    return and_(t.c.delivery_id == bind("id"), t.c.next_attempt_at == bind("claimed_until"), _WAITING)


_CLAIM = Change(
    "delivery_claimed",
    t,
    where=_is_claimed,
    values=lambda bind: {"next_attempt_at": bind("until"), "attempts": t.c.attempts + 1},
    gate=True,
)
_DELIVERED = Change(
    "delivery_made",
    t,
    where=lambda bind: (t.c.delivery_id == bind("id")) & (t.c.delivered_at == null()),
    values=lambda bind: {"delivered_at": bind("now"), "parked_at": null(), "last_failure": null()},
)
_POSTPONE = Change(
    "delivery_postponed",
    t,
    where=_is_claimed,
    values=lambda bind: {"next_attempt_at": bind("until"), "last_failure": bind("failure")},
)
_PARK = Change(
    "delivery_parked",
    t,
    where=_is_claimed,
    values=lambda bind: {"parked_at": bind("now"), "last_failure": bind("failure")},
)
_REPLAY = Change(
    "delivery_replayed",
    t,
    where=lambda bind: (t.c.delivery_id == bind("id")) & (t.c.delivered_at == null()),
    values=lambda bind: {"parked_at": null(), "attempts": bind("attempts"), "next_attempt_at": bind("now")},
    gate=True,
)
_DROP = Remove(
    "delivery_dropped",
    t,
    where=lambda bind: (t.c.delivery_id == bind("id")) & (t.c.delivered_at == null()),
    gate=True,
)

_waiting = t.alias("waiting")
_first_of_its_key = (
    # With a limit, so that it is looked up row by row: joined, it would read the whole backlog.
    select(_waiting.c.delivery_id)
    .where(
        _waiting.c.ordering_key == t.c.ordering_key,
        _waiting.c.delivered_at == null(),
        _waiting.c.parked_at == null(),
    )
    .order_by(_waiting.c.created_at, _waiting.c.delivery_id)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_is_due = and_(_WAITING, t.c.next_attempt_at <= bindparam("now"))
_CLIENTS_DUE = select(t.c.client_id).distinct().where(_is_due)
_DUE = (
    select(t)
    .where(t.c.client_id == bindparam("client_id"), _is_due, t.c.delivery_id == _first_of_its_key)
    .order_by(t.c.next_attempt_at, t.c.delivery_id)
    .limit(bindparam("limit"))
)
_FIND = select(t).where(t.c.delivery_id == bindparam("delivery_id"))
_PAGE = (
    select(t)
    .where(t.c.delivery_id > bindparam("after"))
    .where(or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")))
    .order_by(t.c.delivery_id)
    .limit(bindparam("limit"))
)


class State(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    RETRIED = "retried"
    """Waiting, and tried before."""
    PARKED = "parked"
    DELIVERED = "delivered"


_PAGES: Mapping[State | None, Select[Any]] = {
    None: _PAGE,
    State.WAITING: _PAGE.where(_WAITING),
    State.RETRIED: _PAGE.where(_WAITING, t.c.attempts > literal_column("0")),
    State.PARKED: _PAGE.where(t.c.parked_at != null()),
    State.DELIVERED: _PAGE.where(t.c.delivered_at != null()),
}
_COUNT = select(
    func.count(case((_WAITING, 1))).label("waiting"),
    func.count(case((_WAITING & (t.c.attempts > 0), 1))).label("retried"),
    func.count(t.c.parked_at).label("parked"),
    func.count(t.c.delivered_at).label("delivered"),
    func.min(case((_WAITING, t.c.created_at))).label("oldest"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that is to be told. `content` is sealed where it is kept."""

    delivery_id: str
    kind: str
    client_id: str
    """Whom it is for; empty for our own work."""
    ordering_key: str
    content: Mapping[str, Any]
    created_at: datetime
    next_attempt_at: datetime
    """When it is due; while it is under way, when another worker may take it over."""
    attempts: int = 0
    delivered_at: datetime | None = None
    parked_at: datetime | None = None
    last_failure: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """How the outbox stands."""

    waiting: int
    retried: int
    """Of the waiting ones, those that were tried before."""
    parked: int
    delivered: int
    """Recently; what was delivered is removed after a while."""
    oldest_waiting_since: datetime | None


class Outbox:
    """What the program remembers to tell others."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, delivery: Delivery) -> None:
        """Record something to tell; one with the same id is told once."""
        self._recorder.record(
            _INSERT,
            delivery_id=delivery.delivery_id,
            kind=delivery.kind,
            client_id=delivery.client_id,
            ordering_key=delivery.ordering_key,
            content=self._seal.seal(orjson.dumps(dict(delivery.content)), _context(delivery.delivery_id)),
            attempts=delivery.attempts,
            created_at=micros(delivery.created_at),
            next_attempt_at=micros(delivery.next_attempt_at),
        )

    async def clients_due(self, now: datetime) -> list[str]:
        """Return to whom something may be due; empty text for our own work."""
        rows = await self._recorder.fetch_all(_CLIENTS_DUE, now=micros(now))
        return [row["client_id"] for row in rows]

    async def due(self, client_id: str, now: datetime, *, limit: int) -> list[Delivery]:
        """Return what may be tried now for one client, the longest due first.

        Asked client by client, so that no client's backlog hides what is due to another.
        """
        rows = await self._recorder.fetch_all(_DUE, client_id=client_id, now=micros(now), limit=limit)
        return [self._from_row(row) for row in rows]

    async def claim(self, delivery: Delivery, until: datetime) -> Delivery | None:
        """Take a due delivery and count the attempt. Commits at once; None when somebody else has it."""
        self._recorder.record(
            _CLAIM,
            id=delivery.delivery_id,
            claimed_until=micros(delivery.next_attempt_at),
            until=micros(until),
        )
        try:
            await self._recorder.commit()
        except GateClosedError:
            return None
        return replace(delivery, next_attempt_at=until, attempts=delivery.attempts + 1)

    def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Record that it was told, whoever has the claim by now."""
        self._recorder.record(_DELIVERED, id=delivery.delivery_id, now=micros(now))

    def postpone(self, claimed: Delivery, until: datetime, failure: str) -> None:
        """Record that a claimed delivery failed and is tried again; nothing where the claim has passed on."""
        self._recorder.record(_POSTPONE, **_claim_of(claimed), until=micros(until), failure=failure)

    def park(self, claimed: Delivery, now: datetime, failure: str) -> None:
        """Record that a claimed delivery is given up; nothing where the claim has passed on."""
        self._recorder.record(_PARK, **_claim_of(claimed), now=micros(now), failure=failure)

    def replay(self, delivery_id: str, now: datetime) -> None:
        """Record that it is tried again from the start; gate `delivery_replayed`: unknown or delivered."""
        self._recorder.record(_REPLAY, id=delivery_id, attempts=0, now=micros(now))

    def drop(self, delivery_id: str) -> None:
        """Record that it is never told; gate `delivery_dropped`: unknown or delivered."""
        self._recorder.record(_DROP, id=delivery_id)

    async def find(self, delivery_id: str) -> Delivery | None:
        """Return a delivery, whatever became of it."""
        row = await self._recorder.fetch_one(_FIND, delivery_id=delivery_id)
        return None if row is None else self._from_row(row)

    async def page(
        self, state: State | None = None, *, client_id: str = "", after: str = "", limit: int = 50
    ) -> list[Delivery]:
        """Return deliveries by their id, of one client or, when none is named, of all."""
        rows = await self._recorder.fetch_all(_PAGES[state], client_id=client_id, after=after, limit=limit)
        return [self._from_row(row) for row in rows]

    async def queue(self) -> Queue:
        """Return how long the queue is and since when its oldest entry waits."""
        (row,) = await self._recorder.fetch_all(_COUNT)
        counts = {name: row[name] for name in ("waiting", "retried", "parked", "delivered")}
        return Queue(**counts, oldest_waiting_since=moment_or_none(row["oldest"]))

    def _from_row(self, row: Row) -> Delivery:
        opened = self._seal.open(bytes(row["content"]), _context(row["delivery_id"]))
        return Delivery(
            delivery_id=row["delivery_id"],
            kind=row["kind"],
            client_id=row["client_id"],
            ordering_key=row["ordering_key"],
            content=orjson.loads(opened),
            created_at=moment(row["created_at"]),
            next_attempt_at=moment(row["next_attempt_at"]),
            attempts=row["attempts"],
            delivered_at=moment_or_none(row["delivered_at"]),
            parked_at=moment_or_none(row["parked_at"]),
            last_failure=row["last_failure"],
        )


def _claim_of(claimed: Delivery) -> dict[str, str | int]:
    return {"id": claimed.delivery_id, "claimed_until": micros(claimed.next_attempt_at)}


def _context(delivery_id: str) -> bytes:
    """Bind sealed content to its row."""
    return f"outbox:{delivery_id}".encode()
