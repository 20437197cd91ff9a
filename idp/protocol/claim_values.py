"""The value of each claim about a person, and whether it is one that was asked for.

OpenID Connect Core §5.1, §5.3.2, §5.5.1; Identity Assurance §5.5; domain rule R11.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from idp.identity.citizens import VIET_NAM, PersonalData, age_claims
from idp.protocol.model import RequestedClaim

AGE_CLAIMS = ("age_over_14", "age_over_16", "age_over_18")

_VALUES: Mapping[str, Callable[[PersonalData], Any]] = {
    "name": lambda person: person.name,
    "birthdate": lambda person: person.birthdate,
    "gender": lambda person: person.gender,
    "nationalities": lambda person: [person.nationality] if person.nationality else None,
    "phone_number": lambda person: person.phone_number,
    # The register holds the number that received the e-ID's one-time codes; an e-mail address it only notes.
    "phone_number_verified": lambda person: True if person.phone_number else None,
    "email": lambda person: person.email,
    "email_verified": lambda person: False if person.email else None,
    "address": lambda person: {"formatted": person.address} if person.address else None,
}


def claim_value(name: str, person: PersonalData, now: datetime) -> object:
    """Return the value of a claim for this person; None when the register holds none (Core §5.3.2)."""
    if name in AGE_CLAIMS:
        return age_claims(person.birthdate, now)[name]
    value = _VALUES[name](person) if name in _VALUES else None
    return None if value == "" else value


def released(asked: Mapping[str, RequestedClaim], person: PersonalData, now: datetime) -> dict[str, Any]:
    """Return the claims that exist and are what was asked for; the others are left out, each alone."""
    values = {name: claim_value(name, person, now) for name in asked}
    return {
        name: value
        for name, value in values.items()
        if value is not None
        and is_requested_value(asked[name], value)
        and _is_recent(name, asked[name], person, now)
    }


def is_requested_value(asked: RequestedClaim, value: object) -> bool:
    """Core §5.5.1: `value` and `values` say what a claim must be to be of use; JSON true is not 1."""
    candidates = asked.values if asked.values is not None else ()
    if asked.value is not None:
        candidates = (*candidates, asked.value)
    if asked.value is None and asked.values is None:
        return True
    return any(type(candidate) is type(value) and candidate == value for candidate in candidates)


def is_recent(asked: RequestedClaim, moment: datetime, now: datetime) -> bool:
    """Identity Assurance §5.5.2: `max_age` is how many seconds may have passed since a time."""
    return asked.max_age is None or (now - moment).total_seconds() <= asked.max_age


def _is_recent(name: str, asked: RequestedClaim, person: PersonalData, now: datetime) -> bool:
    """Only a birth date is a time; its age counts from its last second (Identity Assurance §5.5.2)."""
    if name != "birthdate":
        return True
    text = person.birthdate
    born = date.fromisoformat(text if len(text) > 4 else f"{text}-12-31")
    return is_recent(asked, datetime.combine(born + timedelta(days=1), time(), VIET_NAM), now)
