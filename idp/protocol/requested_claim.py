"""One requested claim or element: null, or an object that says how. OpenID Connect Core §5.5.1.

Identity Assurance §5.5.2 adds `max_age`; `purpose` is shown to the person who is asked.
"""

from collections.abc import Mapping

from idp.identity.display_text import is_displayable
from idp.protocol.errors import InvalidRequestError
from idp.protocol.model import RequestedClaim
from idp.protocol.parameters import printable

MAX_MEMBERS = 100
MIN_PURPOSE = 3
MAX_PURPOSE = 300

CONSTRAINTS = frozenset({"value", "values", "max_age"})
"""The members that say what an element must be to be of use."""


def read_object(value: object, where: str) -> dict[str, object]:
    """Return a JSON object of bearable size. Raises InvalidRequestError."""
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{where} must be a JSON object")
    if len(value) > MAX_MEMBERS:
        raise InvalidRequestError(f"{where} has more than {MAX_MEMBERS} members")
    return value


def read_array(value: object, where: str, longest: int) -> list[object]:
    """Return a JSON array that is neither empty nor too long. Raises InvalidRequestError."""
    if not isinstance(value, list) or not 0 < len(value) <= longest:
        raise InvalidRequestError(f"{where} must be an array of 1 to {longest} entries")
    return value


def read_requested_claims(members: Mapping[str, object]) -> dict[str, RequestedClaim]:
    """Read the claims that an object names. Raises InvalidRequestError."""
    return {
        name: read_requested_claim(entry, f"the request for claim {printable(name)}")
        for name, entry in members.items()
    }


def read_requested_claim(entry: object, where: str) -> RequestedClaim:
    """Core §5.5.1: null asks for the claim, an object says how; its unknown members are ignored."""
    if entry is None:
        return RequestedClaim()
    members = read_object(entry, where)
    essential = members.get("essential", False)
    if not isinstance(essential, bool):
        raise InvalidRequestError(f"{where}: essential must be true or false")
    return RequestedClaim(
        essential=essential,
        value=members.get("value"),
        values=_values(members, where),
        purpose=_purpose(members, where),
        max_age=_max_age(members, where),
    )


def read_constrainable(entry: object, where: str) -> RequestedClaim:
    """Identity Assurance §5.5.1: an element of `verification` whose values are strings."""
    requested = read_requested_claim(entry, where)
    values = (*(requested.values or ()), *(() if requested.value is None else (requested.value,)))
    if not all(isinstance(value, str) for value in values):
        raise InvalidRequestError(f"{where}: value and values must be strings")
    return requested


def is_constraint_within(entry: object) -> bool:
    """Tell whether an element that we do not know must be something, at any depth, to be of use."""
    if isinstance(entry, dict):
        return not CONSTRAINTS.isdisjoint(entry) or any(map(is_constraint_within, entry.values()))
    return isinstance(entry, list) and any(map(is_constraint_within, entry))


def _values(members: Mapping[str, object], where: str) -> tuple[object, ...] | None:
    if "values" not in members:
        return None
    values = members["values"]
    if not isinstance(values, list) or not values:
        raise InvalidRequestError(f"{where}: values must be an array that is not empty")
    return tuple(values)


def _purpose(members: Mapping[str, object], where: str) -> str | None:
    """Identity Assurance (third Implementer's Draft) §6: 3 to 300 characters, shown as they are."""
    if "purpose" not in members:
        return None
    purpose = members["purpose"]
    if not isinstance(purpose, str):
        raise InvalidRequestError(f"{where}: purpose must be a string")
    if not MIN_PURPOSE <= len(purpose) <= MAX_PURPOSE or not is_displayable(purpose):
        raise InvalidRequestError(f"{where}: purpose must be 3 to 300 characters, all visible")
    return purpose


def _max_age(members: Mapping[str, object], where: str) -> float | None:
    """Identity Assurance §5.5.2: a JSON number of seconds."""
    if "max_age" not in members:
        return None
    max_age = members["max_age"]
    if not isinstance(max_age, int | float) or isinstance(max_age, bool) or max_age < 0:
        raise InvalidRequestError(f"{where}: max_age must be a number of seconds")
    return max_age
