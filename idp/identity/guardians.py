"""Guardians: who speaks for a minor, since when, and until when. R10; PDPL Art. 24; D147; abuse case P10.

A relation comes from the register or from an operator who saw evidence, never from what anybody says of
themselves. Under 14 the guardian decides before the child is asked anything; at 14 and 15 both decide; from
16 on the young person decides alone, also about what a guardian once approved.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from idp.identity.citizens import VIET_NAM, Citizen, age_on

REPRESENTED_BELOW = 14
"""Years. Whoever is younger is asked nothing before a guardian has approved."""
DECIDES_ALONE_FROM = 16
"""Years. From then on no guardian is needed, and none sees anything any more."""
ADULT_FROM = 18
"""Years. Nobody younger speaks for somebody else."""


class Oversight(StrEnum):
    """What a person's age demands before an account of theirs is linked."""

    GUARDIAN_FIRST = "guardian_first"
    """Under 14: nothing happens before a guardian approved."""
    BOTH = "both"
    """14 and 15: the young person agrees, and a guardian approves."""
    NONE = "none"


class Source(StrEnum):
    """Where a relation is known from."""

    REGISTER = "register"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Guardianship:
    """One guardian of one child. It ends; it is never erased while a link names it."""

    guardianship_id: str
    guardian_citizen_id: str
    child_citizen_id: str
    source: Source
    child_turns_16_at: datetime
    """When it ends by itself; kept beside it, so that no birth date has to be unsealed to know."""
    valid_from: datetime
    evidence: str | None = None
    """Where an operator filed what they saw: a reference, never the thing itself."""
    ended_at: datetime | None = None

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether the guardian speaks for the child at `now`."""
        has_ended = self.ended_at is not None and now >= self.ended_at
        return self.valid_from <= now < self.child_turns_16_at and not has_ended


class Unfit(StrEnum):
    """Why somebody does not speak for a child."""

    SAME_PERSON = "same_person"
    CHILD_DECIDES_ALONE = "child_decides_alone"
    GUARDIAN_UNDER_AGE = "guardian_under_age"
    GUARDIAN_NOT_ACTIVE = "guardian_not_active"


class UnfitGuardianError(Exception):
    """A person does not speak for another one."""

    def __init__(self, unfit: Unfit) -> None:
        super().__init__(unfit.value)
        self.unfit = unfit


def oversight_of(birthdate: str, now: datetime) -> Oversight:
    """Return what the age at `now` demands, by Viet Nam's calendar (R11)."""
    age = age_on(birthdate, now)
    if age < REPRESENTED_BELOW:
        return Oversight.GUARDIAN_FIRST
    return Oversight.BOTH if age < DECIDES_ALONE_FROM else Oversight.NONE


def turns_16_at(birthdate: str) -> datetime:
    """Return the midnight in Viet Nam at which somebody turns 16: `age_on` is 16 then, and 15 just before.

    A year alone counts as its 31 December; who was born on 29 February turns 16 on 1 March where the year has
    no such day.
    """
    born = date.fromisoformat(birthdate if len(birthdate) > 4 else f"{birthdate}-12-31")
    year = born.year + DECIDES_ALONE_FROM
    try:
        day = born.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(), VIET_NAM)


def check_guardian(guardian: Citizen, child: Citizen, now: datetime) -> None:
    """Check that one person can speak for another at all. Raises UnfitGuardianError.

    That they *do* is for the relation between them.
    """
    if guardian.citizen_id == child.citizen_id:
        raise UnfitGuardianError(Unfit.SAME_PERSON)
    if oversight_of(child.personal_data.birthdate, now) is Oversight.NONE:
        raise UnfitGuardianError(Unfit.CHILD_DECIDES_ALONE)
    if age_on(guardian.personal_data.birthdate, now) < ADULT_FROM:
        raise UnfitGuardianError(Unfit.GUARDIAN_UNDER_AGE)
    if not guardian.is_active():
        raise UnfitGuardianError(Unfit.GUARDIAN_NOT_ACTIVE)
