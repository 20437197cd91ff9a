"""Reading the policy document of `/account-links/policy`. Pure: bytes in, a Policy or PolicyError out.

What stands beside features and deadlines may grow, and is passed over. Inside them nothing is: a demand that
is not understood must not be taken for none. Keep the policy that you have then, and update the SDK.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from .errors import PolicyError
from .policy import Deadline, Policy, Requirement

_LARGEST = 4 * 1024 * 1024
_LONGEST = timedelta(days=100 * 365)
_PROOFING = frozenset({"vn1", "vn2", "vnf"})
_ACR = frozenset({"vn-1", "vn-2", "vn-3", "vn-4"})
_REQUIREMENT = frozenset({"min_proofing", "min_acr", "max_age", "reverify_after", "before_deadline"})
_DEADLINE = frozenset({"created_before", "due_at", "grace_days", "consequence"})


def read_policy(document: bytes | str, client_id: str) -> Policy:
    """Read the document as it holds for your platform. Raises PolicyError."""
    try:
        members = json.loads(document[: _LARGEST + 1])
    except (ValueError, RecursionError) as error:
        raise PolicyError("the policy is not JSON") from error
    top = _table(members, "the policy")
    deadlines = _table(top.get("deadlines", {}), "deadlines")
    _check_known(deadlines, frozenset({"domestic", "cross_border"}), "deadlines")
    abroad = _table(deadlines.get("cross_border", {}), "deadlines.cross_border")
    own = abroad.get(client_id, deadlines.get("domestic"))
    following = top.get("next")
    return Policy(
        version=_number(top.get("version"), "version"),
        features={
            name: _requirement(name, members)
            for name, members in _table(top.get("features"), "features").items()
        },
        deadline=_deadline(own) if own else None,
        is_waiting=client_id in abroad and not own,
        next_at=None if following is None else _moment(_table(following, "next").get("effective_at"), "next"),
    )


def _requirement(name: str, value: object) -> Requirement:
    members = _table(value, name)
    _check_known(members, _REQUIREMENT, name)
    return Requirement(
        min_proofing=_choice(members, "min_proofing", _PROOFING, "vn1"),
        min_acr=_choice(members, "min_acr", _ACR, "vn-1"),
        max_age=_span(members, "max_age", timedelta(seconds=1)),
        reverify_after=_span(members, "reverify_after", timedelta(days=1)),
        is_put_off=_choice(members, "before_deadline", {"allow", "restrict"}, "allow") == "allow",
    )


def _deadline(value: object) -> Deadline:
    members = _table(value, "the deadline")
    _check_known(members, _DEADLINE, "the deadline")
    _choice(members, "consequence", {"restrict"}, "restrict")
    due_at = _moment(members.get("due_at"), "due_at")
    grace = _span(members, "grace_days", timedelta(days=1)) or timedelta(0)
    return Deadline(_moment(members.get("created_before"), "created_before"), due_at, due_at + grace)


def _table(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{place} is not an object")
    return value


def _check_known(members: Mapping[str, Any], known: Collection[str], place: str) -> None:
    if unknown := members.keys() - set(known):
        raise PolicyError(f"{place} has {min(unknown)!r}, which this SDK does not know")


def _choice(members: Mapping[str, Any], name: str, allowed: Collection[str], usual: str) -> str:
    value = members.get(name, usual)
    if not isinstance(value, str) or value not in allowed:
        raise PolicyError(f"{name} has a value that this SDK does not know")
    return value


def _span(members: Mapping[str, Any], name: str, unit: timedelta) -> timedelta | None:
    return _number(members[name], name, most=_LONGEST // unit) * unit if name in members else None


def _number(value: object, name: str, *, most: int = 10**9) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise PolicyError(f"{name} is not a whole number of a sensible size")
    return value


def _moment(value: object, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise PolicyError(f"{name} is not a time") from error
    if at is None or at.tzinfo is None or not 1900 <= at.year <= 2900:
        raise PolicyError(f"{name} is not a time with its offset")
    return at
