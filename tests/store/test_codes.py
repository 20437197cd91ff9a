"""Pushed requests and codes: stored as hashes, found with what stands behind them, used once."""

from datetime import timedelta

import pytest

from idp.store.encoding import hash_secret
from idp.store.writes import GateClosedError
from tests.support.protocol_builders import NOW, make_code, make_grant, make_link
from tests.support.stores import REQUEST, Memory, make_person, make_session

pytestmark = pytest.mark.anyio

URI = "urn:ietf:params:oauth:request_uri:abc"
LATER = NOW + timedelta(hours=12)


async def test_a_pushed_request_is_found_by_its_uri_and_used_once(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.codes.add_pushed_request(URI, REQUEST, NOW + timedelta(seconds=90))
    await uow.commit()
    found = await uow.codes.find_pushed_request(URI)
    assert found is not None
    assert (found.request, found.client_id, found.used_at) == (REQUEST, "network", None)
    assert found.expires_at == NOW + timedelta(seconds=90)
    assert await uow.codes.find_pushed_request(URI + "d") is None
    assert await memory.contains(URI) == []
    uow.codes.use_pushed_request(found.request_uri_hash, NOW)
    await uow.commit()
    uow.codes.use_pushed_request(found.request_uri_hash, LATER)
    with pytest.raises(GateClosedError, match="pushed_request_used"):
        await uow.commit()
    used = await uow.codes.find_pushed_request(URI)
    assert used is not None
    assert used.used_at == NOW


async def test_a_code_comes_back_with_its_grant_person_link_and_session(memory: Memory) -> None:
    person = make_person()
    await memory.add_people(person)
    uow = memory.unit_of_work()
    code = make_code(code_hash=hash_secret("code-1"))
    uow.account_links.add(make_link(), NOW)
    uow.sessions.add(make_session(), "cookie", LATER)
    uow.codes.add(code)
    await uow.commit()
    found = await uow.codes.find("code-1", NOW)
    assert found is not None
    assert found.code == code, "the grant lives longer than its code"
    assert found.backing.citizen == person.citizen
    assert found.backing.link == make_link()
    assert not found.backing.session_is_over
    assert await uow.codes.find("code-2", NOW) is None
    assert await memory.contains("code-1") == []


async def test_a_code_whose_session_ended_expired_or_never_was_says_so(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    uow.sessions.add(make_session("lives"), "a", LATER)
    uow.sessions.add(make_session("ended"), "b", LATER)
    uow.sessions.end("ended", NOW)
    await uow.commit()
    uow.sessions.end("ended", NOW)
    for session_id in ("lives", "ended", "never"):
        grant = make_grant(session_id=session_id, link_id=None)
        uow.codes.add(make_code(code_hash=hash_secret(session_id), grant=grant))
    await uow.commit()

    async def is_over(session_id: str, *, at: timedelta = timedelta(0)) -> bool:
        found = await uow.codes.find(session_id, NOW + at)
        assert found is not None
        assert found.backing.link is None
        return found.backing.session_is_over

    assert not await is_over("lives")
    assert await is_over("lives", at=timedelta(hours=12))
    assert await is_over("ended")
    assert await is_over("never")


async def test_rfc6749_4_1_2_a_code_is_consumed_once(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    code = make_code(code_hash=hash_secret("code-1"))
    uow.codes.add(code)
    await uow.commit()
    uow.codes.consume(code, NOW)
    uow.grants.add(code.grant)
    await uow.commit()
    uow.codes.consume(code, LATER)
    uow.grants.add(make_grant(grant_id="of the second"))
    with pytest.raises(GateClosedError, match="code_consumed"):
        await uow.commit()
    found = await uow.codes.find("code-1", NOW)
    assert found is not None
    assert found.code.consumed_at == NOW
    assert await uow.grants.find("grant-1", NOW) is not None
    assert await uow.grants.find("of the second", NOW) is None
