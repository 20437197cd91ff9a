"""What the measurement of events found, and the table of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Arrivals = Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Measured:
    """When links were suspended, and when platforms heard of it."""

    rate: int
    seconds: int
    processes: int
    suspended_at: Mapping[str, float]
    """By link, seconds."""
    arrivals: Arrivals
    """By platform: links and the seconds in which their events arrived."""
    cpu_delivering: float
    """Seconds of processor time."""
    cpu_database: float

    def delays(self, behaviour: str) -> list[float]:
        """Return, sorted, how long the first event of each link took to the platforms of a kind."""
        first: dict[str, float] = {}
        for platform, arrived in self.arrivals.items():
            if platform.partition("-")[0] == behaviour:
                for link_id, at in arrived:
                    first.setdefault(link_id, at - self.suspended_at[link_id])
        return sorted(first.values())

    def expected(self, behaviour: str) -> int:
        """Return how many links the platforms of a kind hold: all have as many."""
        share = sum(platform.partition("-")[0] == behaviour for platform in self.arrivals)
        return len(self.suspended_at) * share // len(self.arrivals)

    def doubled(self, behaviour: str) -> int:
        """Return how many events arrived again at the platforms of a kind."""
        arrived = [
            link_id
            for platform, told in self.arrivals.items()
            if platform.partition("-")[0] == behaviour
            for link_id, _ in told
        ]
        return len(arrived) - len(set(arrived))

    def share_within(self, seconds: float) -> float:
        """Return the part of the events for live platforms that arrived within so many seconds."""
        return sum(delay <= seconds for delay in self.delays("live")) / max(1, self.expected("live"))


def markdown(measured: Measured) -> str:
    """Return the table as the README shows it."""
    shared = "delivering processes on a machine shared with PostgreSQL, the load and the receivers."
    lines = [
        f"{measured.rate} suspensions a second for {measured.seconds} s; {measured.processes} {shared}",
        "",
        "| platforms | suspensions | arrived within 60 s | p50 | p99 | told twice |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for behaviour, meaning in _MEANINGS.items():
        delays, expected = measured.delays(behaviour), measured.expected(behaviour)
        in_time = sum(delay <= 60 for delay in delays) / max(1, expected)
        lines.append(
            f"| {meaning} | {expected} | {in_time:.2%} | {_quantile(delays, 0.5)} | {_quantile(delays, 0.99)}"
            f" | {measured.doubled(behaviour)} |"
        )
    told = max(1, len(measured.delays("live")) + len(measured.delays("slow")))
    deliverers, database = (spent / told * 1e6 for spent in (measured.cpu_delivering, measured.cpu_database))
    cost = f"Processor time for each event: {deliverers:.0f} µs of the deliverers, {database:.0f} µs of"
    lines += ["", f"{cost} PostgreSQL, the suspension itself included."]
    return "\n".join(lines)


_MEANINGS = {"live": "8 that answer at once", "slow": "1 that takes 2 s", "dead": "1 that never answers"}


def _quantile(delays: Sequence[float], part: float) -> str:
    return f"{delays[int(part * (len(delays) - 1))]:.2f} s" if delays else "-"
