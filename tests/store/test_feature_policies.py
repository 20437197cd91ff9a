"""Versions of the policy: each published once, read back whole, numbered without a hole or a race."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.feature_policy import DEFAULT, FeaturePolicy, Requirement
from idp.identity.policy_versions import FIRST, PolicyVersion
from idp.protocol.feature_policy_document import feature_policy_document
from idp.store.feature_policies import PUBLISHED
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory

pytestmark = pytest.mark.anyio

SECOND = PolicyVersion(
    2, FeaturePolicy({"post": Requirement(max_age=timedelta(hours=1))}), NOW + timedelta(days=1), NOW, "nga"
)


async def publish(memory: Memory, version: PolicyVersion) -> None:
    uow = memory.unit_of_work()
    uow.feature_policies.publish(version)
    await uow.commit()


async def test_where_nothing_was_published_there_is_the_first(memory: Memory) -> None:
    policies = memory.unit_of_work().feature_policies
    assert await policies.latest() == 1
    assert await policies.all() == (FIRST,)
    assert await policies.document(1) is None


async def test_what_is_published_is_read_back(memory: Memory) -> None:
    await publish(memory, SECOND)
    policies = memory.unit_of_work().feature_policies
    assert await policies.latest() == 2
    assert await policies.all() == (FIRST, SECOND)
    assert await policies.document(2) == feature_policy_document(SECOND.policy)


async def test_a_number_is_given_once(memory: Memory) -> None:
    await publish(memory, SECOND)
    with pytest.raises(GateClosedError) as closed:
        await publish(memory, replace(SECOND, policy=DEFAULT))
    assert closed.value.gate == PUBLISHED
    assert (await memory.unit_of_work().feature_policies.all())[1] == SECOND


@pytest.mark.parametrize("member", ["published_at", "published_by"])
async def test_nobody_publishes_nameless_or_at_no_time(memory: Memory, member: str) -> None:
    with pytest.raises(ValueError, match="published by somebody"):
        memory.unit_of_work().feature_policies.publish(replace(SECOND, **{member: None}))
