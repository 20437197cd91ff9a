"""The citizen: one verified person in the register. D69; domain rules R11, R13, R15."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

from idp.identity.assurance import Proofing
from idp.identity.evidence import Evidence, evidence_members, evidence_of_proofing, read_evidence

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
    evidence: tuple[Evidence, ...] | None = None
    """What the register says was checked; None where it says no more than the level."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """One person, known inside by a random id and never by the personal number."""

    citizen_id: str
    status: CitizenStatus
    proofing: Proofing
    proofed_at: datetime
    personal_data: PersonalData
    links_frozen_at: datetime | None = None
    """Since when the person wants no new links; None where they may be made."""

    def is_active(self) -> bool:
        """Tell whether this person may sign in and be vouched for."""
        return self.status is CitizenStatus.ACTIVE

    def evidence(self) -> tuple[Evidence, ...]:
        """Return what stands behind the level: as the register says, or else as the law demands for it."""
        return self.personal_data.evidence or evidence_of_proofing(self.proofing, self.proofed_at)


_MEMBERS = tuple(field.name for field in fields(PersonalData))


def personal_data_members(data: PersonalData) -> dict[str, Any]:
    """Return what is known of a person as JSON members, in the form of the register."""
    known = {name: value for name in _MEMBERS if (value := getattr(data, name)) is not None}
    return known if data.evidence is None else {**known, "evidence": evidence_members(data.evidence)}


def read_personal_data(members: Mapping[str, Any]) -> PersonalData:
    """Read what `personal_data_members` wrote."""
    evidence = members.get("evidence")
    return PersonalData(**{**members, "evidence": None if evidence is None else read_evidence(evidence)})


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
