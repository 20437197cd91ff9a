"""`idp cases`: what people and platforms brought forward. Whoever looks is written down. P9."""

import click

from idp.audit.events import Event
from idp.identity.account_links import IllegalMoveError, Status, move
from idp.identity.cases import (
    NOT_ME,
    Case,
    CaseKind,
    CaseStatus,
    IllegalCaseMoveError,
    close,
    read_reference,
    shown_reference,
)
from idp.identity.corrections import CorrectionOutcome
from idp.identity.notices import Notice, NoticeKind
from idp.operators.desk import Desk, at_desk
from idp.operators.failures import MEANWHILE
from idp.operators.options import LOOKUP, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.store.account_links import MOVED_GATE
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

_BRIEF = ("reference", "kind", "status", "client_id", "opened_at", "due_at", "outcome")
_ROUNDS = 5
OUTCOMES = {"reinstated": Status.ACTIVE, "ended": Status.ENDED, "unchanged": None}
"""What a decision does with the link that its holder disowned."""
REGISTER_OUTCOMES = (CorrectionOutcome.CORRECTED.value, CorrectionOutcome.CONFIRMED.value)
"""What the register answered to a request: it has corrected the datum, or stands by it."""


@click.group()
def cases() -> None:
    """Look at cases; decide those of people whose link was not them, or whom the register has answered."""


reference_argument = click.argument("reference", metavar="REFERENCE")


@cases.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in CaseKind]), help="Only of this kind.")
@click.option("--client", "client_id", default="", metavar="CLIENT_ID", help="Only of this relying party.")
@click.option(
    "--status", type=click.Choice([status.value for status in CaseStatus]), help="Only in this state."
)
@click.option("--overdue", is_flag=True, help="Only what should have been answered by now.")
@click.option("--after", default="", metavar="REFERENCE", help="Begin behind this case.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_cases(
    *, kind: str | None, client_id: str, status: str | None, overdue: bool, after: str, limit: int
) -> None:
    """List cases. Whom they concern is shown for one case only, by `idp cases show`."""

    async def work(desk: Desk) -> list[Case]:
        uow = desk.unit_of_work()
        behind = (await _get(uow, after)).case_id if after else ""
        return await uow.cases.page(
            client_id=client_id,
            kind=None if kind is None else CaseKind(kind),
            status=None if status is None else CaseStatus(status),
            overdue_at=desk.clock() if overdue else None,
            after=behind,
            limit=limit,
        )

    found = [_in_brief(case) for case in at_desk(work)]
    document = {"cases": found, "next": found[-1]["reference"] if len(found) == limit else None}
    invocation().answer(document, table(_BRIEF, (tuple(each.values()) for each in found)))


def _in_brief(case: Case) -> dict[str, object]:
    shown: dict[str, object] = {name: getattr(case, name) for name in _BRIEF}
    return {**shown, "reference": shown_reference(case.reference)}


@cases.command()
@reference_argument
@reason_option(LOOKUP)
@json_option
def show(*, reference: str, reason: str) -> None:
    """Show one case. That it was done, by whom and why is written into the audit log."""

    async def work(desk: Desk) -> Case:
        uow = desk.unit_of_work()
        case = await _get(uow, reference)
        for citizen_id in {case.citizen_id, case.holder_citizen_id}:
            event = Event(
                "case:looked_up",
                desk.operator,
                desk.clock(),
                client_id=case.client_id or None,
                citizen_id=citizen_id,
                details={"because": reason, "reference": case.reference},
            )
            uow.ledger.append(event)
        # The look is written down before anything is shown.
        await uow.commit()
        return case

    case = at_desk(work)
    document = {
        **_in_brief(case),
        "link_id": case.link_id,
        "account_id": case.account_id,
        "citizen_id": case.citizen_id,
        "holder_citizen_id": case.holder_citizen_id,
        "opened_by": f"{case.opened_by.kind} {case.opened_by.id}",
        "content": dict(case.content),
        "answered_at": case.answered_at,
        "closed_at": case.closed_at,
    }
    invocation().answer(document, properties(document))


@cases.command("close")
@reference_argument
@click.argument("outcome", type=click.Choice([*OUTCOMES, *REGISTER_OUTCOMES]))
@dry_run_option
@json_option
def close_case(*, reference: str, outcome: str, dry_run: bool) -> None:
    """Decide a case: the link is active again, is ended or stays; the register corrects, or confirms.

    The person is told.
    """
    case = at_desk(lambda desk: _closed(desk, reference, outcome, dry_run=dry_run))
    shown = shown_reference(case.reference)
    document = {"reference": shown, "link_id": case.link_id, "outcome": outcome, "dry_run": dry_run}
    invocation().answer(document, [f"{shown}: {outcome}{' (dry run)' if dry_run else ''}"])


async def _closed(desk: Desk, reference: str, outcome: str, *, dry_run: bool) -> Case:
    uow, now = desk.unit_of_work(), desk.clock()
    case = await _get(uow, reference)
    if case.kind is CaseKind.DISPUTE:
        raise CommandFailedError("A dispute is decided by `idp disputes decide`.")
    if (case.kind is CaseKind.CORRECTION) is not (outcome in REGISTER_OUTCOMES):
        raise CommandFailedError(
            "A request to the register is corrected or confirmed; any other case is reinstated, ended or"
            " unchanged."
        )
    try:
        closed, event = close(case, outcome, desk.operator, now)
        # The gate of the case comes first: of two decisions one counts, and only its link moves.
        uow.cases.move(case, closed)
        uow.ledger.append(event)
        if case.citizen_id is not None:
            uow.notices.tell(
                Notice(NoticeKind.CASE_CLOSED, case.citizen_id, case.client_id or None, case_id=case.case_id),
                now,
            )
        await _move_link(desk, uow, case, OUTCOMES.get(outcome))
        if not dry_run:
            await _committed(desk, uow, case, OUTCOMES.get(outcome))
    except (IllegalCaseMoveError, IllegalMoveError) as error:
        raise CommandFailedError(f"{str(error).capitalize()}.") from error
    return case


async def _committed(desk: Desk, uow: UnitOfWork, case: Case, to: Status | None) -> None:
    """Commit; where somebody changed the link in this moment, the case is decided and its link is left."""
    for _ in range(_ROUNDS):
        try:
            await uow.commit()
        except GateClosedError as overtaken:
            if overtaken.gate != MOVED_GATE:
                raise CommandFailedError(MEANWHILE) from overtaken
            await _move_link(desk, uow, case, to)
        else:
            return
    raise CommandFailedError(MEANWHILE)


async def _move_link(desk: Desk, uow: UnitOfWork, case: Case, to: Status | None) -> None:
    link = None if case.link_id is None else await uow.account_links.find(case.link_id)
    if to is None or link is None or link.status is to:
        return
    if to is Status.ACTIVE:
        is_disowned = link.suspended_because == NOT_ME
        if link.status is not Status.SUSPENDED or is_disowned is not (case.kind is CaseKind.NOT_ME):
            raise CommandFailedError(f"This link is {link.status}, and not because of this case.")
        holder = await uow.citizens.find(link.citizen_id)
        if holder is None or not holder.is_active():
            raise CommandFailedError("The holder of this link is not active.")
    moved, event = move(link, to, desk.operator, f"case_{case.kind.value}", desk.clock())
    uow.account_links.move(link, moved, desk.clock())
    uow.ledger.append(event)


async def _get(uow: UnitOfWork, text: str) -> Case:
    reference = read_reference(text)
    case = None if reference is None else await uow.cases.find_by_reference(reference)
    if case is None:
        raise CommandFailedError("There is no case with this number.")
    return case
