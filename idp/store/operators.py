"""Operators who can approve what another proposed, each by a one-time code of their own (RFC 6238)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, null, select

from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.oversight_tables import operators as t
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Change, Insert

_INSERT = Insert(
    "operator_enrolled",
    t,
    ("name", "totp_secret", "enrolled_by", "enrolled_at"),
    gate=True,
    unless_exists=True,
)
_REMOVE = Change(
    "operator_removed",
    t,
    where=lambda bind: (t.c.name == bind("id")) & (t.c.removed_at == null()),
    values=lambda bind: {"removed_at": bind("now")},
    gate=True,
)
_USE_STEP = Change(
    "operator_code",
    t,
    where=lambda bind: (
        (t.c.name == bind("id"))
        & (t.c.removed_at == null())
        & ((t.c.last_used_step == null()) | (t.c.last_used_step < bind("step")))
    ),
    values=lambda bind: {"last_used_step": bind("step")},
    gate=True,
)
_FIND = select(t).where(t.c.name == bindparam("name"))
_ALL = select(t).order_by(t.c.name)
_ACTIVE = select(func.count().label("operators")).where(t.c.removed_at == null())


@dataclass(frozen=True, slots=True)
class EnrolledOperator:
    """One operator who can be a second person."""

    name: str
    enrolled_by: str
    enrolled_at: datetime
    removed_at: datetime | None
    last_used_step: int | None


class Operators:
    """What the program remembers about operators; who merely runs commands need not be enrolled."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def enrol(self, name: str, totp_secret: str, enrolled_by: str, now: datetime) -> None:
        """Record an operator. The gate `operator_enrolled` closes for a name that was ever used."""
        self._recorder.record(
            _INSERT,
            name=name,
            totp_secret=self._seal.seal(totp_secret.encode(), _context(name)),
            enrolled_by=enrolled_by,
            enrolled_at=micros(now),
        )

    def remove(self, name: str, now: datetime) -> None:
        """Record that an operator approves nothing any more; gate `operator_removed`."""
        self._recorder.record(_REMOVE, id=name, now=micros(now))

    def use_step(self, name: str, step: int) -> None:
        """Record the use of a one-time code; the gate `operator_code` closes for a second use."""
        self._recorder.record(_USE_STEP, id=name, step=step)

    async def find(self, name: str) -> tuple[EnrolledOperator, str] | None:
        """Return an operator and the secret of their one-time codes."""
        row = await self._recorder.fetch_one(_FIND, name=name)
        if row is None:
            return None
        return _operator(row), self._seal.open(bytes(row["totp_secret"]), _context(name)).decode()

    async def all(self) -> list[EnrolledOperator]:
        """Return every operator who was ever enrolled, by name."""
        return [_operator(row) for row in await self._recorder.fetch_all(_ALL)]

    async def active(self) -> int:
        """Return how many can approve, or will be able to."""
        (row,) = await self._recorder.fetch_all(_ACTIVE)
        return int(row["operators"])


def _operator(row: Row) -> EnrolledOperator:
    return EnrolledOperator(
        name=row["name"],
        enrolled_by=row["enrolled_by"],
        enrolled_at=moment(row["enrolled_at"]),
        removed_at=moment_or_none(row["removed_at"]),
        last_used_step=row["last_used_step"],
    )


def _context(name: str) -> bytes:
    return f"operator:{name}".encode()
