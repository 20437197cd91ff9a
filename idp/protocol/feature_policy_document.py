"""The feature policy as a document: TOML for the operator, JSON on the wire, the same members in both.

    [features.livestream_commerce]      any name of 1 to 40 lower-case letters and underscores
    min_proofing = "vn2"                "vn1" (default), "vn2", "vnf"
    min_acr = "vn-2"                    "vn-1" (default) … "vn-4"
    max_age = 900                       seconds since the sign-in that reached min_acr; absent: any age
    reverify_after = 365                days since the person was last here; absent: never
    before_deadline = "restrict"        "allow" (default): a deadline below puts the requirement off

    [deadlines.domestic]                absent: every account meets the requirements now
    created_before = 2026-09-28T00:00:00+07:00
    due_at = 2026-12-31T00:00:00+07:00
    grace_days = 30                     0 (default) … 366; features are restricted when these are over
    consequence = "restrict"            there is no other

    [deadlines.cross_border.CLIENT_ID]  each cross-border platform; without members it is not connected yet

A document is refused with every reason at once. What is not understood is refused, too: whoever wrote it
meant something by it.
"""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import BeforeDeadline, Consequence, Deadline, FeaturePolicy, Requirement

MAX_FEATURES = 100
MAX_CLIENTS = 5000
MAX_AGE = 365 * 86400
MAX_DAYS = 3650
MAX_GRACE = 366

_TABLES = ("features", "deadlines")
_REQUIREMENT = ("min_proofing", "min_acr", "max_age", "reverify_after", "before_deadline")
_DEADLINES = ("domestic", "cross_border")
_DEADLINE = ("created_before", "due_at", "grace_days", "consequence")
FEATURE_NAME = "[a-z][a-z_]{0,39}"
"""As `purpose` of an account link is written, for a step-up names the feature there."""
_FEATURE = re.compile(FEATURE_NAME)


class InvalidFeaturePolicyError(ValueError):
    """A document that is refused, with every reason."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def read_feature_policy(document: Mapping[str, object]) -> FeaturePolicy:
    """Read a document. Raises InvalidFeaturePolicyError."""
    reader = _Reader()
    reader.check_members("", document, _TABLES)
    features = reader.table("features", document.get("features", {}))
    if not 1 <= len(features) <= MAX_FEATURES:
        reader.refuse("features", f"must name 1 to {MAX_FEATURES} features")
    deadlines = reader.table("deadlines", document.get("deadlines", {}))
    reader.check_members("deadlines", deadlines, _DEADLINES)
    abroad = reader.table("deadlines.cross_border", deadlines.get("cross_border", {}))
    if len(abroad) > MAX_CLIENTS:
        reader.refuse("deadlines.cross_border", f"must name at most {MAX_CLIENTS} platforms")
    policy = FeaturePolicy(
        features={name: _requirement(reader, name, members) for name, members in features.items()},
        domestic=_deadline(reader, "deadlines.domestic", deadlines["domestic"])
        if "domestic" in deadlines
        else None,
        cross_border={name: _deadline_abroad(reader, name, members) for name, members in abroad.items()},
    )
    if reader.reasons:
        raise InvalidFeaturePolicyError(tuple(reader.reasons))
    return policy


def feature_policy_document(policy: FeaturePolicy) -> dict[str, Any]:
    """Return the document of a policy; of equal policies the same."""
    deadlines: dict[str, Any] = {}
    if policy.domestic is not None:
        deadlines["domestic"] = _deadline_members(policy.domestic)
    if policy.cross_border:
        deadlines["cross_border"] = {
            client_id: {} if deadline is None else _deadline_members(deadline)
            for client_id, deadline in sorted(policy.cross_border.items())
        }
    features = {name: _requirement_members(each) for name, each in sorted(policy.features.items())}
    return {"features": features, "deadlines": deadlines}


def instant(at: datetime) -> str:
    """Return a time as it stands on the wire: RFC 3339, in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _requirement_members(requirement: Requirement) -> dict[str, Any]:
    members: dict[str, Any] = {
        "min_proofing": requirement.min_proofing.value,
        "min_acr": requirement.min_acr.value,
        "before_deadline": requirement.before_deadline.value,
    }
    if requirement.max_age is not None:
        members["max_age"] = int(requirement.max_age.total_seconds())
    if requirement.reverify_after is not None:
        members["reverify_after"] = requirement.reverify_after.days
    return members


def _deadline_members(deadline: Deadline) -> dict[str, Any]:
    return {
        "created_before": instant(deadline.created_before),
        "due_at": instant(deadline.due_at),
        "grace_days": deadline.grace.days,
        "consequence": deadline.consequence.value,
    }


class _Reader:
    """Reads members of a document; every wrong one adds a reason that begins with its place."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def refuse(self, place: str, because: str) -> None:
        self.reasons.append(f"{place[:120]} {because}")

    def check_members(self, place: str, members: Mapping[str, object], known: Collection[str]) -> None:
        """Refuse what is not understood, and say what would be."""
        for name in members:
            if name not in known:
                full = f"{place}.{str(name)[:60]}" if place else str(name)[:60]
                self.refuse(full, f"is no member of a policy; known here are {', '.join(known)}")

    def table(self, place: str, value: object) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self.refuse(place, "must be a table")
        return {}

    def choice(self, place: str, value: object, allowed: Collection[str], default: str) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        self.refuse(place, f"must be {' or '.join(allowed)}")
        return default

    def number(self, place: str, value: object, least: int, most: int) -> int:
        if not isinstance(value, bool) and isinstance(value, int) and least <= value <= most:
            return value
        self.refuse(place, f"must be a whole number from {least} to {most}")
        return least

    def moment(self, place: str, value: object) -> datetime:
        """Read an RFC 3339 time, as TOML has it or as text; without an offset it would mean another day."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                value = None
        if isinstance(value, datetime) and value.tzinfo is not None and 2000 <= value.year < 2200:
            return value.astimezone(UTC).replace(microsecond=0)
        self.refuse(place, "must be a time with its offset, such as 2026-12-31T00:00:00+07:00")
        return datetime(2000, 1, 1, tzinfo=UTC)


def _requirement(reader: _Reader, feature: str, value: object) -> Requirement:
    place = f"features.{feature}"
    if not _FEATURE.fullmatch(feature):
        reader.refuse(place, "must be named by 1 to 40 lower-case letters and underscores")
    members = reader.table(place, value)
    reader.check_members(place, members, _REQUIREMENT)
    default = Requirement()
    chosen = {
        name: reader.choice(f"{place}.{name}", members.get(name, usual), allowed, usual)
        for name, allowed, usual in (
            ("min_proofing", list(Proofing), default.min_proofing.value),
            ("min_acr", list(Acr), default.min_acr.value),
            ("before_deadline", list(BeforeDeadline), default.before_deadline.value),
        )
    }
    numbers = {
        name: reader.number(f"{place}.{name}", members[name], least, most)
        for name, least, most in (("max_age", 0, MAX_AGE), ("reverify_after", 1, MAX_DAYS))
        if name in members
    }
    return Requirement(
        min_proofing=Proofing(chosen["min_proofing"]),
        min_acr=Acr(chosen["min_acr"]),
        max_age=timedelta(seconds=numbers["max_age"]) if "max_age" in numbers else None,
        reverify_after=timedelta(days=numbers["reverify_after"]) if "reverify_after" in numbers else None,
        before_deadline=BeforeDeadline(chosen["before_deadline"]),
    )


def _deadline_abroad(reader: _Reader, client_id: str, value: object) -> Deadline | None:
    place = f"deadlines.cross_border.{client_id}"
    if not 0 < len(client_id) <= 255 or not client_id.isascii() or not client_id.isprintable():
        reader.refuse(place, "must be a client_id: 1 to 255 printable ASCII characters")
    members = reader.table(place, value)
    return _deadline(reader, place, members) if members else None


def _deadline(reader: _Reader, place: str, value: object) -> Deadline:
    members = reader.table(place, value)
    reader.check_members(place, members, _DEADLINE)
    for name in ("created_before", "due_at"):
        if name not in members:
            reader.refuse(f"{place}.{name}", "is required")
    created_before, due_at = (
        reader.moment(f"{place}.{name}", members.get(name, "2000-01-01T00:00:00Z"))
        for name in ("created_before", "due_at")
    )
    if due_at < created_before:
        reader.refuse(f"{place}.due_at", "must not lie before created_before")
    if members.get("consequence", Consequence.RESTRICT.value) != Consequence.RESTRICT.value:
        reader.refuse(
            f"{place}.consequence",
            "must be restrict: no account is taken from anybody for want of a link",
        )
    grace = reader.number(f"{place}.grace_days", members.get("grace_days", 0), 0, MAX_GRACE)
    return Deadline(created_before, due_at, timedelta(days=grace))
