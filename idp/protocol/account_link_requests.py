"""What a platform may ask to be done to a link of its own: the bodies of its requests, read strictly. Pure.

Nothing free-form is taken: a platform reports about an account with a code from a short list, never with
words or pictures of a person (R6, R17).
"""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from idp.identity.account_links import AccountLink
from idp.identity.link_upkeep import DEFAULT_NOTICE, LONGEST_NOTICE, SHORTEST_NOTICE
from idp.protocol.account_link_details import read_account_id, read_handle, read_profile_uri
from idp.protocol.errors import InvalidAuthorizationDetailsError, InvalidRequestError
from idp.protocol.parameters import printable
from idp.protocol.strict_json import StrictJSONError, read_json


class Suspicion(StrEnum):
    """What a platform suspects of an account; a code, so that no word about a person comes with it."""

    ACCOUNT_TAKEN_OVER = "account_taken_over"
    """Somebody else seems to use the account."""
    ACCOUNT_PASSED_ON = "account_passed_on"
    """The account seems to be sold, lent or rented out."""
    IMPERSONATION = "impersonation"
    """The account seems to pretend to be somebody else."""
    AUTOMATED_USE = "automated_use"


@dataclass(frozen=True, slots=True)
class DetailsUpdate:
    """New details of an account; what is not named stays."""

    members: Mapping[str, str | None]
    """By name: handle, profile_uri. None removes."""


def read_details_update(body: bytes, profile_hosts: AbstractSet[str]) -> DetailsUpdate:
    """Read a merge patch (RFC 7396) of handle and profile address. Raises InvalidRequestError."""
    patch = _read_object(body, {"handle", "profile_uri"})
    if not patch:
        raise InvalidRequestError("the body names nothing to change; its members are handle and profile_uri")
    stated = {name: value for name, value in patch.items() if value is not None}
    try:
        read = {"handle": read_handle(stated), "profile_uri": read_profile_uri(stated, profile_hosts)}
    except InvalidAuthorizationDetailsError as error:
        raise InvalidRequestError(error.description) from error
    return DetailsUpdate({name: read[name] for name in patch})


def read_new_account_id(body: bytes) -> str:
    """Read the new id of a renamed account. Raises InvalidRequestError."""
    members = _read_object(body, {"account_id"})
    try:
        return read_account_id(members)
    except InvalidAuthorizationDetailsError as error:
        raise InvalidRequestError(error.description) from error


def read_due_at(body: bytes, now: datetime) -> datetime:
    """Read until when a link is to be verified again: seconds since 1970. Raises InvalidRequestError.

    People need time to do it, so a date too near is refused; one that is not given is a month ahead.
    """
    due_at = _read_object(body, {"due_at"}).get("due_at")
    if due_at is None:
        return now + DEFAULT_NOTICE
    earliest, latest = (_seconds(now + notice) for notice in (SHORTEST_NOTICE, LONGEST_NOTICE))
    if not isinstance(due_at, int) or isinstance(due_at, bool) or not earliest <= due_at <= latest:
        raise InvalidRequestError(
            f"due_at must be a number of seconds since 1970, {_days(SHORTEST_NOTICE)} to "
            f"{_days(LONGEST_NOTICE)} days from now"
        )
    return datetime.fromtimestamp(due_at, UTC)


def read_suspicion(body: bytes) -> Suspicion:
    """Read what a platform suspects. Raises InvalidRequestError."""
    suspicion = _read_object(body, {"suspicion"}).get("suspicion")
    if not isinstance(suspicion, str) or suspicion not in set(Suspicion):
        raise InvalidRequestError(f"suspicion must be one of {', '.join(sorted(Suspicion))}")
    return Suspicion(suspicion)


def read_nothing(body: bytes) -> None:
    """Read a body that says nothing: none, or an empty object. Raises InvalidRequestError."""
    _read_object(body, ())


def has_other_details(link: AccountLink, update: DetailsUpdate) -> bool:
    """Tell whether an update changes anything."""
    return any(getattr(link, name) != value for name, value in update.members.items())


def _read_object(body: bytes, known: Collection[str]) -> dict[str, object]:
    if not body:
        return {}
    try:
        document = read_json(body.decode())
    except UnicodeDecodeError:
        raise InvalidRequestError("the body is not UTF-8") from None
    except StrictJSONError as error:
        raise InvalidRequestError(f"the body {error}") from None
    if not isinstance(document, dict):
        raise InvalidRequestError("the body must be a JSON object")
    unknown = document.keys() - set(known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise InvalidRequestError(
            f"the body has no member {printable(min(unknown))}; its members are: {allowed}"
        )
    return document


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _days(notice: timedelta) -> int:
    return notice.days
