"""`idp recoveries`: whoever lost every way to sign in and came with their papers, seen by two. R19; case P9.

One operator sees the papers and proposes; another sees them and approves, within a day, and only then there
is a code. The person is told by every way at once, can stop it, and can use the code only when the time to
stop it is over.
"""

from datetime import timedelta
from pathlib import Path

import click

from idp.identity.activation_grounds import (
    Purpose,
    SeenDocument,
    UnfitActivationError,
    check_fit,
    check_recoverable,
)
from idp.identity.activations import Activation, activation_event, approve, proposal
from idp.identity.citizens import Citizen
from idp.operators.activation_reports import (
    activation_argument,
    answer,
    answer_list,
    explained,
    get_activation,
    letter_of,
    letter_options,
    limit_option,
    own_code,
    own_code_option,
)
from idp.operators.activations import withdrawn
from idp.operators.desk import Desk, at_desk
from idp.operators.letters import letter_file
from idp.operators.options import LOOKUP, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError
from idp.operators.people import get_person
from idp.operators.person_at_hand import found_options, identified, look_up, reach_of, refused
from idp.operators.second_person import check_second_person
from idp.web.activations import issue_approved, new_activation_id


@click.group()
def recoveries() -> None:
    """Let people who lost every way to sign in set it up anew. CITIZEN is an id or number, never a name."""


@recoveries.command(context_settings=TAKES_IDS)
@click.argument("citizen")
@found_options
@own_code_option
@reason_option(LOOKUP)
@dry_run_option
@json_option
def propose(
    *,
    citizen: str,
    by: str,
    birthdate: str,
    evidence: SeenDocument | None,
    code: str | None,
    reason: str,
    dry_run: bool,
) -> None:
    """Propose a recovery after seeing the papers. It waits 24 hours for a second person, and does nothing."""
    found = identified(by, birthdate, evidence)

    async def work(desk: Desk) -> tuple[Citizen, Activation]:
        person = await look_up(desk, citizen, reason)
        uow, now = desk.unit_of_work(), desk.clock()
        try:
            check_recoverable(await reach_of(uow, person.citizen_id))
            check_fit(person, found, Purpose.RECOVERY)
        except UnfitActivationError as error:
            raise refused(error) from error
        proposed = proposal(new_activation_id(), person.citizen_id, found, desk.operator, now)
        if dry_run:
            return person, proposed
        operator = await check_second_person(desk, uow, own_code(code), now)
        uow.activations.add(proposed)
        uow.ledger.append(activation_event(proposed, "proposed", operator, now))
        await uow.commit()
        return person, proposed

    person, proposed = at_desk(work)
    approval = f"idp recoveries approve {proposed.activation_id} --birthdate … --letter FILE"
    said = "It would be proposed." if dry_run else f"A second person, who sees the papers too: {approval}"
    answer(person, proposed, said, dry_run=dry_run)


@recoveries.command("approve", context_settings=TAKES_IDS)
@activation_argument
@click.option("--birthdate", required=True, metavar="DATE", help="As you read it from the papers yourself.")
@letter_options
@own_code_option
@json_option
def approve_recovery(
    *, activation_id: str, birthdate: str, letter: str, language: str | None, code: str | None
) -> None:
    """Approve a recovery as the second person, after seeing the papers; write the letter."""

    async def work(desk: Desk) -> tuple[Citizen, Activation]:
        proposed = await _get_recovery(desk, activation_id)
        uow, now = desk.unit_of_work(), desk.clock()
        person = await get_person(uow, proposed.citizen_id)
        if not person.is_active() or birthdate != person.personal_data.birthdate:
            raise CommandFailedError(
                "The birth date is not this person's, or their e-ID is not active. Read the papers again."
            )
        operator = await check_second_person(desk, uow, own_code(code), now)
        approved = approve(proposed, operator, timedelta(hours=desk.settings.recovery_waiting_hours), now)
        with letter_file(Path(letter)) as file:
            handed = issue_approved(uow, approved, operator, now)
            await uow.commit()
            file.write(await letter_of(desk, person, handed, language))
        return person, approved

    person, approved = at_desk(explained(work))
    answer(person, approved, f"Approved; the letter is in {letter}. {_how_they_learn(person)}")


def _how_they_learn(person: Citizen) -> str:
    """Say how the person learns that a recovery waits: whom no message reaches gets a code by post alone."""
    data = person.personal_data
    if data.email is None and data.phone_number is None:
        return "No message reaches this person: the letter, sent by post, is how they learn of it."
    return "The person is told now."


@recoveries.command("list", context_settings=TAKES_IDS)
@limit_option
@json_option
def list_recoveries(*, limit: int) -> None:
    """List recoveries that wait for a second person, for their time, or to be used."""

    async def work(desk: Desk) -> list[Activation]:
        return await desk.unit_of_work().activations.open(Purpose.RECOVERY, desk.clock(), limit)

    answer_list("recoveries", at_desk(work))


@recoveries.command(context_settings=TAKES_IDS)
@activation_argument
@json_option
def withdraw(*, activation_id: str) -> None:
    """Withdraw a recovery: it comes to nothing, and the person is told."""
    person, activation = withdrawn(activation_id)
    answer(person, activation, "Withdrawn.")


async def _get_recovery(desk: Desk, activation_id: str) -> Activation:
    found = await get_activation(desk, activation_id)
    if found.purpose is not Purpose.RECOVERY:
        raise CommandFailedError("There is no recovery with this id.")
    return found
