"""The register of citizens. Personal data is sealed here on its way in and opened on its way out.

A personal number is held twice: sealed, to be shown to its holder, and as a keyed HMAC, to be
found. It is never a key: numbers can be re-issued, so each row carries its time (R15).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

import orjson
from sqlalchemy import LargeBinary, bindparam, null, select

from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.store.database import Row
from idp.store.encoding import micros, moment
from idp.store.recorder import Recorder
from idp.store.tables import authenticators, citizens, personal_numbers
from idp.store.writes import Change, Insert, Merge, Values


class DataSeal(Protocol):
    """Sealing and finding of personal data; `keys.DataKeys` is one."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt; only the same context opens it."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what `seal` made."""

    def lookup(self, purpose: str, value: str) -> bytes:
        """Return the keyed hash under which a value is found."""


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """What a sign-in needs of a person: status and authenticators, no personal data."""

    citizen_id: str
    status: CitizenStatus
    password_hash: str | None
    totp_secret: str | None
    totp_last_used_step: int | None


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


PERSON = tuple(
    citizens.c[name].label(f"person_{name}")
    for name in ("citizen_id", "status", "proofing", "proofed_at", "personal_data")
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
_PUT_AUTHENTICATOR = Insert(
    "authenticator",
    authenticators,
    ("citizen_id", "kind", "secret", "created_at"),
    merge=Merge(("citizen_id", "kind"), lambda proposed, _: {"secret": proposed.secret}),
)
_USE_TOTP_STEP = Change(
    "totp_step",
    authenticators,
    where=lambda bind: (
        (authenticators.c.citizen_id == bind("citizen"))
        & (authenticators.c.kind == bind("kind"))
        & ((authenticators.c.last_used_step == null()) | (authenticators.c.last_used_step < bind("step")))
    ),
    values=lambda bind: {"last_used_step": bind("step")},
    gate=True,
)
_password = authenticators.alias("password")
_totp = authenticators.alias("totp")
_SIGN_IN = (
    select(
        citizens.c.citizen_id,
        citizens.c.status,
        _password.c.secret.label("password_secret"),
        _totp.c.secret.label("totp_secret"),
        _totp.c.last_used_step.label("totp_step"),
    )
    .select_from(citizens)
    .outerjoin(
        _password,
        (_password.c.citizen_id == citizens.c.citizen_id) & (_password.c.kind == bindparam("password")),
    )
    .outerjoin(_totp, (_totp.c.citizen_id == citizens.c.citizen_id) & (_totp.c.kind == bindparam("totp")))
)
_SIGN_IN_BY_ID = _SIGN_IN.where(citizens.c.citizen_id == bindparam("citizen_id"))
_SIGN_IN_BY_NUMBER = _SIGN_IN.join(
    personal_numbers, personal_numbers.c.citizen_id == citizens.c.citizen_id
).where(
    (personal_numbers.c.number_lookup == bindparam("lookup")) & (personal_numbers.c.valid_until == null())
)
_SIGN_IN_BY_PHONE = _SIGN_IN.where(citizens.c.phone_lookup == bindparam("lookup")).limit(2)
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
    select(
        *PERSON,
        personal_numbers.c.number_lookup,
        _password.c.secret.label("password_secret"),
        _totp.c.secret.label("totp_secret"),
    )
    .select_from(personal_numbers)
    .join(citizens, citizens.c.citizen_id == personal_numbers.c.citizen_id)
    .outerjoin(
        _password,
        (_password.c.citizen_id == citizens.c.citizen_id) & (_password.c.kind == bindparam("password")),
    )
    .outerjoin(_totp, (_totp.c.citizen_id == citizens.c.citizen_id) & (_totp.c.kind == bindparam("totp")))
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
_KINDS = {"password": "password", "totp": "totp"}


class Citizens:
    """What the program remembers about people."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

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
            for row in await self._recorder.fetch_all(_HOLDERS, **binds, **_KINDS):
                found[by_lookup[bytes(row["number_lookup"])]] = self._holder(row)
        return found

    def _holder(self, row: Row) -> KnownHolder:
        password, totp = row["password_secret"], row["totp_secret"]
        context = _context(row["person_citizen_id"], "totp")
        return KnownHolder(
            citizen_from_row(row, self._seal),
            None if password is None else bytes(password).decode(),
            None if totp is None else self._seal.open(bytes(totp), context).decode(),
        )

    async def personal_number(self, citizen_id: str) -> str | None:
        """Return a person's present number, opened."""
        rows = await self._recorder.fetch_all(_NUMBERS, citizen_id=citizen_id)
        for row in reversed(rows):
            if row["valid_until"] is None:
                context = _context(citizen_id, "personal_number")
                return self._seal.open(bytes(row["personal_number"]), context).decode()
        return None

    async def find_for_sign_in(self, kind: str, value: str) -> SignInRecord | None:
        """Return whom a `personal_number` or `phone_number` signs in; nobody where a phone is shared."""
        lookup = self._seal.lookup(kind, value)
        statement = _SIGN_IN_BY_PHONE if kind == "phone_number" else _SIGN_IN_BY_NUMBER
        rows = await self._recorder.fetch_all(statement, lookup=lookup, **_KINDS)
        return self._sign_in_record(rows[0]) if len(rows) == 1 else None

    async def sign_in_record(self, citizen_id: str) -> SignInRecord | None:
        """Return the authenticators of a person who is known already, for a step-up."""
        row = await self._recorder.fetch_one(_SIGN_IN_BY_ID, citizen_id=citizen_id, **_KINDS)
        return None if row is None else self._sign_in_record(row)

    def _sign_in_record(self, row: Row) -> SignInRecord:
        citizen_id = row["citizen_id"]
        password, totp = row["password_secret"], row["totp_secret"]
        return SignInRecord(
            citizen_id=citizen_id,
            status=CitizenStatus(row["status"]),
            password_hash=None if password is None else bytes(password).decode(),
            totp_secret=None
            if totp is None
            else self._seal.open(bytes(totp), _context(citizen_id, "totp")).decode(),
            totp_last_used_step=row["totp_step"],
        )

    def use_totp_step(self, citizen_id: str, step: int) -> None:
        """Record the use of a step; the gate `totp_step` closes for it and all before (RFC 6238 §5.2)."""
        self._recorder.record(_USE_TOTP_STEP, citizen=citizen_id, kind="totp", step=step)

    def set_status(self, citizen_id: str, before: CitizenStatus, after: CitizenStatus, now: datetime) -> None:
        """Record another status; the gate `citizen_status` closes when it was not `before`."""
        self._recorder.record(
            _SET_STATUS, id=citizen_id, from_status=before.value, status=after.value, updated_at=micros(now)
        )

    def put_password(self, citizen_id: str, password_hash: str, now: datetime) -> None:
        """Record a password hash, replacing an older one."""
        self._recorder.record(
            _PUT_AUTHENTICATOR,
            citizen_id=citizen_id,
            kind="password",
            secret=password_hash.encode(),
            created_at=micros(now),
        )

    def add_many(self, people: Sequence[RegisteredCitizen], now: datetime) -> None:
        """Record people who are new to the register."""
        self._recorder.record_many(
            _INSERT,
            [
                {
                    "citizen_id": person.citizen.citizen_id,
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
        data = orjson.dumps(asdict(citizen.personal_data))
        return {
            "status": citizen.status.value,
            "proofing": citizen.proofing.value,
            "proofed_at": micros(citizen.proofed_at),
            "personal_data": self._seal.seal(data, _context(citizen.citizen_id, "personal_data")),
            "phone_lookup": None if phone is None else self._seal.lookup("phone_number", phone),
            "updated_at": micros(now),
        }

    def _number(self, citizen_id: str, personal_number: str, now: datetime) -> Values:
        return {
            "citizen_id": citizen_id,
            "number_lookup": self._seal.lookup("personal_number", personal_number),
            "personal_number": self._seal.seal(
                personal_number.encode(), _context(citizen_id, "personal_number")
            ),
            "valid_from": micros(now),
        }

    def _put_authenticators(self, people: Sequence[RegisteredCitizen], now: datetime) -> None:
        rows: list[Values] = []
        for person in people:
            citizen_id = person.citizen.citizen_id
            secrets = {}
            if person.password_hash is not None:
                secrets["password"] = person.password_hash.encode()
            if person.totp_secret is not None:
                secrets["totp"] = self._seal.seal(person.totp_secret.encode(), _context(citizen_id, "totp"))
            rows.extend(
                {"citizen_id": citizen_id, "kind": kind, "secret": secret, "created_at": micros(now)}
                for kind, secret in secrets.items()
            )
        self._recorder.record_many(_PUT_AUTHENTICATOR, rows)


def citizen_from_row(row: Row, seal: DataSeal) -> Citizen:
    """Read the PERSON columns of a row."""
    citizen_id = row["person_citizen_id"]
    data = seal.open(bytes(row["person_personal_data"]), _context(citizen_id, "personal_data"))
    return Citizen(
        citizen_id=citizen_id,
        status=CitizenStatus(row["person_status"]),
        proofing=Proofing(row["person_proofing"]),
        proofed_at=moment(row["person_proofed_at"]),
        personal_data=PersonalData(**orjson.loads(data)),
    )


def _context(citizen_id: str, column: str) -> bytes:
    """Bind a sealed value to its person and column, so that rows cannot be swapped."""
    return f"{column}:{citizen_id}".encode()
