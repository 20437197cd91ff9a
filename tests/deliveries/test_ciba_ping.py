"""Pings from an answer to a real receiver, on both engines. CIBA Core 1.0 §10.2; CIBA-19, CIBA-20."""

import json
from collections.abc import AsyncIterator

import pytest

from idp.protocol.delivery_schedule import PAUSES
from idp.store.backchannel_requests import CIBA_PING
from idp.store.outbox_overview import State
from tests.support.decoupled import TOKEN, CIBAPlatform, answer_newest, ciba_platform, known_person
from tests.support.deliveries import delivered
from tests.support.provider import Person, Provider
from tests.support.receiver import Receiver, receiver
from tests.support.shared_provider import anyio_backend, provider

__all__ = ["anyio_backend", "provider"]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hook(anyio_backend: str) -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


async def pinged_platform(provider: Provider, hook: Receiver) -> CIBAPlatform:
    ping = {
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": hook.uri,
    }
    return await ciba_platform(provider, ping)


async def answered(
    ciba: CIBAPlatform, person: Person, decision: str = "allow", client_notification_token: str = TOKEN
) -> str:
    provider = ciba.provider
    async with provider.http() as http, provider.http() as phone:
        auth_req_id = await ciba.asked(http, person, client_notification_token=client_notification_token)
        await delivered(provider)
        await answer_newest(provider, phone, person, decision)
    return auth_req_id


async def fetched(ciba: CIBAPlatform, auth_req_id: str) -> int:
    async with ciba.provider.http() as http:
        return (await ciba.token(http, auth_req_id)).status_code


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_a_ping_says_that_there_is_an_answer_and_not_which(
    provider: Provider, hook: Receiver, decision: str
) -> None:
    """CIBA-19."""
    ciba = await pinged_platform(provider, hook)
    auth_req_id = await answered(ciba, await known_person(ciba), decision)
    await delivered(provider)
    (request,) = hook.received
    assert request.method == "POST"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"auth_req_id": auth_req_id}
    assert await fetched(ciba, auth_req_id) == (200 if decision == "allow" else 400)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("200 OK", b"thank you"),
        ("204 No Content", b""),
        ("401 Unauthorized", b""),
        ("403 Forbidden", b"{}"),
        ("404 Not Found", b""),
        ("301 Moved Permanently", b""),
    ],
    ids=lambda value: str(value)[:3],
)
async def test_whatever_a_client_answers_the_flow_lives_and_it_is_told_once(
    provider: Provider, hook: Receiver, status: str, body: bytes
) -> None:
    """CIBA-20: no redirect is followed, and who does not know its own token is not asked again."""
    ciba = await pinged_platform(provider, hook)
    hook.status, hook.body = status, body
    hook.headers = {"Location": hook.uri.replace("/hook", "/elsewhere")}
    auth_req_id = await answered(ciba, await known_person(ciba))
    for pause in PAUSES[:3]:
        await delivered(provider)
        provider.clock.advance(seconds=2 * pause.total_seconds())
    assert [request.path for request in hook.received] == ["/hook"]
    assert await fetched(ciba, auth_req_id) == 200


async def test_a_client_that_broke_is_told_again_until_the_request_is_over(
    provider: Provider, hook: Receiver
) -> None:
    ciba = await pinged_platform(provider, hook)
    hook.status = "503 Service Unavailable"
    await answered(ciba, await known_person(ciba))
    await delivered(provider)
    provider.clock.advance(seconds=30)
    await delivered(provider)
    tried = len(hook.received)
    assert tried > 1
    provider.clock.advance(minutes=5)
    await delivered(provider)
    assert len(hook.received) == tried
    waiting = await provider.unit_of_work().outbox_overview.page(State.WAITING, client_id=ciba.client_id)
    assert waiting == [], "it is over and done with"


async def test_a_client_that_polls_is_not_pinged(provider: Provider) -> None:
    ciba = await ciba_platform(provider)
    await answered(ciba, await known_person(ciba))
    assert await provider.unit_of_work().outbox_overview.page(client_id=ciba.client_id) == []


@pytest.mark.parametrize("token", [None, "", "two words", "ü", "x" * 1025, "a,b"], ids=lambda t: str(t)[:9])
async def test_a_ping_needs_a_token_of_its_client(
    provider: Provider, hook: Receiver, token: str | None
) -> None:
    """CIBA Core §7.1; 1024 characters are the most."""
    ciba = await pinged_platform(provider, hook)
    person = await known_person(ciba)
    async with provider.http() as http:
        answer = await ciba.ask(http, person, client_notification_token=token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        longest = await ciba.ask(http, person, client_notification_token="x" * 1024)
        assert longest.status_code == 200


async def test_the_token_and_the_id_lie_sealed_until_they_are_sent(
    provider: Provider, hook: Receiver
) -> None:
    ciba = await pinged_platform(provider, hook)
    auth_req_id = await answered(ciba, await known_person(ciba))
    (ping,) = await provider.unit_of_work().outbox_overview.page(client_id=ciba.client_id)
    assert ping.kind == CIBA_PING
    assert auth_req_id not in ping.delivery_id
    await delivered(provider)
    assert len(hook.received) == 1
