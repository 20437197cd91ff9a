"""`idp figures`: what is told to the public about a month."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import click
import orjson

from idp.audit.figures import (
    LINKS,
    LOOK_UPS,
    REFUSED_BY_PERSON,
    REFUSED_BY_POLICY,
    month_of,
    shown,
    step_of,
)
from idp.identity.account_links import Refusal
from idp.operators.desk import Desk, at_desk
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, invocation, progress, table
from idp.store.encoding import moment

PIECE = 50_000
"""Events counted at once."""
_MARGIN = timedelta(days=1)
"""How much later than it happened an event may have been sealed."""

Month = tuple[datetime, datetime]


@dataclass(slots=True)
class Counted:
    """What was counted."""

    types: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    deliveries: Mapping[str, Mapping[int, int]] = field(default_factory=dict)


def _read_month(_context: click.Context, _parameter: click.Parameter, value: str) -> Month:
    try:
        return month_of(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


@click.command()
@click.option("--month", required=True, metavar="YYYY-MM", callback=_read_month, help="A month that is over.")
@json_option
def figures(*, month: Month) -> None:
    """Count a month for the public: links, refusals, look-ups, deliveries. Counts below 10 are not told."""
    document = _document(month, at_desk(lambda desk: _count(desk, *month)))
    invocation().answer(document, _lines(document))


async def _count(desk: Desk, since: datetime, until: datetime) -> Counted:
    """Count a month. Raises CommandFailedError while it is not over, or not sealed, or partly purged."""
    if desk.clock() < until:
        raise CommandFailedError("The month is not over: its figures would not stay the same.")
    uow, counted = desk.unit_of_work(), Counted()
    _, oldest = await uow.ledger.waiting()
    if oldest is not None and moment(oldest) < until:
        raise CommandFailedError("Events of that month wait to be sealed: is `idp serve` running?")
    purged, head = (await uow.merkle_log.purged()).sequence, (await uow.ledger.head()).sequence
    first = await uow.figures.place_at(since - _MARGIN, purged + 1, head + 1)
    last = await uow.figures.place_at(until + _MARGIN, first, head + 1)
    if purged and first == purged + 1:
        raise CommandFailedError("Events of that month were purged.")
    with progress("Counting", last - first) as bar:
        for after in range(first - 1, last, PIECE):
            piece = (after, min(after + PIECE, last), since, until)
            counted.types.update(await uow.figures.counts(*piece))
            for details, count in (await uow.figures.details(*piece, REFUSED_BY_POLICY)).items():
                counted.refusals[orjson.loads(details)["because"]] += count
            bar.update(piece[1] - after)
    counted.deliveries = await uow.figures.delivery_times(since, until)
    return counted


def _document(month: Month, counted: Counted) -> dict[str, dict[str, object]]:
    return {
        "month": {"from": month[0].astimezone(UTC), "until": month[1].astimezone(UTC)},
        "links": {name: shown(counted.types[kind]) for name, kind in LINKS.items()},
        "refusals": {
            "denied_by_person": shown(counted.types[REFUSED_BY_PERSON]),
            **{refusal.value: shown(counted.refusals[refusal.value]) for refusal in Refusal},
        },
        "look_ups": {name: shown(counted.types[kind]) for name, kind in LOOK_UPS.items()},
        "deliveries": {
            kind: {
                "count": shown(sum(seconds.values())),
                "median_seconds": step_of(seconds, 0.5),
                "p99_seconds": step_of(seconds, 0.99),
            }
            for kind, seconds in sorted(counted.deliveries.items())
        },
    }


def _lines(document: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for title in ("links", "refusals", "look_ups"):
        yield from table([title.replace("_", "-"), "count"], document[title].items())
        yield ""
    rows = [
        (kind, each["count"], each["median_seconds"], each["p99_seconds"])
        for kind, each in document["deliveries"].items()
        if isinstance(each, dict)
    ]
    yield from table(["deliveries", "count", "half within s", "99 % within s"], rows)
