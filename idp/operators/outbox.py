"""`idp outbox`: what is still to be told to others, how late it is, and what was given up."""

import sys
from collections.abc import Callable
from datetime import datetime

import click

from idp.audit.events import Event
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.store.encoding import moment_or_none
from idp.store.outbox import Delivery
from idp.store.outbox_overview import RATE_WINDOW, Figures, Lane, State
from idp.store.unit_of_work import UnitOfWork

_BRIEF = ("delivery_id", "kind", "client_id", "attempts", "created_at", "next_attempt_at", "last_failure")
_ALL = (*_BRIEF[:4], "ordering_key", *_BRIEF[4:], "delivered_at", "parked_at", "replayed_at")
"""What is shown of a delivery. Its content tells of a person and stays sealed."""
_REPLAYED_AT_ONCE = 500


@click.group()
def outbox() -> None:
    """Look at what is to be told to others, send it again, drop it."""


delivery_argument = click.argument("delivery_id", metavar="DELIVERY")


lane_options = (
    click.option("--kind", default="", metavar="KIND", help="Only of this kind, such as security_event."),
    click.option(
        "--client", "client_id", default="", metavar="CLIENT_ID", help="Only to this relying party."
    ),
)


def of_a_lane(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose deliveries by kind and receiver."""
    for option in lane_options:
        command = option(command)
    return command


@outbox.command()
@of_a_lane
@json_option
def figures(*, kind: str, client_id: str) -> None:
    """Show lag, retries, parked and rate, of each kind and receiver and of all."""

    async def work(desk: Desk) -> tuple[list[Lane], int, datetime | None, datetime]:
        uow, now = desk.unit_of_work(), desk.clock()
        changes, oldest = await uow.link_changes.waiting()
        lanes = await uow.outbox_overview.lanes(now, kind=kind, client_id=client_id)
        return lanes, changes, moment_or_none(oldest), now

    lanes, changes, oldest, now = at_desk(work)
    of_all = _figures_document(sum((lane.figures for lane in lanes), Figures()), now)
    rows = [
        {"kind": lane.kind, "client_id": lane.client_id} | _figures_document(lane.figures, now)
        for lane in lanes
    ]
    ahead = {"link_changes_waiting": changes, "link_changes_lag_seconds": _age(oldest, now)}
    document = {"queue": of_all, "changes": ahead, "lanes": rows}
    headings = ("kind", "client_id", *of_all)
    lines = table(headings, ([row[name] for name in headings] for row in rows))
    invocation().answer(document, [*properties(of_all | ahead), "", *lines])


@outbox.command("list")
@of_a_lane
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only in this state.")
@click.option("--after", default="", metavar="DELIVERY", help="Begin behind this delivery.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_deliveries(*, kind: str, client_id: str, state: str | None, after: str, limit: int) -> None:
    """List deliveries by their id, and say how the whole queue stands."""

    async def work(desk: Desk) -> tuple[list[Delivery], Figures, datetime]:
        store, now = desk.unit_of_work().outbox_overview, desk.clock()
        wanted = None if state is None else State(state)
        found = await store.page(wanted, kind=kind, client_id=client_id, after=after, limit=limit)
        return found, await store.figures(now), now

    found, queue, now = at_desk(work)
    rows = [_shown(delivery, _BRIEF, now) for delivery in found]
    stands = _figures_document(queue, now)
    document = {
        "queue": stands,
        "deliveries": rows,
        "next": found[-1].delivery_id if len(found) == limit else None,
    }
    headings = (*_BRIEF, "state")
    lines = table(headings, ([row[name] for name in headings] for row in rows))
    invocation().answer(document, [*properties(stands), "", *lines])


def _figures_document(figures: Figures, now: datetime) -> dict[str, object]:
    return {
        "waiting": figures.waiting,
        "retried": figures.retried,
        "parked": figures.parked,
        "delivered": figures.delivered,
        "per_second": round(figures.delivered_lately / RATE_WINDOW.total_seconds(), 1),
        "lag_seconds": _age(figures.oldest_waiting_since, now),
    }


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, round((now - since).total_seconds(), 1))


def _shown(delivery: Delivery, names: tuple[str, ...], now: datetime) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in names} | {"state": _state(delivery, now)}


def _state(delivery: Delivery, now: datetime) -> str:
    if delivery.delivered_at is not None:
        return State.DELIVERED.value
    if delivery.parked_at is not None:
        return State.PARKED.value
    if delivery.attempts:
        return State.RETRIED.value
    return "due" if delivery.next_attempt_at <= now else State.WAITING.value


@outbox.command(context_settings=TAKES_IDS)
@delivery_argument
@json_option
def show(*, delivery_id: str) -> None:
    """Show one delivery: when it was tried and what it failed of, not what is in it."""

    async def work(desk: Desk) -> dict[str, object]:
        return _shown(await _get(desk.unit_of_work(), delivery_id), _ALL, desk.clock())

    document = at_desk(work)
    invocation().answer(document, properties(document))


@outbox.command(context_settings=TAKES_IDS)
@delivery_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def replay(*, delivery_id: str, reason: str, dry_run: bool) -> None:
    """Send a delivery again at once, from its first attempt on. It may be parked or wait for its next."""

    def record(uow: UnitOfWork, now: datetime) -> None:
        uow.outbox_overview.replay(delivery_id, now)

    _change(delivery_id, "replayed", record, reason, dry_run=dry_run)


@outbox.command("replay-parked")
@of_a_lane
@reason_option(DECISION)
@dry_run_option
@json_option
def replay_parked(*, kind: str, client_id: str, reason: str, dry_run: bool) -> None:
    """Send everything again that was given up, of a kind or to a receiver, oldest ids first."""
    if not kind and not client_id:
        raise CommandFailedError("Say which: --kind, --client or both.")

    async def work(desk: Desk) -> int:
        lanes = await desk.unit_of_work().outbox_overview.lanes(desk.clock(), kind=kind, client_id=client_id)
        whole = sum(lane.figures.parked for lane in lanes)
        if dry_run:
            return whole
        is_hidden = not sys.stderr.isatty()
        with click.progressbar(length=whole, label="Replaying", file=sys.stderr, hidden=is_hidden) as bar:
            return await _replay_in_batches(desk, kind, client_id, reason, bar.update)

    replayed = at_desk(work)
    document = {"kind": kind, "client_id": client_id, "replayed": replayed, "dry_run": dry_run}
    invocation().answer(document, [f"Replayed: {replayed}{' (dry run)' if dry_run else ''}"])


async def _replay_in_batches(
    desk: Desk, kind: str, client_id: str, reason: str, advance: Callable[[int], None]
) -> int:
    """Replay page by page, each in a commit with its entry in the log; broken off, it can be run again."""
    replayed, after = 0, ""
    while True:
        uow, now = desk.unit_of_work(), desk.clock()
        page = await uow.outbox_overview.page(
            State.PARKED, kind=kind, client_id=client_id, after=after, limit=_REPLAYED_AT_ONCE
        )
        if not page:
            return replayed
        uow.outbox_overview.replay_many([delivery.delivery_id for delivery in page], now)
        details = {"because": reason, "reference": f"{len(page)} of {kind or 'any kind'}"}
        uow.ledger.append(
            Event("deliveries:replayed", desk.operator, now, client_id=client_id or None, details=details)
        )
        await uow.commit()
        replayed, after = replayed + len(page), page[-1].delivery_id
        advance(len(page))


@outbox.command(context_settings=TAKES_IDS)
@delivery_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def drop(*, delivery_id: str, reason: str, dry_run: bool) -> None:
    """Never make a delivery. What it would have told stays so: a session that has ended is over."""

    def record(uow: UnitOfWork, _: datetime) -> None:
        uow.outbox_overview.drop(delivery_id)

    _change(delivery_id, "dropped", record, reason, dry_run=dry_run)


def _change(
    delivery_id: str,
    verb: str,
    record: Callable[[UnitOfWork, datetime], None],
    reason: str,
    *,
    dry_run: bool,
) -> None:
    async def work(desk: Desk) -> Delivery:
        uow, now = desk.unit_of_work(), desk.clock()
        delivery = await _get(uow, delivery_id)
        if delivery.delivered_at is not None:
            raise CommandFailedError("This delivery was made; only one that was not is replayed or dropped.")
        record(uow, now)
        uow.ledger.append(
            Event(
                f"delivery:{verb}",
                desk.operator,
                now,
                client_id=delivery.client_id or None,
                details={"because": reason, "reference": delivery_id},
            )
        )
        if not dry_run:
            await uow.commit()
        return delivery

    delivery = at_desk(work)
    document = {
        "delivery_id": delivery_id,
        "client_id": delivery.client_id,
        "kind": delivery.kind,
        "result": verb,
        "dry_run": dry_run,
    }
    invocation().answer(document, [f"{delivery_id}: {verb}{' (dry run)' if dry_run else ''}"])


async def _get(uow: UnitOfWork, delivery_id: str) -> Delivery:
    delivery = await uow.outbox.find(delivery_id)
    if delivery is None:
        raise CommandFailedError("There is no delivery with this id; what was made is removed after a day.")
    return delivery
