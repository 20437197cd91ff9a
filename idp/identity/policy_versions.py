"""The versions of the feature policy: each takes effect at a moment, none is ever changed. Domain rule R2.

A link names the version under which it was made, so a version that was published stays readable for good.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from idp.identity.feature_policy import DEFAULT, FeaturePolicy


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version, as it was published."""

    version: int
    policy: FeaturePolicy
    effective_at: datetime
    published_at: datetime | None = None
    """None for the first version, which nobody published."""
    published_by: str | None = None


FIRST = PolicyVersion(1, DEFAULT, effective_at=datetime(2026, 9, 27, 17, tzinfo=UTC))
"""What holds where nothing was published: in force since D320 is, 28 September 2026 in UTC+7."""


class PublicationRefusedError(ValueError):
    """A version cannot take effect when it was said to. The message says why."""


def in_force(versions: Iterable[PolicyVersion], now: datetime) -> PolicyVersion:
    """Return the version that holds now: the newest of those that have taken effect."""
    effective = [each for each in versions if each.effective_at <= now]
    return max(effective, key=lambda each: each.version, default=FIRST)


def announced(versions: Iterable[PolicyVersion], now: datetime) -> PolicyVersion | None:
    """Return the version that takes effect next, if one is published already.

    Where several take effect at the same moment the newest counts: it replaced the others.
    """
    coming = [each for each in versions if each.effective_at > now]
    return min(coming, key=lambda each: (each.effective_at, -each.version), default=None)


def check_publication(latest: PolicyVersion, effective_at: datetime, now: datetime) -> None:
    """Check when a new version takes effect. Raises PublicationRefusedError.

    The past is not rewritten: platforms decided by what held then. And versions take effect in their order,
    so that the newest in force is always the last word; one that should never hold is overtaken by another
    for the same moment.
    """
    if effective_at < now:
        raise PublicationRefusedError("a version cannot take effect in the past")
    if effective_at < latest.effective_at:
        raise PublicationRefusedError(
            f"version {latest.version} takes effect at {latest.effective_at.isoformat()}; "
            "a newer one takes effect then or later"
        )
