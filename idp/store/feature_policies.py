"""Versions of the feature policy, each published once and never changed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, func, select

from idp.identity.policy_versions import FIRST, PolicyVersion
from idp.protocol.feature_policy_document import feature_policy_document, read_feature_policy
from idp.store.database import Row
from idp.store.encoding import dump_mapping, load_mapping, micros, moment
from idp.store.oversight_tables import feature_policies as t
from idp.store.recorder import Recorder
from idp.store.writes import Insert

PUBLISHED = "feature_policy_published"
"""The gate that lets one version of a number be published."""

_INSERT = Insert(PUBLISHED, t, tuple(column.name for column in t.columns), gate=True, unless_exists=True)
_ALL = select(t).order_by(t.c.version)
_FIND = select(t).where(t.c.version == bindparam("version"))
_LATEST = select(func.max(t.c.version).label("version"))


class FeaturePolicies:
    """What the program remembers about feature policies. The first version is never stored."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def latest(self) -> int:
        """Return the number of the newest version, in force or announced."""
        row = await self._recorder.fetch_one(_LATEST)
        return FIRST.version if row is None or row["version"] is None else int(row["version"])

    async def all(self) -> tuple[PolicyVersion, ...]:
        """Return every version in order. Raises InvalidFeaturePolicyError for one that is not understood."""
        return (FIRST, *(_from_row(row) for row in await self._recorder.fetch_all(_ALL)))

    async def document(self, version: int) -> Mapping[str, Any] | None:
        """Return the document of a stored version as it was published."""
        row = await self._recorder.fetch_one(_FIND, version=version)
        return None if row is None else load_mapping(row["document"])

    def publish(self, new: PolicyVersion) -> None:
        """Record a version; the gate `feature_policy_published` closes when its number is taken.

        Raises ValueError for a version that does not say when and by whom it was published.
        """
        if new.published_at is None or new.published_by is None:
            raise ValueError("a version is published by somebody, at a time")
        self._recorder.record(
            _INSERT,
            version=new.version,
            document=dump_mapping(feature_policy_document(new.policy)),
            published_by=new.published_by,
            effective_at=micros(new.effective_at),
            published_at=micros(new.published_at),
        )


def _from_row(row: Row) -> PolicyVersion:
    return PolicyVersion(
        version=row["version"],
        policy=read_feature_policy(load_mapping(row["document"])),
        effective_at=moment(row["effective_at"]),
        published_at=moment(row["published_at"]),
        published_by=row["published_by"],
    )
