"""`idp activations`: codes with which people set up how they sign in, on paper. R19; abuse case P9.

One operator gives a first code, or one beside a password: neither replaces anything. What replaces is a
recovery (`idp recoveries`) and takes two. Each operator proves to be there with a one-time code; the person
is told by every way, and can stop it.
"""

from pathlib import Path

import click

from idp.identity.activation_grounds import (
    Purpose,
    SeenDocument,
    UnfitActivationError,
    check_fit,
    purpose_to_issue,
)
from idp.identity.activations import Activation, StopReason, check_reprint, issued
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
from idp.operators.desk import Desk, at_desk
from idp.operators.letters import letter_file
from idp.operators.options import LOOKUP, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError
from idp.operators.people import get_person
from idp.operators.person_at_hand import found_options, identified, look_up, reach_of, refused
from idp.operators.second_person import check_second_person
from idp.web.activations import issue_enrolment, new_activation_id, reprint, stop_activation


@click.group()
def activations() -> None:
    """Give people a code to set up how they sign in. CITIZEN is an id or a personal number, never a name."""


@activations.command(context_settings=TAKES_IDS)
@click.argument("citizen")
@found_options
@letter_options
@own_code_option
@dry_run_option
@json_option
def issue(
    *,
    citizen: str,
    by: str,
    birthdate: str,
    evidence: SeenDocument | None,
    letter: str,
    language: str | None,
    code: str | None,
    dry_run: bool,
) -> None:
    """Give a first code, or one beside the password that is all a person has; write the letter."""
    found = identified(by, birthdate, evidence)

    async def work(desk: Desk) -> tuple[Citizen, Activation]:
        person = await look_up(desk, citizen, LOOKUP)
        uow, now = desk.unit_of_work(), desk.clock()
        try:
            purpose = purpose_to_issue(await reach_of(uow, person.citizen_id))
            check_fit(person, found, purpose)
        except UnfitActivationError as error:
            raise refused(error) from error
        activation = issued(new_activation_id(), person.citizen_id, purpose, found, desk.operator, now)
        if dry_run:
            return person, activation
        operator = await check_second_person(desk, uow, own_code(code), now)
        with letter_file(Path(letter)) as file:
            handed = issue_enrolment(uow, activation, operator, now)
            await uow.commit()
            file.write(await letter_of(desk, person, handed, language))
        return person, activation

    person, activation = at_desk(work)
    said = "A code would be issued." if dry_run else f"A code is issued; the letter is in {letter}."
    answer(person, activation, said, dry_run=dry_run)


@activations.command("letter", context_settings=TAKES_IDS)
@activation_argument
@letter_options
@own_code_option
@json_option
def print_again(*, activation_id: str, letter: str, language: str | None, code: str | None) -> None:
    """Print a letter anew, with another code; the one before opens nothing any more.

    The person is told. Of a recovery only one of the two who proposed and approved it prints another.
    """

    async def work(desk: Desk) -> tuple[Citizen, Activation]:
        activation = await get_activation(desk, activation_id)
        uow, now = desk.unit_of_work(), desk.clock()
        check_reprint(activation, desk.operator, now)
        person = await get_person(uow, activation.citizen_id)
        operator = await check_second_person(desk, uow, own_code(code), now)
        with letter_file(Path(letter)) as file:
            handed = reprint(uow, activation, operator, now)
            await uow.commit()
            file.write(await letter_of(desk, person, handed, language))
        return person, activation

    person, activation = at_desk(explained(work))
    answer(person, activation, f"The letter, with another code, is in {letter}.")


@activations.command("list", context_settings=TAKES_IDS)
@click.argument("citizen", required=False)
@reason_option(LOOKUP)
@limit_option
@json_option
def list_activations(*, citizen: str | None, reason: str, limit: int) -> None:
    """List the codes of CITIZEN, or all that can still be used. A look at a person is written down."""

    async def work(desk: Desk) -> list[Activation]:
        if citizen is None:
            open_ones = await desk.unit_of_work().activations.open(None, desk.clock(), limit)
            return [each for each in open_ones if each.purpose is not Purpose.RECOVERY]
        person = await look_up(desk, citizen, reason)
        return await desk.unit_of_work().activations.of_citizen(person.citizen_id, limit)

    answer_list("activations", at_desk(work))


@activations.command(context_settings=TAKES_IDS)
@activation_argument
@json_option
def withdraw(*, activation_id: str) -> None:
    """Withdraw a code: it opens nothing any more, and the person is told."""
    person, activation = withdrawn(activation_id)
    answer(person, activation, "Withdrawn.")


def withdrawn(activation_id: str) -> tuple[Citizen, Activation]:
    """Stop an activation as an operator, whatever it is for."""

    async def work(desk: Desk) -> tuple[Citizen, Activation]:
        activation = await get_activation(desk, activation_id)
        uow, now = desk.unit_of_work(), desk.clock()
        if not activation.can_be_stopped(now):
            raise CommandFailedError(f"It is {activation.standing(now)}: there is nothing to withdraw.")
        stop_activation(uow, activation, StopReason.WITHDRAWN, desk.operator, now)
        await uow.commit()
        person = await get_person(desk.unit_of_work(), activation.citizen_id)
        return person, await get_activation(desk, activation_id)

    return at_desk(work)
