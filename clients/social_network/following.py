"""What becomes of the links, heard while nobody looks: pages read what is kept and wait for nobody.

    events, within a second ─▶ hear ─────────▶ LinkStore: suspended, over, valid again
    the platform API ────────▶ read_anew ────▶ LinkStore: the public mark, what an event does not say
    status lists ────────────▶ look ─────────▶ LinkStore: also what no event reached us about
    the policy document ─────▶ read_policy ──▶ Features: what a member may do

Each goes on by itself. An outage over there changes nothing here: what is known counts until it is over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn, Protocol

from clients.relying_party import (
    AccountLink,
    LinkReceipt,
    ReceiptKeys,
    RelyingPartyError,
    RequestRefusedError,
    SecurityEvent,
    StatusList,
    TokenError,
)
from clients.relying_party.event_receiver import Take
from clients.social_network.accounts import Link
from clients.social_network.web import Network

LOOK_EVERY = 20.0
"""Seconds; a list that is fresh is not downloaded again, and one that did not change is answered with 304."""
READ_EVERY = 0.5
"""Seconds; nothing leaves here unless an event came."""
POLICY_EVERY = 300.0
KEYS_ARE_GOOD_FOR = timedelta(days=1)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
RECEIPT_KEYS = "receipt_keys"
_log = logging.getLogger("quan_coc.following")


class Polling(Protocol):
    """What is needed of `PolledEvents`."""

    async def poll(self) -> int:
        """Fetch what waits and hand it over."""
        ...


class Lists(Protocol):
    """What is needed of `StatusLists`."""

    async def get(self, uri: str) -> StatusList:
        """Return a list, from memory while it is fresh."""
        ...


class Told(Protocol):
    """What is needed of the provider; `connection.Sources` has it, tests give something smaller."""

    @property
    def events(self) -> Polling:
        """Where events are fetched."""
        ...

    @property
    def lists(self) -> Lists:
        """Where status lists are."""
        ...

    async def read_link(self, link_id: str) -> AccountLink:
        """Ask the platform API about one link."""
        ...

    async def receipt_keys(self) -> ReceiptKeys:
        """Fetch every key that may have signed a receipt."""
        ...

    async def policy_document(self) -> str:
        """Fetch the policy."""
        ...


class Following:
    """Keeps the links of a network as the provider tells them, until it is cancelled."""

    def __init__(self, network: Network, find_sources: Callable[[Take], Awaitable[Told]]) -> None:
        self._network = network
        self._find_sources = find_sources
        self._sources: Told | None = None
        self._keys_are_good_until = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Do all of it side by side, so that trouble with one holds up no other."""
        async with asyncio.TaskGroup() as together:
            together.create_task(_again_and_again(self.hear, 0))
            together.create_task(_again_and_again(self.read_anew, READ_EVERY))
            together.create_task(_again_and_again(self.look, LOOK_EVERY))
            together.create_task(_again_and_again(self.read_policy, POLICY_EVERY))

    async def hear(self) -> None:
        """Wait for events, half a minute at most. Raises RelyingPartyError."""
        await (await self._told()).events.poll()

    async def read_anew(self) -> None:
        """Read the links that events were about: they do not say everything. Raises RelyingPartyError."""
        links = self._network.store.links
        for link in links.to_be_read():
            asked_at = self._network.clock().replace(microsecond=0)
            try:
                links.take_read(await (await self._told()).read_link(link.link_id), asked_at)
            except RequestRefusedError as error:
                if error.status != 404:
                    raise
                links.forget(link.link_id)

    async def read_policy(self) -> None:
        """Take over the policy as it is now published. Raises RelyingPartyError."""
        self._network.features.replace(await (await self._told()).policy_document())

    async def look(self) -> None:
        """Look up every receipt in its status list. Raises RelyingPartyError.

        A list that cannot be had, or believed, is asked for once in a turn, and holds up no other list.
        """
        sources, network = await self._told(), self._network
        trouble: dict[str, RelyingPartyError] = {}
        for link, receipt in await self._receipts(sources):
            if receipt.status.uri in trouble:
                continue
            try:
                listed = await sources.lists.get(receipt.status.uri)
                status = listed.status_at(receipt.status.index)
            except RelyingPartyError as error:
                trouble[receipt.status.uri] = error
            else:
                network.store.links.take_listed(link.link_id, status, listed.as_of)
        for first in trouble.values():
            raise first

    async def take(self, event: SecurityEvent) -> None:
        """Keep what an event says; a copy of one does nothing.

        That a session is over tells the logout token, which names it; the event is passed over.
        """
        is_new = self._network.store.links.take_event(event, self._network.clock())
        _log.info("%s %s", event.name, "taken" if is_new else "came again")

    async def _told(self) -> Told:
        if self._sources is None:
            self._sources = await self._find_sources(self.take)
        return self._sources

    async def _receipts(self, sources: Told) -> list[tuple[Link, LinkReceipt]]:
        """Verify every receipt; ask once for newer keys where some are signed by one that is not kept."""
        network = self._network
        links = [link for link in network.store.links.all().values() if link.receipt is not None]
        keys, is_new = await self._receipt_keys(sources)
        receipts = [(link, verified_receipt(network, link, keys)) for link in links]
        if not is_new and any(receipt is None for _, receipt in receipts):
            keys = await self._fetch_receipt_keys(sources)
            receipts = [(link, verified_receipt(network, link, keys)) for link in links]
        return [(link, receipt) for link, receipt in receipts if receipt is not None]

    async def _receipt_keys(self, sources: Told) -> tuple[ReceiptKeys, bool]:
        """Return the kept keys, or new ones where they are a day old, and whether they are new."""
        kept = self._network.store.find_kept(RECEIPT_KEYS)
        if kept is not None and self._network.clock() < self._keys_are_good_until:
            return ReceiptKeys.from_json(kept), False
        return await self._fetch_receipt_keys(sources), True

    async def _fetch_receipt_keys(self, sources: Told) -> ReceiptKeys:
        keys = await sources.receipt_keys()
        self._network.store.keep(RECEIPT_KEYS, keys.to_json())
        self._keys_are_good_until = self._network.clock() + KEYS_ARE_GOOD_FOR
        return keys


def kept_receipt(network: Network, link: Link) -> LinkReceipt | None:
    """Verify the receipt of a link by the keys that are kept: nobody is asked, now or in ten years."""
    kept = network.store.find_kept(RECEIPT_KEYS)
    return None if kept is None else verified_receipt(network, link, ReceiptKeys.from_json(kept))


def verified_receipt(network: Network, link: Link, keys: ReceiptKeys) -> LinkReceipt | None:
    """Verify the receipt of a link; None where there is none, or it does not pass."""
    if link.receipt is None:
        return None
    try:
        receipt = keys.read_receipt(link.receipt, client_id=network.settings.client_id, now=network.clock())
    except TokenError as error:
        _log.warning("the receipt of %s is not believed: %s", link.link_id, error)
        return None
    return receipt if receipt.link_id == link.link_id else None


async def _again_and_again(turn: Callable[[], Awaitable[None]], pause: float) -> NoReturn:
    """Take turn after turn; after trouble with the provider a little later each time."""
    trouble = FIRST_PAUSE
    while True:
        try:
            await turn()
            trouble = FIRST_PAUSE
            await asyncio.sleep(pause)
        except RelyingPartyError as error:
            _log.warning("%s: %s", type(error).__name__, error)
            await asyncio.sleep(trouble)
            trouble = min(2 * trouble, LONGEST_PAUSE)
