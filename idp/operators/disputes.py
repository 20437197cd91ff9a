"""`idp disputes`: accounts that two people claim, where the holder objected and somebody must decide. P9."""

import click

from idp.identity.cases import (
    Case,
    CaseKind,
    CaseStatus,
    IllegalCaseMoveError,
    read_reference,
    shown_reference,
)
from idp.identity.disputes import Outcome
from idp.operators.desk import Desk, at_desk
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, invocation, table
from idp.operators.second_person import check_second_person, code_option
from idp.store.unit_of_work import UnitOfWork
from idp.web.disputes import decide_dispute

_SHOWN = ("reference", "status", "client_id", "account_id", "opened_at", "due_at", "answered_at", "outcome")


@click.group()
def disputes() -> None:
    """Look at accounts that two people claim, and decide where the holder objected."""


@disputes.command("list")
@click.option("--client", "client_id", default="", metavar="CLIENT_ID", help="Only of this relying party.")
@click.option(
    "--status", type=click.Choice([status.value for status in CaseStatus]), help="Only in this state."
)
@click.option("--after", default="", metavar="REFERENCE", help="Begin behind this dispute.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_disputes(*, client_id: str, status: str | None, after: str, limit: int) -> None:
    """List disputes. Who claims and who holds is not shown here: it must not decide."""

    async def work(desk: Desk) -> list[Case]:
        uow = desk.unit_of_work()
        behind = (await _get(uow, after)).case_id if after else ""
        return await uow.cases.page(
            client_id=client_id,
            kind=CaseKind.DISPUTE,
            status=None if status is None else CaseStatus(status),
            after=behind,
            limit=limit,
        )

    found = [_in_brief(case) for case in at_desk(work)]
    document = {"disputes": found, "next": found[-1]["reference"] if len(found) == limit else None}
    invocation().answer(document, table(_SHOWN, (tuple(each.values()) for each in found)))


@disputes.command()
@click.argument("reference", metavar="REFERENCE")
@click.argument("outcome", type=click.Choice([Outcome.KEPT.value, Outcome.MOVED.value]))
@code_option
@json_option
def decide(*, reference: str, outcome: str, code: str) -> None:
    """Decide a dispute after hearing the network: kept leaves the link, moved ends it for the claimant.

    It takes the one-time code of an enrolled operator. Both people are told how it was decided.
    """

    async def work(desk: Desk) -> tuple[Case, Outcome]:
        uow, now = desk.unit_of_work(), desk.clock()
        case = await _get(uow, reference)
        # The use of the code is a gate of its own and stands before the decision it proves.
        await check_second_person(desk, uow, code, now)
        try:
            return await decide_dispute(uow, case, Outcome(outcome), desk.operator, now)
        except IllegalCaseMoveError as error:
            raise CommandFailedError(
                f"This dispute is {case.status}, with the outcome {case.outcome}."
            ) from error

    case, came_to = at_desk(work)
    brief = _in_brief(case)
    invocation().answer(brief, [f"{brief['reference']}: {came_to.value}"])


def _in_brief(case: Case) -> dict[str, object]:
    return {name: getattr(case, name) for name in _SHOWN} | {"reference": shown_reference(case.reference)}


async def _get(uow: UnitOfWork, text: str) -> Case:
    reference = read_reference(text)
    case = None if reference is None else await uow.cases.find_by_reference(reference)
    if case is None or case.kind is not CaseKind.DISPUTE:
        raise CommandFailedError("There is no dispute with this number.")
    return case
