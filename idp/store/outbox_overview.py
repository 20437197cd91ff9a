"""The outbox as an operator sees it: how it stands, and what is sent again or dropped by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal_column, null, or_, select

from idp.store.client_tables import outbox as t
from idp.store.encoding import micros, moment_or_none
from idp.store.outbox import Delivery, delivery_from_row, is_waiting
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.text_lists import one_of, text_list
from idp.store.writes import Bind, Change, Remove

RATE_WINDOW = timedelta(minutes=1)
"""Over which the rate of deliveries is told."""


def _is_not_made(bind: Bind) -> ColumnElement[bool]:
    return and_(t.c.delivery_id == bind("id"), t.c.delivered_at == null())


def _replayed(bind: Bind) -> Mapping[str, ColumnElement[Any]]:
    return {
        "parked_at": null(),
        "attempts": bind("attempts"),
        "next_attempt_at": bind("now"),
        "replayed_at": bind("now"),
    }


_REPLAY = Change("delivery_replayed", t, where=_is_not_made, values=_replayed, gate=True)
_REPLAY_MANY = Change(
    "deliveries_replayed",
    t,
    where=lambda bind: and_(one_of(t.c.delivery_id, bind("ids")), t.c.delivered_at == null()),
    values=_replayed,
)
_DROP = Remove("delivery_dropped", t, where=_is_not_made, gate=True)

_IN_LANE = and_(
    or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")),
    or_(bindparam("kind") == literal_column("''"), t.c.kind == bindparam("kind")),
)
_PAGE = (
    select(t)
    .where(t.c.delivery_id > bindparam("after"), _IN_LANE)
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
    State.WAITING: _PAGE.where(is_waiting()),
    State.RETRIED: _PAGE.where(is_waiting(), t.c.attempts > literal_column("0")),
    State.PARKED: _PAGE.where(t.c.parked_at != null()),
    State.DELIVERED: _PAGE.where(t.c.delivered_at != null()),
}
_FIGURES = (
    select(
        t.c.kind,
        t.c.client_id,
        func.count(case((is_waiting(), 1))).label("waiting"),
        func.count(case((and_(is_waiting(), t.c.attempts > 0), 1))).label("retried"),
        func.count(t.c.parked_at).label("parked"),
        func.count(t.c.delivered_at).label("delivered"),
        func.count(case((t.c.delivered_at > bindparam("since"), 1))).label("delivered_lately"),
        func.min(case((is_waiting(), t.c.created_at))).label("oldest"),
    )
    .where(_IN_LANE)
    .group_by(t.c.kind, t.c.client_id)
    .order_by(t.c.kind, t.c.client_id)
)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the outbox stands, in one lane or in all of them."""

    waiting: int = 0
    retried: int = 0
    """Of the waiting ones, those that were tried before."""
    parked: int = 0
    delivered: int = 0
    """Recently; what was delivered is removed after a while."""
    delivered_lately: int = 0
    """Within RATE_WINDOW."""
    oldest_waiting_since: datetime | None = None

    def __add__(self, other: "Figures") -> "Figures":
        begun = [each for each in (self.oldest_waiting_since, other.oldest_waiting_since) if each is not None]
        return Figures(
            self.waiting + other.waiting,
            self.retried + other.retried,
            self.parked + other.parked,
            self.delivered + other.delivered,
            self.delivered_lately + other.delivered_lately,
            min(begun, default=None),
        )


@dataclass(frozen=True, slots=True)
class Lane:
    """Deliveries of one kind to one receiver."""

    kind: str
    client_id: str
    figures: Figures


class OutboxOverview:
    """What an operator asks of the outbox."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def page(
        self,
        state: State | None = None,
        *,
        kind: str = "",
        client_id: str = "",
        after: str = "",
        limit: int = 50,
    ) -> list[Delivery]:
        """Return deliveries by their id; empty filters let everything through."""
        rows = await self._recorder.fetch_all(
            _PAGES[state], kind=kind, client_id=client_id, after=after, limit=limit
        )
        return [delivery_from_row(row, self._seal) for row in rows]

    async def lanes(self, now: datetime, *, kind: str = "", client_id: str = "") -> list[Lane]:
        """Return how each lane stands that holds anything."""
        rows = await self._recorder.fetch_all(
            _FIGURES, kind=kind, client_id=client_id, since=micros(now - RATE_WINDOW)
        )
        counted = ("waiting", "retried", "parked", "delivered", "delivered_lately")
        return [
            Lane(
                row["kind"],
                row["client_id"],
                Figures(
                    **{name: row[name] for name in counted},
                    oldest_waiting_since=moment_or_none(row["oldest"]),
                ),
            )
            for row in rows
        ]

    async def figures(self, now: datetime) -> Figures:
        """Return how the whole outbox stands."""
        return sum((lane.figures for lane in await self.lanes(now)), Figures())

    def replay(self, delivery_id: str, now: datetime) -> None:
        """Record that it is tried again from the start; gate `delivery_replayed`: unknown or delivered."""
        self._recorder.record(_REPLAY, id=delivery_id, attempts=0, now=micros(now))

    def replay_many(self, delivery_ids: list[str], now: datetime) -> None:
        """Record that they are tried again from the start; those that were made meanwhile stay so."""
        self._recorder.record(_REPLAY_MANY, ids=text_list(delivery_ids), attempts=0, now=micros(now))

    def drop(self, delivery_id: str) -> None:
        """Record that it is never told; gate `delivery_dropped`: unknown or delivered."""
        self._recorder.record(_DROP, id=delivery_id)
