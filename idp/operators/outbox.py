"""`idp outbox`: what is still to be told to relying parties, how late it is, and what was given up."""

from collections.abc import Callable
from datetime import datetime

import click

from idp.audit.events import Event
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.store.outbox import Delivery, Queue, State
from idp.store.unit_of_work import UnitOfWork

_BRIEF = ("delivery_id", "kind", "client_id", "attempts", "created_at", "next_attempt_at", "last_failure")
_ALL = (*_BRIEF[:4], "ordering_key", *_BRIEF[4:], "delivered_at", "parked_at")
"""What is shown of a delivery. Its content tells of a person and stays sealed."""


@click.group()
def outbox() -> None:
    """Look at what is to be told to relying parties, send it again, drop it."""


delivery_argument = click.argument("delivery_id", metavar="DELIVERY")


@outbox.command("list")
@click.option("--client", "client_id", default="", metavar="CLIENT_ID", help="Only to this relying party.")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only in this state.")
@click.option("--after", default="", metavar="DELIVERY", help="Begin behind this delivery.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_deliveries(*, client_id: str, state: str | None, after: str, limit: int) -> None:
    """List deliveries by their id, and say how the whole queue stands."""

    async def work(desk: Desk) -> tuple[list[Delivery], Queue, datetime]:
        store = desk.unit_of_work().outbox
        wanted = None if state is None else State(state)
        found = await store.page(wanted, client_id=client_id, after=after, limit=limit)
        return found, await store.queue(), desk.clock()

    found, queue, now = at_desk(work)
    rows = [_shown(delivery, _BRIEF, now) for delivery in found]
    stands = _queue_document(queue, now)
    document = {
        "queue": stands,
        "deliveries": rows,
        "next": found[-1].delivery_id if len(found) == limit else None,
    }
    headings = (*_BRIEF, "state")
    lines = table(headings, ([row[name] for name in headings] for row in rows))
    invocation().answer(document, [*properties(stands), "", *lines])


def _queue_document(queue: Queue, now: datetime) -> dict[str, object]:
    oldest = queue.oldest_waiting_since
    return {
        "waiting": queue.waiting,
        "retried": queue.retried,
        "parked": queue.parked,
        "delivered": queue.delivered,
        "lag_seconds": 0.0 if oldest is None else max(0.0, round((now - oldest).total_seconds(), 1)),
    }


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
        uow.outbox.replay(delivery_id, now)

    _change(delivery_id, "replayed", record, reason, dry_run=dry_run)


@outbox.command(context_settings=TAKES_IDS)
@delivery_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def drop(*, delivery_id: str, reason: str, dry_run: bool) -> None:
    """Never make a delivery. What it would have told stays so: a session that has ended is over."""

    def record(uow: UnitOfWork, _: datetime) -> None:
        uow.outbox.drop(delivery_id)

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
