"""The outbox: what is to be told to others, recorded in the same commit as what it tells of.

Deliveries stand in lanes: one for each kind and receiver. A worker claims a handful of a lane in one
statement, by moving their next attempt behind the time it needs; a worker that dies meanwhile loses nothing
but that time, and any number of workers may look at once. Of deliveries with the same ordering key only the
oldest can be claimed, so that they leave one after another; a parked one holds nobody up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
)

from idp.protocol.delivery_schedule import GIVEN_UP_AFTER
from idp.store.client_tables import outbox as t
from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.text_lists import JSONTexts, one_of, text_list
from idp.store.writes import Bind, Change, Insert, Values

_COLUMNS = (
    "delivery_id",
    "kind",
    "client_id",
    "ordering_key",
    "content",
    "attempts",
    "created_at",
    "next_attempt_at",
)
_ALL_COLUMNS = tuple(column.name for column in t.columns)
_INSERT = Insert("delivery", t, _COLUMNS, unless_exists=True)


def is_waiting(table: FromClause = t) -> ColumnElement[bool]:
    """Return the condition under which a delivery is still to be made; partial indexes hold just these."""
    return and_(table.c.delivered_at == null(), table.c.parked_at == null())


_ahead = t.alias("ahead")
_asked = t.alias("asked")
_is_first_of_its_key = (
    # A yes or no for each row, by one look into the index: what the planner believes of a queue, whose size
    # changes by the second, is wrong at times, and must not make it read the whole backlog.
    select(_ahead.c.delivery_id == _asked.c.delivery_id)
    .where(_ahead.c.ordering_key == _asked.c.ordering_key, is_waiting(_ahead))
    .order_by(_ahead.c.created_at, _ahead.c.delivery_id)
    .limit(literal_column("1"))
    .scalar_subquery()
)


def _is_claimable(bind: Bind) -> ColumnElement[bool]:
    """Name the oldest due deliveries of a lane; those that another worker claims just now are left to it."""
    wanted = (
        select(_asked.c.delivery_id)
        .where(
            is_waiting(_asked),
            _asked.c.kind == bind("kind"),
            _asked.c.client_id == bind("client"),
            _asked.c.next_attempt_at <= bind("now"),
            _is_first_of_its_key,
        )
        .order_by(_asked.c.next_attempt_at, _asked.c.delivery_id)
        .limit(bind("limit"))
        .with_for_update(skip_locked=True)
        # Chosen once: as a subquery it may be asked again for each row, and then knows no limit.
        .cte("wanted")
    )
    return t.c.delivery_id.in_(select(wanted.c.delivery_id))


def _is_claimed(bind: Bind) -> ColumnElement[bool]:
    """Name the delivery only while the claim under which it was taken still stands."""
    return and_(t.c.delivery_id == bind("id"), t.c.next_attempt_at == bind("claimed_until"), is_waiting())


def _is_overdue(bind: Bind) -> ColumnElement[bool]:
    return and_(
        is_waiting(),
        t.c.next_attempt_at <= bind("now"),
        func.coalesce(t.c.replayed_at, t.c.created_at) <= bind("before"),
    )


_CLAIM = Change(
    "deliveries_claimed",
    t,
    where=_is_claimable,
    values=lambda bind: {"next_attempt_at": bind("until"), "attempts": t.c.attempts + 1},
)
_DELIVERED = Change(
    "deliveries_made",
    t,
    where=lambda bind: one_of(t.c.delivery_id, bind("ids")) & (t.c.delivered_at == null()),
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
_PARK_OVERDUE = Change(
    "deliveries_parked",
    t,
    where=_is_overdue,
    values=lambda bind: {
        "parked_at": bind("now"),
        "last_failure": func.coalesce(t.c.last_failure, cast(bind("failure"), Text)),
    },
)
_HURRY = Change(
    "deliveries_hurried",
    t,
    where=lambda bind: and_(
        is_waiting(),
        t.c.kind == bind("kind"),
        t.c.client_id == bind("client"),
        t.c.next_attempt_at > bind("behind"),
        t.c.last_failure != null(),
    ),
    values=lambda bind: {"next_attempt_at": bind("now")},
)


def _lanes() -> Any:
    """Return the statement that lists the lanes in which something is due, without reading their backlog.

    It jumps from receiver to receiver along the index (kind, client_id, next_attempt_at).
    """

    def next_client(kind: ColumnElement[Any], behind: ColumnElement[Any] | None) -> ColumnElement[Any]:
        asked = t.alias()
        found = select(func.min(asked.c.client_id)).where(is_waiting(asked), asked.c.kind == kind)
        if behind is not None:
            found = found.where(asked.c.client_id > behind)
        return found.scalar_subquery()

    kinds = JSONTexts(cast(bindparam("kinds"), Text)).table_valued("value")
    lanes = select(kinds.c.value.label("kind"), next_client(kinds.c.value, None).label("client_id")).cte(
        "lanes", recursive=True
    )
    lanes = lanes.union_all(
        select(lanes.c.kind, next_client(lanes.c.kind, lanes.c.client_id)).where(lanes.c.client_id != null())
    )
    first_due = select(func.min(t.c.next_attempt_at)).where(
        is_waiting(), t.c.kind == lanes.c.kind, t.c.client_id == lanes.c.client_id
    )
    return select(lanes.c.kind, lanes.c.client_id).where(first_due.scalar_subquery() <= bindparam("now"))


_LANES_DUE = _lanes()
_FIND = select(t).where(t.c.delivery_id == bindparam("delivery_id"))


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
    """Strictly later than that of the one before it with the same ordering key."""
    next_attempt_at: datetime
    """When it is due; while it is under way, when another worker may take it over."""
    attempts: int = 0
    delivered_at: datetime | None = None
    parked_at: datetime | None = None
    last_failure: str | None = None
    replayed_at: datetime | None = None
    """When an operator had it sent again from the start."""

    @property
    def give_up_at(self) -> datetime:
        """When it is parked if it was not taken until then."""
        return (self.replayed_at or self.created_at) + GIVEN_UP_AFTER


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed. Nothing is recorded of it where the claim has passed on."""

    claimed: Delivery
    reason: str
    next_attempt_at: datetime | None
    """None: it is given up."""


class Outbox:
    """What the program remembers to tell others."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, delivery: Delivery) -> None:
        """Record something to tell; one with the same id is told once."""
        self._recorder.record(_INSERT, **self._row(delivery))

    def add_many(self, deliveries: Iterable[Delivery]) -> None:
        """Record much to tell; those that exist already are told once."""
        self._recorder.record_many(_INSERT, [self._row(delivery) for delivery in deliveries])

    async def lanes_due(self, kinds: Iterable[str], now: datetime) -> list[tuple[str, str]]:
        """Return kind and receiver of all in which something is due; empty text for our own work."""
        rows = await self._recorder.fetch_all(_LANES_DUE, kinds=text_list(kinds), now=micros(now))
        return [(row["kind"], row["client_id"]) for row in rows]

    async def claim(
        self, kind: str, client_id: str, now: datetime, until: datetime, *, limit: int
    ) -> list[Delivery]:
        """Take due deliveries of a lane, the longest due first, and count the attempt. Commits at once."""
        rows = await self._recorder.database.execute_all(
            _CLAIM,
            {
                "kind": kind,
                "client": client_id,
                "now": micros(now),
                "until": micros(until),
                "limit": limit,
            },
            _ALL_COLUMNS,
        )
        taken = [self._from_row(row) for row in rows]
        return sorted(taken, key=lambda delivery: (delivery.created_at, delivery.delivery_id))

    def delivered(self, deliveries: Iterable[Delivery], now: datetime) -> None:
        """Record that they were told, whoever has the claims by now."""
        ids = [delivery.delivery_id for delivery in deliveries]
        if ids:
            self._recorder.record(_DELIVERED, ids=text_list(ids), now=micros(now))

    def failed(self, failures: Sequence[Failure], now: datetime) -> None:
        """Record attempts that failed: tried again at their time, or given up."""
        postponed: list[Values] = []
        parked: list[Values] = []
        for failure in failures:
            of_all: Values = {
                "id": failure.claimed.delivery_id,
                "claimed_until": micros(failure.claimed.next_attempt_at),
                "failure": failure.reason,
            }
            if failure.next_attempt_at is None:
                parked.append({**of_all, "now": micros(now)})
            else:
                postponed.append({**of_all, "until": micros(failure.next_attempt_at)})
        self._recorder.record_many(_POSTPONE, postponed)
        self._recorder.record_many(_PARK, parked)

    def park_overdue(self, now: datetime, created_before: datetime, failure: str) -> None:
        """Record that what is due and older is given up; `failure` is said of what never failed.

        What was replayed counts from then on.
        """
        self._recorder.record(_PARK_OVERDUE, now=micros(now), before=micros(created_before), failure=failure)

    def hurry(self, kind: str, client_id: str, now: datetime, *, behind: datetime) -> None:
        """Record that what failed before is due now: its receiver is back. `behind`: claims end before it."""
        self._recorder.record(_HURRY, kind=kind, client=client_id, now=micros(now), behind=micros(behind))

    async def find(self, delivery_id: str) -> Delivery | None:
        """Return a delivery, whatever became of it."""
        row = await self._recorder.fetch_one(_FIND, delivery_id=delivery_id)
        return None if row is None else self._from_row(row)

    def _row(self, delivery: Delivery) -> dict[str, str | int | bytes | None]:
        return {
            "delivery_id": delivery.delivery_id,
            "kind": delivery.kind,
            "client_id": delivery.client_id,
            "ordering_key": delivery.ordering_key,
            "content": self._seal.seal(orjson.dumps(dict(delivery.content)), _context(delivery.delivery_id)),
            "attempts": delivery.attempts,
            "created_at": micros(delivery.created_at),
            "next_attempt_at": micros(delivery.next_attempt_at),
        }

    def _from_row(self, row: Row) -> Delivery:
        return delivery_from_row(row, self._seal)


def delivery_from_row(row: Row, seal: DataSeal) -> Delivery:
    """Read a row and open what is in it."""
    opened = seal.open(bytes(row["content"]), _context(row["delivery_id"]))
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
        replayed_at=moment_or_none(row["replayed_at"]),
    )


def _context(delivery_id: str) -> bytes:
    """Bind sealed content to its row."""
    return f"outbox:{delivery_id}".encode()
