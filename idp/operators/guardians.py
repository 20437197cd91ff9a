"""`idp citizens guardian`: who speaks for whom, entered by an operator who saw evidence. R10; case P10."""

import re
import secrets
from datetime import datetime

import click

from idp.audit.events import Event
from idp.identity.citizens import Citizen
from idp.identity.guardians import (
    Guardianship,
    Source,
    Unfit,
    UnfitGuardianError,
    check_guardian,
    turns_16_at,
)
from idp.operators.desk import Desk, at_desk
from idp.operators.guardian_import import relation_events
from idp.operators.options import DECISION, LOOKUP, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, table
from idp.operators.people import find_person, get_person
from idp.store.guardianships import RELATION_INDEX
from idp.store.writes import GateClosedError, UniquenessError

_EVIDENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{1,59}")
_MANY_DIGITS = re.compile(r"[0-9]{9}")
_LISTED = 200

_UNFIT = {
    Unfit.SAME_PERSON: "Nobody speaks for themselves: these are the same person.",
    Unfit.CHILD_DECIDES_ALONE: "This person is 16 or older and decides alone.",
    Unfit.GUARDIAN_UNDER_AGE: "This person is under 18 and speaks for nobody.",
    Unfit.GUARDIAN_NOT_ACTIVE: "This person's own e-ID is not active.",
}


@click.group()
def guardian() -> None:
    """Enter, end and list who speaks for a child. GUARDIAN and CHILD are ids or personal numbers."""


def _check_evidence(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _EVIDENCE.fullmatch(value) or _MANY_DIGITS.search(value):
        raise click.BadParameter(
            "a reference of 2 to 60 letters, digits, . / _ or - is needed, and no personal number."
        )
    return value


@guardian.command(context_settings=TAKES_IDS)
@click.argument("guardian_id", metavar="GUARDIAN")
@click.argument("child_id", metavar="CHILD")
@click.option(
    "--evidence",
    required=True,
    metavar="REF",
    callback=_check_evidence,
    help="Where the birth certificate or decision that you saw is filed.",
)
@reason_option(DECISION)
@dry_run_option
@json_option
def add(*, guardian_id: str, child_id: str, evidence: str, reason: str, dry_run: bool) -> None:
    """Enter that GUARDIAN speaks for CHILD, after seeing evidence of it."""

    async def work(desk: Desk) -> Guardianship:
        uow, now = desk.unit_of_work(), desk.clock()
        speaker, child = await get_person(uow, guardian_id), await get_person(uow, child_id)
        _check_fit(speaker, child, now)
        relation = Guardianship(
            guardianship_id=secrets.token_urlsafe(16),
            guardian_citizen_id=speaker.citizen_id,
            child_citizen_id=child.citizen_id,
            source=Source.OPERATOR,
            child_turns_16_at=turns_16_at(child.personal_data.birthdate),
            valid_from=now,
            evidence=evidence,
        )
        known = await uow.guardianships.of_guardians([speaker.citizen_id])
        if any(each.child_citizen_id == child.citizen_id for each in known):
            raise _known_already()
        if dry_run:
            return relation
        uow.guardianships.add(relation)
        for event in relation_events("entered", relation, desk.operator, now, reason):
            uow.ledger.append(event)
        try:
            await uow.commit()
        except UniquenessError as taken:
            if taken.index != RELATION_INDEX:
                raise
            raise _known_already() from taken
        return relation

    relation = at_desk(work)
    said = "would be entered" if dry_run else "is entered"
    invocation().answer(_document(relation) | {"dry_run": dry_run}, [f"{relation.guardianship_id} {said}."])


def _check_fit(speaker: Citizen, child: Citizen, now: datetime) -> None:
    try:
        check_guardian(speaker, child, now)
    except UnfitGuardianError as error:
        raise CommandFailedError(_UNFIT[error.unfit]) from error


def _known_already() -> CommandFailedError:
    return CommandFailedError("This is known already; `idp citizens guardian list` shows it.")


@guardian.command(context_settings=TAKES_IDS)
@click.argument("guardian_id", metavar="GUARDIAN")
@click.argument("child_id", metavar="CHILD")
@reason_option(DECISION)
@dry_run_option
@json_option
def end(*, guardian_id: str, child_id: str, reason: str, dry_run: bool) -> None:
    """End that GUARDIAN speaks for CHILD. Links stay that were made; new ones need somebody else's approval.

    What the register tells is entered again by the next import, unless the register has changed, too.
    """

    async def work(desk: Desk) -> Guardianship:
        uow, now = desk.unit_of_work(), desk.clock()
        speaker, child = await get_person(uow, guardian_id), await get_person(uow, child_id)
        known = await uow.guardianships.of_guardians([speaker.citizen_id])
        relation = next((each for each in known if each.child_citizen_id == child.citizen_id), None)
        if relation is None:
            raise CommandFailedError("Nothing is known of this.")
        if dry_run:
            return relation
        uow.guardianships.end(relation.guardianship_id, now)
        for event in relation_events("ended", relation, desk.operator, now, reason):
            uow.ledger.append(event)
        try:
            await uow.commit()
        except GateClosedError as closed:
            raise CommandFailedError("Somebody ended it at this moment.") from closed
        return relation

    relation = at_desk(work)
    said = "would end" if dry_run else "has ended"
    invocation().answer(_document(relation) | {"dry_run": dry_run}, [f"{relation.guardianship_id} {said}."])


@guardian.command("list", context_settings=TAKES_IDS)
@click.argument("citizen")
@reason_option(LOOKUP)
@json_option
def list_relations(*, citizen: str, reason: str) -> None:
    """List for whom CITIZEN speaks, and who speaks for CITIZEN. That it was done is written into the log."""

    async def work(desk: Desk) -> list[Guardianship]:
        uow = desk.unit_of_work()
        found = await find_person(uow, citizen)
        citizen_id = None if found is None else found.citizen_id
        details = {"because": reason}
        uow.ledger.append(
            Event("citizen:looked_up", desk.operator, desk.clock(), citizen_id=citizen_id, details=details)
        )
        # The look is written down before anything is shown.
        await uow.commit()
        person = await get_person(desk.unit_of_work(), citizen)
        return await desk.unit_of_work().guardianships.of_citizen(person.citizen_id, _LISTED)

    relations = at_desk(work)
    rows = [
        (each.guardianship_id, each.guardian_citizen_id, each.child_citizen_id, each.source, each.ended_at)
        for each in relations
    ]
    lines = table(("guardianship", "guardian", "child", "source", "ended"), rows)
    invocation().answer({"guardianships": [_document(each) for each in relations]}, lines)


def _document(relation: Guardianship) -> dict[str, object]:
    return {
        "guardianship_id": relation.guardianship_id,
        "guardian": relation.guardian_citizen_id,
        "child": relation.child_citizen_id,
        "source": relation.source,
        "evidence": relation.evidence,
        "valid_from": relation.valid_from,
        "ended_at": relation.ended_at,
    }
