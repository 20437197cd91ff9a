"""How many deliveries may be under way to one receiver at once. Pure.

A receiver that answers is given more and more places. One that takes long is given fewer, one that does not
answer loses them, and both have theirs out of a part of the whole that receivers in good health never need:
however many are slow or gone, and however much waits for them, the others are told as if they were not there.
"""

from dataclasses import dataclass

FIRST_PLACES = 4
"""For a receiver of which nothing is known yet."""
MOST_PLACES = 64
MOST_SLOW_PLACES = 32
"""For one that answers, but takes its time."""

SLOW = 1.0
"""Seconds from which an answer counts as slow."""
GONE_AFTER = 3
"""Failures in a row after which a receiver is taken to be gone, and is tried one delivery at a time."""


@dataclass(slots=True)
class Lane:
    """Deliveries of one kind to one receiver, as one process sees them."""

    kind: str
    client_id: str
    most_places: int = MOST_PLACES
    places: int = FIRST_PLACES
    under_way: int = 0
    failures_in_a_row: int = 0
    is_slow: bool = False

    @property
    def is_sick(self) -> bool:
        """Tell whether it is slow or failing, and shares the places set apart for such."""
        return self.is_slow or self.failures_in_a_row > 0

    @property
    def is_gone(self) -> bool:
        """Tell whether nothing was heard of the receiver for several deliveries."""
        return self.failures_in_a_row >= GONE_AFTER

    @property
    def free(self) -> int:
        """How many more deliveries may be started now."""
        return max(0, self.places - self.under_way)

    def succeeded(self, seconds: float) -> bool:
        """Take note of a delivery that was taken; tell whether its receiver was gone until now."""
        is_back = self.is_gone
        self.failures_in_a_row = 0
        self.is_slow = seconds >= SLOW
        most = MOST_SLOW_PLACES if self.is_slow else MOST_PLACES
        self.places = min(self.places + 1, most, self.most_places)
        return is_back

    def failed(self) -> None:
        """Take note of a delivery that was not taken."""
        self.failures_in_a_row += 1
        self.places = 1 if self.is_gone else max(1, self.places // 2)
