"""Whether what a platform knows is what the provider's tables say: nothing lost or doubled, all in order."""

import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, select

from clients.relying_party import LinkStatus
from idp.identity.account_links import AccountLink
from idp.identity.link_changes import LinkChange
from idp.identity.link_status import link_status
from idp.protocol.status_list import changed_array, empty_array
from idp.store.client_tables import outbox
from idp.store.set_deliveries import SECURITY_EVENT
from idp.store.unit_of_work import UnitOfWork
from tests.rush.heard import OWN, Heard
from tests.rush.making import Acknowledged
from tests.rush.platforms import BackEnd

PAGE = 5000
SHOWN = 3
"""Differences of a kind that are named; the others are counted."""

_EVENTS = (
    select(outbox.c.delivery_id, outbox.c.delivered_at, outbox.c.parked_at)
    .where(outbox.c.kind == bindparam("kind"), outbox.c.client_id == bindparam("client_id"))
    .where(outbox.c.delivery_id > bindparam("after"))
    .order_by(outbox.c.delivery_id)
    .limit(bindparam("limit"))
)


@dataclass
class Truth:
    """What the provider's tables say of one platform."""

    links: dict[str, AccountLink]
    changes: list[LinkChange]
    """In the order of their positions."""
    sent: dict[str, bool]
    """Its events by `jti`, and whether each was told and not given up."""

    @classmethod
    async def read(cls, uow: UnitOfWork, client_id: str) -> "Truth":
        return cls(await _links(uow, client_id), await _changes(uow, client_id), await _sent(uow, client_id))

    def order(self) -> dict[str, list[tuple[str | None, str]]]:
        """Return what became of each subject, in its order."""
        orders: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
        for change in self.changes:
            subject = self.links[change.link_id].subject
            orders[subject].append((change.link_id, f"{OWN}{change.kind.value}"))
        return dict(orders)


async def _links(uow: UnitOfWork, client_id: str) -> dict[str, AccountLink]:
    found: dict[str, AccountLink] = {}
    after, now = "", datetime.now(UTC)
    while page := await uow.platform_links.page(client_id, None, now, after=after, limit=PAGE):
        found.update((link.link_id, link) for link in page)
        after = page[-1].link_id
    return found


async def _changes(uow: UnitOfWork, client_id: str) -> list[LinkChange]:
    found: list[LinkChange] = []
    while page := await uow.link_changes.of_client_since(
        client_id, (found[-1].position or 0) if found else 0, PAGE
    ):
        found += page
    return found


async def _sent(uow: UnitOfWork, client_id: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    after = ""
    while page := await uow.fetch_all(
        _EVENTS, kind=SECURITY_EVENT, client_id=client_id, after=after, limit=PAGE
    ):
        for row in page:
            found[row["delivery_id"]] = row["delivered_at"] is not None and row["parked_at"] is None
        after = page[-1]["delivery_id"]
    return found


def tables_agree(truth: Truth, acknowledged: Iterable[Acknowledged]) -> list[str]:
    """Name where the tables contradict each other, or what was acknowledged and is not there."""
    last = {change.link_id: change.status for change in truth.changes}
    now = {link_id: link.status for link_id, link in truth.links.items()}
    recorded = {(change.link_id, change.kind.value) for change in truth.changes}
    lost = [told for told in acknowledged if told not in recorded]
    return [
        *_differences("the last change of a link is not its state", last, now),
        *([f"{len(lost)} acknowledged changes are lost: {lost[:SHOWN]}"] if lost else []),
    ]


def events_agree(truth: Truth, heard: Heard) -> list[str]:
    """Name where what was told by events is not what is so."""
    links = {link_id: (link.account_id, link.status.value) for link_id, link in truth.links.items()}
    told = sum(1 for _ in heard.own())
    unknown = heard.jtis ^ truth.sent.keys()
    waiting = [jti for jti, is_told in truth.sent.items() if not is_told]
    return [
        *_differences("links by events", heard.links(), links),
        *_differences("order of a person's events", heard.by_subject(), truth.order()),
        *([f"{told} events of {len(truth.changes)} changes"] if told != len(truth.changes) else []),
        *([f"{len(waiting)} events were not told"] if waiting else []),
        *([f"{len(unknown)} events are known to one side only"] if unknown else []),
    ]


def feed_agrees(truth: Truth, back_end: BackEnd) -> list[str]:
    """Name where the change feed, read by cursor while links were made, is not what is so."""
    links = {link_id: (link.account_id, link.status.value) for link_id, link in truth.links.items()}
    expected = [(change.link_id, change.kind.value) for change in truth.changes]
    twice = sum(count > 1 for count in back_end.change_ids.values())
    return [
        *_differences("links by the feed", back_end.links, links),
        *(["the feed has another order"] if back_end.followed != expected else []),
        *([f"{twice} changes stand in the feed twice"] if twice else []),
    ]


def lists_agree(truth: Truth, statuses: dict[str, LinkStatus]) -> list[str]:
    """Name where status lists, as the SDK reads them, are not what is so."""
    expected = {link_id: int(link_status(link.status)) for link_id, link in truth.links.items()}
    found = {link_id: int(status) for link_id, status in statuses.items()}
    return _differences("links by status lists", found, expected)


async def rebuilt_lists_agree(uow: UnitOfWork, truths: Iterable[Truth]) -> tuple[list[str], int, float]:
    """Build every list anew from the links; return differences, lists, and CPU seconds of the longest."""
    by_list: dict[str, dict[int, int]] = defaultdict(dict)
    for truth in truths:
        for link in truth.links.values():
            if link.status_list_id is not None and link.status_index is not None:
                by_list[link.status_list_id][link.status_index] = int(link_status(link.status))
    wrong, longest = [], 0.0
    for list_id, values in by_list.items():
        began = time.process_time()
        rebuilt = changed_array(empty_array(), values)
        longest = max(longest, time.process_time() - began)
        kept = await uow.status_lists.find(list_id)
        if kept is None or zlib.decompress(kept.compressed) != zlib.decompress(rebuilt):
            wrong.append(f"the list {list_id} is not what its links are")
    return wrong, len(by_list), longest


def _differences(what: str, found: Mapping[str, object], expected: Mapping[str, object]) -> list[str]:
    different = [key for key in expected.keys() | found.keys() if found.get(key) != expected.get(key)]
    if not different:
        return []
    shown = [(found.get(key), expected.get(key)) for key in different[:SHOWN]]
    return [f"{what}: {len(different)} of {len(expected)} differ, such as {shown}"]
