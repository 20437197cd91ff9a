"""The feature policy in memory: which version holds, and each as bytes made once. Domain rule R2.

A version that is published, or takes effect, is taken over within a second by every process.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import orjson

from idp.identity.feature_policy import FeaturePolicy, Requirement
from idp.identity.policy_versions import FIRST, PolicyVersion, announced, in_force
from idp.protocol.feature_policy_document import feature_policy_document, instant
from idp.store.unit_of_work import UnitOfWork
from idp.web.published import Document

MAX_AGE = 300
"""Seconds that a cache may keep a document. A change is announced in `next` before it takes effect."""


class FeaturePolicyInForce:
    """The version that holds now, and all others by their number."""

    def __init__(self, open_unit_of_work: Callable[[], UnitOfWork]) -> None:
        self._open = open_unit_of_work
        self._latest = FIRST.version
        self._versions: tuple[PolicyVersion, ...] = (FIRST,)
        self._documents: Mapping[int, Document] = {FIRST.version: _published(FIRST, None)}
        self._in_force = FIRST
        self._announced: PolicyVersion | None = None
        self._current = _published(FIRST, None)

    @property
    def version(self) -> int:
        """The number of the version that holds."""
        return self._in_force.version

    @property
    def policy(self) -> FeaturePolicy:
        """The policy that holds."""
        return self._in_force.policy

    def requirement_of(self, feature: str | None) -> Requirement | None:
        """Return what a feature needs; None for what the policy does not name."""
        return None if feature is None else self.policy.features.get(feature)

    async def refresh(self, now: datetime) -> None:
        """Take over what was published or took effect: one small statement when neither happened.

        Raises InvalidFeaturePolicyError for a version that a newer program published, whose words this one
        does not know: what held before stays in use.
        """
        policies = self._open().feature_policies
        latest = await policies.latest()
        if latest != self._latest:
            self._versions = await policies.all()
            self._documents = _documents(self._versions)
            self._latest = latest
        standing = (in_force(self._versions, now), announced(self._versions, now))
        if standing != (self._in_force, self._announced):
            self._in_force, self._announced = standing
            self._current = _published(*standing)

    def document(self, version: int | None = None) -> Document | None:
        """Return the document that holds now, with what is announced, or one version's, if there is one."""
        return self._current if version is None else self._documents.get(version)


def _documents(versions: Iterable[PolicyVersion]) -> Mapping[int, Document]:
    return {each.version: _published(each, None) for each in versions}


def _published(version: PolicyVersion, following: PolicyVersion | None) -> Document:
    content = {
        "version": version.version,
        "effective_at": instant(version.effective_at),
        **feature_policy_document(version.policy),
    }
    if following is not None:
        content["next"] = {
            "version": following.version,
            "effective_at": instant(following.effective_at),
        }
    return Document(orjson.dumps(content), max_age=MAX_AGE)
