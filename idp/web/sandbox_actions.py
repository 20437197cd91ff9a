"""What a client in its sandbox does to keys, links and people: the same for a program and for the page.

Everything is what an operator or the passing of time does too, by the same rules, and is written down.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from idp.audit.events import Actor, ActorKind, Event
from idp.authenticators.hashing_pool import HashingOverloadedError
from idp.authenticators.password import hash_password
from idp.authenticators.throttling import AttemptLimits
from idp.identity.account_links import AccountLink, IllegalMoveError, Status, move
from idp.identity.assurance import Proofing
from idp.identity.citizens import VIET_NAM, Citizen, CitizenStatus, PersonalData
from idp.identity.register import FICTITIOUS_PREFIX
from idp.protocol.account_link_resource import is_visible
from idp.protocol.errors import InvalidRequestError, TemporarilyUnavailableError
from idp.protocol.model import Client
from idp.protocol.problems import Problem, ProblemError
from idp.store.citizens import RegisteredCitizen
from idp.store.writes import GateClosedError
from idp.web.demo_people import DemoPerson
from idp.web.requests import is_id
from idp.web.state import Context
from idp.web.throttle import count_attempts
from keys import KeyState

BECAUSE = "sandbox"
OLDEST = 110
NEW_PEOPLE = AttemptLimits(
    free=50, window=timedelta(days=1), first_pause=timedelta(days=1), longest_pause=timedelta(days=1)
)
"""Per client: the register is for everybody's tests."""
ROTATIONS = AttemptLimits(
    free=1,
    window=timedelta(minutes=1),
    first_pause=timedelta(minutes=1),
    longest_pause=timedelta(minutes=1),
)
"""For all clients together: the keys are everybody's, and whoever fetched them must not be left behind."""
_TRIES = 5
_NAMES = ("Nguyễn Thị Thử", "Trần Văn Mẫu", "Lê Thị Ví Dụ", "Phạm Văn Tập", "Hoàng Thị Nháp")


MOVES: Mapping[str, Status] = {
    "suspend": Status.SUSPENDED,
    "reinstate": Status.ACTIVE,
    "lapse": Status.LAPSED,
    "end": Status.ENDED,
}
"""The moves that a client may make with its own links, by the word for each."""


@dataclass(frozen=True, slots=True)
class WishedPerson:
    """Who is to be invented."""

    age: int
    proofing: Proofing


def _actor(client: Client) -> Actor:
    return Actor(ActorKind.CLIENT, client.client_id)


async def rotate_keys(context: Context, client: Client, now: datetime) -> dict[str, str]:
    """Let the next signing keys sign, as `idp keys rotate` does; return the kid by algorithm.

    Raises ThrottledError.
    """
    key = context.custody.data.lookup("sandbox_rotations", "all")
    await count_attempts(context.unit_of_work(), ((key, ROTATIONS),), now)
    signing = context.custody.signing
    # Making a key and writing it to disk takes longer than others should wait.
    await asyncio.to_thread(signing.rotate, now)
    context.published.renew()
    kids = {each.algorithm: each.kid for each in signing.list() if each.state is KeyState.ACTIVE}
    uow = context.unit_of_work()
    uow.ledger.append_many(
        [
            Event(
                "key:rotated",
                _actor(client),
                now,
                client_id=client.client_id,
                details={"kid": kid, "method": "signing"},
            )
            for kid in kids.values()
        ]
    )
    await uow.commit()
    return kids


async def move_own_link(
    context: Context, client: Client, link_id: str, to: Status, now: datetime
) -> AccountLink:
    """Move a link of the client's own. Raises ProblemError; for another's the same as for none (class 24)."""
    for _ in range(_TRIES):
        uow = context.unit_of_work()
        link = await uow.account_links.find(link_id) if is_id(link_id) else None
        if link is None or not is_visible(link, client.client_id, None):
            raise ProblemError(Problem.NO_SUCH_LINK, "There is no such account link.")
        if link.status is to:
            return link
        try:
            moved, event = move(link, to, _actor(client), BECAUSE, now)
        except IllegalMoveError as illegal:
            raise _not_possible(link) from illegal
        if to is Status.ACTIVE and link.suspended_because != BECAUSE:
            # What its holder or an operator stopped, or what lapsed, is theirs to set going again.
            raise _not_possible(link)
        uow.account_links.move(link, moved, now)
        uow.ledger.append(event)
        try:
            await uow.commit()
        except GateClosedError:
            continue
        return moved
    raise ProblemError(Problem.CHANGED_MEANWHILE, "the account link is being changed by others")


def _not_possible(link: AccountLink) -> ProblemError:
    return ProblemError(
        Problem.STATE_CONFLICT,
        "the sandbox cannot do this with the link as it stands",
        link_status=link.status.value,
    )


def read_wished_person(members: Mapping[str, object]) -> WishedPerson:
    """Read who is to be invented. Raises InvalidRequestError."""
    if not members.keys() <= {"age", "proofing"}:
        raise InvalidRequestError("a person is wished for by age and proofing")
    age, proofing = members.get("age", 30), members.get("proofing", Proofing.VN2.value)
    if type(age) is not int or not 0 <= age <= OLDEST:
        raise InvalidRequestError(f"age must be a whole number from 0 to {OLDEST}")
    if not isinstance(proofing, str) or proofing not in set(Proofing):
        raise InvalidRequestError(f"proofing must be one of {', '.join(Proofing)}")
    return WishedPerson(age, Proofing(proofing))


async def invent_person(context: Context, client: Client, wish: WishedPerson, now: datetime) -> DemoPerson:
    """Add a fictitious person to the register and return what they sign in with: it is told this once.

    Raises ThrottledError, TemporarilyUnavailableError.
    """
    key = context.custody.data.lookup("sandbox_people", client.client_id)
    await count_attempts(context.unit_of_work(), ((key, NEW_PEOPLE),), now)
    person = DemoPerson(
        personal_number=await _free_number(context),
        name=secrets.choice(_NAMES),
        # Born on the first day of a year, one is as old as the years that have passed, on every day of it.
        birthdate=f"{now.astimezone(VIET_NAM).year - wish.age:04d}-01-01",
        proofing=wish.proofing.value,
        status=CitizenStatus.ACTIVE.value,
        password=secrets.token_urlsafe(12),
        totp_secret=pyotp.random_base32(),
    )
    try:
        password_hash = await context.hashing.run(hash_password, person.password)
    except HashingOverloadedError as overloaded:
        raise TemporarilyUnavailableError("the service is busy; please try again shortly") from overloaded
    nationality = "FRA" if wish.proofing is Proofing.VNF else "VNM"
    citizen = Citizen(
        citizen_id=secrets.token_hex(16),
        status=CitizenStatus.ACTIVE,
        proofing=wish.proofing,
        proofed_at=now,
        personal_data=PersonalData(person.name, person.birthdate, nationality=nationality),
    )
    uow = context.unit_of_work()
    uow.citizens.add_many(
        [RegisteredCitizen(citizen, person.personal_number, password_hash, person.totp_secret)], now
    )
    uow.ledger.append(
        Event(
            "citizen:registered",
            _actor(client),
            now,
            client_id=client.client_id,
            citizen_id=citizen.citizen_id,
            details={"proofing": wish.proofing.value},
        )
    )
    await uow.commit()
    return person


async def _free_number(context: Context) -> str:
    """Draw a number that nobody holds, apart from those of the demonstration."""
    for _ in range(_TRIES):
        number = f"{FICTITIOUS_PREFIX}9{secrets.randbelow(10**8):08d}"
        if await context.unit_of_work().citizens.find_by_number(number) is None:
            return number
    raise TemporarilyUnavailableError("no number was free; please try again")
