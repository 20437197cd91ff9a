"""Grants, refresh tokens and spent values: single use, families that end, namespaces that keep apart."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.model import ClaimsRequest, RequestedClaim, VerifiedClaimsRequest
from idp.store.encoding import hash_secret
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.protocol_builders import NOW, make_grant, make_link, make_refresh_token
from tests.support.stores import Memory, make_person, make_session

pytestmark = pytest.mark.anyio

CLAIMS = ClaimsRequest(
    id_token={"name": RequestedClaim(essential=True, purpose="để chào")},
    userinfo={"email": RequestedClaim(values=("a", "b"))},
    verified_in_id_token=(VerifiedClaimsRequest({"age_over_16": RequestedClaim(value=True)}),),
)


async def test_a_grant_comes_back_with_all_that_was_agreed_to(memory: Memory) -> None:
    person, grant = make_person(), make_grant(claims=CLAIMS, scope=frozenset({"openid", "email"}))
    bare = make_grant(grant_id="bare", nonce=None, consent_id=None, link_id=None)
    await memory.add_people(person)
    uow = memory.unit_of_work()
    uow.account_links.add(make_link(), NOW)
    uow.sessions.add(make_session(), "cookie", NOW + timedelta(hours=12))
    uow.grants.add(grant)
    uow.grants.add(bare)
    await uow.commit()
    found = await uow.grants.find("grant-1", NOW)
    assert found is not None
    assert (found.grant, found.backing.citizen, found.backing.link) == (grant, person.citizen, make_link())
    assert not found.backing.session_is_over
    found = await uow.grants.find("bare", NOW)
    assert found is not None
    assert (found.grant, found.backing.link) == (bare, None)
    assert await uow.grants.find("nothing", NOW) is None


async def test_a_refresh_token_is_found_by_its_hash_and_consumed_once(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    token = make_refresh_token(token_hash=hash_secret("token-1"))
    uow.grants.add(make_grant())
    uow.grants.add_refresh_token(token)
    await uow.commit()
    found = await uow.grants.find_refresh_token("token-1", NOW)
    assert found is not None
    assert (found.token, found.grant) == (token, make_grant())
    assert await uow.grants.find_refresh_token("token-2", NOW) is None
    assert await memory.contains("token-1") == []
    for successor in ("token-2", "token-3"):
        uow.grants.consume_refresh_token(token, NOW)
        uow.grants.add_refresh_token(replace(token, token_hash=hash_secret(successor), generation=2))
        if successor == "token-2":
            await uow.commit()
    with pytest.raises(GateClosedError, match="refresh_token_consumed"):
        await uow.commit()
    first = await uow.grants.find_refresh_token("token-1", NOW)
    second = await uow.grants.find_refresh_token("token-2", NOW)
    assert first is not None
    assert second is not None
    assert (first.token.consumed_at, second.token.consumed_at, second.token.generation) == (NOW, None, 2)
    assert await uow.grants.find_refresh_token("token-3", NOW) is None


async def test_a_grant_is_revoked_with_its_first_reason(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    uow.grants.add(make_grant())
    uow.grants.add(make_grant(grant_id="other", session_id="session-2"))
    await uow.commit()
    uow.grants.revoke("grant-1", "replayed", NOW)
    uow.grants.revoke("nothing", "replayed", NOW)
    await uow.commit()
    uow.grants.revoke("grant-1", "later", NOW + timedelta(1))
    await uow.commit()
    rows = {
        row["grant_id"]: (row["revoked_at"], row["revoked_because"])
        for row in (await memory.everything())["grants"]
    }
    assert rows["other"] == (None, None)
    assert rows["grant-1"][1] == "replayed"
    found = await uow.grants.find("grant-1", NOW)
    assert found is not None
    assert found.grant.revoked_at == NOW


async def test_abuse_6_a_value_is_spent_once_for_each_purpose(memory: Memory) -> None:
    uow = memory.unit_of_work()
    outcomes = []
    for purpose, value in (
        ("client_assertion", "network\x00jti"),
        ("request_object", "network\x00jti"),
        ("client_assertion", "network\x00jti-2"),
        ("client_assertion", "network\x00jti"),
    ):
        uow.grants.spend(purpose, value, NOW)
        try:
            await uow.commit()
            outcomes.append("spent now")
        except GateClosedError as closed:
            outcomes.append(closed.gate)
    assert outcomes == ["spent now", "spent now", "spent now", "spent"]
    assert await memory.contains("jti") == []


async def test_a_grant_id_is_given_once(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.grants.add(make_grant())
    uow.grants.add_refresh_token(make_refresh_token())
    await uow.commit()
    before = await memory.everything()
    uow.grants.add_refresh_token(make_refresh_token(token_hash=b"2"))
    uow.grants.add(make_grant(client_id="other"))
    with pytest.raises(UniquenessError) as refused:
        await uow.commit()
    assert refused.value.index == "pk_grants"
    uow.grants.add_refresh_token(make_refresh_token())
    with pytest.raises(UniquenessError) as refused:
        await uow.commit()
    assert refused.value.index == "pk_refresh_tokens"
    assert await memory.everything() == before
