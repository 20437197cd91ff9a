"""A clock that stands still until a test moves it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@dataclass
class FrozenClock:
    now: datetime = BEGINNING

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Move on, by the keywords of timedelta."""
        self.now += timedelta(**span)
