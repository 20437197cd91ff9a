"""Account links in memory that lasts. Uniqueness and the cap are held by two partial unique indexes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, literal_column, null, or_, select

from idp.identity.account_links import LIVE, AccountLink, Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.link_changes import ChangeKind, kind_of_move
from idp.store.database import Row
from idp.store.encoding import micros, micros_or_none, moment, moment_or_none
from idp.store.link_changes import LinkChanges, new_change
from idp.store.recorder import Recorder
from idp.store.tables import account_links as t
from idp.store.tables import grants
from idp.store.writes import Change, Insert, Remove, Value

ACCOUNT_INDEX = "uq_account_links_client_id_account_id"
"""One live link per platform account."""
PLACE_INDEX = "uq_account_links_client_id_citizen_id_place"
"""One live link per place of a person at a platform, which is the cap."""

MOVED_GATE = "account_link_moved"

_COLUMNS = tuple(column.name for column in t.columns)
_LIVE = t.c.status.in_([literal_column(f"'{status.value}'") for status in sorted(LIVE)])

_INSERT = Insert("account_link", t, _COLUMNS)
_MOVED = (
    "status",
    "place",
    "proofing",
    "acr",
    "linked_at",
    "expires_at",
    "last_used_at",
    "suspended_because",
    "ended_at",
    "ended_because",
    "updated_at",
    "status_list_id",
    "status_index",
    "policy_version",
    "guardianship_id",
    "own_consent_due_at",
    "mark_id",
    "reverify_requested_at",
)
"""What a move may change."""
_CHANGED = (*_MOVED, "account_id", "handle", "profile_uri")
"""What may change while the state stays."""
_MOVE = Change(
    MOVED_GATE,
    t,
    where=lambda bind: (
        (t.c.link_id == bind("id"))
        & (t.c.status == bind("from_status"))
        # Of a link that was made and not read, nothing but the state is known.
        & (t.c.updated_at == func.coalesce(bind("from_updated_at"), t.c.updated_at))
    ),
    values=lambda bind: {name: bind(name) for name in _MOVED},
    gate=True,
)
_CHANGE = Change(
    "account_link_changed",
    t,
    where=lambda bind: (
        (t.c.link_id == bind("id"))
        & (t.c.status == bind("from_status"))
        & (t.c.updated_at == bind("from_updated_at"))
    ),
    values=lambda bind: {name: bind(name) for name in _CHANGED},
    gate=True,
)
_TOUCH = Change(
    "account_link_used",
    t,
    where=lambda bind: (t.c.link_id == bind("id")) & (t.c.status == literal_column("'active'")),
    values=lambda bind: {"last_used_at": bind("last_used_at")},
    gate=True,
)
_REMOVE_PENDING = Remove(
    "account_link_vanished",
    t,
    where=lambda bind: (t.c.link_id == bind("id")) & (t.c.status == literal_column("'pending'")),
    gate=True,
)

_BY_ID = select(t).where(t.c.link_id == bindparam("link_id"))
_NEIGHBOURS = (
    select(t)
    .where(t.c.client_id == bindparam("client_id"))
    .where(_LIVE)
    .where(or_(t.c.account_id == bindparam("account_id"), t.c.citizen_id == bindparam("citizen_id")))
)
_OF_CITIZEN = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(t.c.status != literal_column("'pending'"))
    .where(t.c.link_id > bindparam("after"))
    .where(or_(bindparam("status") == literal_column("''"), t.c.status == bindparam("status")))
    .order_by(t.c.link_id)
    .limit(bindparam("limit"))
)
_PAGE = (
    select(t)
    .where(t.c.link_id > bindparam("after"))
    .where(or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")))
    .where(or_(bindparam("status") == literal_column("''"), t.c.status == bindparam("status")))
    .order_by(t.c.link_id)
    .limit(bindparam("limit"))
)
_OF_CITIZEN_AT_CLIENT = _OF_CITIZEN.where(t.c.client_id == bindparam("client_id"))
_PENDING_SINCE = (
    select(t)
    .where(t.c.status == literal_column("'pending'"))
    .where(t.c.requested_at < bindparam("before"))
    .limit(bindparam("limit"))
)
_DUE = (
    select(t)
    .where(t.c.status == literal_column("'active'"))
    .where(t.c.expires_at <= bindparam("now"))
    .limit(bindparam("limit"))
)
_COUNTS = select(t.c.status, func.count().label("links")).group_by(t.c.status)

_REVOKE_GRANTS = Change(
    "grants_of_link_revoked",
    grants,
    where=lambda bind: (grants.c.link_id == bind("id")) & (grants.c.revoked_at == null()),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
)


class AccountLinks:
    """What the program remembers about account links."""

    def __init__(self, recorder: Recorder, changes: LinkChanges) -> None:
        self._recorder = recorder
        self._changes = changes

    async def find(self, link_id: str) -> AccountLink | None:
        """Return one account link, whatever its state."""
        row = await self._recorder.fetch_one(_BY_ID, link_id=link_id)
        return None if row is None else link_from_row(row)

    async def neighbours(self, client_id: str, account_id: str, citizen_id: str) -> list[AccountLink]:
        """Return the live links at this client that hold this account or belong to this person."""
        rows = await self._recorder.fetch_all(
            _NEIGHBOURS, client_id=client_id, account_id=account_id, citizen_id=citizen_id
        )
        return [link_from_row(row) for row in rows]

    async def of_citizen(
        self, citizen_id: str, *, status: Status | None = None, after: str = "", limit: int = 50
    ) -> list[AccountLink]:
        """Return a person's links, in pages by id: ended ones included, or those of one state."""
        rows = await self._recorder.fetch_all(
            _OF_CITIZEN, citizen_id=citizen_id, status=status or "", after=after, limit=limit
        )
        return [link_from_row(row) for row in rows]

    async def of_citizen_at_client(
        self,
        citizen_id: str,
        client_id: str,
        *,
        status: Status | None = None,
        after: str = "",
        limit: int = 50,
    ) -> list[AccountLink]:
        """Return a person's links at one client, as `of_citizen`."""
        rows = await self._recorder.fetch_all(
            _OF_CITIZEN_AT_CLIENT,
            citizen_id=citizen_id,
            client_id=client_id,
            status=status or "",
            after=after,
            limit=limit,
        )
        return [link_from_row(row) for row in rows]

    async def page(
        self, *, client_id: str = "", status: str = "", after: str = "", limit: int = 50
    ) -> list[AccountLink]:
        """Return links for the operator, in pages by id; empty filters let everything through."""
        rows = await self._recorder.fetch_all(
            _PAGE, client_id=client_id, status=status, after=after, limit=limit
        )
        return [link_from_row(row) for row in rows]

    async def pending_since(self, before: datetime, limit: int) -> list[AccountLink]:
        """Return links that were agreed to before the given time and never redeemed."""
        rows = await self._recorder.fetch_all(_PENDING_SINCE, before=micros(before), limit=limit)
        return [link_from_row(row) for row in rows]

    async def due_to_lapse(self, now: datetime, limit: int) -> list[AccountLink]:
        """Return active links whose validity is over."""
        rows = await self._recorder.fetch_all(_DUE, now=micros(now), limit=limit)
        return [link_from_row(row) for row in rows]

    async def counts(self) -> dict[str, int]:
        """Return how many links stand in each state."""
        rows = await self._recorder.fetch_all(_COUNTS)
        return {row["status"]: row["links"] for row in rows}

    def add(self, link: AccountLink, now: datetime) -> None:
        """Record a new link."""
        self._recorder.record(_INSERT, **_row_from_link(link, now))

    def move(self, before: AccountLink, after: AccountLink, now: datetime) -> None:
        """Record a move, and that those who follow links are told of it.

        The gate `account_link_moved` closes when anything moved or changed the link since `before` was read:
        a link that its holder disowned in this moment is suspended as before, and must not come back. Its
        changes are told in the order of their times, so that none may be as early as the one before it,
        whatever the clocks say.
        """
        at = _later_than(before, now)
        row = _row_from_link(after, at)
        values = {name: row[name] for name in _MOVED}
        self._recorder.record(
            _MOVE,
            id=before.link_id,
            from_status=before.status.value,
            from_updated_at=micros_or_none(before.updated_at),
            **values,
        )
        kind = kind_of_move(before, after)
        if kind is not None:
            details = {"before": before.status.value}
            self._changes.add(new_change(after.client_id, after.link_id, kind, after.status, at, details))
        if after.status is Status.ENDED:
            self._recorder.record(
                _REVOKE_GRANTS, id=after.link_id, now=micros(now), because="account_link_ended"
            )

    def change(
        self,
        before: AccountLink,
        after: AccountLink,
        kind: ChangeKind | None,
        now: datetime,
        details: dict[str, str] | None = None,
    ) -> None:
        """Record a change within one state, told as `kind`; None tells nobody.

        The gate `account_link_changed` closes when anything changed the link since `before` was read.
        """
        at = _later_than(before, now)
        row = _row_from_link(after, at)
        values = {name: row[name] for name in _CHANGED}
        self._recorder.record(
            _CHANGE,
            id=before.link_id,
            from_status=before.status.value,
            from_updated_at=micros_or_none(before.updated_at),
            **values,
        )
        if kind is not None:
            self._changes.add(new_change(after.client_id, after.link_id, kind, after.status, at, details))

    def touch(self, link_id: str, now: datetime) -> None:
        """Record a use of the link; the gate `account_link_used` closes unless it is active."""
        self._recorder.record(_TOUCH, id=link_id, last_used_at=micros(now))

    def vanish(self, link_id: str) -> None:
        """Record that a pending link that was never redeemed is gone."""
        self._recorder.record(_REMOVE_PENDING, id=link_id)


def _later_than(before: AccountLink, now: datetime) -> datetime:
    """Return the time of a change: behind the one before it, even where two clocks disagree.

    Those who follow links learn of changes in the order of their times.
    """
    return now if before.updated_at is None else max(now, before.updated_at + timedelta(microseconds=1))


def link_from_row(row: Row, prefix: str = "") -> AccountLink:
    """Read a row; `prefix` stands before the column names where the row is a join."""
    p = prefix
    return AccountLink(
        link_id=row[p + "link_id"],
        client_id=row[p + "client_id"],
        account_id=row[p + "account_id"],
        citizen_id=row[p + "citizen_id"],
        subject=row[p + "subject"],
        status=Status(row[p + "status"]),
        proofing=Proofing(row[p + "proofing"]),
        acr=Acr(row[p + "acr"]),
        requested_at=moment(row[p + "requested_at"]),
        handle=row[p + "handle"],
        profile_uri=row[p + "profile_uri"],
        purpose=row[p + "purpose"],
        place=row[p + "place"],
        linked_at=moment_or_none(row[p + "linked_at"]),
        expires_at=moment_or_none(row[p + "expires_at"]),
        last_used_at=moment_or_none(row[p + "last_used_at"]),
        suspended_because=row[p + "suspended_because"],
        ended_at=moment_or_none(row[p + "ended_at"]),
        ended_because=row[p + "ended_because"],
        status_list_id=row[p + "status_list_id"],
        status_index=row[p + "status_index"],
        policy_version=row[p + "policy_version"],
        guardianship_id=row[p + "guardianship_id"],
        own_consent_due_at=moment_or_none(row[p + "own_consent_due_at"]),
        mark_id=row[p + "mark_id"],
        reverify_requested_at=moment_or_none(row[p + "reverify_requested_at"]),
        updated_at=moment(row[p + "updated_at"]),
    )


LINK_COLUMNS: Sequence[str] = _COLUMNS


def _row_from_link(link: AccountLink, now: datetime) -> dict[str, Value]:
    return {
        "link_id": link.link_id,
        "client_id": link.client_id,
        "account_id": link.account_id,
        "citizen_id": link.citizen_id,
        "subject": link.subject,
        "status": link.status.value,
        "proofing": link.proofing.value,
        "acr": link.acr.value,
        "handle": link.handle,
        "profile_uri": link.profile_uri,
        "purpose": link.purpose,
        "place": link.place,
        "requested_at": micros(link.requested_at),
        "linked_at": micros_or_none(link.linked_at),
        "expires_at": micros_or_none(link.expires_at),
        "last_used_at": micros_or_none(link.last_used_at),
        "suspended_because": link.suspended_because,
        "ended_at": micros_or_none(link.ended_at),
        "ended_because": link.ended_because,
        "updated_at": micros(now),
        "status_list_id": link.status_list_id,
        "status_index": link.status_index,
        "policy_version": link.policy_version,
        "guardianship_id": link.guardianship_id,
        "own_consent_due_at": micros_or_none(link.own_consent_due_at),
        "mark_id": link.mark_id,
        "reverify_requested_at": micros_or_none(link.reverify_requested_at),
    }
