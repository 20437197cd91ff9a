"""Finding the person whom a command names: by id or by personal number."""

from idp.identity.citizens import Citizen
from idp.identity.identifiers import PERSONAL_NUMBER
from idp.operators.output import CommandFailedError
from idp.store.unit_of_work import UnitOfWork


async def find_person(uow: UnitOfWork, wanted: str) -> Citizen | None:
    """Return the person with this id or personal number."""
    if PERSONAL_NUMBER.fullmatch(wanted):
        return await uow.citizens.find_by_number(wanted)
    return await uow.citizens.find(wanted)


async def get_person(uow: UnitOfWork, wanted: str) -> Citizen:
    """Return the person with this id or personal number. Raises CommandFailedError."""
    found = await find_person(uow, wanted)
    if found is None:
        raise nobody()
    return found


def nobody() -> CommandFailedError:
    """Return the failure of a command that names nobody."""
    return CommandFailedError("Nobody in the register has this id or personal number.")
