"""From an upstream's claims to a person, as an operator configured it. Pure.

What the configuration does not name is not looked at: a level that nobody translated proves nothing, and an
attribute without a place is left where it is.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from idp.identity.citizens import CitizenStatus
from idp.identity.identifiers import PERSONAL_NUMBER
from idp.upstreams.configuration import Mapped, Translated
from idp.upstreams.exchange import Fault, UpstreamError, UpstreamIdentity

_LONGEST_SUBJECT = 255
_LONGEST_TEXT = 1000
_MOST_METHODS = 32
_DAY_FIRST = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def value_at(claims: Mapping[str, Any], pointer: str) -> object:
    """Return what stands at a claim's name, or at a JSON Pointer (RFC 6901 §4); None where nothing does."""
    if not pointer.startswith("/"):
        return claims.get(pointer)
    found: object = claims
    for token in pointer[1:].split("/"):
        if not isinstance(found, Mapping):
            return None
        found = found.get(token.replace("~1", "/").replace("~0", "~"))
    return found


def text_at(claims: Mapping[str, Any], pointer: str | None) -> str | None:
    """Return what stands there as text, a whole number written out; None for anything else."""
    value = None if pointer is None else value_at(claims, pointer)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT else None


def moment_at(claims: Mapping[str, Any], pointer: str) -> datetime | None:
    """Return the moment that stands there in seconds since 1970 (RFC 7519 §2); None for anything else."""
    value = value_at(claims, pointer)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < _LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)


def identity_of(claims: Mapping[str, Any], mapped: Mapped, auth_time: datetime) -> UpstreamIdentity:
    """Return whom the claims are about. Raises UpstreamError, naming members of the configuration alone."""
    subject = text_at(claims, mapped.subject)
    if subject is None or len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise UpstreamError(Fault.INCOMPLETE, "subject")
    number = text_at(claims, mapped.attributes.personal_number)
    if number is None or not PERSONAL_NUMBER.fullmatch(number):
        raise UpstreamError(Fault.INCOMPLETE, "personal_number")
    return UpstreamIdentity(subject, number, _amr(claims, mapped), auth_time, _line(claims, mapped))


def _amr(claims: Mapping[str, Any], mapped: Mapped) -> tuple[str, ...]:
    shown = set(mapped.always)
    if mapped.level is not None:
        shown.update(_level(claims, mapped.level))
    if mapped.methods is not None:
        told = value_at(claims, mapped.methods.claim)
        for name in told[:_MOST_METHODS] if isinstance(told, list) else [told]:
            shown.update(mapped.methods.values.get(name, ()) if isinstance(name, str) else ())
    if not shown:
        raise UpstreamError(Fault.LEVEL_UNKNOWN, "methods")
    return tuple(sorted(shown))


def _level(claims: Mapping[str, Any], level: Translated) -> tuple[str, ...]:
    told = text_at(claims, level.claim)
    if told is None or told not in level.values:
        raise UpstreamError(Fault.LEVEL_UNKNOWN, "level")
    return level.values[told]


def _line(claims: Mapping[str, Any], mapped: Mapped) -> dict[str, object]:
    """Return the person as a line of the register; what is missing for that, its reader finds."""
    found = {name: text_at(claims, pointer) for name, pointer in mapped.attributes.model_dump().items()}
    if mapped.birthdate_format == "dd/mm/yyyy" and found["birthdate"] is not None:
        found["birthdate"] = _day_first(found["birthdate"])
    if mapped.proofing is not None:
        told = text_at(claims, mapped.proofing.claim)
        found["proofing"] = None if told is None else mapped.proofing.values.get(told)
    known = {name: value for name, value in found.items() if value is not None}
    return {**known, "status": CitizenStatus.ACTIVE.value}


def _day_first(text: str) -> str:
    match = _DAY_FIRST.fullmatch(text)
    return text if match is None else "-".join(reversed(match.groups()))
