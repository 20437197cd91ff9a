"""Registered clients in memory. A change in the store is taken over within a second by every process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from idp.protocol.approval import as_it_counts
from idp.protocol.client_authentication import is_client_id
from idp.protocol.client_key_set import NO_KEYS, ClientKeySet, read_key_set
from idp.protocol.errors import InvalidClientError
from idp.protocol.jose import PublicKey
from idp.protocol.model import Client
from idp.store.unit_of_work import UnitOfWork

FetchKeys = Callable[[str], Awaitable[ClientKeySet]]
"""Fetches a jwks_uri; handed in by the application, because only `idp.outbound` dials out."""

REFETCH_PAUSE = timedelta(seconds=30)
"""An unknown `kid` makes us fetch a client's keys again, but not more often than this."""
FAILURE_PAUSE = timedelta(seconds=5)
"""An address that failed is left alone this long: anybody who names the client could make us call it."""
KEYS_VALIDITY = timedelta(minutes=15)
KEYS_LAST = timedelta(hours=1)
"""How long keys are used whose address does not answer when they should be fetched anew."""
_PAGE = 500


class ClientDirectory:
    """All clients by id, and their parsed keys."""

    def __init__(
        self,
        open_unit_of_work: Callable[[], UnitOfWork],
        fetch_keys: FetchKeys,
        *,
        is_production: bool = False,
    ) -> None:
        """`is_production`: whether clients that nobody approved yet are handed out as such."""
        self._is_production = is_production
        self._open = open_unit_of_work
        self._fetch_keys = fetch_keys
        self._clients: dict[str, Client] = {}
        self._revision: tuple[int, int] | None = None
        self._parsed: dict[str, tuple[object, ClientKeySet]] = {}
        self._fetched: dict[str, tuple[datetime, ClientKeySet]] = {}
        self._fetched_again: dict[str, datetime] = {}
        self._failed: dict[str, tuple[datetime, InvalidClientError]] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def refresh(self) -> None:
        """Take over what changed in the store: one small statement when nothing did."""
        clients = self._open().clients
        revision = await clients.revision()
        if revision == self._revision:
            return
        found: dict[str, Client] = {}
        after = ""
        while page := await clients.page(after=after, limit=_PAGE):
            found |= {stored.client.client_id: self._as_it_counts(stored.client) for stored in page}
            after = page[-1].client.client_id
        self._clients, self._revision = found, revision
        self._parsed = {name: kept for name, kept in self._parsed.items() if name in found}

    def registered(self) -> Mapping[str, Client]:
        """Return the clients as they were last looked at: another mapping once one of them has changed."""
        return self._clients

    async def find(self, client_id: str | None) -> Client | None:
        """Return a client, suspended or not. One that was just registered is looked up in the store."""
        if client_id is None or not is_client_id(client_id):
            return None
        known = self._clients.get(client_id)
        if known is not None:
            return known
        stored = await self._open().clients.find(client_id)
        return None if stored is None else self._as_it_counts(stored.client)

    def _as_it_counts(self, client: Client) -> Client:
        return as_it_counts(client, is_production=self._is_production)

    async def keys_of(self, client: Client, now: datetime, *, again: bool = False) -> tuple[PublicKey, ...]:
        """Return a client's verification keys, as `key_set_of` does."""
        return (await self.key_set_of(client, now, again=again)).verification

    def known_key_set(self, client: Client) -> ClientKeySet:
        """Return a client's keys as they are known now: registered, or fetched by `key_set_of` before."""
        if client.jwks_uri is None:
            return self._registered_keys(client)
        kept = self._fetched.get(client.jwks_uri)
        return NO_KEYS if kept is None else kept[1]

    async def key_set_of(self, client: Client, now: datetime, *, again: bool = False) -> ClientKeySet:
        """Return a client's key set; `again` fetches its jwks_uri anew, if that is not too soon.

        Raises InvalidClientError when the address does not answer with keys, and none are known of late.
        """
        if client.jwks_uri is None:
            return self._registered_keys(client)
        # One fetch at a time for each client: many requests with a new kid must not become many fetches.
        async with self._fetching.setdefault(client.client_id, asyncio.Lock()):
            kept = self._fetched.get(client.jwks_uri)
            if kept is not None and not self._may_fetch(client.jwks_uri, kept[0], now, again=again):
                return kept[1]
            try:
                return await self._fetch(client.jwks_uri, now)
            except InvalidClientError:
                if again or kept is None or now >= kept[0] + KEYS_LAST:
                    raise
                # The platform's moment of weakness is no reason to turn its people away.
                return kept[1]

    def _may_fetch(self, jwks_uri: str, fetched_at: datetime, now: datetime, *, again: bool) -> bool:
        """Tell whether kept keys may be fetched anew: when they are old, or once a pause for a new `kid`.

        The pause runs between such fetches, not from the first: a platform may rotate right after it.
        """
        if not again:
            return now >= fetched_at + KEYS_VALIDITY
        before = self._fetched_again.get(jwks_uri)
        if now <= fetched_at or (before is not None and now < before + REFETCH_PAUSE):
            return False
        self._fetched_again[jwks_uri] = now
        return True

    async def _fetch(self, jwks_uri: str, now: datetime) -> ClientKeySet:
        failed = self._failed.get(jwks_uri)
        if failed is not None and now < failed[0] + FAILURE_PAUSE:
            raise InvalidClientError(failed[1].description, detail=failed[1].detail)
        try:
            keys = await self._fetch_keys(jwks_uri)
        except InvalidClientError as failure:
            self._failed[jwks_uri] = (now, failure)
            raise
        self._fetched[jwks_uri] = (now, keys)
        return keys

    def _registered_keys(self, client: Client) -> ClientKeySet:
        if client.jwks is None:
            return NO_KEYS
        kept = self._parsed.get(client.client_id)
        if kept is None or kept[0] is not client.jwks:
            kept = self._parsed[client.client_id] = (client.jwks, read_key_set(client.jwks))
        return kept[1]
