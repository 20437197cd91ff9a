"""What one platform heard: every event once, in the order of arrival, however often it was told."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clients.relying_party import SecurityEvent

OWN = "account-link-"


class Told(NamedTuple):
    """One event as it arrived for the first time."""

    jti: str
    name: str
    subject: str | None
    link_id: str | None
    account_id: str | None
    status: str | None
    at: float
    """Seconds of the clock that all processes of this machine share."""


@dataclass
class Heard:
    """The memory of one platform's back-end."""

    told: list[Told] = field(default_factory=list)
    copies: int = 0
    jtis: set[str] = field(default_factory=set)

    async def take(self, event: SecurityEvent) -> None:
        """Keep an event, unless it is a copy: what a platform is asked to do."""
        if event.jti in self.jtis:
            self.copies += 1
            return
        self.jtis.add(event.jti)
        link = event.link
        self.told.append(
            Told(
                event.jti,
                event.name,
                event.subject,
                None if link is None else link.link_id,
                None if link is None else link.account_id,
                None if link is None else link.status,
                time.monotonic(),
            )
        )

    def own(self) -> Iterable[Told]:
        """Return what was told of links."""
        return (told for told in self.told if told.name.startswith(OWN))

    def links(self) -> dict[str, tuple[str | None, str | None]]:
        """Return account and state of every link as this platform knows them from events alone."""
        return {told.link_id: (told.account_id, told.status) for told in self.own() if told.link_id}

    def by_subject(self) -> dict[str, list[tuple[str | None, str]]]:
        """Return what was told of each subject, in the order of arrival."""
        orders: dict[str, list[tuple[str | None, str]]] = {}
        for told in self.own():
            orders.setdefault(str(told.subject), []).append((told.link_id, told.name))
        return orders

    def as_json(self) -> dict[str, Any]:
        return {"copies": self.copies, "told": self.told}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Heard":
        told = [Told(*each) for each in document["told"]]
        return cls(told, document["copies"], {each.jti for each in told})
