"""Requests answered on another device, on both engines: polled, claimed, decided and consumed once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.protocol.decoupled_request import DecoupledRequest, Kind, State
from idp.store.backchannel_requests import POLL_GATE, USER_CODE_INDEX, Notification
from idp.store.encoding import hash_secret
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.protocol_builders import make_grant
from tests.support.stores import NOW, REQUEST, Memory, make_consent, make_person, make_session

pytestmark = pytest.mark.anyio
SECOND = timedelta(seconds=1)
INTERVAL = 5 * SECOND
PING = Notification("the-auth-req-id", "the-notification-token")


def make_request(secret: str = "the-id", **changes: Any) -> DecoupledRequest:
    request = DecoupledRequest(
        request_hash=hash_secret(secret),
        kind=Kind.CIBA,
        asked=replace(REQUEST, redirect_uri=""),
        interval=INTERVAL,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        citizen_id="citizen-1",
        binding_message="Đơn hàng 1234",
    )
    return replace(request, **changes)


async def added(memory: Memory, request: DecoupledRequest, **options: Any) -> DecoupledRequest:
    uow = memory.unit_of_work()
    uow.backchannel_requests.add(request, **options)
    await uow.commit()
    return request


async def outcome(record: Callable[[Any], None], memory: Memory) -> str:
    """The gate that closed, or nothing."""
    uow = memory.unit_of_work()
    record(uow.backchannel_requests)
    try:
        await uow.commit()
    except GateClosedError as closed:
        return closed.gate
    return ""


async def race(memory: Memory, *records: Callable[[Any], None]) -> list[str]:
    return list(await asyncio.gather(*(outcome(record, memory) for record in records)))


async def found(memory: Memory, secret: str = "the-id") -> DecoupledRequest:
    request = await memory.unit_of_work().backchannel_requests.find(secret)
    assert request is not None
    return request


async def test_a_request_comes_back_as_it_was_given_and_its_secrets_lie_hashed_or_sealed(
    memory: Memory,
) -> None:
    request = await added(memory, make_request(), user_code="BCDFGHJK", notification=PING)
    store = memory.unit_of_work().backchannel_requests
    assert await store.find("the-id") == request
    assert await store.find_by_hash(request.request_hash) == request
    assert await store.find_by_user_code("BCDFGHJK") == request
    assert await store.notification_of(request) == PING
    assert await store.find("another") is None
    assert await store.find_by_user_code("BCDFGHJL") is None
    for secret in ("the-id", "BCDFGHJK", PING.auth_req_id, PING.client_notification_token):
        assert await memory.contains(secret) == []


async def test_a_person_sees_what_is_open_and_theirs_newest_first(memory: Memory) -> None:
    await added(memory, make_request("old"))
    await added(memory, make_request("new", created_at=NOW + SECOND))
    await added(memory, make_request("over", expires_at=NOW + SECOND))
    await added(memory, make_request("other", citizen_id="citizen-2"))
    await added(memory, make_request("nobodys", citizen_id=None, kind=Kind.DEVICE))
    await added(memory, make_request("answered"))
    assert await outcome(lambda store: store.deny(make_request("answered"), NOW), memory) == ""
    store = memory.unit_of_work().backchannel_requests
    listed = await store.open_of("citizen-1", NOW + SECOND, 10)
    assert [each.request_hash for each in listed] == [hash_secret("new"), hash_secret("old")]
    assert len(await store.open_of("citizen-1", NOW, 1)) == 1


async def test_two_devices_never_show_one_code(memory: Memory) -> None:
    await added(memory, make_request("one", citizen_id=None), user_code="BCDFGHJK")
    with pytest.raises(UniquenessError) as refused:
        await added(memory, make_request("two", citizen_id=None), user_code="BCDFGHJK")
    assert refused.value.index == USER_CODE_INDEX


async def test_of_many_workers_that_are_asked_at_once_one_answers_and_the_others_say_slow_down(
    memory: Memory,
) -> None:
    request = await added(memory, make_request())
    asked = await race(memory, *([lambda store: store.poll(request, NOW)] * 20))
    assert sorted(asked) == [""] + [POLL_GATE] * 19


async def test_the_interval_counts_from_the_last_question_that_was_answered(memory: Memory) -> None:
    request = await added(memory, make_request())

    async def asked(seconds: float) -> str:
        return await outcome(lambda store: store.poll(request, NOW + timedelta(seconds=seconds)), memory)

    # A second is let go by, for what was longer under way the time before.
    assert [await asked(at) for at in (0, 1, 3.9, 4, 7.9, 9)] == ["", POLL_GATE, POLL_GATE, "", POLL_GATE, ""]


async def test_a_devices_request_is_whose_who_claims_it_first(memory: Memory) -> None:
    request = await added(memory, make_request(citizen_id=None, kind=Kind.DEVICE))

    def claim(citizen_id: str) -> Callable[[Any], None]:
        return lambda store: store.claim(request, citizen_id, NOW)

    claims = await race(memory, *(claim(f"citizen-{number}") for number in range(10)))
    assert sorted(claims) == [""] + ["backchannel_request_claimed"] * 9
    assert (await found(memory)).citizen_id == f"citizen-{claims.index('')}"
    late = await added(memory, make_request("late", citizen_id=None, expires_at=NOW))
    assert await outcome(lambda store: store.claim(late, "citizen-1", NOW), memory)


async def test_a_request_is_decided_once_by_its_person_and_in_time(memory: Memory) -> None:
    request = await added(memory, make_request(), notification=PING)
    grant = make_grant(link_id=None)
    stranger = replace(request, citizen_id="citizen-2")
    decided = "backchannel_request_decided"
    assert await outcome(lambda store: store.approve(stranger, grant, NOW), memory) == decided
    assert await outcome(lambda store: store.deny(request, request.expires_at), memory) == decided
    answers = await race(
        memory,
        *([lambda store: store.approve(request, grant, NOW)] * 5),
        *([lambda store: store.deny(request, NOW)] * 5),
    )
    assert sorted(answers) == [""] + [decided] * 9
    after = await found(memory)
    is_approved = answers.index("") < 5
    assert after.state is (State.APPROVED if is_approved else State.DENIED)
    assert after.grant == (grant if is_approved else None)
    assert after.decided_at == NOW
    assert await memory.unit_of_work().backchannel_requests.notification_of(request) is None
    assert await outcome(lambda store: store.poll(request, NOW), memory) == POLL_GATE


async def test_what_was_granted_is_fetched_once(memory: Memory) -> None:
    request = await added(memory, make_request())
    consumed = "backchannel_request_consumed"
    assert await outcome(lambda store: store.consume(request, NOW), memory) == consumed
    grant = make_grant(link_id=None)
    assert await outcome(lambda store: store.approve(request, grant, NOW), memory) == ""
    fetched = await race(memory, *([lambda store: store.consume(request, NOW)] * 10))
    assert sorted(fetched) == [""] + [consumed] * 9
    assert (await found(memory)).consumed_at == NOW


async def test_a_grant_that_nobody_fetched_yet_knows_what_stands_behind_it(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    uow.sessions.add(make_session(), "cookie", NOW + timedelta(hours=1))
    uow.consents.add(make_consent())
    await uow.commit()
    grant = make_grant(link_id=None)

    async def backing(**changes: Any) -> Any:
        store = memory.unit_of_work().backchannel_requests
        return await store.backing_of(replace(grant, **changes), NOW)

    stands = await backing()
    assert (stands.citizen.citizen_id, stands.link) == ("citizen-1", None)
    assert (stands.session_is_over, stands.is_consent_withdrawn) == (False, False)
    assert (await backing(session_id="gone")).session_is_over
    assert await backing(citizen_id="nobody") is None
    uow = memory.unit_of_work()
    uow.consents.withdraw("citizen-1", "network", NOW)
    await uow.commit()
    assert (await backing()).is_consent_withdrawn


async def test_a_subject_is_found_while_a_grant_of_it_lives(memory: Memory) -> None:
    await memory.add_people(make_person())
    uow = memory.unit_of_work()
    uow.consents.add(make_consent())
    grant = make_grant(link_id=None)
    uow.grants.add(grant)
    await uow.commit()

    async def holder(subject: str = grant.subject, now: Any = NOW) -> str | None:
        return await memory.unit_of_work().grants.find_holder(subject, now)

    assert await holder() == "citizen-1"
    assert await holder("another") is None
    assert await holder(now=grant.expires_at) is None
    await _and_then(memory, lambda uow: uow.consents.withdraw("citizen-1", "network", NOW))
    assert await holder() is None


async def test_a_revoked_grant_finds_nobody(memory: Memory) -> None:
    await memory.add_people(make_person())
    await _and_then(memory, lambda uow: uow.grants.add(make_grant(link_id=None, consent_id=None)))
    assert await memory.unit_of_work().grants.find_holder("pairwise-subject", NOW) == "citizen-1"
    await _and_then(memory, lambda uow: uow.grants.revoke("grant-1", "test", NOW))
    assert await memory.unit_of_work().grants.find_holder("pairwise-subject", NOW) is None


async def _and_then(memory: Memory, record: Callable[[Any], None]) -> None:
    uow = memory.unit_of_work()
    record(uow)
    committing: Awaitable[None] = uow.commit()
    await committing
