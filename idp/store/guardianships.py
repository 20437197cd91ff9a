"""Who speaks for which child. A relation is ended, never removed: links name it as what they were made by."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, null, or_, select

from idp.identity.account_links import AccountLink
from idp.identity.citizens import Citizen, CitizenStatus
from idp.identity.guardians import Guardianship, Source
from idp.store.account_links import link_from_row
from idp.store.citizens import PERSON, citizen_from_row
from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.link_tables import guardianships as t
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import account_links, citizens
from idp.store.writes import Change, Insert, Values

RELATION_INDEX = "uq_guardianships_guardian_id_child_id"
"""One relation in force between the same two people."""
GUARDIANS_AT_ONCE = 100
ENDED_GATE = "guardianship_ended"

_INSERT_COLUMNS = tuple(
    column.name for column in t.columns if column.name not in {"ended_at", "handed_over_at"}
)
_INSERT = Insert("guardianship", t, _INSERT_COLUMNS)
_IMPORT = Insert("guardianship_imported", t, _INSERT_COLUMNS, unless_exists=True)
_END = Change(
    ENDED_GATE,
    t,
    where=lambda bind: (t.c.guardianship_id == bind("id")) & (t.c.ended_at == null()),
    values=lambda bind: {"ended_at": bind("now")},
    gate=True,
)
_END_ONE_OF_MANY = Change(
    "guardianships_ended",
    t,
    where=lambda bind: (t.c.guardianship_id == bind("id")) & (t.c.ended_at == null()),
    values=lambda bind: {"ended_at": bind("now")},
)
_CORRECT = Change(
    "guardianships_corrected",
    t,
    where=lambda bind: t.c.child_id == bind("child"),
    values=lambda bind: {"child_turns_16_at": bind("turns_16_at"), "handed_over_at": null()},
)
_HAND_OVER = Change(
    "guardianship_handed_over",
    t,
    where=lambda bind: t.c.guardianship_id == bind("id"),
    values=lambda bind: {"handed_over_at": bind("now")},
)
IN_FORCE = (t.c.ended_at == null()) & (t.c.child_turns_16_at > bindparam("now"))

_BY_ID = select(t).where(t.c.guardianship_id == bindparam("guardianship_id"))
_BETWEEN = (
    select(t)
    .where((t.c.guardian_id == bindparam("guardian_id")) & (t.c.child_id == bindparam("child_id")))
    .where(IN_FORCE)
)
_CHILDREN = (
    select(t, *PERSON)
    .join(citizens, citizens.c.citizen_id == t.c.child_id)
    .where(t.c.guardian_id == bindparam("guardian_id"))
    .where(IN_FORCE)
    .where(t.c.guardianship_id > bindparam("after"))
    .order_by(t.c.guardianship_id)
    .limit(bindparam("limit"))
)
_HAS_CHILDREN = (
    select(func.count().label("children")).where(t.c.guardian_id == bindparam("guardian_id")).where(IN_FORCE)
)
_GUARDIANS = (
    select(t, *PERSON)
    .join(citizens, citizens.c.citizen_id == t.c.guardian_id)
    .where((t.c.child_id == bindparam("child_id")) & (citizens.c.status == bindparam("active")))
    .where(IN_FORCE)
    .order_by(t.c.guardianship_id)
    .limit(bindparam("limit"))
)
_OF_CITIZEN = (
    select(t)
    .where(or_(t.c.guardian_id == bindparam("citizen_id"), t.c.child_id == bindparam("citizen_id")))
    .order_by(t.c.valid_from, t.c.guardianship_id)
    .limit(bindparam("limit"))
)
_OF_GUARDIANS = (
    select(t)
    .where(t.c.guardian_id.in_([bindparam(f"guardian_{place}") for place in range(GUARDIANS_AT_ONCE)]))
    .where(t.c.ended_at == null())
)
_TO_HAND_OVER = (
    select(t)
    .where((t.c.handed_over_at == null()) & (t.c.child_turns_16_at <= bindparam("now")))
    .order_by(t.c.child_turns_16_at)
    .limit(bindparam("limit"))
)
_LINKS_TO_ASK = (
    select(account_links)
    .where(account_links.c.guardianship_id == bindparam("guardianship_id"))
    .where(account_links.c.own_consent_due_at == null())
    .where(account_links.c.status.in_([literal_column("'active'"), literal_column("'suspended'")]))
    .order_by(account_links.c.link_id)
    .limit(bindparam("limit"))
)
_LINKS_UNANSWERED = (
    select(account_links)
    .where(account_links.c.own_consent_due_at <= bindparam("now"))
    .where(account_links.c.status == literal_column("'active'"))
    .order_by(account_links.c.own_consent_due_at)
    .limit(bindparam("limit"))
)


class Guardianships:
    """What the program remembers about who speaks for whom."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, guardianship_id: str) -> Guardianship | None:
        """Return a relation, ended ones included."""
        row = await self._recorder.fetch_one(_BY_ID, guardianship_id=guardianship_id)
        return None if row is None else _from_row(row)

    async def find_between(self, guardian_id: str, child_id: str, now: datetime) -> Guardianship | None:
        """Return the relation in force between two people."""
        row = await self._recorder.fetch_one(
            _BETWEEN, guardian_id=guardian_id, child_id=child_id, now=micros(now)
        )
        return None if row is None else _from_row(row)

    async def children_of(
        self, guardian_id: str, now: datetime, *, after: str = "", limit: int
    ) -> list[tuple[Guardianship, Citizen]]:
        """Return the children for whom a person speaks now, in pages by the relation's id."""
        rows = await self._recorder.fetch_all(
            _CHILDREN, guardian_id=guardian_id, now=micros(now), after=after, limit=limit
        )
        return [(_from_row(row), citizen_from_row(row, self._seal)) for row in rows]

    async def has_children(self, guardian_id: str, now: datetime) -> bool:
        """Tell whether a person speaks for anybody now."""
        row = await self._recorder.fetch_one(_HAS_CHILDREN, guardian_id=guardian_id, now=micros(now))
        return row is not None and row["children"] > 0

    async def guardians_of(
        self, child_id: str, now: datetime, *, limit: int = 20
    ) -> list[tuple[Guardianship, Citizen]]:
        """Return who speaks for a child now, as far as they may act at all."""
        rows = await self._recorder.fetch_all(
            _GUARDIANS, child_id=child_id, now=micros(now), active=CitizenStatus.ACTIVE.value, limit=limit
        )
        return [(_from_row(row), citizen_from_row(row, self._seal)) for row in rows]

    async def of_citizen(self, citizen_id: str, limit: int) -> list[Guardianship]:
        """Return the relations of a person on either side, ended ones included, oldest first."""
        rows = await self._recorder.fetch_all(_OF_CITIZEN, citizen_id=citizen_id, limit=limit)
        return [_from_row(row) for row in rows]

    async def of_guardians(self, guardian_ids: Sequence[str]) -> list[Guardianship]:
        """Return the relations of many guardians that nobody ended, children of 16 and more included."""
        found: list[Guardianship] = []
        for start in range(0, len(guardian_ids), GUARDIANS_AT_ONCE):
            chunk = guardian_ids[start : start + GUARDIANS_AT_ONCE]
            # The statement has a fixed number of places; those that are left over ask for the first again.
            wanted = [*chunk, *[chunk[0]] * (GUARDIANS_AT_ONCE - len(chunk))]
            binds = {f"guardian_{place}": guardian_id for place, guardian_id in enumerate(wanted)}
            found += [_from_row(row) for row in await self._recorder.fetch_all(_OF_GUARDIANS, **binds)]
        return found

    async def to_hand_over(self, now: datetime, limit: int) -> list[Guardianship]:
        """Return relations whose child has turned 16 and whose links nobody has looked at since."""
        rows = await self._recorder.fetch_all(_TO_HAND_OVER, now=micros(now), limit=limit)
        return [_from_row(row) for row in rows]

    async def links_to_ask(self, guardianship_id: str, limit: int) -> list[AccountLink]:
        """Return the links that were made by a relation and wait for nobody's own consent yet."""
        rows = await self._recorder.fetch_all(_LINKS_TO_ASK, guardianship_id=guardianship_id, limit=limit)
        return [link_from_row(row) for row in rows]

    async def links_unanswered(self, now: datetime, limit: int) -> list[AccountLink]:
        """Return active links for which a person who turned 16 has not answered in time."""
        rows = await self._recorder.fetch_all(_LINKS_UNANSWERED, now=micros(now), limit=limit)
        return [link_from_row(row) for row in rows]

    def add(self, guardianship: Guardianship) -> None:
        """Record a relation; RELATION_INDEX refuses a second one between the same two people."""
        self._recorder.record(_INSERT, **_row(guardianship))

    def import_many(self, found: Sequence[Guardianship]) -> None:
        """Record relations that the register tells of; those that exist stay as they are."""
        self._recorder.record_many(_IMPORT, [_row(guardianship) for guardianship in found])

    def end(self, guardianship_id: str, now: datetime) -> None:
        """Record the end of a relation; ENDED_GATE closes when it had ended before."""
        self._recorder.record(_END, id=guardianship_id, now=micros(now))

    def end_many(self, guardianship_ids: Sequence[str], now: datetime) -> None:
        """Record the end of relations of which the register tells no more."""
        rows: list[Values] = [
            {"id": guardianship_id, "now": micros(now)} for guardianship_id in guardianship_ids
        ]
        self._recorder.record_many(_END_ONE_OF_MANY, rows)

    def correct_age(self, child_id: str, turns_16_at: datetime) -> None:
        """Record that the register corrected a child's birth date."""
        self._recorder.record(_CORRECT, child=child_id, turns_16_at=micros(turns_16_at))

    def handed_over(self, guardianship_id: str, now: datetime) -> None:
        """Record that the young person was asked about every link that was made by this relation."""
        self._recorder.record(_HAND_OVER, id=guardianship_id, now=micros(now))


def _row(guardianship: Guardianship) -> Values:
    return {
        "guardianship_id": guardianship.guardianship_id,
        "guardian_id": guardianship.guardian_citizen_id,
        "child_id": guardianship.child_citizen_id,
        "source": guardianship.source.value,
        "evidence": guardianship.evidence,
        "child_turns_16_at": micros(guardianship.child_turns_16_at),
        "valid_from": micros(guardianship.valid_from),
    }


def _from_row(row: Row) -> Guardianship:
    return Guardianship(
        guardianship_id=row["guardianship_id"],
        guardian_citizen_id=row["guardian_id"],
        child_citizen_id=row["child_id"],
        source=Source(row["source"]),
        child_turns_16_at=moment(row["child_turns_16_at"]),
        valid_from=moment(row["valid_from"]),
        evidence=row["evidence"],
        ended_at=moment_or_none(row["ended_at"]),
    )
