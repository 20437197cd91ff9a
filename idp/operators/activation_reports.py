"""What `idp activations` and `idp recoveries` share: finding one, and saying how it stands."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import click

from idp.identity.activations import Activation, ActivationError
from idp.identity.citizens import Citizen
from idp.operators.desk import Desk
from idp.operators.letters import LANGUAGES, language_of, render_letter
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.operators.person_at_hand import spelled
from idp.web.activations import Handed

Answer = TypeVar("Answer")
Function = TypeVar("Function", bound=Callable[..., object])

_LISTED = ("activation_id", "citizen_id", "purpose", "ground", "standing", "issued_by", "usable_from")

activation_argument = click.argument("activation_id", metavar="ACTIVATION")
limit_option = click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)


def letter_options(function: Function) -> Function:
    """Give a command the options --letter and --language."""
    language = click.option(
        "--language",
        type=click.Choice(LANGUAGES),
        help="The language of the letter; else Vietnamese, and English for foreigners.",
    )
    path = click.option(
        "--letter",
        required=True,
        type=click.Path(dir_okay=False),
        help="Where to write the letter: a file that is not there yet, for you alone.",
    )
    return path(language(function))


def own_code_option(function: Function) -> Function:
    """Give a command the option --code; asked for with `own_code` only where it is needed."""
    return click.option("--code", help="Your own one-time code; asked for when not given.")(function)


def own_code(code: str | None) -> str:
    """Return the one-time code of whoever acts, asked for where no option gave it."""
    given: str = click.prompt("Your one-time code", err=True) if code is None else code
    return given


async def get_activation(desk: Desk, activation_id: str) -> Activation:
    """Return one activation. Raises CommandFailedError."""
    found = await desk.unit_of_work().activations.find(activation_id)
    if found is None:
        raise CommandFailedError("There is no activation with this id.")
    return found


async def letter_of(desk: Desk, person: Citizen, handed: Handed, language: str | None) -> bytes:
    """Return the letter with a code that was just issued."""
    number = await desk.unit_of_work().citizens.personal_number(person.citizen_id)
    return render_letter(desk.settings.issuer, person, number, handed, language_of(person, language))


def explained(work: Callable[[Desk], Awaitable[Answer]]) -> Callable[[Desk], Awaitable[Answer]]:
    """Turn what a rule refuses into a sentence for the operator."""

    async def told(desk: Desk) -> Answer:
        try:
            return await work(desk)
        except ActivationError as error:
            said = str(error)
            raise CommandFailedError(f"{said[0].upper()}{said[1:]}.") from error

    return told


def answer(person: Citizen, activation: Activation, said: str, **more: object) -> None:
    """Say what became of one, and whose it is: the name letter by letter, to be held against the papers."""
    invocation().say(said)
    known = {"name": person.personal_data.name, "name_in_letters": spelled(person.personal_data.name)}
    document = {**_document(activation), **known, **more}
    invocation().answer(document, properties(document))


def answer_list(name: str, found: Sequence[Activation]) -> None:
    """List some; whose each is stands there by id alone."""
    documents = [_document(each) for each in found]
    rows = (tuple(document[column] for column in _LISTED) for document in documents)
    invocation().answer({name: documents}, table(_LISTED, rows))


def _document(activation: Activation) -> Mapping[str, object]:
    return {
        "activation_id": activation.activation_id,
        "citizen_id": activation.citizen_id,
        "purpose": activation.purpose,
        "ground": activation.ground,
        "standing": activation.standing(datetime.now(UTC)),
        "evidence": None if activation.evidence is None else str(activation.evidence),
        "issued_by": activation.issued_by,
        "approved_by": activation.approved_by,
        "issued_at": activation.issued_at,
        "usable_from": activation.usable_from,
        "expires_at": activation.expires_at,
        "used_at": activation.used_at,
        "stopped_at": activation.stopped_at,
        "stopped_because": activation.stopped_because,
    }
