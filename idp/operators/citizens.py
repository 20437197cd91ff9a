"""`idp citizens`: the people of the register, one by one. Every look at a person is written down."""

import click

from idp.audit.events import Event
from idp.identity.citizens import Citizen, CitizenStatus, personal_data_members
from idp.identity.evidence import Evidence
from idp.identity.register import InvalidRegisterLineError, read_line
from idp.operators.citizen_status import StatusChange, change_status, hold, links_of
from idp.operators.citizens_import import import_citizens
from idp.operators.desk import Desk, at_desk
from idp.operators.guardians import guardian
from idp.operators.options import DECISION, LOOKUP, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties
from idp.operators.people import find_person, get_person, nobody
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import UniquenessError
from idp.web.freezes import record_lifted_freeze

MASKED = "•••"


@click.group()
def citizens() -> None:
    """Import people, look one up, suspend and reinstate them. CITIZEN is an id or a personal number."""


citizens.add_command(import_citizens)
citizens.add_command(guardian)
citizen_argument = click.argument("citizen")


@citizens.command(context_settings=TAKES_IDS)
@citizen_argument
@reason_option(LOOKUP)
@click.option("--reveal", is_flag=True, help="Show number, phone, e-mail and address in full.")
@json_option
def show(*, citizen: str, reason: str, reveal: bool) -> None:
    """Show one person. That it was done, by whom and why is written into the audit log."""
    document = at_desk(lambda desk: _looked_up(desk, citizen, reason, reveal=reveal))
    invocation().answer(document, properties(document))


async def _looked_up(desk: Desk, wanted: str, reason: str, *, reveal: bool) -> dict[str, object]:
    uow = desk.unit_of_work()
    found = await find_person(uow, wanted)
    details = {"because": reason}
    if reveal:
        details["claims"] = "address email personal_number phone_number"
    citizen_id = None if found is None else found.citizen_id
    uow.ledger.append(
        Event("citizen:looked_up", desk.operator, desk.clock(), citizen_id=citizen_id, details=details)
    )
    # The look is written down before anything is shown.
    await uow.commit()
    if found is None:
        raise nobody()
    return await _description(desk.unit_of_work(), found, reveal=reveal)


async def _description(uow: UnitOfWork, citizen: Citizen, *, reveal: bool) -> dict[str, object]:
    number = await uow.citizens.personal_number(citizen.citizen_id)
    authenticators = await uow.authenticators.find(citizen.citizen_id)
    links = await links_of(uow, citizen.citizen_id)
    data = citizen.personal_data
    return {
        "citizen_id": citizen.citizen_id,
        "status": citizen.status,
        "proofing": citizen.proofing,
        "proofed_at": citizen.proofed_at,
        "evidence": [_evidence(each) for each in citizen.evidence()],
        "evidence_of": "proofing" if data.evidence is None else "register",
        "personal_number": _masked(number, 3, reveal=reveal),
        "name": data.name,
        "birthdate": data.birthdate,
        "gender": data.gender,
        "nationality": data.nationality,
        "phone_number": _masked(data.phone_number, 3, reveal=reveal),
        "email": _masked(data.email, 1, reveal=reveal),
        "address": _masked(data.address, 0, reveal=reveal),
        "has_password": authenticators is not None and authenticators.password_hash is not None,
        "links_frozen_at": citizen.links_frozen_at,
        "has_totp": authenticators is not None and authenticators.totp_secret is not None,
        "links": [f"{link.link_id} {link.client_id} {link.status}" for link in links],
    }


def _masked(value: str | None, shown: int, *, reveal: bool) -> str | None:
    return value if value is None or reveal else value[:shown] + MASKED


def _evidence(evidence: Evidence) -> str:
    checks = " ".join(check.check_method for check in evidence.checks)
    return f"{evidence.type} {evidence.kind}{f': {checks}' if checks else ''}"


@citizens.command(context_settings=TAKES_IDS)
@citizen_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def suspend(*, citizen: str, reason: str, dry_run: bool) -> None:
    """Lock a person: they are signed out everywhere and their active links are suspended.

    No import of the register lifts this; only `idp citizens reinstate` does.
    """
    _change(citizen, CitizenStatus.LOCKED, reason, dry_run=dry_run)


@citizens.command(context_settings=TAKES_IDS)
@citizen_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def reinstate(*, citizen: str, reason: str, dry_run: bool) -> None:
    """Unlock a person. Links come back that were suspended with them, and no others."""
    _change(citizen, CitizenStatus.ACTIVE, reason, dry_run=dry_run)


def _change(wanted: str, to: CitizenStatus, reason: str, *, dry_run: bool) -> None:
    async def work(desk: Desk) -> tuple[Citizen, StatusChange]:
        found = await get_person(desk.unit_of_work(), wanted)
        if found.status not in {CitizenStatus.ACTIVE, CitizenStatus.LOCKED}:
            raise CommandFailedError(
                f"This person is {found.status} in the register; only the register changes that."
            )
        if not dry_run:
            await hold(desk, found, is_held=to is not CitizenStatus.ACTIVE)
        return found, await change_status(desk, found, to, reason, dry_run=dry_run)

    found, change = at_desk(work)
    document = {
        "citizen_id": found.citizen_id,
        "status_before": change.before,
        "status": change.after,
        "links": [{"link_id": link.link_id, "status": link.status} for link in change.links],
        "dry_run": dry_run,
    }
    is_same = change.before is change.after and not change.links
    lines = [f"{found.citizen_id}: {change.after}{' already' if is_same else ''}"]
    lines += [f"  link {link.link_id}: {link.status}" for link in change.links]
    invocation().answer(document, lines)


@citizens.command("lift-freeze", context_settings=TAKES_IDS)
@citizen_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def lift_freeze(*, citizen: str, reason: str, dry_run: bool) -> None:
    """Allow new links of a person who froze them and has no second proof to lift that. They are told."""

    async def work(desk: Desk) -> Citizen:
        uow = desk.unit_of_work()
        found = await get_person(uow, citizen)
        if found.links_frozen_at is None:
            raise CommandFailedError("This person did not freeze new links.")
        record_lifted_freeze(uow, found.citizen_id, desk.operator, reason, desk.clock())
        if not dry_run:
            await uow.commit()
        return found

    found = at_desk(work)
    document = {"citizen_id": found.citizen_id, "links_frozen": dry_run, "dry_run": dry_run}
    said = "would be able to link accounts again" if dry_run else "can link accounts again"
    invocation().answer(document, [f"{found.citizen_id} {said}."])


@citizens.command("change-number", context_settings=TAKES_IDS)
@citizen_argument
@click.argument("new_number")
@reason_option(DECISION)
@dry_run_option
@json_option
def change_number(*, citizen: str, new_number: str, reason: str, dry_run: bool) -> None:
    """Give a person a re-issued personal number; the former one stays in the history."""
    citizen_id = at_desk(lambda desk: _renumber(desk, citizen, new_number, reason, dry_run=dry_run))
    document = {"citizen_id": citizen_id, "changed": not dry_run, "dry_run": dry_run}
    said = "would get the new number" if dry_run else "has the new number"
    invocation().answer(document, [f"{citizen_id} {said}."])


async def _renumber(desk: Desk, wanted: str, new_number: str, reason: str, *, dry_run: bool) -> str:
    uow, now = desk.unit_of_work(), desk.clock()
    found = await get_person(uow, wanted)
    _check_number(desk, found, new_number)
    if await uow.citizens.find_by_number(new_number) is not None:
        raise CommandFailedError("Somebody has this personal number already.")
    uow.citizens.change_number(found.citizen_id, new_number, now)
    uow.ledger.append(
        Event(
            "citizen:number_changed",
            desk.operator,
            now,
            citizen_id=found.citizen_id,
            details={"because": reason},
        )
    )
    if not dry_run:
        try:
            await uow.commit()
        except UniquenessError as error:
            raise CommandFailedError("Somebody has this personal number already.") from error
    return found.citizen_id


def _check_number(desk: Desk, citizen: Citizen, number: str) -> None:
    """Check the number as an import would: in the line that the register would now send of this person."""
    line = {
        **personal_data_members(citizen.personal_data),
        "personal_number": number,
        "proofing": citizen.proofing.value,
        "proofed_at": citizen.proofed_at.isoformat(),
        "status": citizen.status.value,
    }
    try:
        read_line(line, desk.settings.mode, desk.clock())
    except InvalidRegisterLineError as error:
        raise CommandFailedError("This number is refused.", error.reasons) from error
