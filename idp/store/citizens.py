"""The register of citizens. Personal data is sealed here on its way in and opened on its way out.

A personal number is held twice: sealed, to be shown to its holder, and as a keyed HMAC, to be
found. It is never a key: numbers can be re-issued, so each row carries its time (R15).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import LargeBinary, bindparam, null, select

from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, personal_data_members, read_personal_data
from idp.store.authenticators import (
    KINDS,
    SECRETS,
    Authenticators,
    Secrets,
    secrets_from_row,
    with_secrets,
)
from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.tables import citizens, personal_numbers
from idp.store.writes import Change, Insert, Values


@dataclass(frozen=True, slots=True)
class RegisteredCitizen:
    """A person as the import writes them."""

    citizen: Citizen
    personal_number: str
    password_hash: str | None = None
    totp_secret: str | None = None


@dataclass(frozen=True, slots=True)
class KnownHolder:
    """Whoever holds a personal number now, and what lets them in, for a comparison with the register."""

    citizen: Citizen
    password_hash: str | None
    totp_secret: str | None
    is_held: bool = False
    """Suspended by an operator, whatever the register says."""


PERSON = tuple(
    citizens.c[name].label(f"person_{name}")
    for name in ("citizen_id", "status", "proofing", "proofed_at", "personal_data", "links_frozen_at")
)
"""A citizen's columns as they stand in a join."""

_INSERT = Insert("citizen", citizens, tuple(column.name for column in citizens.columns))
_UPDATE = Change(
    "citizen_updated",
    citizens,
    where=lambda bind: citizens.c.citizen_id == bind("id"),
    values=lambda bind: {
        name: bind(name)
        for name in ("status", "proofing", "proofed_at", "personal_data", "phone_lookup", "updated_at")
    },
)
_SET_STATUS = Change(
    "citizen_status",
    citizens,
    where=lambda bind: (citizens.c.citizen_id == bind("id")) & (citizens.c.status == bind("from_status")),
    values=lambda bind: {"status": bind("status"), "updated_at": bind("updated_at")},
    gate=True,
)
_HOLD = Change(
    "citizen_held",
    citizens,
    where=lambda bind: (citizens.c.citizen_id == bind("id")) & (citizens.c.held_at == null()),
    values=lambda bind: {"held_at": bind("held_at")},
)
_RELEASE = Change(
    "citizen_released",
    citizens,
    where=lambda bind: citizens.c.citizen_id == bind("id"),
    values=lambda _: {"held_at": null()},
)
_FREEZE = Change(
    "links_frozen",
    citizens,
    where=lambda bind: (citizens.c.citizen_id == bind("id")) & (citizens.c.links_frozen_at == null()),
    values=lambda bind: {"links_frozen_at": bind("now")},
    gate=True,
)
_LIFT_FREEZE = Change(
    "links_thawed",
    citizens,
    where=lambda bind: (citizens.c.citizen_id == bind("id")) & (citizens.c.links_frozen_at != null()),
    values=lambda _: {"links_frozen_at": null()},
    gate=True,
)
_INSERT_NUMBER = Insert(
    "personal_number",
    personal_numbers,
    ("citizen_id", "number_lookup", "personal_number", "valid_from"),
)
_CLOSE_NUMBER = Change(
    "personal_number_closed",
    personal_numbers,
    where=lambda bind: (
        (personal_numbers.c.citizen_id == bind("citizen")) & (personal_numbers.c.valid_until == null())
    ),
    values=lambda bind: {"valid_until": bind("now")},
    gate=True,
)
_BY_ID = select(*PERSON).where(citizens.c.citizen_id == bindparam("citizen_id"))
_BY_NUMBER = (
    select(*PERSON)
    .join(personal_numbers, personal_numbers.c.citizen_id == citizens.c.citizen_id)
    .where(
        (personal_numbers.c.number_lookup == bindparam("lookup")) & (personal_numbers.c.valid_until == null())
    )
)
HOLDERS_AT_ONCE = 100
_HOLDERS = (
    with_secrets(
        select(*PERSON, citizens.c.held_at, personal_numbers.c.number_lookup, *SECRETS)
        .select_from(personal_numbers)
        .join(citizens, citizens.c.citizen_id == personal_numbers.c.citizen_id)
    )
    .where(
        personal_numbers.c.number_lookup.in_(
            [bindparam(f"lookup_{place}", type_=LargeBinary) for place in range(HOLDERS_AT_ONCE)]
        )
    )
    .where(personal_numbers.c.valid_until == null())
)
_NUMBERS = (
    select(personal_numbers)
    .where(personal_numbers.c.citizen_id == bindparam("citizen_id"))
    .order_by(personal_numbers.c.valid_from)
)


class Citizens:
    """What the program remembers about people."""

    def __init__(self, recorder: Recorder, seal: DataSeal, authenticators: Authenticators) -> None:
        self._recorder = recorder
        self._seal = seal
        self._authenticators = authenticators

    async def find(self, citizen_id: str) -> Citizen | None:
        """Return one person, personal data opened."""
        row = await self._recorder.fetch_one(_BY_ID, citizen_id=citizen_id)
        return None if row is None else citizen_from_row(row, self._seal)

    async def find_by_number(self, personal_number: str) -> Citizen | None:
        """Return whoever holds this personal number now."""
        lookup = self._seal.lookup("personal_number", personal_number)
        row = await self._recorder.fetch_one(_BY_NUMBER, lookup=lookup)
        return None if row is None else citizen_from_row(row, self._seal)

    async def holders(self, personal_numbers: Sequence[str]) -> dict[str, KnownHolder]:
        """Return who holds these numbers now; those that nobody holds are left out."""
        found: dict[str, KnownHolder] = {}
        for start in range(0, len(personal_numbers), HOLDERS_AT_ONCE):
            chunk = personal_numbers[start : start + HOLDERS_AT_ONCE]
            by_lookup = {self._seal.lookup("personal_number", number): number for number in chunk}
            # The statement has a fixed number of places; those that are left over ask for the first again.
            lookups = [*by_lookup, *[next(iter(by_lookup))] * (HOLDERS_AT_ONCE - len(by_lookup))]
            binds = {f"lookup_{place}": lookup for place, lookup in enumerate(lookups)}
            for row in await self._recorder.fetch_all(_HOLDERS, **binds, **KINDS):
                found[by_lookup[bytes(row["number_lookup"])]] = self._holder(row)
        return found

    def _holder(self, row: Row) -> KnownHolder:
        citizen = citizen_from_row(row, self._seal)
        secrets = secrets_from_row(row, citizen.citizen_id, self._seal)
        return KnownHolder(
            citizen, secrets.password_hash, secrets.totp_secret, is_held=row["held_at"] is not None
        )

    async def personal_number(self, citizen_id: str) -> str | None:
        """Return a person's present number, opened."""
        rows = await self._recorder.fetch_all(_NUMBERS, citizen_id=citizen_id)
        for row in reversed(rows):
            if row["valid_until"] is None:
                context = column_of(citizen_id, "personal_number")
                return self._seal.open(bytes(row["personal_number"]), context).decode()
        return None

    def set_status(self, citizen_id: str, before: CitizenStatus, after: CitizenStatus, now: datetime) -> None:
        """Record another status; the gate `citizen_status` closes when it was not `before`."""
        self._recorder.record(
            _SET_STATUS, id=citizen_id, from_status=before.value, status=after.value, updated_at=micros(now)
        )

    def hold(self, citizen_id: str, now: datetime) -> None:
        """Record that an operator suspended a person, if none had yet."""
        self._recorder.record(_HOLD, id=citizen_id, held_at=micros(now))

    def release(self, citizen_id: str) -> None:
        """Record that no operator keeps a person suspended."""
        self._recorder.record(_RELEASE, id=citizen_id)

    def freeze_links(self, citizen_id: str, now: datetime) -> None:
        """Record that a person wants no new links; the gate `links_frozen` closes the second time."""
        self._recorder.record(_FREEZE, id=citizen_id, now=micros(now))

    def lift_freeze(self, citizen_id: str) -> None:
        """Record that new links can be made; the gate `links_thawed` closes where that is so already."""
        self._recorder.record(_LIFT_FREEZE, id=citizen_id)

    def add_many(self, people: Sequence[RegisteredCitizen], now: datetime) -> None:
        """Record people who are new to the register."""
        self._recorder.record_many(
            _INSERT,
            [
                {
                    "citizen_id": person.citizen.citizen_id,
                    "held_at": None,
                    "links_frozen_at": None,
                    "created_at": micros(now),
                    **self._columns(person, now),
                }
                for person in people
            ],
        )
        self._recorder.record_many(
            _INSERT_NUMBER,
            [self._number(person.citizen.citizen_id, person.personal_number, now) for person in people],
        )
        self._put_authenticators(people, now)

    def update_many(self, people: Sequence[RegisteredCitizen], now: datetime) -> None:
        """Record what the register now says about people it knew."""
        self._recorder.record_many(
            _UPDATE, [{"id": person.citizen.citizen_id, **self._columns(person, now)} for person in people]
        )
        self._put_authenticators(people, now)

    def change_number(self, citizen_id: str, personal_number: str, now: datetime) -> None:
        """Record a re-issued personal number; the former one stays in the history."""
        self._recorder.record(_CLOSE_NUMBER, citizen=citizen_id, now=micros(now))
        self._recorder.record(_INSERT_NUMBER, **self._number(citizen_id, personal_number, now))

    def _columns(self, person: RegisteredCitizen, now: datetime) -> Values:
        citizen = person.citizen
        phone = citizen.personal_data.phone_number
        data = orjson.dumps(personal_data_members(citizen.personal_data))
        return {
            "status": citizen.status.value,
            "proofing": citizen.proofing.value,
            "proofed_at": micros(citizen.proofed_at),
            "personal_data": self._seal.seal(data, column_of(citizen.citizen_id, "personal_data")),
            "phone_lookup": None if phone is None else self._seal.lookup("phone_number", phone),
            "updated_at": micros(now),
        }

    def _number(self, citizen_id: str, personal_number: str, now: datetime) -> Values:
        return {
            "citizen_id": citizen_id,
            "number_lookup": self._seal.lookup("personal_number", personal_number),
            "personal_number": self._seal.seal(
                personal_number.encode(), column_of(citizen_id, "personal_number")
            ),
            "valid_from": micros(now),
        }

    def _put_authenticators(self, people: Sequence[RegisteredCitizen], now: datetime) -> None:
        self._authenticators.put_many(
            [
                Secrets(person.citizen.citizen_id, person.password_hash, person.totp_secret)
                for person in people
            ],
            now,
        )


def citizen_from_row(row: Row, seal: DataSeal) -> Citizen:
    """Read the PERSON columns of a row."""
    citizen_id = row["person_citizen_id"]
    data = seal.open(bytes(row["person_personal_data"]), column_of(citizen_id, "personal_data"))
    return Citizen(
        citizen_id=citizen_id,
        status=CitizenStatus(row["person_status"]),
        proofing=Proofing(row["person_proofing"]),
        proofed_at=moment(row["person_proofed_at"]),
        personal_data=read_personal_data(orjson.loads(data)),
        links_frozen_at=moment_or_none(row["person_links_frozen_at"]),
    )
