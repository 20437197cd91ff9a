"""A request to the register: a datum that it holds about a person is wrong. PDPL Art. 4; rules R9, R14. Pure.

Nothing is corrected here: what this program knows of people is what the register says. A request names the
datum and what is wrong with it, in short codes: no picture of papers, and no new value, which only papers
shown in person or another register can prove. It becomes a case, and our staff carry it to the register.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from enum import StrEnum

from idp.identity.cases import Case, CaseKind, CaseStatus
from idp.identity.working_days import day_of, end_of_day, working_day

ANSWERED_WITHIN = timedelta(days=10)
"""How long the register has to correct a datum, or to say why it stays."""


class Datum(StrEnum):
    """What the register holds about a person and this program takes over."""

    NAME = "name"
    PERSONAL_NUMBER = "personal_number"
    BIRTHDATE = "birthdate"
    GENDER = "gender"
    NATIONALITY = "nationality"
    ADDRESS = "address"
    PHONE_NUMBER = "phone_number"
    EMAIL = "email"
    GUARDIANS = "guardians"
    """For whom somebody speaks, or who speaks for them."""


class Fault(StrEnum):
    """What is wrong with it."""

    MISSPELT = "misspelt"
    OUTDATED = "outdated"
    """It was right once."""
    NOT_MINE = "not_mine"
    """It is another person's."""
    MISSING = "missing"


class CorrectionOutcome(StrEnum):
    """How a request was answered."""

    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    """The register stands by what it says."""
    WITHDRAWN = "withdrawn"
    """The person took the request back."""


def due_at(asked_at: datetime, holidays: AbstractSet[date]) -> datetime:
    """Return until when the register must have answered: the end of a working day."""
    return end_of_day(working_day(day_of(asked_at) + ANSWERED_WITHIN, holidays))


def find_undecided(cases: Iterable[Case], datum: Datum) -> Case | None:
    """Return the undecided request about a datum: asking twice is asking once."""
    undecided = (case for case in about(cases, datum) if case.status is not CaseStatus.CLOSED)
    return next(undecided, None)


def about(cases: Iterable[Case], datum: Datum) -> Iterable[Case]:
    """Return the requests about one datum, decided ones included."""
    return (
        case
        for case in cases
        if case.kind is CaseKind.CORRECTION and case.content.get("datum") == datum.value
    )
