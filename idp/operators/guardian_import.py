"""Who speaks for whom, as the register tells it: entered and ended with the import of people. R10.

A child may stand anywhere in the file, before the guardian or behind: whom nobody knows yet is looked up once
more at the end. What an operator entered is the operator's to end; the register ends what it told itself.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from idp.audit.events import Actor, Event
from idp.identity.citizens import Citizen
from idp.identity.guardians import Guardianship, Oversight, Source, oversight_of, turns_16_at
from idp.operators.desk import Desk

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RelationCounts:
    """What became of the relations until now."""

    entered: int = 0
    ended: int = 0
    unknown: int = 0
    """Children whose number is nobody's."""

    def summary(self) -> str:
        """Return what there is to say, as the end of a sentence."""
        parts = (
            (self.entered, "guardians entered"),
            (self.ended, "guardians ended"),
            (self.unknown, "children of guardians unknown"),
        )
        return "".join(f"; {count} {said}" for count, said in parts if count)


@dataclass(frozen=True, slots=True)
class Relations:
    """One person of a batch, and for whom the register says that they speak."""

    citizen: Citizen
    personal_number: str
    children: tuple[str, ...]
    is_new: bool
    has_other_birthdate: bool


class GuardianImport:
    """The relations of an import under way. Remembers guardians and numbers whose child is still to come."""

    def __init__(self, desk: Desk, *, dry_run: bool) -> None:
        self._desk = desk
        self._dry_run = dry_run
        self._waiting: list[tuple[str, str]] = []
        self._only_told: dict[str, str] = {}
        """In a dry run: birth dates of newcomers by number, for they are stored nowhere else."""
        self.counts = RelationCounts()

    async def take_over(self, people: Sequence[Relations]) -> None:
        """Compare a batch with what is known, and store what differs in one commit."""
        now = self._desk.clock()
        if self._dry_run:
            self._only_told |= {
                person.personal_number: person.citizen.personal_data.birthdate
                for person in people
                if person.is_new
            }
        known = await self._known(people)
        found = await self._children([number for person in people for number in person.children])
        entered: list[Guardianship] = []
        ended: list[Guardianship] = []
        for person in people:
            guardian_id, relations = person.citizen.citizen_id, known.get(person.citizen.citizen_id, {})
            wanted = {
                child.citizen_id: child
                for number in person.children
                if (child := found.get(number)) is not None and _is_child(child.personal_data.birthdate, now)
            }
            self._waiting += [(guardian_id, number) for number in person.children if number not in found]
            entered += [
                _relation(guardian_id, child, now)
                for child in wanted.values()
                if child.citizen_id not in relations
            ]
            ended += [
                relation
                for child_id, relation in relations.items()
                if child_id not in wanted and relation.source is Source.REGISTER
            ]
        corrected = [person.citizen for person in people if person.has_other_birthdate]
        await self._store(entered, ended, corrected, now)

    async def finish(self) -> None:
        """Look the children up once more that nobody knew when their guardian was read."""
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), _AT_ONCE):
            now, chunk = self._desk.clock(), waiting[start : start + _AT_ONCE]
            found = await self._children([number for _, number in chunk])
            entered = [
                _relation(guardian_id, child, now)
                for guardian_id, number in chunk
                if (child := found.get(number)) is not None and _is_child(child.personal_data.birthdate, now)
            ]
            await self._store(entered, [], [], now)
            told = [number for _, number in chunk if number not in found and number in self._only_told]
            to_come = sum(_is_child(self._only_told[number], now) for number in told)
            unknown = sum(number not in found for _, number in chunk) - len(told)
            self.counts = replace(
                self.counts,
                entered=self.counts.entered + to_come,
                unknown=self.counts.unknown + unknown,
            )

    async def _known(self, people: Sequence[Relations]) -> dict[str, dict[str, Guardianship]]:
        """Return the relations that stand, by guardian and child. Newcomers have none."""
        known: dict[str, dict[str, Guardianship]] = {}
        guardians = [person.citizen.citizen_id for person in people if not person.is_new]
        for relation in await self._desk.unit_of_work().guardianships.of_guardians(guardians):
            known.setdefault(relation.guardian_citizen_id, {})[relation.child_citizen_id] = relation
        return known

    async def _children(self, numbers: Sequence[str]) -> Mapping[str, Citizen]:
        holders = await self._desk.unit_of_work().citizens.holders(list(dict.fromkeys(numbers)))
        return {number: holder.citizen for number, holder in holders.items()}

    async def _store(
        self,
        entered: Sequence[Guardianship],
        ended: Sequence[Guardianship],
        corrected: Sequence[Citizen],
        now: datetime,
    ) -> None:
        self.counts = replace(
            self.counts, entered=self.counts.entered + len(entered), ended=self.counts.ended + len(ended)
        )
        if self._dry_run or not (entered or ended or corrected):
            return
        uow, operator = self._desk.unit_of_work(), self._desk.operator
        for citizen in corrected:
            birthdate = citizen.personal_data.birthdate
            uow.guardianships.correct_age(citizen.citizen_id, turns_16_at(birthdate))
        uow.guardianships.end_many([relation.guardianship_id for relation in ended], now)
        uow.guardianships.import_many(entered)
        events = [event for each in entered for event in relation_events("entered", each, operator, now)]
        events += [event for each in ended for event in relation_events("ended", each, operator, now)]
        uow.ledger.append_many(events)
        await uow.commit()


def relation_events(
    verb: str, relation: Guardianship, actor: Actor, now: datetime, because: str = Source.REGISTER.value
) -> list[Event]:
    """Return the audit events of a relation: one in the history of either of the two people (R9)."""
    details = {"guardianship_id": relation.guardianship_id, "because": because}
    return [
        Event(f"guardianship:{verb}", actor, now, citizen_id=citizen_id, details=details)
        for citizen_id in (relation.child_citizen_id, relation.guardian_citizen_id)
    ]


def _is_child(birthdate: str, now: datetime) -> bool:
    return oversight_of(birthdate, now) is not Oversight.NONE


def _relation(guardian_id: str, child: Citizen, now: datetime) -> Guardianship:
    return Guardianship(
        guardianship_id=secrets.token_urlsafe(16),
        guardian_citizen_id=guardian_id,
        child_citizen_id=child.citizen_id,
        source=Source.REGISTER,
        child_turns_16_at=turns_16_at(child.personal_data.birthdate),
        valid_from=now,
    )
