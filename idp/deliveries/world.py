"""What making a delivery may use, and how it says that it failed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from idp.deliveries.event_streams import KnownStreams
from idp.deliveries.ways import WaysToPeople
from idp.outbound.addresses import OutboundRefusedError
from idp.outbound.guarded_http import GuardedHTTP
from idp.protocol.event_stream import EventStream
from idp.protocol.model import Policy
from idp.store.database import Database
from idp.store.unit_of_work import UnitOfWork
from idp.web.clients import ClientDirectory
from idp.web.log import Log
from keys import Custody


class DeliveryFailedError(Exception):
    """It was not taken; the text is kept with the delivery and read by operators: no secret, no person."""


class DeliveryRefusedError(DeliveryFailedError):
    """The receiver is there and says that this delivery is wrong: tried a few times more, and then parked."""


class DeliveryHeldError(Exception):
    """It may not be made before `until`, and nobody failed; when its time is over meanwhile, it is parked."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


@dataclass(frozen=True, slots=True)
class World:
    """The opened parts of the process."""

    policy: Policy
    database: Database
    custody: Custody
    clients: ClientDirectory
    http: GuardedHTTP
    log: Log
    clock: Callable[[], datetime]
    streams: KnownStreams = field(default_factory=KnownStreams)
    people: WaysToPeople = field(default_factory=WaysToPeople)

    async def stream_of(self, client_id: str) -> EventStream | None:
        """Return a client's event stream as it was within the last second."""
        return await self.streams.of_client(client_id, self.unit_of_work, self.clock())

    def unit_of_work(self) -> UnitOfWork:
        """Return a fresh unit of work."""
        return UnitOfWork(self.database, self.custody.data)

    async def post_form(self, uri: str, form: dict[str, str], headers: dict[str, str] | None = None) -> None:
        """Send a form. Raises DeliveryFailedError unless it was taken."""
        try:
            status = await self.http.post_form(uri, form, headers)
        except OutboundRefusedError as error:
            raise DeliveryFailedError(str(error)) from error
        check_taken(status)

    async def post_json(
        self, uri: str, document: dict[str, object], headers: dict[str, str] | None = None
    ) -> None:
        """Send a JSON document. Raises DeliveryFailedError unless it was taken."""
        try:
            status = await self.http.post_json(uri, document, headers)
        except OutboundRefusedError as error:
            raise DeliveryFailedError(str(error)) from error
        check_taken(status)


def check_taken(status: int) -> None:
    """Check the status of an answer. Raises DeliveryFailedError for all but 2xx: a redirect is no receipt."""
    if not 200 <= status < 300:
        raise DeliveryFailedError(f"the answer was {status}")
