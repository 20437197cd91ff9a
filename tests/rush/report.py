"""What a rush found, as the README shows it."""

from collections.abc import Sequence

from tests.rush.course import Outcome
from tests.rush.field import PLATFORMS
from tests.rush.heard import Heard
from tests.rush.making import Acknowledged, Made

Row = tuple[str, str]
_PEAKS = {
    "server": "the server",
    "idp.deliveries": "the delivering process",
    "idp.housekeeping": "housekeeping",
}


def lags(made: Made, heard: Heard, kinds: frozenset[str]) -> list[float]:
    """Return, sorted, the seconds from the commit of a change to the arrival of its event."""
    at: dict[Acknowledged, float] = made.at
    return sorted(
        told.at - at[told.link_id, kind]
        for told in heard.own()
        if told.link_id is not None
        and (kind := told.name.rpartition("-")[2]) in kinds
        and (told.link_id, kind) in at
    )


def quantile(values: Sequence[float], part: float) -> str:
    return f"{values[int(part * (len(values) - 1))]:.1f} s" if values else "-"


def markdown(outcome: Outcome, load: str) -> str:
    """Return the table."""
    rows = [*_making(outcome.made), *_telling(outcome), *_comparing(outcome)]
    lines = [
        "Three platforms: one answers at once, one takes 1.2 s, one is dead until all the links are made.",
        load,
        "",
        "| what | figure |",
        "|---|--:|",
        *(f"| {what} | {figure} |" for what, figure in rows),
    ]
    return "\n".join(lines)


def _making(made: Made) -> list[Row]:
    established = made.count("established")
    return [
        ("links made", f"{established:,}"),
        ("… a second, five people's in a commit", f"{established / max(made.seconds, 0.001):.0f}"),
        ("suspended, of these reinstated", f"{made.count('suspended'):,}, {made.count('reinstated'):,}"),
        *([("commits without an answer", f"{made.unanswered}")] if made.unanswered else []),
        ("disputed, of these ended and linked anew", f"{made.disputes:,}, {made.count('ended'):,}"),
    ]


def _telling(outcome: Outcome) -> list[Row]:
    told = {name: outcome.heard[name].told for name in PLATFORMS}
    first = min((each.at for each in told["live"]), default=0.0)
    last = max((each.at for each in told["live"]), default=0.0)
    live = lags(outcome.made, outcome.heard["live"], frozenset({"established", "suspended", "ended"}))
    suspended = lags(outcome.made, outcome.heard["live"], frozenset({"suspended"}))
    polled = len(told["dead"]) / max(outcome.polled_seconds, 0.001)
    return [
        ("events told to all three", f"{sum(map(len, told.values())):,}"),
        (
            "… a second to the one that answers, as many as there were",
            f"{len(told['live']) / max(last - first, 0.001):.0f}",
        ),
        ("… a second to the one that was dead, and polls", f"{polled:.0f}"),
        ("events told twice", f"{sum(heard.copies for heard in outcome.heard.values())}"),
        ("from a commit to its event, p50, p99", f"{quantile(live, 0.5)}, {quantile(live, 0.99)}"),
        (
            "from a suspension to its event, p50, p99",
            f"{quantile(suspended, 0.5)}, {quantile(suspended, 0.99)}",
        ),
        (
            "until the last of it was told and in its list",
            f"{outcome.quiet_seconds:.0f} s after the last link",
        ),
    ]


def _comparing(outcome: Outcome) -> list[Row]:
    peaks = ", ".join(
        f"{meaning} {outcome.megabytes.get(kind, 0.0):.0f} MB" for kind, meaning in _PEAKS.items()
    )
    return [
        ("most memory", peaks),
        (f"a platform's list built anew ({outcome.lists} lists)", f"{outcome.rebuilt_seconds * 1000:.0f} ms"),
        ("all links looked up in lists by the SDK", f"{outcome.looked_up_seconds:.1f} s"),
        ("differences between platforms and tables", f"{len(outcome.differences)}"),
    ]
