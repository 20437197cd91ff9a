"""Phones as authenticators. Name and pairing number are sealed; a PIN is counted by a gate."""

from datetime import datetime

from sqlalchemy import bindparam, literal_column, null, or_, select

from idp.authenticators.app_devices import PIN_TRIES, AppDevice
from idp.store.credential_tables import app_devices as t
from idp.store.database import Row
from idp.store.encoding import micros, micros_or_none, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.writes import Change, Insert

PIN_GATE = "app_pin_counted"
CONFIRM_GATE = "app_device_confirmed"
REVOKE_GATE = "app_device_revoked"

_INSERT = Insert(
    "app_device",
    t,
    (
        "device_id",
        "citizen_id",
        "public_key",
        "pin_hash",
        "name",
        "number",
        "session_id",
        "created_at",
        "confirmed_at",
    ),
)
_CONFIRM = Change(
    CONFIRM_GATE,
    t,
    where=lambda bind: (
        (t.c.device_id == bind("id"))
        & (t.c.citizen_id == bind("citizen"))
        & (t.c.session_id == bind("session"))
        & (t.c.confirmed_at == null())
        & (t.c.revoked_at == null())
    ),
    values=lambda bind: {"confirmed_at": bind("now"), "number": null()},
    gate=True,
)
_COUNT_PIN = Change(
    PIN_GATE,
    t,
    where=lambda bind: (
        (t.c.device_id == bind("id"))
        & (t.c.pin_failures < bind("tries"))
        & (t.c.confirmed_at != null())
        & (t.c.revoked_at == null())
    ),
    values=lambda _: {"pin_failures": t.c.pin_failures + literal_column("1")},
    gate=True,
)
_TAKE_BACK_PIN = Change(
    "app_pin_taken_back",
    t,
    where=lambda bind: (t.c.device_id == bind("id")) & (t.c.pin_failures > literal_column("0")),
    values=lambda _: {"pin_failures": t.c.pin_failures - literal_column("1")},
)
_USED = Change(
    "app_device_used",
    t,
    where=lambda bind: (t.c.device_id == bind("id")) & (t.c.revoked_at == null()),
    values=lambda bind: {"pin_failures": literal_column("0"), "last_used_at": bind("now")},
    gate=True,
)
_REVOKE = Change(
    REVOKE_GATE,
    t,
    where=lambda bind: (
        (t.c.device_id == bind("id")) & (t.c.citizen_id == bind("citizen")) & (t.c.revoked_at == null())
    ),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because"), "number": null()},
    gate=True,
)
_FIND = select(t).where(t.c.device_id == bindparam("device_id"))
_OF_CITIZEN = (
    select(t)
    .where((t.c.citizen_id == bindparam("citizen_id")) & (t.c.revoked_at == null()))
    .where(or_(t.c.confirmed_at != null(), t.c.created_at > bindparam("unconfirmed_since")))
    .order_by(t.c.created_at, t.c.device_id)
)


class AppDevices:
    """What the program remembers about phones that approve."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, device: AppDevice) -> None:
        """Record a phone that was set up; unless it is confirmed, nothing can be approved with it."""
        self._recorder.record(
            _INSERT,
            device_id=device.device_id,
            citizen_id=device.citizen_id,
            public_key=device.public_key,
            pin_hash=device.pin_hash,
            name=self._seal.seal(device.name.encode(), column_of(device.device_id, "app_name")),
            number=None
            if device.number is None
            else self._seal.seal(device.number.encode(), column_of(device.device_id, "app_number")),
            session_id=device.session_id,
            created_at=micros(device.created_at),
            confirmed_at=micros_or_none(device.confirmed_at),
        )

    def confirm(self, device: AppDevice, session_id: str, now: datetime) -> None:
        """Record that the page that began it was told the number; the gate closes for another session's."""
        self._recorder.record(
            _CONFIRM,
            id=device.device_id,
            citizen=device.citizen_id,
            session=session_id,
            now=micros(now),
        )

    async def find(self, device_id: str) -> AppDevice | None:
        """Return a phone, revoked ones included."""
        row = await self._recorder.fetch_one(_FIND, device_id=device_id)
        return None if row is None else self._from_row(row)

    async def of_citizen(self, citizen_id: str, unconfirmed_since: datetime) -> list[AppDevice]:
        """Return a person's phones, oldest first: usable ones, and those set up since and not confirmed."""
        rows = await self._recorder.fetch_all(
            _OF_CITIZEN, citizen_id=citizen_id, unconfirmed_since=micros(unconfirmed_since)
        )
        return [self._from_row(row) for row in rows]

    def count_pin(self, device_id: str) -> None:
        """Record a PIN that is about to be verified; PIN_GATE closes when there is no try left."""
        self._recorder.record(_COUNT_PIN, id=device_id, tries=PIN_TRIES)

    def take_back_pin(self, device_id: str) -> None:
        """Record that a PIN that was counted was not verified after all."""
        self._recorder.record(_TAKE_BACK_PIN, id=device_id)

    def use(self, device_id: str, now: datetime) -> None:
        """Record that the PIN was right; the gate `app_device_used` closes when it was revoked meanwhile."""
        self._recorder.record(_USED, id=device_id, now=micros(now))

    def revoke(self, device: AppDevice, because: str, now: datetime) -> None:
        """Record the end of a phone; REVOKE_GATE closes when it had ended before."""
        self._recorder.record(
            _REVOKE, id=device.device_id, citizen=device.citizen_id, because=because, now=micros(now)
        )

    def _from_row(self, row: Row) -> AppDevice:
        device_id, number = row["device_id"], row["number"]
        return AppDevice(
            device_id=device_id,
            citizen_id=row["citizen_id"],
            public_key=row["public_key"],
            pin_hash=row["pin_hash"],
            name=self._seal.open(bytes(row["name"]), column_of(device_id, "app_name")).decode(),
            created_at=moment(row["created_at"]),
            pin_failures=row["pin_failures"],
            number=None
            if number is None
            else self._seal.open(bytes(number), column_of(device_id, "app_number")).decode(),
            session_id=row["session_id"],
            confirmed_at=moment_or_none(row["confirmed_at"]),
            last_used_at=moment_or_none(row["last_used_at"]),
            revoked_at=moment_or_none(row["revoked_at"]),
        )
