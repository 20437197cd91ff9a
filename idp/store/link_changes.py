"""Changes of account links, in the one order in which everybody learns of them.

A change is recorded in its own commit without a position; `sequence` gives positions later, one writer at a
time. Whoever reads by position therefore never misses a change that was committed late.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, null, select

from idp.identity.account_links import Status
from idp.identity.link_changes import ChangeKind, LinkChange
from idp.store.database import Row
from idp.store.encoding import dump_mapping, load_mapping, micros, moment
from idp.store.link_tables import consumers
from idp.store.link_tables import link_changes as t
from idp.store.recorder import Recorder
from idp.store.writes import Change, Insert, Values

HEAD = "link_changes"
"""The name under which the position of the newest change is kept."""

_INSERT = Insert(
    "link_change", t, ("change_id", "client_id", "link_id", "kind", "status", "details", "occurred_at")
)
_PLACE = Change(
    "link_change_placed",
    t,
    where=lambda bind: (t.c.change_id == bind("id")) & (t.c.sequence == null()),
    values=lambda bind: {"sequence": bind("sequence")},
)
_BEGIN = Insert("consumer_begun", consumers, ("name", "sequence"), unless_exists=True)
_ADVANCE = Change(
    "consumer_advanced",
    consumers,
    where=lambda bind: (consumers.c.name == bind("id")) & (consumers.c.sequence == bind("before")),
    values=lambda bind: {"sequence": bind("after")},
    gate=True,
)
_UNSEQUENCED = (
    select(t).where(t.c.sequence == null()).order_by(t.c.occurred_at, t.c.change_id).limit(bindparam("limit"))
)
_SINCE = (
    select(t).where(t.c.sequence > bindparam("position")).order_by(t.c.sequence).limit(bindparam("limit"))
)
_OF_CLIENT_SINCE = (
    select(t)
    .where(t.c.client_id == bindparam("client_id"), t.c.sequence > bindparam("position"))
    .order_by(t.c.sequence)
    .limit(bindparam("limit"))
)
_POSITION = select(consumers.c.sequence).where(consumers.c.name == bindparam("name"))
_WAITING = select(func.count().label("changes"), func.min(t.c.occurred_at).label("oldest")).where(
    t.c.sequence == null()
)


class LinkChanges:
    """What the program remembers about changes of links."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def add(self, change: LinkChange) -> None:
        """Record a change beside the change itself."""
        self._recorder.record(_INSERT, **_row_from_change(change))

    def add_many(self, changes: Sequence[LinkChange]) -> None:
        """Record the changes of a bulk move."""
        self._recorder.record_many(_INSERT, [_row_from_change(change) for change in changes])

    async def unsequenced(self, limit: int) -> list[LinkChange]:
        """Return changes that have no position yet, oldest first."""
        return [change_from_row(row) for row in await self._recorder.fetch_all(_UNSEQUENCED, limit=limit)]

    async def since(self, position: int, limit: int) -> list[LinkChange]:
        """Return the changes behind a position, in order."""
        rows = await self._recorder.fetch_all(_SINCE, position=position, limit=limit)
        return [change_from_row(row) for row in rows]

    async def of_client_since(self, client_id: str, position: int, limit: int) -> list[LinkChange]:
        """Return a client's changes behind a position, in order."""
        rows = await self._recorder.fetch_all(
            _OF_CLIENT_SINCE, client_id=client_id, position=position, limit=limit
        )
        return [change_from_row(row) for row in rows]

    async def waiting(self) -> tuple[int, int | None]:
        """Return how many changes have no position yet, and the time of the oldest in microseconds."""
        row = await self._recorder.fetch_one(_WAITING)
        return (0, None) if row is None else (row["changes"], row["oldest"])

    async def head(self) -> int:
        """Return the position of the newest change that has one; 0 before the first."""
        return await self.consumed(HEAD)

    async def consumed(self, name: str) -> int:
        """Return up to which position a consumer has come; 0 for one that never began (see `begin`)."""
        row = await self._recorder.fetch_one(_POSITION, name=name)
        return 0 if row is None else int(row["sequence"])

    def begin(self, name: str) -> None:
        """Record a new consumer, which has seen nothing yet; one that exists stays where it is."""
        self._recorder.record(_BEGIN, name=name, sequence=0)

    def advance(self, name: str, before: int, after: int) -> None:
        """Record how far a consumer has come. The gate `consumer_advanced` closes for all but one of many."""
        self._recorder.record(_ADVANCE, id=name, before=before, after=after)

    def sequence(self, changes: Sequence[LinkChange], head: int) -> None:
        """Record positions for changes, in this order, behind `head`; the gate is that of `advance`."""
        self.advance(HEAD, head, head + len(changes))
        self._recorder.record_many(
            _PLACE,
            [
                {"id": change.change_id, "sequence": position}
                for position, change in enumerate(changes, head + 1)
            ],
        )


def new_change(
    client_id: str,
    link_id: str,
    kind: ChangeKind,
    status: Status,
    now: datetime,
    details: dict[str, str] | None = None,
) -> LinkChange:
    """Return a change with a fresh id."""
    return LinkChange(secrets.token_urlsafe(12), client_id, link_id, kind, now, status, details or {})


def change_from_row(row: Row) -> LinkChange:
    """Read a row."""
    return LinkChange(
        change_id=row["change_id"],
        client_id=row["client_id"],
        link_id=row["link_id"],
        kind=ChangeKind(row["kind"]),
        occurred_at=moment(row["occurred_at"]),
        status=Status(row["status"]),
        details=load_mapping(row["details"]),
        position=row["sequence"],
    )


def _row_from_change(change: LinkChange) -> Values:
    return {
        "change_id": change.change_id,
        "client_id": change.client_id,
        "link_id": change.link_id,
        "kind": change.kind.value,
        "status": change.status.value,
        "details": dump_mapping(change.details),
        "occurred_at": micros(change.occurred_at),
    }
