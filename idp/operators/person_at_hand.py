"""The person for whom an operator asks something: found by number, proved by the birth date on their papers.

Never by a name. `Hoà` and `Hòa` are two people, and a list of those who are called alike is a list to pick
the wrong one from: so there is no search by name, and whoever types one is told why.
"""

from collections.abc import Callable
from typing import TypeVar

import click

from idp.audit.events import Event
from idp.identity.activation_grounds import (
    BY_OPERATORS,
    Identified,
    Reach,
    SeenDocument,
    Unfit,
    UnfitActivationError,
    read_seen_document,
)
from idp.identity.citizens import BIRTHDATE, Citizen
from idp.operators.desk import Desk
from idp.operators.output import CommandFailedError
from idp.operators.people import find_person, nobody
from idp.store.unit_of_work import UnitOfWork

Function = TypeVar("Function", bound=Callable[..., object])

GROUNDS = {ground.value.replace("_", "-"): ground for ground in sorted(BY_OPERATORS)}
"""What --by takes."""

_UNFIT = {
    Unfit.NOT_ACTIVE: "This person's e-ID is not active; no code is given.",
    Unfit.ALREADY_ACTIVATED: (
        "This person has ways to sign in, or had: that is a recovery, and takes two operators "
        "(`idp recoveries propose`)."
    ),
    Unfit.NEVER_ACTIVATED: "This person never signed in: `idp activations issue` gives a first code.",
    Unfit.OTHER_BIRTHDATE: (
        "The birth date is not that of this number. Names look alike: read both from the papers again."
    ),
    Unfit.WRONG_DOCUMENT: (
        "Foreigners show a passport or residence permit, citizens an identity card or passport."
    ),
    Unfit.NO_DOCUMENT: "Papers must have been seen: --evidence says which, and where that is filed.",
    Unfit.NO_ADDRESS: "The register knows no address of this person; they have to come themselves.",
    Unfit.UNREACHABLE: (
        "No message reaches this person, so nobody could stop it: the code goes by post (--by post)."
    ),
}


def _check_birthdate(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not BIRTHDATE.fullmatch(value):
        raise click.BadParameter("YYYY-MM-DD, or YYYY where the papers say only the year.")
    return value


def _read_evidence(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> SeenDocument | None:
    seen = None if value is None else read_seen_document(value)
    if value is not None and seen is None:
        raise click.BadParameter(
            "idcard, passport or residence_permit, a colon, and where it is filed that you saw it: "
            "2 to 60 letters, digits, . / _ or -, and no number of a document."
        )
    return seen


def found_options(function: Function) -> Function:
    """Give a command the options that say how the person was found: --by, --birthdate, --evidence."""
    for option in (
        click.option(
            "--evidence",
            metavar="KIND:REF",
            callback=_read_evidence,
            help="What you saw, and where that is filed: idcard:HS-7/2026.",
        ),
        click.option(
            "--birthdate",
            required=True,
            metavar="DATE",
            callback=_check_birthdate,
            help="The birth date on the papers; the register's must be the same.",
        ),
        click.option(
            "--by",
            required=True,
            type=click.Choice(list(GROUNDS)),
            help="How the code comes to the person.",
        ),
    ):
        function = option(function)
    return function


def identified(by: str, birthdate: str, evidence: SeenDocument | None) -> Identified:
    """Return what these options said."""
    return Identified(GROUNDS[by], birthdate, evidence)


async def look_up(desk: Desk, wanted: str, reason: str) -> Citizen:
    """Return the person with this id or number; that it was done is written down first.

    Raises CommandFailedError: for a name as well, whatever people are called.
    """
    uow = desk.unit_of_work()
    found = await find_person(uow, wanted)
    citizen_id = None if found is None else found.citizen_id
    details = {"because": reason}
    uow.ledger.append(
        Event("citizen:looked_up", desk.operator, desk.clock(), citizen_id=citizen_id, details=details)
    )
    await uow.commit()
    if found is not None:
        return found
    if any(character.isspace() or ord(character) > 127 for character in wanted):
        raise CommandFailedError(
            "That looks like a name, and nobody is found by a name: Hoà and Hòa are two people. "
            "Give the personal number on the papers, or the id."
        )
    raise nobody()


async def reach_of(uow: UnitOfWork, citizen_id: str) -> Reach:
    """Return how far a person comes by themselves now."""
    record = await uow.authenticators.find(citizen_id)
    has_more = record is not None and (record.totp_secret is not None or record.has_passkey or record.has_app)
    return Reach(
        has_password=record is not None and record.password_hash is not None,
        has_more=has_more or bool(await uow.upstream_accounts.of_citizen(citizen_id)),
        was_activated=await uow.activations.was_ever_used(citizen_id),
    )


def refused(error: UnfitActivationError) -> CommandFailedError:
    """Return why no code is given, as a sentence."""
    return CommandFailedError(_UNFIT[error.unfit])


def spelled(name: str) -> str:
    """Return a name letter by letter, to be held against the papers: two that look alike differ there."""
    return " ".join(name.replace(" ", "·"))
