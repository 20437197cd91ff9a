"""Pages of the platform API: how large, and where one goes on. Pure.

A cursor names a place among *all* links or changes, of every platform; it is therefore sealed before it
leaves (abuse case P7), and its content has one length, so that not even its size tells how many there are.
"""

from collections.abc import Collection
from dataclasses import dataclass

from idp.protocol.errors import InvalidRequestError
from idp.protocol.parameters import Parameters, check_not_repeated, printable
from idp.protocol.problems import Problem, ProblemError

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 512

_POSITION_BYTES = 8


def read_limit(query: Parameters) -> int:
    """Return how many items a page is to have. Raises InvalidRequestError."""
    limit = query.get("limit")
    if limit is None:
        return DEFAULT_LIMIT
    if not limit.isascii() or not limit.isdecimal() or len(limit) > 4 or not 1 <= int(limit) <= MAX_LIMIT:
        raise InvalidRequestError(f"limit must be a number from 1 to {MAX_LIMIT}")
    return int(limit)


def check_known_parameters(query: Parameters, names: Collection[str], known: Collection[str]) -> None:
    """Check that nothing stands in the query that would be ignored silently. Raises InvalidRequestError.

    `names` are those that were sent, with a value or without: a filter that is misspelt, empty or sent twice
    would otherwise return everything.
    """
    check_not_repeated(query)
    unknown = set(names) - set(known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise InvalidRequestError(
            f"there is no parameter {printable(min(unknown))} here; the parameters are: {allowed}"
        )
    empty = set(names) - query.keys()
    if empty:
        raise InvalidRequestError(f"the parameter {printable(min(empty))} has no value")


def position_content(position: int) -> bytes:
    """Return what a cursor of changes holds."""
    return position.to_bytes(_POSITION_BYTES, "big")


def read_position(content: bytes) -> int:
    """Return the position that a cursor of changes holds. Raises ProblemError."""
    if len(content) != _POSITION_BYTES:
        raise invalid_cursor()
    return int.from_bytes(content, "big")


def invalid_cursor() -> ProblemError:
    """Return the refusal of a cursor that is not ours, or not this client's, or for another list."""
    return ProblemError(Problem.INVALID_CURSOR, "the cursor is not one that this list gave you")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: how many items, and behind what."""

    limit: int
    cursor: str | None


def read_page(query: Parameters) -> Page:
    """Return the page that is asked for. Raises InvalidRequestError, ProblemError."""
    cursor = query.get("cursor")
    if cursor is not None and len(cursor) > MAX_CURSOR:
        raise invalid_cursor()
    return Page(read_limit(query), cursor)
