"""The platforms' back-ends, by the SDK: they follow the change feed, poll, and look into status lists."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from clients.relying_party import (
    AccountLinks,
    EventReceiver,
    LinkReceipt,
    LinkStatus,
    Provider,
    ProviderUnavailableError,
    StatusLists,
    StatusReference,
)
from clients.relying_party.client_authentication import choose_authentication
from clients.relying_party.event_receiver import EVENT_RESOURCE, EVENT_SCOPE
from clients.relying_party.own_token import OwnToken
from idp.identity.account_links import AccountLink
from idp.protocol.event_stream import poll_endpoint
from idp.protocol.status_list import status_list_uri
from tests.rush.heard import Heard
from tests.support.provider import ISSUER, SECRET

FOLLOW_EVERY = 1.0


@dataclass
class BackEnd:
    """One platform's back-end, with what it knows from the feed."""

    client_id: str
    provider: Provider
    cursor: str | None = None
    followed: list[tuple[str, str]] = field(default_factory=list)
    """Every change of the feed in its order: its link and its kind."""
    change_ids: Counter[str] = field(default_factory=Counter)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Account and state of every link, as the newest change of it showed."""
    _api: AccountLinks | None = None

    @classmethod
    async def discovered(cls, client_id: str, http: httpx.AsyncClient) -> "BackEnd":
        return cls(client_id, await Provider.discover(ISSUER, http))

    async def follow(self) -> None:
        """Read the feed from the kept cursor to its end. Raises ProviderUnavailableError."""
        self._api = self._api or AccountLinks(self.provider, self.client_id, secret=SECRET)
        async for page in self._api.follow(self.cursor):
            for change in page.changes:
                self.followed.append((change.link_id, change.kind))
                self.change_ids[change.change_id] += 1
                if change.link is not None:
                    self.links[change.link_id] = (change.link.account_id, change.link.status)
            self.cursor = page.cursor

    async def keep_following(self) -> None:
        """Follow once a second until cancelled, from the same cursor again when there was no answer."""
        while True:
            try:
                await self.follow()
            except ProviderUnavailableError:
                await asyncio.sleep(FOLLOW_EVERY)
            await asyncio.sleep(FOLLOW_EVERY)

    async def poll_all(self, stream_id: str) -> Heard:
        """Fetch and acknowledge until nothing waits."""
        heard = Heard()
        receiver = EventReceiver(self.provider, self.client_id, take=heard.take)
        token = OwnToken(
            self.provider, self.client_id, choose_authentication(None, SECRET), EVENT_SCOPE, EVENT_RESOURCE
        )
        endpoint = poll_endpoint(ISSUER, stream_id)
        while await receiver.poll(endpoint, token, wait=False):
            pass
        return heard

    async def statuses(self, links: list[AccountLink]) -> dict[str, LinkStatus]:
        """Look every link up in the lists, by the reference that its receipt holds."""
        lists = StatusLists(ISSUER, self.provider.keys, self.provider.http)
        return await lists.check(_receipt(link) for link in links)


def _receipt(link: AccountLink) -> LinkReceipt:
    if link.status_list_id is None or link.status_index is None or link.expires_at is None:
        raise AssertionError(f"the link {link.link_id} stands in no list")
    return LinkReceipt(
        issuer=ISSUER,
        client_id=link.client_id,
        link_id=link.link_id,
        account_id=link.account_id,
        subject=link.subject,
        assurance_level=link.proofing.value,
        acr=link.acr.value,
        issued_at=datetime.now(UTC),
        linked_at=link.linked_at or link.requested_at,
        expires_at=link.expires_at,
        policy_version=link.policy_version,
        status=StatusReference(status_list_uri(ISSUER, link.status_list_id), link.status_index),
    )
