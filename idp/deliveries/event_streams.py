"""The event streams of clients as this process knows them: looked up again once a second."""

from collections.abc import Callable
from datetime import datetime, timedelta

from idp.protocol.event_stream import EventStream
from idp.store.unit_of_work import UnitOfWork

KNOWN_FOR = timedelta(seconds=1)


class KnownStreams:
    """Streams by client, each as it was within the last second."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, EventStream | None]] = {}

    async def of_client(
        self, client_id: str, open_unit_of_work: Callable[[], UnitOfWork], now: datetime
    ) -> EventStream | None:
        """Return a client's stream, if it has one."""
        known = self._known.get(client_id)
        if known is not None and known[0] <= now < known[0] + KNOWN_FOR:
            return known[1]
        stream = await open_unit_of_work().event_streams.of_client(client_id)
        self._known[client_id] = (now, stream)
        return stream
