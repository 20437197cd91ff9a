"""Mass actions in memory: what was proposed and approved, how far it has come, and every link it moved."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, desc, func, literal_column, null, or_, select

from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Proofing
from idp.identity.mass_actions import FITTING, LinkQuery, MassAction, MassKind, MassStatus
from idp.store.account_links import link_from_row
from idp.store.database import Row
from idp.store.encoding import (
    dump_mapping,
    load_mapping,
    micros,
    micros_or_none,
    moment,
    moment_or_none,
)
from idp.store.oversight_tables import mass_action_items as items
from idp.store.oversight_tables import mass_actions as t
from idp.store.recorder import Recorder
from idp.store.tables import account_links, citizens
from idp.store.writes import Change, Insert, Value

_COLUMNS = tuple(column.name for column in t.columns)
_INSERT = Insert("mass_action", t, _COLUMNS)
_UPDATE = Change(
    "mass_action_changed",
    t,
    where=lambda bind: (t.c.action_id == bind("id")) & (t.c.revision == bind("from_revision")),
    values=lambda bind: (
        {name: bind(name) for name in _COLUMNS if name not in {"action_id", "revision"}}
        | {"revision": t.c.revision + 1}
    ),
    gate=True,
)
_ITEM = Insert(
    "mass_action_item",
    items,
    ("action_id", "link_id", "before", "done_at"),
    gate=True,
    unless_exists=True,
)
_ITEM_UNDONE = Change(
    "mass_action_item_undone",
    items,
    where=lambda bind: (
        (items.c.action_id == bind("id"))
        & (items.c.link_id == bind("item_link_id"))
        & (items.c.undone_at == null())
    ),
    values=lambda bind: {"undone_at": bind("now")},
    gate=True,
)
_FIND = select(t).where(t.c.action_id == bindparam("action_id"))
_PAGE = select(t).order_by(desc(t.c.proposed_at), desc(t.c.action_id)).limit(bindparam("limit"))
_FINISHED = (
    select(t)
    .where(t.c.status == literal_column(f"'{MassStatus.FINISHED.value}'"))
    .where(t.c.finished_at < bindparam("before"))
    .limit(bindparam("limit"))
)
_ITEMS = (
    select(items.c.before, *account_links.columns)
    .join(account_links, account_links.c.link_id == items.c.link_id)
    .where(items.c.action_id == bindparam("action_id"), items.c.undone_at == null())
    .where(items.c.link_id > bindparam("after"))
    .order_by(items.c.link_id)
    .limit(bindparam("limit"))
)
_DONE = select(func.count().label("links")).where(items.c.action_id == bindparam("action_id"))
_EARLIEST, _LATEST = -(2**63), 2**63 - 1
"""What stands for a bound that is not given."""


def _found_by(kind: MassKind, *columns: Any, is_of_client: bool) -> Select[Any]:
    """Return what finds the links of a query: with a client, its index leads."""
    links = account_links.c
    statement = (
        select(*columns)
        .select_from(account_links)
        .join(citizens, citizens.c.citizen_id == links.citizen_id)
        .where(links.status.in_([literal_column(f"'{state.value}'") for state in sorted(FITTING[kind])]))
        .where(or_(bindparam("proofing") == literal_column("''"), links.proofing == bindparam("proofing")))
        .where(citizens.c.proofed_at < bindparam("proofed_before"))
        .where(links.linked_at >= bindparam("created_from"), links.linked_at < bindparam("created_until"))
    )
    if kind is MassKind.REINSTATE:
        # A link comes back only to somebody who may be vouched for.
        statement = statement.where(citizens.c.status == literal_column("'active'"))
    return statement.where(links.client_id == bindparam("client_id")) if is_of_client else statement


_KEYS = tuple((kind, is_of_client) for kind in MassKind for is_of_client in (False, True))
_COUNTS = {key: _found_by(key[0], func.count().label("links"), is_of_client=key[1]) for key in _KEYS}
_FOUND = {
    key: _found_by(key[0], *account_links.columns, is_of_client=key[1])
    .where(account_links.c.link_id > bindparam("after"))
    .order_by(account_links.c.link_id)
    .limit(bindparam("limit"))
    for key in _KEYS
}


class MassActions:
    """What the program remembers about mass actions."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def add(self, action: MassAction) -> None:
        """Record a proposal."""
        self._recorder.record(_INSERT, **_row(action))

    def update(self, action: MassAction) -> None:
        """Record a step; the gate `mass_action_changed` closes when somebody else took one meanwhile."""
        row = _row(action)
        values = {name: row[name] for name in _COLUMNS if name not in {"action_id", "revision"}}
        self._recorder.record(_UPDATE, id=action.action_id, from_revision=action.revision, **values)

    def met(self, action: MassAction, before: AccountLink, now: datetime) -> None:
        """Record that a link had its turn, as it stood before; the gate closes for a second turn."""
        kept = {
            "expires_at": micros_or_none(before.expires_at),
            "reverify_requested_at": micros_or_none(before.reverify_requested_at),
            "suspended_because": before.suspended_because,
            "status": before.status.value,
        }
        self._recorder.record(
            _ITEM,
            action_id=action.action_id,
            link_id=before.link_id,
            before=dump_mapping(kept),
            done_at=micros(now),
        )

    def undone(self, action: MassAction, link_id: str, now: datetime) -> None:
        """Record that a link's turn was undone, or looked at for that; the gate closes for a second time."""
        self._recorder.record(_ITEM_UNDONE, id=action.action_id, item_link_id=link_id, now=micros(now))

    async def find(self, action_id: str) -> MassAction | None:
        """Return one action."""
        row = await self._recorder.fetch_one(_FIND, action_id=action_id)
        return None if row is None else _action(row)

    async def newest(self, limit: int) -> list[MassAction]:
        """Return the newest actions first."""
        return [_action(row) for row in await self._recorder.fetch_all(_PAGE, limit=limit)]

    async def finished_before(self, before: datetime, limit: int) -> list[MassAction]:
        """Return finished actions whose last batch lies before the given time."""
        rows = await self._recorder.fetch_all(_FINISHED, before=micros(before), limit=limit)
        return [_action(row) for row in rows]

    async def count(self, kind: MassKind, query: LinkQuery) -> int:
        """Return how many links a query finds now."""
        statement = _COUNTS[kind, query.client_id is not None]
        (row,) = await self._recorder.fetch_all(statement, **_bounds(query))
        return int(row["links"])

    async def links(self, kind: MassKind, query: LinkQuery, *, after: str, limit: int) -> list[AccountLink]:
        """Return the links that a query finds now, by id."""
        statement = _FOUND[kind, query.client_id is not None]
        rows = await self._recorder.fetch_all(statement, **_bounds(query), after=after, limit=limit)
        return [link_from_row(row) for row in rows]

    async def met_links(
        self, action_id: str, *, after: str, limit: int
    ) -> list[tuple[AccountLink, dict[str, Any]]]:
        """Return the links that had their turn and are not undone: as they are, and as they were."""
        rows = await self._recorder.fetch_all(_ITEMS, action_id=action_id, after=after, limit=limit)
        return [(link_from_row(row), load_mapping(row["before"])) for row in rows]

    async def met_count(self, action_id: str) -> int:
        """Return how many links had their turn."""
        (row,) = await self._recorder.fetch_all(_DONE, action_id=action_id)
        return int(row["links"])


def _bounds(query: LinkQuery) -> dict[str, Value]:
    bounds: dict[str, Value] = {
        "proofing": "" if query.proofing is None else query.proofing.value,
        "proofed_before": _LATEST if query.proofed_before is None else micros(query.proofed_before),
        "created_from": _EARLIEST if query.created_from is None else micros(query.created_from),
        "created_until": _LATEST if query.created_until is None else micros(query.created_until),
    }
    return bounds if query.client_id is None else {**bounds, "client_id": query.client_id}


def as_it_was(link: AccountLink, before: dict[str, Any]) -> AccountLink:
    """Return what `met` kept of a link, as far as undoing needs it."""
    return AccountLink(
        link_id=link.link_id,
        client_id=link.client_id,
        account_id=link.account_id,
        citizen_id=link.citizen_id,
        subject=link.subject,
        status=Status(before["status"]),
        proofing=link.proofing,
        acr=link.acr,
        requested_at=link.requested_at,
        expires_at=moment_or_none(before["expires_at"]),
        reverify_requested_at=moment_or_none(before["reverify_requested_at"]),
        suspended_because=before["suspended_because"],
    )


def _row(action: MassAction) -> dict[str, Value]:
    query = {
        name: micros(value) if isinstance(value, datetime) else value
        for name, value in asdict(action.query).items()
        if value is not None
    }
    return {
        "action_id": action.action_id,
        "kind": action.kind.value,
        "query": dump_mapping(query),
        "reason": action.reason,
        "status": action.status.value,
        "proposed_by": action.proposed_by,
        "approved_by": action.approved_by,
        "expected": action.expected,
        "done": action.done,
        "skipped": action.skipped,
        "cursor": action.cursor,
        "revision": action.revision,
        "proposed_at": micros(action.proposed_at),
        "approved_at": micros_or_none(action.approved_at),
        "finished_at": micros_or_none(action.finished_at),
        "undone_at": micros_or_none(action.undone_at),
    }


def _action(row: Row) -> MassAction:
    query = load_mapping(row["query"])
    times = ("proofed_before", "created_from", "created_until")
    return MassAction(
        action_id=row["action_id"],
        kind=MassKind(row["kind"]),
        query=LinkQuery(
            client_id=query.get("client_id"),
            proofing=Proofing(query["proofing"]) if "proofing" in query else None,
            **{name: moment_or_none(query.get(name)) for name in times},
        ),
        reason=row["reason"],
        status=MassStatus(row["status"]),
        proposed_by=row["proposed_by"],
        proposed_at=moment(row["proposed_at"]),
        expected=row["expected"],
        approved_by=row["approved_by"],
        approved_at=moment_or_none(row["approved_at"]),
        finished_at=moment_or_none(row["finished_at"]),
        undone_at=moment_or_none(row["undone_at"]),
        done=row["done"],
        skipped=row["skipped"],
        cursor=row["cursor"],
        revision=row["revision"],
    )
