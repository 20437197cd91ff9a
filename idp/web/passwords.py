"""A password that somebody chooses: checked against what is known of them, hashed beside the event loop."""

from idp.authenticators.password import PersonalFacts, check_password, hash_password
from idp.identity.citizens import Citizen
from idp.store.unit_of_work import UnitOfWork
from idp.web.state import Context


async def hash_chosen(context: Context, uow: UnitOfWork, citizen: Citizen, password: str) -> str:
    """Return the hash of a password that may be chosen. NIST SP 800-63B-4 §3.1.1.2.

    Raises PasswordRefusedError with a reason, HashingOverloadedError when too much is waiting.
    """
    numbers = (await uow.citizens.personal_number(citizen.citizen_id), citizen.personal_data.phone_number)
    about = PersonalFacts(citizen.personal_data.name, tuple(number for number in numbers if number))
    return await context.hashing.run(_check_and_hash, password, about)


def _check_and_hash(password: str, about: PersonalFacts) -> str:
    check_password(password, about)
    return hash_password(password)
