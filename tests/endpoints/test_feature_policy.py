"""The policy document over HTTP: the same for everybody, cached by anybody, every version readable."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from idp.identity.feature_policy import DEFAULT, Requirement
from idp.identity.policy_versions import PolicyVersion
from idp.protocol.feature_policy_document import feature_policy_document, instant
from idp.store.oversight_tables import feature_policies
from idp.store.writes import Insert, Remove
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio
PATH = "/account-links/policy"
VERSION = feature_policies.c.version


async def publish(provider: Provider, effective_at: datetime, **requirements: Requirement) -> int:
    """Publish a version as an operator does, and take it over as the process does within a second."""
    uow = provider.unit_of_work()
    version = await uow.feature_policies.latest() + 1
    policy = replace(DEFAULT, features={**DEFAULT.features, **requirements})
    uow.feature_policies.publish(PolicyVersion(version, policy, effective_at, provider.clock.now, "nga"))
    await uow.commit()
    await provider.context.feature_policy.refresh(provider.clock.now)
    return version


async def fetched(provider: Provider, query: str = "") -> Mapping[str, Any]:
    async with provider.http() as http:
        answer = await http.get(PATH + query)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


async def test_everybody_may_read_it_without_a_token(provider: Provider) -> None:
    document = await fetched(provider, "?version=1")
    assert document == {
        "version": 1,
        "effective_at": "2026-09-27T17:00:00Z",
    } | feature_policy_document(DEFAULT)
    assert document["features"]["livestream_commerce"]["min_proofing"] == "vn2"
    assert document["deadlines"]["domestic"]["consequence"] == "restrict"


async def test_a_cache_may_keep_it_and_ask_whether_it_changed(provider: Provider) -> None:
    async with provider.http() as http:
        first = await http.get(PATH)
        assert first.headers["cache-control"] == "public, max-age=300"
        again = await http.get(PATH, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        await publish(provider, provider.clock.now, post=Requirement(max_age=timedelta(hours=1)))
        changed = await http.get(PATH, headers={"If-None-Match": first.headers["etag"]})
        assert changed.status_code == 200
        assert changed.json()["features"]["post"]["max_age"] == 3600
        head = await http.head(PATH)
        assert (head.status_code, head.headers["etag"]) == (200, changed.headers["etag"])


async def test_what_is_published_for_later_is_announced_and_then_holds(provider: Provider) -> None:
    before = provider.context.feature_policy.version
    effective_at = provider.clock.now + timedelta(days=1)
    version = await publish(provider, effective_at, share=Requirement(max_age=timedelta(minutes=5)))
    document = await fetched(provider)
    assert document["version"] == before
    assert document["next"] == {"version": version, "effective_at": instant(effective_at)}
    assert (await fetched(provider, f"?version={version}"))["features"]["share"]["max_age"] == 300
    await provider.context.feature_policy.refresh(effective_at)
    document = await fetched(provider)
    assert document["version"] == version
    assert "next" not in document
    await provider.context.feature_policy.refresh(provider.clock.now)


@pytest.mark.parametrize("version", ["0", "999999", "-1", "1.0", "٢", "x", "", "9" * 400])
async def test_a_version_that_there_is_not_is_not_found(provider: Provider, version: str) -> None:
    async with provider.http() as http:
        answer = await http.get(PATH, params={"version": version})
    # An empty parameter counts as none (RFC 6749 §3.1).
    assert answer.status_code == (200 if not version else 404)
    if version:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_only_reading_is_offered(provider: Provider) -> None:
    async with provider.http() as http:
        assert (await http.post(PATH)).status_code == 405
        assert (await http.get(PATH + "/")).status_code == 404


async def test_a_version_of_a_newer_program_leaves_in_force_what_was(provider: Provider) -> None:
    insert = Insert("newer", feature_policies, tuple(column.name for column in feature_policies.columns))
    before, uow = await fetched(provider), provider.unit_of_work()
    number = await uow.feature_policies.latest() + 1
    content = '{"features":{"post":{"min_moon":3}}}'
    uow.record(insert, version=number, document=content, published_by="x", effective_at=1, published_at=1)
    await uow.commit()
    with pytest.raises(ValueError, match=r"features\.post\.min_moon is no member"):
        await provider.context.feature_policy.refresh(provider.clock.now)
    assert await fetched(provider) == before
    uow = provider.unit_of_work()
    uow.record(Remove("newer_gone", feature_policies, lambda bind: bind("id") == VERSION), id=number)
    await uow.commit()
    await provider.context.feature_policy.refresh(provider.clock.now)


async def test_a_link_names_the_version_under_which_it_was_made(provider: Provider) -> None:
    platform = await new_platform(provider)
    person = await provider.add_person()
    version = await publish(provider, provider.clock.now)
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person)
    link_id = tokens["authorization_details"][0]["link_id"]
    link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    assert link.policy_version == version
