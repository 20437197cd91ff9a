"""Abuse class 24: a client's stream, its events and subjects are nobody else's. Class 13: where pushes go."""

from typing import Any

import pytest

from idp.protocol.security_events import SecurityEvent, own_event, pairwise_subject
from idp.store.set_deliveries import delivery_of
from tests.support.provider import ISSUER, Provider
from tests.support.receiver_of_events import (
    ADD,
    METADATA,
    PUSH_METHOD,
    REMOVE,
    STATUS,
    STREAMS,
    VERIFY,
    ReceiverOfEvents,
)
from tests.support.shared_provider import new_platform, suspend_client

pytestmark = pytest.mark.anyio

SUBJECT = {"format": "iss_sub", "iss": ISSUER, "sub": "lan"}
ENDPOINTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", STREAMS + "?stream_id={id}", None),
    ("PATCH", STREAMS, {"description": "mine"}),
    ("PUT", STREAMS, {"delivery": {"method": "urn:ietf:rfc:8936"}}),
    ("DELETE", STREAMS + "?stream_id={id}", None),
    ("GET", STATUS + "?stream_id={id}", None),
    ("POST", STATUS, {"status": "disabled"}),
    ("POST", ADD, {"subject": SUBJECT}),
    ("POST", REMOVE, {"subject": SUBJECT}),
    ("POST", VERIFY, {"state": "x"}),
    ("POST", "/ssf/poll/{id}", {"returnImmediately": True}),
]
READING = frozenset({"GET", "/ssf/poll/{id}"})


async def asked(
    receiver: ReceiverOfEvents, endpoint: tuple[str, str, dict[str, Any] | None], stream_id: str, **more: Any
) -> tuple[int, bytes]:
    method, path, members = endpoint
    body = None if members is None else {"stream_id": stream_id} | members
    answer = await receiver.ask(method, path.replace("{id}", stream_id), json=body, **more)
    return answer.status_code, answer.content


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each[0]} {each[1]}")
async def test_another_clients_stream_looks_exactly_like_none(
    provider: Provider, endpoint: tuple[str, str, dict[str, Any] | None]
) -> None:
    """SSF-03; the stream of another stays as it was."""
    async with provider.http() as http:
        owner = await ReceiverOfEvents.registered(provider, http)
        stranger = await ReceiverOfEvents.registered(provider, http)
        created = await owner.create()
        foreign = await asked(stranger, endpoint, created["stream_id"])
        for unknown in ("unknown", "x" * 65, "ă", created["stream_id"] + "x"):
            assert await asked(stranger, endpoint, unknown) == foreign
        assert foreign[0] == 404
        await stranger.create()
        assert await asked(stranger, endpoint, created["stream_id"]) == foreign
        assert (await owner.ask("GET", STREAMS)).json() == [created]
        address = f"{STATUS}?stream_id={created['stream_id']}"
        assert (await owner.ask("GET", address)).json()["status"] == "enabled"
    assert await provider.unit_of_work().event_streams.count_removed(created["stream_id"]) == 0


async def test_nobody_acknowledges_or_refuses_what_is_for_another(provider: Provider) -> None:
    async with provider.http() as http:
        owner = await ReceiverOfEvents.registered(provider, http)
        stranger = await ReceiverOfEvents.registered(provider, http)
        owned, strangers = [(await each.create())["stream_id"] for each in (owner, stranger)]
        event = SecurityEvent(own_event(ISSUER, "account-link-ended"), pairwise_subject(ISSUER, "lan"), {})
        uow = provider.unit_of_work()
        delivery = delivery_of(owner.client_id, event, provider.clock.now)
        uow.outbox.add(delivery)
        await uow.commit()
        jti = delivery.delivery_id
        errors = {jti: {"err": "invalid_key"}}
        assert await stranger.poll(strangers, ack=[jti], setErrs=errors) == {"sets": {}}
        assert (await owner.poll(owned))["sets"].keys() == {jti}


@pytest.mark.parametrize(
    "endpoint", [*ENDPOINTS, ("POST", STREAMS, {})], ids=lambda each: f"{each[0]} {each[1]}"
)
async def test_every_endpoint_asks_for_a_token_and_its_scope(
    provider: Provider, endpoint: tuple[str, str, dict[str, Any] | None]
) -> None:
    """SSF-02, SSF-03, SSF-14: 401 without a good token, 403 without the scope, and RFC 6750 §3 says which."""
    method, path, _ = endpoint
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer no.good.token"}):
            answer = await receiver.ask(
                method, path.replace("{id}", stream_id), json={"stream_id": stream_id}, headers=headers
            )
            assert answer.status_code == 401
            assert "resource_metadata=" in answer.headers["www-authenticate"]
        other_scope = await receiver.own_token("account_links.manage")
        bearer = {"Authorization": f"Bearer {other_scope}"}
        assert (await asked(receiver, endpoint, stream_id, headers=bearer))[0] == 401, "another audience"
        reader = {"Authorization": f"Bearer {await receiver.own_token('ssf.read')}"}
        status, _ = await asked(receiver, endpoint, stream_id, headers=reader)
        assert status == (200 if READING & {method, path} else 403)


async def test_no_persons_token_opens_a_stream(provider: Provider) -> None:
    """Abuse class 10: the scopes are a client's own; nobody can grant them."""
    platform, person = await new_platform(provider, METADATA), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, scope="openid ssf.manage")
        assert "ssf" not in tokens["scope"]
        answer = await http.get(STREAMS, headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert answer.status_code == 403


async def test_a_token_for_streams_opens_nothing_else(provider: Provider) -> None:
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        for path in ("/userinfo", "/account-links/unknown"):
            assert (await receiver.ask("GET", path)).status_code == 401


async def test_a_client_that_is_suspended_is_told_nothing_more(provider: Provider) -> None:
    """Abuse class 17."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        await suspend_client(provider, receiver.client_id)
        for endpoint in ENDPOINTS:
            assert (await asked(receiver, endpoint, stream_id))[0] == 401


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.2/events",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://metadata.internal/",
        "https://evil.example/events",
        "https://rp.example@evil.example/",
        "http://evil.example/",
        "gopher://evil.example/",
        "https://2130706433/",
        "https://evil.example#rp.example",
        "https://evil.example\\@rp.example/",
    ],
)
async def test_events_are_pushed_to_no_stranger(provider: Provider, uri: str) -> None:
    """Abuse class 13: neither inward nor to a host that the client is not registered with."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        push = {"method": PUSH_METHOD, "endpoint_url": uri}
        assert (await receiver.ask("POST", STREAMS, json={"delivery": push})).status_code == 400
        stream_id = (await receiver.create())["stream_id"]
        for method in ("PATCH", "PUT"):
            changed = await receiver.ask(method, STREAMS, json={"stream_id": stream_id, "delivery": push})
            assert changed.status_code == 400
