"""`idp mass`: many account links at once, with a preview, a second person, batches, pause and undo. P9."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TypeVar

import click

from idp.audit.events import Event
from idp.identity.account_links import AccountLink
from idp.identity.assurance import Proofing
from idp.identity.mass_actions import (
    LinkQuery,
    MassAction,
    MassActionError,
    MassKind,
    MassStatus,
    approve,
    check_query,
    step,
)
from idp.mass_run import MassRunner
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, TAKES_IDS, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.operators.second_person import check_second_person, code_option

Function = TypeVar("Function", bound=Callable[..., object])

SAMPLE = 10
_SAMPLE_SHOWN = ("link_id", "client_id", "account_id", "status", "proofing", "linked_at", "expires_at")
_LISTED = ("action_id", "kind", "status", "reason", "expected", "done", "proposed_by", "approved_by")


@click.group()
def mass() -> None:
    """Move many account links at once: preview, propose, approve by a second person, run, undo."""


action_argument = click.argument("action_id", metavar="ACTION")
kind_argument = click.argument("kind", type=click.Choice([kind.value for kind in MassKind]))


def query_options(function: Function) -> Function:
    """Give a command the conditions of a query."""
    day = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
    for option in (
        click.option("--created-until", type=day, help="Linked before this time (UTC)."),
        click.option("--created-from", type=day, help="Linked at this time (UTC) or later."),
        click.option("--proofed-before", type=day, help="The holder was proofed before this time (UTC)."),
        click.option(
            "--level", type=click.Choice([level.value for level in Proofing]), help="Of this proofing level."
        ),
        click.option("--client", "client_id", metavar="CLIENT_ID", help="Only of this relying party."),
    ):
        function = option(function)
    return function


def _query(
    client_id: str | None,
    level: str | None,
    proofed_before: datetime | None,
    created_from: datetime | None,
    created_until: datetime | None,
) -> LinkQuery:
    def in_utc(time: datetime | None) -> datetime | None:
        return None if time is None else time.replace(tzinfo=UTC)

    query = LinkQuery(
        client_id=client_id,
        proofing=None if level is None else Proofing(level),
        proofed_before=in_utc(proofed_before),
        created_from=in_utc(created_from),
        created_until=in_utc(created_until),
    )
    try:
        check_query(query)
    except MassActionError as error:
        raise click.UsageError(f"{str(error).capitalize()}.") from error
    return query


@mass.command()
@kind_argument
@query_options
@json_option
def preview(
    *,
    kind: str,
    client_id: str | None,
    level: str | None,
    proofed_before: datetime | None,
    created_from: datetime | None,
    created_until: datetime | None,
) -> None:
    """Count the links that would be met, and show a few. Nothing is stored."""
    query = _query(client_id, level, proofed_before, created_from, created_until)

    async def work(desk: Desk) -> tuple[int, list[AccountLink]]:
        store = desk.unit_of_work().mass_actions
        count = await store.count(MassKind(kind), query)
        return count, await store.links(MassKind(kind), query, after="", limit=SAMPLE)

    count, sample = at_desk(work)
    shown = [{name: getattr(link, name) for name in _SAMPLE_SHOWN} for link in sample]
    lines = table(_SAMPLE_SHOWN, (tuple(each.values()) for each in shown))
    invocation().answer({"kind": kind, "links": count, "sample": shown}, [f"{count} links", "", *lines])


@mass.command()
@kind_argument
@query_options
@reason_option(DECISION)
@code_option
@json_option
def propose(
    *,
    kind: str,
    client_id: str | None,
    level: str | None,
    proofed_before: datetime | None,
    created_from: datetime | None,
    created_until: datetime | None,
    reason: str,
    code: str,
) -> None:
    """Propose an action. It waits 24 hours for a second person and moves nothing before."""
    query = _query(client_id, level, proofed_before, created_from, created_until)

    async def work(desk: Desk) -> MassAction:
        uow, now = desk.unit_of_work(), desk.clock()
        # Proved as well: under a name that was only said, one person could propose and approve.
        proposer = await check_second_person(desk, uow, code, now)
        action = MassAction(
            action_id=secrets.token_urlsafe(9),
            kind=MassKind(kind),
            query=query,
            reason=reason,
            status=MassStatus.PROPOSED,
            proposed_by=proposer.id,
            proposed_at=now,
            expected=await uow.mass_actions.count(MassKind(kind), query),
        )
        uow.mass_actions.add(action)
        uow.ledger.append(_event("mass_action:proposed", desk, action))
        await uow.commit()
        return action

    action = at_desk(work)
    _answer(action, f"{action.expected} links. A second person approves: idp mass approve {action.action_id}")


@mass.command("approve", context_settings=TAKES_IDS)
@action_argument
@code_option
@json_option
def approve_action(*, action_id: str, code: str) -> None:
    """Approve a proposal as the second person, with your own one-time code."""

    async def work(desk: Desk) -> MassAction:
        uow, now = desk.unit_of_work(), desk.clock()
        action = await _get(desk, action_id)
        approver = await check_second_person(desk, uow, code, now)
        approved = approve(action, approver, now)
        uow.mass_actions.update(approved)
        uow.ledger.append(_event("mass_action:approved", desk, approved))
        await uow.commit()
        return approved

    action = at_desk(_explained(work))
    _answer(action, f"Approved. Within 24 hours: idp mass run {action_id}")


@mass.command(context_settings=TAKES_IDS)
@action_argument
@json_option
def run(*, action_id: str) -> None:
    """Run an approved action, or go on with one that was paused or broken off."""

    async def work(desk: Desk) -> MassAction:
        action = await _get(desk, action_id)
        return await _with_progress(desk, "Running", action, MassRunner.run)

    action = at_desk(_explained(work))
    undo_hint = f" For 72 hours: idp mass undo {action_id}" if action.status is MassStatus.FINISHED else ""
    _answer(action, f"{action.done} links done, {action.skipped} had changed before their turn.{undo_hint}")


@mass.command(context_settings=TAKES_IDS)
@action_argument
@json_option
def undo(*, action_id: str) -> None:
    """Undo a finished action within 72 hours; a link that has moved on since stays as it is."""

    async def work(desk: Desk) -> MassAction:
        action = await _get(desk, action_id)
        return await _with_progress(desk, "Undoing", action, MassRunner.undo)

    _answer(at_desk(_explained(work)), "Undone.")


@mass.command(context_settings=TAKES_IDS)
@action_argument
@json_option
def pause(*, action_id: str) -> None:
    """Pause an action after the batch that is under way."""
    _answer(_stepped(action_id, MassStatus.PAUSED, "mass_action:paused"), "Paused.")


@mass.command(context_settings=TAKES_IDS)
@action_argument
@json_option
def withdraw(*, action_id: str) -> None:
    """Withdraw an action that has not begun."""
    _answer(_stepped(action_id, MassStatus.WITHDRAWN, "mass_action:withdrawn"), "Withdrawn.")


@mass.command(context_settings=TAKES_IDS)
@action_argument
@json_option
def show(*, action_id: str) -> None:
    """Show one action and how far it has come."""
    _answer(at_desk(lambda desk: _get(desk, action_id)))


@mass.command("list")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_actions(*, limit: int) -> None:
    """List actions, the newest first."""

    async def work(desk: Desk) -> list[MassAction]:
        return await desk.unit_of_work().mass_actions.newest(limit)

    found = [{name: getattr(action, name) for name in _LISTED} for action in at_desk(work)]
    invocation().answer({"actions": found}, table(_LISTED, (tuple(each.values()) for each in found)))


def _stepped(action_id: str, to: MassStatus, event: str) -> MassAction:
    async def work(desk: Desk) -> MassAction:
        uow = desk.unit_of_work()
        stepped = step(await _get(desk, action_id), to)
        uow.mass_actions.update(stepped)
        uow.ledger.append(_event(event, desk, stepped))
        await uow.commit()
        return stepped

    return at_desk(_explained(work))


async def _with_progress(
    desk: Desk,
    label: str,
    action: MassAction,
    work: Callable[[MassRunner, MassAction], Awaitable[MassAction]],
) -> MassAction:
    is_hidden = not sys.stderr.isatty()
    with click.progressbar(length=action.expected, label=label, file=sys.stderr, hidden=is_hidden) as bar:
        runner = MassRunner(desk.unit_of_work, desk.clock, desk.operator, bar.update)
        return await work(runner, action)


def _explained(
    work: Callable[[Desk], Awaitable[MassAction]],
) -> Callable[[Desk], Awaitable[MassAction]]:
    """Turn what a rule refuses into a sentence for the operator."""

    async def explained(desk: Desk) -> MassAction:
        try:
            return await work(desk)
        except MassActionError as error:
            said = str(error)
            raise CommandFailedError(f"{said[0].upper()}{said[1:]}.") from error

    return explained


async def _get(desk: Desk, action_id: str) -> MassAction:
    action = await desk.unit_of_work().mass_actions.find(action_id)
    if action is None:
        raise CommandFailedError("There is no mass action with this id.")
    return action


def _event(event: str, desk: Desk, action: MassAction) -> Event:
    return Event(
        event,
        desk.operator,
        desk.clock(),
        client_id=action.query.client_id,
        details={"because": action.reason, "reference": action.action_id},
    )


def _answer(action: MassAction, said: str | None = None) -> None:
    if said is not None:
        invocation().say(said)
    query = {name: value for name, value in asdict(action.query).items() if value is not None}
    document = {**asdict(replace(action)), "query": query}
    lines = properties({**document, "query": ", ".join(f"{name}={value}" for name, value in query.items())})
    invocation().answer(document, lines)
