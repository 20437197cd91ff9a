"""Fetching events: RFC 8936. What a poll asks for and what it is told. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_EVENTS = 100
"""SETs in one answer, however many are asked for (RFC 8936 §2.2 `maxEvents` is an upper limit)."""
MOST_ACKNOWLEDGED = 1000
MAX_JTI = 128

_ERROR_CODES = frozenset(
    {
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
        "invalid_state",
    }
)
"""RFC 8935 §2.4 and SSF §8.1.4.1."""


class PollRequestError(ValueError):
    """The poll cannot be understood: 400. The message says why."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One request of a receiver: RFC 8936 §2.2."""

    max_events: int
    """0 where nothing is to be returned: it only acknowledges."""
    is_immediate: bool
    acknowledged: tuple[str, ...]
    """`jti` of SETs that arrived."""
    refused: Mapping[str, str]
    """`jti` of SETs that could not be taken, with the registered code of the reason, or `other`."""


def read_poll(members: Mapping[str, Any]) -> Poll:
    """Read a poll. Raises PollRequestError."""
    most, immediate = members.get("maxEvents"), members.get("returnImmediately", False)
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
        raise PollRequestError("maxEvents must be a whole number, 0 or more")
    if not isinstance(immediate, bool):
        raise PollRequestError("returnImmediately must be true or false")
    return Poll(
        max_events=MOST_EVENTS if most is None else min(most, MOST_EVENTS),
        is_immediate=immediate,
        acknowledged=_read_acknowledged(members.get("ack", [])),
        refused=_read_refused(members.get("setErrs", {})),
    )


def poll_answer(sets: Mapping[str, str], *, is_more: bool) -> dict[str, Any]:
    """Return the answer: RFC 8936 §2.3, `jti` to SET; `moreAvailable` where more waits already."""
    return {"sets": dict(sets), "moreAvailable": True} if is_more else {"sets": dict(sets)}


def _read_acknowledged(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_ACKNOWLEDGED:
        raise PollRequestError(f"ack must be a list of at most {MOST_ACKNOWLEDGED} strings")
    if not all(isinstance(each, str) for each in value):
        raise PollRequestError("ack must hold the jti of SETs")
    return tuple(dict.fromkeys(each for each in value if _is_jti(each)))


def _read_refused(value: object) -> Mapping[str, str]:
    """RFC 8936 §2.2, §2.6: each with `err`; the words beside it are a stranger's, and not kept."""
    if not isinstance(value, Mapping) or len(value) > MOST_ACKNOWLEDGED:
        raise PollRequestError(f"setErrs must be an object of at most {MOST_ACKNOWLEDGED} members")
    refused: dict[str, str] = {}
    for jti, told in value.items():
        code = told.get("err") if isinstance(told, Mapping) else None
        if not isinstance(code, str):
            raise PollRequestError("each member of setErrs must have err, a string")
        if _is_jti(jti):
            refused[jti] = code if code in _ERROR_CODES else "other"
    return refused


def _is_jti(text: str) -> bool:
    """Tell whether a text may be the `jti` of a SET of ours; any other acknowledges nothing."""
    return 0 < len(text) <= MAX_JTI and text.isascii() and text.isprintable()
