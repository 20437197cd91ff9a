"""`idp streams`: the event streams of relying parties. What an operator stops, its receiver cannot resume."""

from datetime import datetime

import click

from idp.audit.events import Event
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.protocol.event_stream import ChangedBy, EventStream, StreamStatus
from idp.protocol.event_stream_request import StatusChange, with_status
from idp.protocol.security_events import stream_updated_event
from idp.store.event_streams import CHANGED_GATE
from idp.store.set_deliveries import delivery_of
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

_BRIEF = ("client_id", "stream_id", "status", "changed_by", "method", "endpoint_url")


@click.group()
def streams() -> None:
    """Look at event streams; pause, disable and enable them."""


client_argument = click.argument("client_id")


@streams.command("list")
@click.option("--after", default="", metavar="CLIENT_ID", help="Begin behind this client.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_streams(*, after: str, limit: int) -> None:
    """List event streams by their client's id."""

    async def work(desk: Desk) -> list[EventStream]:
        return await desk.unit_of_work().event_streams.page(after=after, limit=limit)

    found = at_desk(work)
    shown = [_shown(stream) for stream in found]
    rows = [{name: document[name] for name in _BRIEF} for document in shown]
    document = {"streams": rows, "next": found[-1].client_id if len(found) == limit else None}
    invocation().answer(document, table(_BRIEF, ([row[name] for name in _BRIEF] for row in rows)))


@streams.command(context_settings=TAKES_IDS)
@client_argument
@json_option
def show(*, client_id: str) -> None:
    """Show a client's stream, without what authorizes its pushes, and how many people it left out."""

    async def work(desk: Desk) -> dict[str, object]:
        uow = desk.unit_of_work()
        stream = await _get(uow, client_id)
        removed = await uow.event_streams.count_removed(stream.stream_id)
        return _shown(stream) | {"removed_subjects": removed}

    document = at_desk(work)
    invocation().answer(document, properties(document))


@streams.command(context_settings=TAKES_IDS)
@client_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def pause(*, client_id: str, reason: str, dry_run: bool) -> None:
    """Send a client no events for now. What happens is held for three days, and told when it goes on."""
    _set(client_id, StreamStatus.PAUSED, reason, dry_run=dry_run)


@streams.command(context_settings=TAKES_IDS)
@client_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def disable(*, client_id: str, reason: str, dry_run: bool) -> None:
    """Send a client no events, and drop those that wait."""
    _set(client_id, StreamStatus.DISABLED, reason, dry_run=dry_run)


@streams.command(context_settings=TAKES_IDS)
@client_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def enable(*, client_id: str, reason: str, dry_run: bool) -> None:
    """Let a stream go on, whoever stopped it."""
    _set(client_id, StreamStatus.ENABLED, reason, dry_run=dry_run)


def _set(client_id: str, status: StreamStatus, reason: str, *, dry_run: bool) -> None:
    """Change a stream's status, and have its receiver told: SSF 1.0 §8.1.5."""

    async def work(desk: Desk) -> dict[str, object]:
        uow, now = desk.unit_of_work(), desk.clock()
        before = await _get(uow, client_id)
        if before.status is status:
            raise CommandFailedError(f"The stream of {client_id} is {status} already.")
        after = with_status(before, StatusChange(status, None), ChangedBy.TRANSMITTER, now)
        if not dry_run:
            _record(desk, uow, before, after, reason, now)
            await _commit(uow)
        return _shown(after) | {"dry_run": dry_run}

    document = at_desk(work)
    invocation().answer(document, properties(document))


def _record(
    desk: Desk, uow: UnitOfWork, before: EventStream, after: EventStream, reason: str, now: datetime
) -> None:
    uow.event_streams.change(before, after)
    if after.status is StreamStatus.DISABLED:
        uow.polled_sets.drop(after.client_id)
    told = stream_updated_event(after.stream_id, after.status.value)
    uow.outbox.add(delivery_of(after.client_id, told, now))
    details = {"because": reason, "changed": after.status.value, "revision": str(before.revision + 1)}
    uow.ledger.append(
        Event("event_stream:updated", desk.operator, now, client_id=after.client_id, details=details)
    )


async def _commit(uow: UnitOfWork) -> None:
    try:
        await uow.commit()
    except GateClosedError as closed:
        if closed.gate != CHANGED_GATE:
            raise
        raise CommandFailedError(
            "The stream was changed at the same moment. Look at it, and try again."
        ) from closed


async def _get(uow: UnitOfWork, client_id: str) -> EventStream:
    found = await uow.event_streams.of_client(client_id)
    if found is None:
        raise CommandFailedError(f"There is no event stream of {client_id}.")
    return found


def _shown(stream: EventStream) -> dict[str, object]:
    return {
        "client_id": stream.client_id,
        "stream_id": stream.stream_id,
        "status": stream.status.value,
        "changed_by": stream.changed_by.value,
        "reason": stream.reason,
        "method": stream.method.value,
        "endpoint_url": stream.endpoint_url,
        "has_authorization_header": stream.authorization_header is not None,
        "events_requested": None if stream.events_requested is None else list(stream.events_requested),
        "description": stream.description,
        "created_at": stream.created_at,
        "updated_at": stream.updated_at,
        "verified_at": stream.verified_at,
    }
