"""Status lists as they are served: signed once for each state of a list, kept in memory.

A list is looked at again, with one small statement, when somebody asks for it a second later or more.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from idp.protocol.status_list import (
    STATUS_LIST_TYPE,
    VALIDITY,
    is_due_to_sign,
    status_list_claims,
)
from idp.store.status_lists import Edition
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import StoreUnavailableError
from idp.web.clients import ClientDirectory
from keys import Custody, Signer

LOOK_EVERY = timedelta(seconds=1)
KEPT = 512
"""Lists that a process keeps; one of a million links takes a fifth of a megabyte."""
DEFAULT_ALGORITHM = "ES256"
"""Signs the list of a client whose registration is gone."""


@dataclass(frozen=True, slots=True)
class SignedList:
    """A status list token, ready to be sent."""

    body: bytes
    etag: str
    """Weak: two processes sign the same list with different bytes (RFC 9110 §8.8.1)."""
    version: int
    complete_at: datetime
    signer_kid: str


class StatusListDirectory:
    """The lists that this process has served lately."""

    def __init__(
        self,
        issuer: str,
        open_unit_of_work: Callable[[], UnitOfWork],
        clients: ClientDirectory,
        custody: Custody,
    ) -> None:
        self._issuer = issuer
        self._open = open_unit_of_work
        self._clients = clients
        self._custody = custody
        self._kept: OrderedDict[str, tuple[datetime, SignedList]] = OrderedDict()
        self._looking: dict[str, asyncio.Lock] = {}

    async def find(self, list_id: str, now: datetime) -> SignedList | None:
        """Return a list as it stood at most a second ago; None for an unknown id.

        While the database does not answer, what is known is served until it expires by itself; of what is not
        known, StoreUnavailableError is raised.
        """
        kept = self._fresh(list_id, now)
        if kept is not None:
            return kept
        # One look at a time for each list: what is asked for by a thousand platforms' servers is one list.
        lock = self._looking.setdefault(list_id, asyncio.Lock())
        try:
            async with lock:
                return self._fresh(list_id, now) or await self._look(list_id, now)
        finally:
            if not lock.locked():
                self._looking.pop(list_id, None)

    def _fresh(self, list_id: str, now: datetime) -> SignedList | None:
        looked_at, kept = self._kept.get(list_id, (None, None))
        return kept if looked_at is not None and now - looked_at < LOOK_EVERY else None

    async def _look(self, list_id: str, now: datetime) -> SignedList | None:
        _, kept = self._kept.get(list_id, (None, None))
        try:
            uow = self._open()
            edition = await uow.status_lists.edition(list_id)
            if edition is None:
                return None
            signer = await self._signer(edition.client_id)
            if kept is None or _is_outdated(kept, edition, signer):
                kept = await self._sign(uow, list_id, edition, signer)
        except StoreUnavailableError:
            if kept is None or now >= kept.complete_at + VALIDITY:
                raise
        if kept is not None:
            self._kept[list_id] = (now, kept)
            self._kept.move_to_end(list_id)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept

    async def _signer(self, client_id: str) -> Signer:
        """Lists are signed as the client's receipts are: it can verify both or neither."""
        client = await self._clients.find(client_id)
        algorithm = DEFAULT_ALGORITHM if client is None else client.id_token_signed_response_alg
        return self._custody.signing.signer(algorithm)

    async def _sign(
        self, uow: UnitOfWork, list_id: str, edition: Edition, signer: Signer
    ) -> SignedList | None:
        """Sign what the list says now, which may be newer than `edition`: the next look finds that out."""
        statuses = await uow.status_lists.find(list_id)
        if statuses is None:
            return None
        claims = status_list_claims(self._issuer, list_id, statuses.compressed, edition.complete_at)
        body = signer.sign(claims, typ=STATUS_LIST_TYPE).encode()
        state = f"{list_id} {statuses.version} {claims['iat']} {signer.kid}"
        return SignedList(
            body=body,
            etag=f'W/"{sha256(state.encode()).hexdigest()[:32]}"',
            version=statuses.version,
            complete_at=edition.complete_at,
            signer_kid=signer.kid,
        )


def _is_outdated(kept: SignedList, edition: Edition, signer: Signer) -> bool:
    return (
        kept.version < edition.version
        or kept.signer_kid != signer.kid
        or is_due_to_sign(kept.complete_at, edition.complete_at)
    )
