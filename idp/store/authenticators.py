"""Authenticators: what lets a person in, and whom a number or a phone may let in.

A password is held as its hash alone; the secret of one-time codes is sealed, for it is needed in clear.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, exists, literal_column, null, select

from idp.identity.citizens import CitizenStatus
from idp.store.credential_tables import app_devices, passkeys
from idp.store.database import Row
from idp.store.encoding import micros
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.tables import authenticators as t
from idp.store.tables import citizens, personal_numbers
from idp.store.writes import Change, Insert, Merge, Remove, Values

AUTHENTICATOR_REMOVED_GATE = "authenticator_removed"
"""Closed where there is none of the kind to remove."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What lets one person in; None for what they do not have."""

    citizen_id: str
    password_hash: str | None
    totp_secret: str | None


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """What a sign-in needs of a person: status and authenticators, no personal data."""

    citizen_id: str
    status: CitizenStatus
    password_hash: str | None
    totp_secret: str | None
    totp_last_used_step: int | None
    has_passkey: bool = False
    has_hardware_passkey: bool = False
    has_app: bool = False


_PUT = Insert(
    "authenticator",
    t,
    ("citizen_id", "kind", "secret", "created_at"),
    merge=Merge(("citizen_id", "kind"), lambda proposed, _: {"secret": proposed.secret}),
)
_SET_PASSWORD = Insert(
    "password_set",
    t,
    ("citizen_id", "kind", "secret", "created_at"),
    merge=Merge(
        ("citizen_id", "kind"),
        lambda proposed, _: {"secret": proposed.secret, "created_at": proposed.created_at},
    ),
)
_SET_TOTP = Insert(
    "totp_set",
    t,
    ("citizen_id", "kind", "secret", "last_used_step", "created_at"),
    merge=Merge(
        ("citizen_id", "kind"),
        lambda proposed, _: {
            "secret": proposed.secret,
            "last_used_step": proposed.last_used_step,
            "created_at": proposed.created_at,
        },
    ),
)
_REMOVE = Remove(
    AUTHENTICATOR_REMOVED_GATE,
    t,
    where=lambda bind: (t.c.citizen_id == bind("citizen")) & (t.c.kind == bind("kind")),
    gate=True,
)
_USE_TOTP_STEP = Change(
    "totp_step",
    t,
    where=lambda bind: (
        (t.c.citizen_id == bind("citizen"))
        & (t.c.kind == bind("kind"))
        & ((t.c.last_used_step == null()) | (t.c.last_used_step < bind("step")))
    ),
    values=lambda bind: {"last_used_step": bind("step")},
    gate=True,
)
_password = t.alias("password")
_totp = t.alias("totp")
SECRETS = (_password.c.secret.label("password_secret"), _totp.c.secret.label("totp_secret"))
"""The columns that `secrets_from_row` reads, in a statement that `with_secrets` joined."""
KINDS = {"password": "password", "totp": "totp"}
"""What such a statement binds."""


def with_secrets(statement: Select[Any]) -> Select[Any]:
    """Join what lets them in to a statement about citizens."""
    for alias, kind in ((_password, "password"), (_totp, "totp")):
        statement = statement.outerjoin(
            alias, (alias.c.citizen_id == citizens.c.citizen_id) & (alias.c.kind == bindparam(kind))
        )
    return statement


def _has(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Ask whether a person has one that was not revoked."""
    return exists(
        select(table.c.citizen_id)
        .where(table.c.citizen_id == citizens.c.citizen_id, table.c.revoked_at == null(), *conditions)
        .correlate(citizens)
    )


_SIGN_IN = with_secrets(
    select(
        citizens.c.citizen_id,
        citizens.c.status,
        *SECRETS,
        _totp.c.last_used_step.label("totp_step"),
        _has(passkeys).label("has_passkey"),
        _has(passkeys, passkeys.c.is_hardware == literal_column("1")).label("has_hardware_passkey"),
        _has(app_devices, app_devices.c.confirmed_at != null()).label("has_app"),
    ).select_from(citizens)
)
_BY_ID = _SIGN_IN.where(citizens.c.citizen_id == bindparam("citizen_id"))
_BY_NUMBER = _SIGN_IN.join(personal_numbers, personal_numbers.c.citizen_id == citizens.c.citizen_id).where(
    (personal_numbers.c.number_lookup == bindparam("lookup")) & (personal_numbers.c.valid_until == null())
)
_BY_PHONE = _SIGN_IN.where(citizens.c.phone_lookup == bindparam("lookup")).limit(2)


class Authenticators:
    """What the program remembers about how people sign in."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find_for_sign_in(self, kind: str, value: str) -> SignInRecord | None:
        """Return whom a `personal_number` or `phone_number` signs in; nobody where a phone is shared."""
        lookup = self._seal.lookup(kind, value)
        statement = _BY_PHONE if kind == "phone_number" else _BY_NUMBER
        rows = await self._recorder.fetch_all(statement, lookup=lookup, **KINDS)
        return self._record(rows[0]) if len(rows) == 1 else None

    async def find(self, citizen_id: str) -> SignInRecord | None:
        """Return the authenticators of a person who is known already, for a step-up."""
        row = await self._recorder.fetch_one(_BY_ID, citizen_id=citizen_id, **KINDS)
        return None if row is None else self._record(row)

    def _record(self, row: Row) -> SignInRecord:
        secrets = secrets_from_row(row, row["citizen_id"], self._seal)
        return SignInRecord(
            citizen_id=secrets.citizen_id,
            status=CitizenStatus(row["status"]),
            password_hash=secrets.password_hash,
            totp_secret=secrets.totp_secret,
            totp_last_used_step=row["totp_step"],
            has_passkey=bool(row["has_passkey"]),
            has_hardware_passkey=bool(row["has_hardware_passkey"]),
            has_app=bool(row["has_app"]),
        )

    def put_password(self, citizen_id: str, password_hash: str, now: datetime) -> None:
        """Record a hash of the same password, made anew: it is as old as it was."""
        self._recorder.record(_PUT, **_row(citizen_id, "password", password_hash.encode(), now))

    def set_password(self, citizen_id: str, password_hash: str, now: datetime) -> None:
        """Record the hash of a password that its person has just chosen."""
        self._recorder.record(_SET_PASSWORD, **_row(citizen_id, "password", password_hash.encode(), now))

    def set_totp(self, citizen_id: str, secret: str, used_step: int, now: datetime) -> None:
        """Record a secret that its person has confirmed with the code of a step, which is used up thereby."""
        sealed = self._seal.seal(secret.encode(), column_of(citizen_id, "totp"))
        self._recorder.record(_SET_TOTP, **_row(citizen_id, "totp", sealed, now), last_used_step=used_step)

    def remove(self, citizen_id: str, kind: str) -> None:
        """Record that a `password` or `totp` lets nobody in any more; the gate `authenticator_removed`."""
        self._recorder.record(_REMOVE, citizen=citizen_id, kind=kind)

    def put_many(self, people: Iterable[Secrets], now: datetime) -> None:
        """Record what lets people in, replacing what did; what is None stays as it is."""
        rows: list[Values] = []
        for person in people:
            if person.password_hash is not None:
                rows.append(_row(person.citizen_id, "password", person.password_hash.encode(), now))
            if person.totp_secret is not None:
                sealed = self._seal.seal(person.totp_secret.encode(), column_of(person.citizen_id, "totp"))
                rows.append(_row(person.citizen_id, "totp", sealed, now))
        self._recorder.record_many(_PUT, rows)

    def use_totp_step(self, citizen_id: str, step: int) -> None:
        """Record the use of a step; the gate `totp_step` closes for it and all before (RFC 6238 §5.2)."""
        self._recorder.record(_USE_TOTP_STEP, citizen=citizen_id, kind="totp", step=step)


def secrets_from_row(row: Row, citizen_id: str, seal: DataSeal) -> Secrets:
    """Read the SECRETS columns of a row, opened."""
    password, totp = row["password_secret"], row["totp_secret"]
    return Secrets(
        citizen_id,
        None if password is None else bytes(password).decode(),
        None if totp is None else seal.open(bytes(totp), column_of(citizen_id, "totp")).decode(),
    )


def _row(citizen_id: str, kind: str, secret: bytes, now: datetime) -> Values:
    return {"citizen_id": citizen_id, "kind": kind, "secret": secret, "created_at": micros(now)}
