"""Account links as one platform reads them: its own, never one that was not redeemed. Abuse cases P6, P7."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, literal_column, select

from idp.identity.account_links import LIVE, AccountLink, Status
from idp.store.account_links import link_from_row
from idp.store.encoding import micros
from idp.store.link_tables import link_changes
from idp.store.recorder import Recorder
from idp.store.tables import account_links as t


def _is(status: Status) -> Any:
    return t.c.status == literal_column(f"'{status.value}'")


_IS_LIVE = t.c.status.in_([literal_column(f"'{status.value}'") for status in sorted(LIVE)])
_IS_OVER = _is(Status.ACTIVE) & (t.c.expires_at <= bindparam("now"))
"""Counts as lapsed, although housekeeping was not here yet."""

_PAGE = (
    select(t)
    .where(t.c.client_id == bindparam("client_id"))
    .where(t.c.link_id > bindparam("after"))
    .order_by(t.c.link_id)
    .limit(bindparam("limit"))
)
_ALL = _PAGE.where(t.c.status != literal_column("'pending'"))
_PAGES: Mapping[Status, Select[Any]] = {
    Status.ACTIVE: _PAGE.where(_is(Status.ACTIVE), t.c.expires_at > bindparam("now")),
    Status.SUSPENDED: _PAGE.where(_is(Status.SUSPENDED)),
    Status.LAPSED: _PAGE.where(_is(Status.LAPSED) | _IS_OVER),
    Status.ENDED: _PAGE.where(_is(Status.ENDED)),
}
_OF_ACCOUNT = select(t).where(
    t.c.client_id == bindparam("client_id"), t.c.account_id == bindparam("account_id"), _IS_LIVE
)
_changed = (
    select(link_changes.c.link_id)
    .where(link_changes.c.client_id == bindparam("client_id"))
    .where(link_changes.c.sequence > bindparam("position"))
    .order_by(link_changes.c.sequence)
    .limit(bindparam("limit"))
)
_CHANGED = select(t).where(t.c.link_id.in_(_changed))

SHOWN: frozenset[Status] = frozenset(_PAGES)
"""The states in which a platform sees a link, and by which it may ask for its links."""


class PlatformLinks:
    """What one platform may read of account links."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def page(
        self, client_id: str, status: Status | None, now: datetime, *, after: str, limit: int
    ) -> list[AccountLink]:
        """Return a platform's links by their id, ended ones included; with a status, those that count so."""
        statement = _ALL if status is None else _PAGES[status]
        rows = await self._recorder.fetch_all(
            statement, client_id=client_id, now=micros(now), after=after, limit=limit
        )
        return [link_from_row(row) for row in rows]

    async def of_account(self, client_id: str, account_id: str) -> AccountLink | None:
        """Return the live link of a platform's account: there is one at most."""
        row = await self._recorder.fetch_one(_OF_ACCOUNT, client_id=client_id, account_id=account_id)
        return None if row is None else link_from_row(row)

    async def changed_since(self, client_id: str, position: int, limit: int) -> dict[str, AccountLink]:
        """Return the links of the changes that `link_changes.of_client_since` returns, by their id."""
        rows = await self._recorder.fetch_all(_CHANGED, client_id=client_id, position=position, limit=limit)
        return {row["link_id"]: link_from_row(row) for row in rows}
