"""Status lists in memory that lasts: which indexes are taken, and what each says.

The two halves of a row change by gates of their own: processes reserve indexes while the builder writes what
became of links. Both go by compare-and-swap; nobody waits for anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, literal_column, null, select

from idp.identity.account_links import LIVE, AccountLink, Status
from idp.store.account_links import link_from_row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.link_tables import link_changes
from idp.store.link_tables import status_lists as t
from idp.store.recorder import Recorder
from idp.store.tables import account_links, leases
from idp.store.writes import Change, Insert

COMPLETE = "status_lists"
"""The lease whose `taken_at` says up to which moment every change is built in."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The half of a list that says which indexes are taken."""

    list_id: str
    size: int
    free: int
    """How many may still be given away."""
    taken: bytes
    """The compressed map."""
    revision: int


@dataclass(frozen=True, slots=True)
class Statuses:
    """The half of a list that is published."""

    list_id: str
    client_id: str
    compressed: bytes
    """The array as it stands in the token."""
    version: int


@dataclass(frozen=True, slots=True)
class Edition:
    """Which state of a list is the newest, without the list itself."""

    client_id: str
    version: int
    complete_at: datetime
    """Every change before this moment is in it."""


@dataclass(frozen=True, slots=True)
class ListedChange:
    """A change of a link, with the link's index and its state now."""

    position: int
    list_id: str | None
    index: int | None
    status: Status


_INSERT = Insert(
    "status_list",
    t,
    (
        "list_id",
        "client_id",
        "size",
        "free",
        "taken",
        "taken_revision",
        "statuses",
        "version",
        "created_at",
        "changed_at",
    ),
)
_TAKE = Change(
    "status_indexes_taken",
    t,
    where=lambda bind: (t.c.list_id == bind("id")) & (t.c.taken_revision == bind("before")),
    values=lambda bind: {"taken": bind("taken"), "free": bind("free"), "taken_revision": bind("after")},
    gate=True,
)
_REWRITE = Change(
    "status_list_rewritten",
    t,
    where=lambda bind: (t.c.list_id == bind("id")) & (t.c.version == bind("before")),
    values=lambda bind: {
        "statuses": bind("statuses"),
        "version": bind("after"),
        "changed_at": bind("changed_at"),
    },
    gate=True,
)
_ENLIST = Change(
    "account_link_enlisted",
    account_links,
    where=lambda bind: (
        (account_links.c.link_id == bind("id"))
        & (account_links.c.status == bind("status"))
        & (account_links.c.status_list_id == null())
    ),
    values=lambda bind: {"status_list_id": bind("list_id"), "status_index": bind("index")},
)

_WITH_ROOM = (
    select(t.c.list_id, t.c.size, t.c.free, t.c.taken, t.c.taken_revision)
    .where(t.c.client_id == bindparam("client_id"), t.c.free >= bindparam("count"))
    .order_by(t.c.created_at, t.c.list_id)
    .limit(1)
)
_STATUSES = select(t.c.list_id, t.c.client_id, t.c.statuses, t.c.version).where(
    t.c.list_id == bindparam("list_id")
)
_EDITION = (
    select(t.c.client_id, t.c.version, t.c.created_at, leases.c.taken_at)
    .outerjoin_from(t, leases, leases.c.name == literal_column(f"'{COMPLETE}'"))
    .where(t.c.list_id == bindparam("list_id"))
)
_OF_CLIENT = select(t.c.list_id).where(t.c.client_id == bindparam("client_id")).order_by(t.c.list_id)
_CHANGES = (
    select(
        link_changes.c.sequence,
        account_links.c.status_list_id,
        account_links.c.status_index,
        account_links.c.status,
    )
    .join_from(link_changes, account_links, account_links.c.link_id == link_changes.c.link_id)
    .where(link_changes.c.sequence > bindparam("position"))
    .order_by(link_changes.c.sequence)
    .limit(bindparam("limit"))
)
_UNLISTED = (
    select(account_links)
    .where(
        account_links.c.status_list_id == null(),
        account_links.c.status.in_([literal_column(f"'{status.value}'") for status in sorted(LIVE)]),
    )
    .limit(bindparam("limit"))
)


class StatusLists:
    """What the program remembers about status lists."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def with_room(self, client_id: str, count: int) -> Occupancy | None:
        """Return the client's oldest list with so many free indexes; None when it needs a new one."""
        row = await self._recorder.fetch_one(_WITH_ROOM, client_id=client_id, count=count)
        if row is None:
            return None
        return Occupancy(row["list_id"], row["size"], row["free"], row["taken"], row["taken_revision"])

    def add(self, occupancy: Occupancy, statuses: Statuses, now: datetime) -> None:
        """Record a new list, with the indexes that are taken from the first."""
        self._recorder.record(
            _INSERT,
            list_id=occupancy.list_id,
            client_id=statuses.client_id,
            size=occupancy.size,
            free=occupancy.free,
            taken=occupancy.taken,
            taken_revision=occupancy.revision,
            statuses=statuses.compressed,
            version=statuses.version,
            created_at=micros(now),
            changed_at=micros(now),
        )

    def take(self, before: Occupancy, taken: bytes, count: int) -> None:
        """Record that so many indexes more are taken.

        The gate `status_indexes_taken` closes when another process took some since `before` was read.
        """
        self._recorder.record(
            _TAKE,
            id=before.list_id,
            before=before.revision,
            after=before.revision + 1,
            taken=taken,
            free=before.free - count,
        )

    async def find(self, list_id: str) -> Statuses | None:
        """Return what a list says."""
        row = await self._recorder.fetch_one(_STATUSES, list_id=list_id)
        if row is None:
            return None
        return Statuses(row["list_id"], row["client_id"], row["statuses"], row["version"])

    async def edition(self, list_id: str) -> Edition | None:
        """Return which state of a list is the newest. Until the first round a list tells of its beginning."""
        row = await self._recorder.fetch_one(_EDITION, list_id=list_id)
        if row is None:
            return None
        complete_at = max(moment(row["created_at"]), moment_or_none(row["taken_at"]) or _NEVER)
        return Edition(row["client_id"], row["version"], complete_at)

    async def of_client(self, client_id: str) -> list[str]:
        """Return the ids of a client's lists; being random, their order tells nothing."""
        return [row["list_id"] for row in await self._recorder.fetch_all(_OF_CLIENT, client_id=client_id)]

    def rewrite(self, before: Statuses, compressed: bytes, now: datetime) -> None:
        """Record what a list says now. The gate `status_list_rewritten` closes when another was faster."""
        self._recorder.record(
            _REWRITE,
            id=before.list_id,
            before=before.version,
            after=before.version + 1,
            statuses=compressed,
            changed_at=micros(now),
        )

    async def changes_since(self, position: int, limit: int) -> Sequence[ListedChange]:
        """Return changes behind a position, in order, each with its link's index and state of now."""
        rows = await self._recorder.fetch_all(_CHANGES, position=position, limit=limit)
        return [
            ListedChange(row["sequence"], row["status_list_id"], row["status_index"], Status(row["status"]))
            for row in rows
        ]

    async def unlisted_links(self, limit: int) -> list[AccountLink]:
        """Return live links that stand in no list: made before there were lists."""
        rows = await self._recorder.fetch_all(_UNLISTED, limit=limit)
        return [link_from_row(row) for row in rows]

    def enlist(self, list_id: str, indexes: Mapping[int, AccountLink]) -> None:
        """Record the indexes of links. One that moved meanwhile or has an index keeps it."""
        self._recorder.record_many(
            _ENLIST,
            [
                {"id": link.link_id, "status": link.status.value, "list_id": list_id, "index": index}
                for index, link in indexes.items()
            ],
        )


_NEVER = moment(0)
