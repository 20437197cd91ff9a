"""Occupancy in status lists, in memory: a process takes a block of a client's at once and hands them out.

Making a link therefore costs no statement for its index. What a process does not use when it ends stays taken
for ever, among the links as a decoy.
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from datetime import datetime

from idp.protocol.status_indexes import BLOCK, RandomBytes, capacity, draw_indexes, none_taken
from idp.protocol.status_list import SIZE, empty_array
from idp.store.status_lists import Occupancy, Statuses
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, StoreUnavailableError

_TRIES = 20
"""Rounds of the compare-and-swap; each that is lost was won by another process."""


async def reserve_indexes(
    uow: UnitOfWork, client_id: str, count: int, now: datetime, random_bytes: RandomBytes = os.urandom
) -> tuple[str, list[int]]:
    """Take so many indexes of one of a client's lists for ever; return the list and the indexes as they fell.

    A client's first list, and each that follows a full one, is made here. Commits. Raises
    StoreUnavailableError.
    """
    for _ in range(_TRIES):
        found = await uow.status_lists.with_room(client_id, count)
        occupancy = found or _new_list()
        drawn, taken = draw_indexes(occupancy.taken, occupancy.size, occupancy.free, count, random_bytes)
        if found is None:
            _add(uow, occupancy, client_id, taken, count, now)
        else:
            uow.status_lists.take(found, taken, count)
        try:
            await uow.commit()
        except GateClosedError:
            continue
        return occupancy.list_id, drawn
    raise StoreUnavailableError("other processes were faster in reserving indexes, again and again")


def _new_list() -> Occupancy:
    return Occupancy(secrets.token_urlsafe(16), SIZE, capacity(SIZE), none_taken(SIZE), revision=1)


def _add(
    uow: UnitOfWork, occupancy: Occupancy, client_id: str, taken: bytes, count: int, now: datetime
) -> None:
    begun = Occupancy(occupancy.list_id, occupancy.size, occupancy.free - count, taken, occupancy.revision)
    uow.status_lists.add(begun, Statuses(occupancy.list_id, client_id, empty_array(), version=1), now)


class StatusIndexes:
    """The indexes that this process has taken and not given to a link yet."""

    def __init__(self, open_unit_of_work: Callable[[], UnitOfWork], clock: Callable[[], datetime]) -> None:
        self._open = open_unit_of_work
        self._clock = clock
        self._reserved: dict[str, tuple[str, list[int]]] = {}
        self._reserving: dict[str, asyncio.Lock] = {}

    async def take(self, client_id: str) -> tuple[str, int]:
        """Return a list of the client's and an index in it that no other link has, had or will have.

        Raises StoreUnavailableError.
        """
        while True:
            list_id, indexes = self._reserved.get(client_id, ("", []))
            if indexes:
                return list_id, indexes.pop()
            # One block at a time for each client, however many links are being made.
            async with self._reserving.setdefault(client_id, asyncio.Lock()):
                if not self._reserved.get(client_id, ("", []))[1]:
                    self._reserved[client_id] = await reserve_indexes(
                        self._open(), client_id, BLOCK, self._clock()
                    )
