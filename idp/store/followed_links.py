"""Links as they stand behind a handful of their changes: read together, for those who follow links."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, distinct, func, literal_column, null, select

from idp.identity.account_links import AccountLink
from idp.identity.link_changes import LinkChange
from idp.store.account_links import link_from_row
from idp.store.encoding import micros
from idp.store.link_changes import change_from_row
from idp.store.link_tables import link_changes
from idp.store.recorder import Recorder
from idp.store.tables import account_links as t
from idp.store.text_lists import one_of, text_list

_LINKS = select(t).where(one_of(t.c.link_id, bindparam("ids")))
_OF_CITIZENS = select(t).where(
    and_(one_of(t.c.citizen_id, bindparam("ids")), t.c.status != literal_column("'pending'"))
)
_WAITING = (
    select(link_changes)
    .where(and_(one_of(link_changes.c.link_id, bindparam("ids")), link_changes.c.sequence == null()))
    .order_by(link_changes.c.occurred_at, link_changes.c.change_id)
)


_NETWORKS_SINCE = (
    select(t.c.citizen_id, func.count(distinct(t.c.client_id)).label("networks"))
    .where(and_(one_of(t.c.citizen_id, bindparam("ids")), t.c.linked_at >= bindparam("since")))
    .group_by(t.c.citizen_id)
)


class FollowedLinks:
    """What is asked about links whose changes are told."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, link_ids: Iterable[str]) -> dict[str, AccountLink]:
        """Return links by id, as they stand now; unknown ids are left out."""
        rows = await self._recorder.fetch_all(_LINKS, ids=text_list(link_ids))
        return {row["link_id"]: link_from_row(row) for row in rows}

    async def of_citizens(self, citizen_ids: Iterable[str]) -> Sequence[AccountLink]:
        """Return all links of people, ended ones included."""
        rows = await self._recorder.fetch_all(_OF_CITIZENS, ids=text_list(citizen_ids))
        return [link_from_row(row) for row in rows]

    async def networks_since(self, citizen_ids: Iterable[str], since: datetime) -> dict[str, int]:
        """Return at how many clients each of these people linked an account since then, if at any."""
        rows = await self._recorder.fetch_all(
            _NETWORKS_SINCE, ids=text_list(citizen_ids), since=micros(since)
        )
        return {row["citizen_id"]: row["networks"] for row in rows}

    async def waiting_changes(self, link_ids: Iterable[str]) -> dict[str, list[LinkChange]]:
        """Return the changes of links that have no position yet, in their order, by link."""
        found: dict[str, list[LinkChange]] = {}
        for row in await self._recorder.fetch_all(_WAITING, ids=text_list(link_ids)):
            found.setdefault(row["link_id"], []).append(change_from_row(row))
        return found
