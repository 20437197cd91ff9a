"""Events that wait to be fetched: a receiver's part of the outbox. RFC 8936 §2.

A SET leaves the outbox when its receiver says that it arrived, and is parked when the receiver says that it
cannot take it. Of one subject only the oldest is shown: the events of a person arrive in their order, though
the answer to a poll has none. Looking changes nothing, so two polls at once may both get a SET, and none is
lost.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, null, select

from idp.store.client_tables import outbox as t
from idp.store.encoding import micros
from idp.store.outbox import Delivery, delivery_from_row
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.set_deliveries import SECURITY_EVENT, STREAM_EVENT
from idp.store.writes import Bind, Change, Remove, Values

_WAITING = and_(t.c.delivered_at == null(), t.c.parked_at == null())
_IS_SET = t.c.kind.in_([literal_column(f"'{kind}'") for kind in (SECURITY_EVENT, STREAM_EVENT)])


def _is_its_own(bind: Bind) -> ColumnElement[bool]:
    """Name a SET by its `jti`, and only for the client that it is for (abuse class 24)."""
    return and_(t.c.delivery_id == bind("jti"), t.c.client_id == bind("client"), _IS_SET, _WAITING)


_ACKNOWLEDGE = Change(
    "set_acknowledged",
    t,
    where=_is_its_own,
    values=lambda bind: {"delivered_at": bind("now"), "last_failure": null()},
)
_REFUSE = Change(
    "set_refused",
    t,
    where=_is_its_own,
    values=lambda bind: {"parked_at": bind("now"), "last_failure": bind("failure")},
)
_DROP = Remove(
    "sets_dropped",
    t,
    where=lambda bind: and_(
        t.c.client_id == bind("client"), t.c.kind == literal_column(f"'{SECURITY_EVENT}'"), _WAITING
    ),
)

_older = t.alias("older")
_first_of_its_key = (
    # With a limit, so that it is looked up row by row: joined, it would read the whole backlog.
    select(_older.c.delivery_id)
    .where(
        _older.c.ordering_key == t.c.ordering_key,
        _older.c.delivered_at == null(),
        _older.c.parked_at == null(),
    )
    .order_by(_older.c.created_at, _older.c.delivery_id)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_OF_LANE = (
    select(t)
    .where(t.c.kind == bindparam("kind"), t.c.client_id == bindparam("client_id"), _WAITING)
    .where(t.c.delivery_id == _first_of_its_key)
    .order_by(t.c.next_attempt_at, t.c.delivery_id)
    .limit(bindparam("limit"))
)
"""In the order of the outbox's index, which is that of recording unless a push was tried before."""


class PolledSets:
    """What the program remembers for receivers that fetch."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def waiting(self, client_id: str, *, is_stopped: bool, limit: int) -> list[Delivery]:
        """Return what waits for a client, the oldest first; of a stopped stream, only that it stopped."""
        found = await self._lane(STREAM_EVENT, client_id, limit)
        return found if is_stopped else [*found, *await self._lane(SECURITY_EVENT, client_id, limit)][:limit]

    async def _lane(self, kind: str, client_id: str, limit: int) -> list[Delivery]:
        rows = await self._recorder.fetch_all(_OF_LANE, kind=kind, client_id=client_id, limit=limit)
        return [delivery_from_row(row, self._seal) for row in rows]

    def acknowledge(self, client_id: str, jtis: Iterable[str], now: datetime) -> None:
        """Record that SETs arrived; what is another's, unknown or told already stays as it is."""
        rows: list[Values] = [{"client": client_id, "jti": jti, "now": micros(now)} for jti in jtis]
        self._recorder.record_many(_ACKNOWLEDGE, rows)

    def refuse(self, client_id: str, refused: Mapping[str, str], now: datetime) -> None:
        """Record which SETs the receiver cannot take, and why: operators see them, nothing waits for them."""
        rows: list[Values] = [
            {
                "client": client_id,
                "jti": jti,
                "now": micros(now),
                "failure": f"the receiver refused it: {code}",
            }
            for jti, code in refused.items()
        ]
        self._recorder.record_many(_REFUSE, rows)

    def drop(self, client_id: str) -> None:
        """Record that what waits for a client is never told: its stream is disabled or gone."""
        self._recorder.record(_DROP, client=client_id)
