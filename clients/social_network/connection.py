"""The connection to the provider, made when it is first needed: the network starts without it."""

import asyncio
from dataclasses import dataclass, replace

import httpx

from clients.relying_party import (
    AccountLink,
    AccountLinks,
    PolledEvents,
    Provider,
    ReceiptKeys,
    RelyingParty,
    StatusLists,
)
from clients.relying_party.event_receiver import Take
from clients.relying_party.keys import Clock
from clients.relying_party.transport import send
from clients.social_network.settings import Settings

_POLL_TIMEOUT = 40
"""Seconds; the provider lets a poll wait for 25."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the network learns what became of its links."""

    events: PolledEvents
    lists: StatusLists
    links: AccountLinks
    party: RelyingParty
    provider: Provider

    async def read_link(self, link_id: str) -> AccountLink:
        """Ask the platform API about one link. Raises RelyingPartyError."""
        return await self.links.read(link_id)

    async def receipt_keys(self) -> ReceiptKeys:
        """Fetch every key that may have signed a receipt. Raises RelyingPartyError."""
        return await self.party.receipt_keys()

    async def policy_document(self) -> str:
        """Fetch the policy. Raises ProviderUnavailableError."""
        http = self.provider.http
        address = f"{self.provider.metadata.issuer}/account-links/policy"
        answer = await send(http, http.build_request("GET", address))
        return answer.body.decode(errors="replace")


class Connection:
    """One provider, found once; everything else is made of it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=10)
        self._polling = httpx.AsyncClient(timeout=_POLL_TIMEOUT)
        self._lock = asyncio.Lock()
        self._provider: Provider | None = None
        self._relying_party: RelyingParty | None = None
        self._links: AccountLinks | None = None

    async def relying_party(self) -> RelyingParty:
        """Return the relying party; discover the provider the first time."""
        provider = await self._find()
        if self._relying_party is None:
            self._relying_party = RelyingParty(
                provider,
                self._settings.client_id,
                key=self._settings.key_file.read_text(),
                redirect_uri=self._settings.redirect_uri,
            )
        return self._relying_party

    async def sources(self, take: Take) -> Sources:
        """Return where to learn what became of the links; `take` is called with each event."""
        party, provider = await self.relying_party(), await self._find()
        key, client_id = self._settings.key_file.read_text(), self._settings.client_id
        return Sources(
            events=PolledEvents(replace(provider, http=self._polling), client_id, key=key, take=take),
            lists=party.status_lists(),
            links=await self._account_links(),
            party=party,
            provider=provider,
        )

    async def read_link(self, link_id: str) -> AccountLink:
        """Ask the platform API about one link, because its member wants to know. Raises RelyingPartyError."""
        return await (await self._account_links()).read(link_id)

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()
        await self._polling.aclose()

    async def _account_links(self) -> AccountLinks:
        provider = await self._find()
        if self._links is None:
            self._links = AccountLinks(
                provider,
                self._settings.client_id,
                key=self._settings.key_file.read_text(),
                scope="account_links.read",
            )
        return self._links

    async def _find(self) -> Provider:
        async with self._lock:
            if self._provider is None:
                self._provider = await Provider.discover(self._settings.issuer, self._http, clock=self._clock)
            return self._provider
