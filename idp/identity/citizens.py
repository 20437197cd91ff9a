"""The citizen: one verified person in the register. D69; domain rules R11, R13, R15."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from idp.identity.assurance import Proofing

VIET_NAM = timezone(timedelta(hours=7), "UTC+7")
"""Viet Nam's time: no summer time. Ages change at its midnight."""

BIRTHDATE = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?")


class CitizenStatus(StrEnum):
    """Whether a person's e-ID may be used."""

    ACTIVE = "active"
    LOCKED = "locked"
    REVOKED = "revoked"
    DECEASED = "deceased"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What the register knows about a person. Held sealed; opened only to be shown or sent."""

    name: str
    birthdate: str
    """ISO 8601: YYYY-MM-DD, or YYYY where only the year is known."""
    gender: str | None = None
    nationality: str | None = None
    phone_number: str | None = None
    email: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Citizen:
    """One person, known inside by a random id and never by the personal number."""

    citizen_id: str
    status: CitizenStatus
    proofing: Proofing
    proofed_at: datetime
    personal_data: PersonalData

    def is_active(self) -> bool:
        """Tell whether this person may sign in and be vouched for."""
        return self.status is CitizenStatus.ACTIVE


def age_on(birthdate: str, now: datetime) -> int:
    """Return the full years of age at `now` in UTC+7.

    A birth date that is only a year counts as 31 December, the latest possible day (R11).
    Raises ValueError for anything that is neither YYYY nor YYYY-MM-DD.
    """
    if not BIRTHDATE.fullmatch(birthdate):
        raise ValueError("a birth date is YYYY-MM-DD or YYYY")
    born = date.fromisoformat(birthdate if len(birthdate) > 4 else f"{birthdate}-12-31")
    today = now.astimezone(VIET_NAM).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_claims(birthdate: str, now: datetime) -> dict[str, bool]:
    """Return the age booleans that may leave the provider; never the age itself (R11)."""
    age = age_on(birthdate, now)
    return {f"age_over_{years}": age >= years for years in (14, 16, 18)}
