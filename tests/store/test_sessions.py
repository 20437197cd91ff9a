"""Sessions: found by the hash of their cookie, lifted under a new one, and over when they ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.assurance import Acr, AuthenticationContext
from idp.store.sessions import SEEN_EVERY
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.stores import NOW, Memory, make_consent, make_person, make_session

pytestmark = pytest.mark.anyio
LATER = NOW + timedelta(hours=12)


async def signed_in(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    uow.sessions.add(make_session(), "cookie-1", LATER)
    await uow.commit()


async def test_a_session_comes_back_with_its_person_and_the_cookie_is_nowhere(memory: Memory) -> None:
    person = make_person()
    await memory.add_people(person)
    uow = memory.unit_of_work()
    uow.sessions.add(make_session(), "cookie-1", LATER)
    await uow.commit()
    found = await uow.sessions.find("cookie-1")
    assert found is not None
    assert (found.session, found.citizen, found.consent) == (make_session(), person.citizen, None)
    assert await uow.sessions.find("cookie-2") is None
    assert await memory.contains("cookie-1") == []


async def test_the_latest_consent_for_the_client_comes_along(memory: Memory) -> None:
    await signed_in(memory)
    await memory.add_people(make_person("citizen-2"))
    uow = memory.unit_of_work()
    latest = make_consent(consent_id="latest", decided_at=NOW + timedelta(seconds=1))
    for consent in (
        latest,
        make_consent(consent_id="former"),
        make_consent(consent_id="refused", decision="deny", decided_at=NOW + timedelta(seconds=2)),
        make_consent(consent_id="elsewhere", client_id="other", decided_at=NOW + timedelta(seconds=3)),
        make_consent(consent_id="anothers", citizen_id="citizen-2", decided_at=NOW + timedelta(seconds=3)),
    ):
        uow.consents.add(consent)
    await uow.commit()
    found = await uow.sessions.find_with_consent("cookie-1", "network", None)
    assert found is not None
    assert found.consent == latest
    without = await uow.sessions.find_with_consent("cookie-1", "nobody", None)
    assert without is not None
    assert without.consent is None
    assert await uow.sessions.find_with_consent("cookie-2", "network", None) is None
    uow.consents.withdraw("citizen-1", "network", LATER)
    await uow.commit()
    after = await uow.sessions.find_with_consent("cookie-1", "network", None)
    assert after is not None
    assert after.consent == replace(latest, withdrawn_at=LATER), "as such, so that the reason can be named"


async def test_abuse_15_a_lifted_session_has_another_cookie_and_is_lifted_from_the_present_one(
    memory: Memory,
) -> None:
    await signed_in(memory)
    uow = memory.unit_of_work()
    context = AuthenticationContext(Acr.VN_1, ("pwd",), NOW + timedelta(minutes=1))
    lifted = replace(make_session(), context=context, last_seen_at=NOW + timedelta(minutes=1))
    uow.sessions.lift(lifted, "cookie-1", "cookie-2")
    await uow.commit()
    assert await uow.sessions.find("cookie-1") is None
    found = await uow.sessions.find("cookie-2")
    assert found is not None
    assert found.session == lifted
    uow.sessions.lift(lifted, "cookie-1", "cookie-3")
    with pytest.raises(GateClosedError, match="session_lifted"):
        await uow.commit()
    assert await uow.sessions.find("cookie-3") is None


async def test_an_ended_session_is_not_lifted_and_keeps_the_time_of_its_end(memory: Memory) -> None:
    await signed_in(memory)
    uow = memory.unit_of_work()
    uow.sessions.end("session-1", NOW)
    await uow.commit()
    uow.sessions.end("session-1", LATER)
    uow.sessions.end_of_citizen("citizen-1", LATER)
    await uow.commit()
    found = await uow.sessions.find("cookie-1")
    assert found is not None
    assert found.session.ended_at == NOW
    uow.sessions.lift(make_session(), "cookie-1", "cookie-2")
    with pytest.raises(GateClosedError, match="session_lifted"):
        await uow.commit()


async def test_all_sessions_of_one_person_end_and_nobody_elses(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    uow = memory.unit_of_work()
    uow.sessions.add(make_session("a"), "a", LATER)
    uow.sessions.add(make_session("b"), "b", LATER)
    uow.sessions.add(make_session("c", citizen_id="citizen-2"), "c", LATER)
    await uow.commit()
    uow.sessions.end_of_citizen("citizen-1", NOW)
    await uow.commit()
    ends = {}
    for cookie in "abc":
        found = await uow.sessions.find(cookie)
        assert found is not None
        ends[cookie] = found.session.ended_at
    assert ends == {"a": NOW, "b": NOW, "c": None}


async def test_a_session_in_use_is_written_down_once_a_minute(memory: Memory) -> None:
    await signed_in(memory)
    uow = memory.unit_of_work()
    commits = memory.database.statistics.commits
    uow.sessions.seen(make_session(), NOW + SEEN_EVERY - timedelta(microseconds=1))
    await uow.commit()
    assert memory.database.statistics.commits == commits, "nothing was written"
    uow.sessions.seen(make_session(), NOW + SEEN_EVERY)
    await uow.commit()
    found = await uow.sessions.find("cookie-1")
    assert found is not None
    assert found.session.last_seen_at == NOW + SEEN_EVERY


async def test_a_cookie_belongs_to_one_session(memory: Memory) -> None:
    await signed_in(memory)
    uow = memory.unit_of_work()
    uow.sessions.add(make_session("session-2"), "cookie-1", LATER)
    with pytest.raises(UniquenessError) as refused:
        await uow.commit()
    assert refused.value.index == "uq_sessions_cookie_hash"
