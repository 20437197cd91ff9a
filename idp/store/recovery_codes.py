"""Recovery codes: sets of ten, kept as keyed hashes, each good for one recovery."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, null, select

from idp.authenticators.recovery_codes import read_recovery_code
from idp.store.credential_tables import recovery_codes as t
from idp.store.encoding import micros, moment
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Change, Insert, Remove, Values

RECOVERY_CODE_GATE = "recovery_code_used"
"""Closed for a code that is not this person's, or was used."""

_ADD = Insert("recovery_code", t, ("code_hash", "citizen_id", "created_at"))
_REMOVE = Remove("recovery_codes_removed", t, where=lambda bind: t.c.citizen_id == bind("citizen"))
_other = t.alias("other_codes")


def _is_of_newest_set(citizen: ColumnElement[Any]) -> ColumnElement[bool]:
    """Tell a code of the newest set: two sets that were made in two windows at once are not both good."""
    newest = select(func.max(_other.c.created_at)).where(_other.c.citizen_id == citizen)
    return t.c.created_at == newest.scalar_subquery()


_USE = Change(
    RECOVERY_CODE_GATE,
    t,
    where=lambda bind: (
        (t.c.code_hash == bind("code"))
        & (t.c.citizen_id == bind("citizen"))
        & (t.c.used_at == null())
        & _is_of_newest_set(bind("citizen"))
    ),
    values=lambda bind: {"used_at": bind("now")},
    gate=True,
)
_STATE = select(
    func.count().label("issued"),
    (func.count() - func.count(t.c.used_at)).label("remaining"),
    func.max(t.c.created_at).label("created_at"),
).where((t.c.citizen_id == bindparam("citizen")) & _is_of_newest_set(bindparam("citizen")))

_FIND_OWNER = select(t.c.citizen_id).where(
    (t.c.code_hash == bindparam("code")) & (t.c.used_at == null()) & _is_of_newest_set(t.c.citizen_id)
)


@dataclass(frozen=True, slots=True)
class RecoveryCodeSet:
    """What is known of a person's set: never the codes."""

    remaining: int
    issued: int
    created_at: datetime


class RecoveryCodes:
    """What the program remembers about codes on paper."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find_set(self, citizen_id: str) -> RecoveryCodeSet | None:
        """Return how many codes a person has left; None for whoever has no set."""
        row = await self._recorder.fetch_one(_STATE, citizen=citizen_id)
        if row is None or not row["issued"]:
            return None
        return RecoveryCodeSet(row["remaining"], row["issued"], moment(row["created_at"]))

    async def find_owner(self, code: str) -> str | None:
        """Return whose unused code this is, as it was typed; None for nobody's.

        Raises RecoveryCodeError for what can be nobody's code.
        """
        row = await self._recorder.fetch_one(_FIND_OWNER, code=self._hash(read_recovery_code(code)))
        return None if row is None else str(row["citizen_id"])

    def replace(self, citizen_id: str, codes: Iterable[str], now: datetime) -> None:
        """Record a new set of codes; what was left of the one before is void."""
        self.remove(citizen_id)
        rows: list[Values] = [
            {"code_hash": self._hash(code), "citizen_id": citizen_id, "created_at": micros(now)}
            for code in codes
        ]
        self._recorder.record_many(_ADD, rows)

    def remove(self, citizen_id: str) -> None:
        """Record that a person's codes are void."""
        self._recorder.record(_REMOVE, citizen=citizen_id)

    def use(self, citizen_id: str, code: str, now: datetime) -> None:
        """Record the use of a code as it was typed.

        The gate `recovery_code_used` closes for one that is wrong, used or of an older set.
        Raises RecoveryCodeError for what can be nobody's code.
        """
        found = self._hash(read_recovery_code(code))
        self._recorder.record(_USE, code=found, citizen=citizen_id, now=micros(now))

    def _hash(self, code: str) -> bytes:
        return self._seal.lookup("recovery_code", code)
