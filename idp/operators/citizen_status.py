"""What follows for sessions and account links when a person's status changes. R13."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from idp.audit.events import Actor, Event
from idp.identity.account_links import HOLDER_SUSPENDED, AccountLink, Status, move
from idp.identity.citizens import Citizen, CitizenStatus
from idp.operators.desk import Desk
from idp.operators.failures import MEANWHILE
from idp.operators.output import CommandFailedError
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

HOLDER_REINSTATED = "citizen_reinstated"

_ROUNDS = 5
_PAGE = 100


@dataclass(frozen=True, slots=True)
class StatusChange:
    """How a person stands now, and the links that moved with them."""

    before: CitizenStatus
    after: CitizenStatus
    links: tuple[AccountLink, ...]


def status_with_holder(link: AccountLink, *, is_active: bool) -> Status | None:
    """Return the state that a link takes when its holder becomes active, or no longer is; None to stay."""
    if not is_active and link.status is Status.ACTIVE:
        return Status.SUSPENDED
    if is_active and link.status is Status.SUSPENDED and link.suspended_because == HOLDER_SUSPENDED:
        return Status.ACTIVE
    return None


async def links_of(uow: UnitOfWork, citizen_id: str) -> list[AccountLink]:
    """Return all links of a person."""
    links: list[AccountLink] = []
    after = ""
    while page := await uow.account_links.of_citizen(citizen_id, after=after, limit=_PAGE):
        links += page
        after = page[-1].link_id
    return links


def record_consequences(
    uow: UnitOfWork,
    links: Sequence[AccountLink],
    citizen: Citizen,
    actor: Actor,
    now: datetime,
) -> list[AccountLink]:
    """Record that links follow their holder, and the end of the sessions; return the moved links.

    `citizen` is the person as they are from now on.

    Each move stands before its own event, for a closed gate keeps what stands before it.
    """
    is_active = citizen.is_active()
    if not is_active:
        uow.sessions.end_of_citizen(citizen.citizen_id, now)
    moved: list[AccountLink] = []
    for link in links:
        to = status_with_holder(link, is_active=is_active)
        if to is not None:
            because = HOLDER_REINSTATED if is_active else HOLDER_SUSPENDED
            after, event = move(link, to, actor, because, now)
            uow.account_links.move(link, after, now)
            uow.ledger.append(event)
            moved.append(after)
    return moved


async def hold(desk: Desk, citizen: Citizen, *, is_held: bool) -> None:
    """Keep a person suspended whatever the register says, or leave it to the register again."""
    uow = desk.unit_of_work()
    if is_held:
        uow.citizens.hold(citizen.citizen_id, desk.clock())
    else:
        uow.citizens.release(citizen.citizen_id)
    await uow.commit()


async def change_status(
    desk: Desk, citizen: Citizen, to: CitizenStatus, reason: str, *, dry_run: bool
) -> StatusChange:
    """Bring a person and their links to a status, and look afterwards whether that is how they stand.

    A link may be made or moved by others at the same moment: then another round is made.
    """
    citizen_id, first = citizen.citizen_id, await links_of(desk.unit_of_work(), citizen.citizen_id)
    for _ in range(_ROUNDS):
        uow, now = desk.unit_of_work(), desk.clock()
        current = await uow.citizens.find(citizen_id) or citizen
        links = await links_of(uow, citizen_id)
        if current.status is not to:
            uow.citizens.set_status(citizen_id, current.status, to, now)
            uow.ledger.append(_event(citizen_id, to, desk.operator, reason, now))
        moved = record_consequences(uow, links, replace(current, status=to), desk.operator, now)
        if dry_run:
            return StatusChange(citizen.status, to, tuple(moved))
        if current.status is to and not moved:
            stood = {link.link_id: link.status for link in first}
            changed = tuple(link for link in links if stood.get(link.link_id) is not link.status)
            return StatusChange(citizen.status, to, changed)
        await _commit_as_far_as_it_goes(uow)
    raise CommandFailedError(MEANWHILE)


async def _commit_as_far_as_it_goes(uow: UnitOfWork) -> None:
    try:
        await uow.commit()
    except GateClosedError:
        # Somebody moved one of the links meanwhile. The next round reads them again and does what is left.
        return


def _event(citizen_id: str, to: CitizenStatus, actor: Actor, reason: str, now: datetime) -> Event:
    verb = "reinstated" if to is CitizenStatus.ACTIVE else "suspended"
    return Event(f"citizen:{verb}", actor, now, citizen_id=citizen_id, details={"because": reason})
