"""Fetching events over HTTP: RFC 8936. At least once, in order for each subject, gone when acknowledged."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from idp.endpoints import event_stream_poll
from idp.protocol.security_events import SecurityEvent, own_event, pairwise_subject, stream_updated_event
from idp.store.set_deliveries import delivery_of
from tests.support.provider import ISSUER, Provider
from tests.support.receiver_of_events import PUSH_METHOD, STATUS, STREAMS, VERIFY, ReceiverOfEvents

pytestmark = pytest.mark.anyio

ENDED = own_event(ISSUER, "account-link-ended")


def ended(sub: str) -> SecurityEvent:
    return SecurityEvent(ENDED, pairwise_subject(ISSUER, sub), {"link_id": f"link of {sub}"})


async def happened(provider: Provider, receiver: ReceiverOfEvents, *events: SecurityEvent) -> list[str]:
    """Record events for a receiver, one after the other; return their `jti`."""
    uow = provider.unit_of_work()
    deliveries = [
        delivery_of(
            receiver.client_id,
            event,
            provider.clock.now + timedelta(microseconds=number),
            txn=f"cause-{number}",
        )
        for number, event in enumerate(events)
    ]
    uow.outbox.add_many(deliveries)
    await uow.commit()
    provider.clock.advance(seconds=1)
    return [delivery.delivery_id for delivery in deliveries]


async def claims_of(http: httpx.AsyncClient, token: str) -> dict[str, Any]:
    """Verify a SET with the published keys."""
    keys = jwt.PyJWKSet.from_dict((await http.get("/jwks")).json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "secevent+jwt"
    options: Any = {"verify_aud": False, "verify_iat": False}
    claims: dict[str, Any] = jwt.decode(token, keys[header["kid"]], [header["alg"]], options=options)
    return claims


async def test_a_set_is_told_until_it_is_acknowledged(provider: Provider) -> None:
    """SSF-09, SSF-11: the same `jti` each time, and never again afterwards."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        assert await receiver.poll(stream_id) == {"sets": {}}
        [jti] = await happened(provider, receiver, ended("lan"))
        first, again = await receiver.poll(stream_id), await receiver.poll(stream_id)
        assert first.keys() == again.keys() == {"sets"}
        assert first["sets"].keys() == again["sets"].keys() == {jti}
        claims = await claims_of(http, first["sets"][jti])
        assert claims == {
            "iss": ISSUER,
            "aud": receiver.client_id,
            "iat": int(provider.clock.now.timestamp()),
            "jti": jti,
            "txn": "cause-0",
            "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "lan"},
            "events": {ENDED: {"link_id": "link of lan"}},
        }
        assert await receiver.poll(stream_id, ack=[jti, "unknown"], maxEvents=0) == {"sets": {}}
        assert await receiver.poll(stream_id) == {"sets": {}}
    kept = await provider.unit_of_work().outbox.find(jti)
    assert kept is not None
    assert kept.delivered_at == provider.clock.now


async def test_what_a_receiver_cannot_take_is_parked_and_holds_nobody_up(provider: Provider) -> None:
    """RFC 8936 §2.4.4: an operator sees the code; the words beside it are a stranger's."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        first, second = await happened(provider, receiver, ended("lan"), ended("lan"))
        assert (await receiver.poll(stream_id))["sets"].keys() == {first}
        errors = {first: {"err": "invalid_key", "description": "<script>"}}
        told = await receiver.poll(stream_id, setErrs=errors)
        assert told["sets"].keys() == {second}
    kept = await provider.unit_of_work().outbox.find(first)
    assert kept is not None
    assert kept.parked_at is not None
    assert kept.last_failure == "the receiver refused it: invalid_key"


async def test_events_of_one_subject_come_one_after_the_other(provider: Provider) -> None:
    """The answer to a poll has no order, so it never holds two of one subject."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        jtis = await happened(provider, receiver, ended("lan"), ended("mai"), ended("lan"), ended("an"))
        told = await receiver.poll(stream_id)
        assert set(told["sets"]) == {jtis[0], jtis[1], jtis[3]}
        told = await receiver.poll(stream_id, ack=list(told["sets"]))
        assert set(told["sets"]) == {jtis[2]}


async def test_as_many_as_are_asked_for_and_a_word_that_there_are_more(provider: Provider) -> None:
    """RFC 8936 §2.2, §2.3: the oldest first."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        jtis = await happened(provider, receiver, *(ended(f"person-{number}") for number in range(12)))
        told = await receiver.poll(stream_id, maxEvents=5)
        assert (set(told["sets"]), told["moreAvailable"]) == (set(jtis[:5]), True)
        told = await receiver.poll(stream_id, maxEvents=5, ack=jtis[:5])
        assert (set(told["sets"]), told["moreAvailable"]) == (set(jtis[5:10]), True)
        told = await receiver.poll(stream_id, ack=jtis[5:10])
        assert told.keys() == {"sets"}
        assert set(told["sets"]) == set(jtis[10:])


async def test_two_polls_at_once_lose_nothing(provider: Provider) -> None:
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        jtis = await happened(provider, receiver, *(ended(f"person-{number}") for number in range(30)))
        got: set[str] = set()

        async def fetch() -> None:
            ack: list[str] = []
            while True:
                told = await receiver.poll(stream_id, ack=ack, maxEvents=4)
                ack = list(told["sets"])
                if not ack:
                    return
                got.update(ack)

        await asyncio.gather(fetch(), fetch(), fetch())
        assert got == set(jtis)
        assert await receiver.poll(stream_id) == {"sets": {}}


async def test_a_poll_waits_for_an_event_and_not_for_ever(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8936 §2.2: unless `returnImmediately` is true. The time here is the machine's own."""
    monkeypatch.setattr(event_stream_poll, "LOOK_EVERY", 0.02)
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        waiting = asyncio.create_task(receiver.poll(stream_id, returnImmediately=False))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert provider.context.waiting_polls[receiver.client_id] == 1
        [jti] = await happened(provider, receiver, ended("lan"))
        assert (await waiting)["sets"].keys() == {jti}
        monkeypatch.setattr(event_stream_poll, "WAIT_SECONDS", 0.1)
        assert await receiver.poll(stream_id, returnImmediately=False, ack=[jti]) == {"sets": {}}
    assert receiver.client_id not in provider.context.waiting_polls


async def test_only_so_many_polls_wait(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Abuse class 25: the others are answered as if their time were over."""
    monkeypatch.setattr(event_stream_poll, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(event_stream_poll, "WAITING_EACH", 1)
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        waiting = asyncio.create_task(receiver.poll(stream_id, returnImmediately=False))
        await asyncio.sleep(0.1)
        assert await receiver.poll(stream_id, returnImmediately=False) == {"sets": {}}
        await happened(provider, receiver, ended("lan"))
        assert len((await waiting)["sets"]) == 1


async def test_a_poll_that_waits_learns_that_its_stream_is_gone(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream_poll, "LOOK_EVERY", 0.02)
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        waiting = asyncio.create_task(receiver.ask("POST", f"/ssf/poll/{stream_id}", json={}))
        await asyncio.sleep(0.1)
        await receiver.ask("DELETE", f"{STREAMS}?stream_id={stream_id}")
        assert (await waiting).status_code == 404


async def test_a_paused_stream_holds_what_happens_and_tells_it_later(provider: Provider) -> None:
    """SSF §8.1.2.1; of a stopped stream only that it stopped: §8.1.5."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        await receiver.ask("POST", STATUS, json={"stream_id": stream_id, "status": "paused"})
        held, told_of = await happened(
            provider, receiver, ended("lan"), stream_updated_event(stream_id, "paused")
        )
        assert (await receiver.poll(stream_id))["sets"].keys() == {told_of}
        await receiver.ask("POST", STATUS, json={"stream_id": stream_id, "status": "enabled"})
        assert (await receiver.poll(stream_id, ack=[told_of]))["sets"].keys() == {held}


@pytest.mark.parametrize("how", ["disabled", "deleted"])
async def test_what_waits_on_a_stream_that_ends_is_never_told(provider: Provider, how: str) -> None:
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        other = await ReceiverOfEvents.registered(provider, http)
        stream_id, others = [(await each.create())["stream_id"] for each in (receiver, other)]
        [lost] = await happened(provider, receiver, ended("lan"))
        [kept] = await happened(provider, other, ended("lan"))
        if how == "disabled":
            for status in ("disabled", "enabled"):
                await receiver.ask("POST", STATUS, json={"stream_id": stream_id, "status": status})
        else:
            await receiver.ask("DELETE", f"{STREAMS}?stream_id={stream_id}")
            stream_id = (await receiver.create())["stream_id"]
        assert await receiver.poll(stream_id) == {"sets": {}}
        assert await provider.unit_of_work().outbox.find(lost) is None
        assert (await other.poll(others))["sets"].keys() == {kept}


async def test_a_verification_arrives_with_its_state(provider: Provider) -> None:
    """SSF-08: the stream is its subject; without a state there is none."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create(events_requested=["urn:nothing"]))["stream_id"]
        for sent in ({"state": "Trạng thái 1"}, {}):
            await receiver.ask("POST", VERIFY, json={"stream_id": stream_id} | sent)
            [(jti, token)] = (await receiver.poll(stream_id))["sets"].items()
            claims = await claims_of(http, token)
            assert claims["sub_id"] == {"format": "opaque", "id": stream_id}
            verification = "https://schemas.openid.net/secevent/ssf/event-type/verification"
            assert claims["events"] == {verification: sent}
            assert not {"sub", "exp"} & claims.keys()
            await receiver.poll(stream_id, ack=[jti], maxEvents=0)
            provider.clock.advance(seconds=31)


async def test_what_is_pushed_is_not_polled_for(provider: Provider) -> None:
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        push = {"method": PUSH_METHOD, "endpoint_url": receiver.endpoint}
        stream_id = (await receiver.create(delivery=push))["stream_id"]
        answer = await receiver.ask("POST", f"/ssf/poll/{stream_id}", json={})
        assert answer.status_code == 400
