"""Security events from the change of a link to the receiver, on both engines. SSF 1.0, RFC 8417, RFC 8935."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.deliveries.outcomes import REFUSED_ATTEMPTS
from idp.identity.account_links import Status
from idp.identity.assurance import Proofing
from idp.identity.link_changes import ChangeKind
from idp.protocol.delivery_schedule import PAUSES
from idp.protocol.event_stream import StreamStatus
from idp.protocol.jose import verify_jws
from idp.protocol.security_events import (
    ACCOUNT_PURGED,
    ASSURANCE_LEVEL_CHANGE,
    CREDENTIAL_CHANGE,
    SESSION_REVOKED,
    own_event,
    stream_updated_event,
)
from idp.store.citizens import RegisteredCitizen
from idp.store.outbox_overview import State
from idp.store.person_changes import person_changed
from idp.store.set_deliveries import delivery_of
from tests.support.deliveries import delivered
from tests.support.event_links import (
    add_stream,
    change_stream,
    claims_in,
    events_at,
    follow,
    linked,
    moved,
    told,
)
from tests.support.platform import Platform
from tests.support.provider import Provider
from tests.support.receiver import Receiver, receiver
from tests.support.shared_provider import anyio_backend, new_platform, provider

__all__ = ["anyio_backend", "provider"]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hook(anyio_backend: str) -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        listening.status = "202 Accepted"
        yield listening


@pytest.fixture
async def platform(provider: Provider) -> Platform:
    return await new_platform(provider)


async def test_ssf_09_ssf_10_a_suspension_is_pushed_as_a_signed_set(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    client_id, issuer = platform.client.client_id, provider.context.issuer
    suspended = own_event(issuer, "account-link-suspended")
    await add_stream(
        provider, client_id, hook, events_requested=(suspended,), authorization_header="Bearer seen  so "
    )
    link = await linked(provider, await provider.add_person(), client_id)
    at = provider.clock.now
    after = await link.moved(Status.SUSPENDED)
    await told(provider)
    (request,) = hook.received
    assert (request.method, request.headers["content-type"]) == ("POST", "application/secevent+jwt")
    assert request.headers["authorization"] == "Bearer seen  so "
    verified = verify_jws(
        request.body.decode(),
        provider.context.published.verification_keys,
        algorithms=frozenset({platform.client.id_token_signed_response_alg}),
        typ="secevent+jwt",
    )
    claims = dict(verified.claims)
    jti, txn = claims.pop("jti"), claims.pop("txn")
    assert len(jti) >= 20
    assert len(txn) >= 20
    assert claims == {
        "iss": issuer,
        "aud": client_id,
        "iat": int(provider.clock.now.timestamp()),
        "sub_id": {"format": "iss_sub", "iss": issuer, "sub": after.subject},
        "events": {
            suspended: {
                "link_id": after.link_id,
                "account_id": after.account_id,
                "status": "suspended",
                "assurance_level": "vn2",
                "acr": f"{issuer}/acr/vn-2",
                "event_timestamp": int(at.timestamp()),
                "expires_at": int((at + timedelta(days=730)).timestamp()),
            }
        },
    }


async def test_without_a_configured_header_none_is_sent(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    await add_stream(provider, platform.client.client_id, hook)
    await linked(provider, await provider.add_person(), platform.client.client_id)
    await told(provider)
    assert events_at(hook) == ["account-link-established"]
    assert "authorization" not in hook.received[0].headers


async def test_the_life_of_a_link_is_told_in_order_with_what_it_means_for_the_person(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    await add_stream(provider, platform.client.client_id, hook)
    link = await linked(provider, await provider.add_person(), platform.client.client_id)
    for to in (Status.SUSPENDED, Status.ACTIVE, Status.LAPSED, Status.ENDED):
        await link.moved(to)
    await told(provider)
    assert events_at(hook) == [
        "account-link-established",
        "account-link-suspended",
        "account-disabled",
        "account-link-reinstated",
        "account-enabled",
        "account-link-lapsed",
        "account-link-ended",
        "account-purged",
    ]
    claims = [claims_in(received) for received in hook.received]
    assert len({each["jti"] for each in claims}) == len(claims)
    assert claims[1]["txn"] == claims[2]["txn"] != claims[3]["txn"], "one cause, one transaction"
    assert claims[7]["events"] == {ACCOUNT_PURGED: {}}


async def test_what_concerns_the_person_counts_all_their_links_at_that_moment(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    """Two links suspended in one commit: the person is disabled once, with the second of them."""
    client_id, person = platform.client.client_id, await provider.add_person()
    await add_stream(provider, client_id, hook)
    one, two = [await linked(provider, person, client_id, place) for place in (1, 2)]
    elsewhere = await new_platform(provider)
    await linked(provider, person, elsewhere.client.client_id)
    await told(provider)
    hook.received.clear()
    await moved([one, two], Status.SUSPENDED)
    for link, to in ((one, Status.ACTIVE), (two, Status.ENDED), (one, Status.ENDED)):
        provider.clock.advance(seconds=1)
        await link.moved(to)
    await told(provider)
    assert events_at(hook) == [
        "account-link-suspended",
        "account-link-suspended",
        "account-disabled",
        "account-link-reinstated",
        "account-enabled",
        "account-link-ended",
        "account-link-ended",
        "account-purged",
    ]


async def test_only_what_was_asked_for_and_of_subjects_that_are_wanted_is_told(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    client_id = platform.client.client_id
    stream = await add_stream(provider, client_id, hook, events_requested=(ACCOUNT_PURGED,))
    links = [await linked(provider, await provider.add_person(), client_id) for _ in range(3)]
    silent = links[0]
    uow = provider.unit_of_work()
    uow.event_streams.remove_subject(stream, (await silent.now()).subject, provider.clock.now)
    await uow.commit()
    for link in links:
        await link.moved(Status.ENDED)
    await told(provider)
    assert events_at(hook) == ["account-purged"] * 2


async def test_the_holders_new_level_reaches_the_link_and_its_platform(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    client_id, person = platform.client.client_id, await provider.add_person()
    await add_stream(provider, client_id, hook, events_requested=(ASSURANCE_LEVEL_CHANGE,))
    link = await linked(provider, person, client_id)
    uow = provider.unit_of_work()
    citizen = await uow.citizens.find(person.citizen_id)
    assert citizen is not None
    lower = replace(citizen, proofing=Proofing.VN1)
    uow.citizens.update_many([RegisteredCitizen(lower, person.personal_number)], provider.clock.now)
    uow.outbox.add(person_changed(person.citizen_id, [], provider.clock.now))
    await uow.commit()
    await told(provider)
    await told(provider)
    assert (await link.now()).proofing is Proofing.VN1
    (request,) = hook.received
    (told_of,) = claims_in(request)["events"].values()
    assert told_of.pop("event_timestamp") <= provider.clock.now.timestamp()
    assert told_of == {
        "namespace": f"{provider.context.issuer}/events/assurance-levels",
        "current_level": "vn1",
        "previous_level": "vn2",
        "change_direction": "decrease",
    }


async def test_ssf_12_a_changed_credential_is_told_where_the_person_is_linked(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    client_id, person = platform.client.client_id, await provider.add_person()
    await add_stream(provider, client_id, hook, events_requested=(CREDENTIAL_CHANGE,))
    await linked(provider, person, client_id)
    uow = provider.unit_of_work()
    uow.outbox.add(
        person_changed(person.citizen_id, [("password", "update"), ("app", "create")], provider.clock.now)
    )
    await uow.commit()
    await told(provider)
    told_of = [claims_in(request)["events"][CREDENTIAL_CHANGE] for request in hook.received]
    assert {(each["credential_type"], each["change_type"]) for each in told_of} == {
        ("password", "update"),
        ("app", "create"),
    }


async def test_ssf_12_a_session_that_ended_is_told_once_beside_the_logout(
    provider: Provider, hook: Receiver
) -> None:
    platform = await new_platform(provider, min_acr="vn-1")
    await add_stream(provider, platform.client.client_id, hook, events_requested=(SESSION_REVOKED,))
    person = await provider.add_person(has_totp=False)
    async with provider.http() as browser:
        await platform.tokens_for(browser, person, None)
    uow = provider.unit_of_work()
    uow.sessions.end_of_citizen(person.citizen_id, provider.clock.now)
    await uow.commit()
    await delivered(provider)
    await told(provider)
    (request,) = hook.received
    claims = claims_in(request)
    assert claims["events"].keys() == {SESSION_REVOKED}
    assert claims["sub_id"]["format"] == "iss_sub"


async def test_a_paused_stream_holds_what_happens_and_goes_on_in_order(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    client_id = platform.client.client_id
    stream = await add_stream(provider, client_id, hook, status=StreamStatus.PAUSED)
    link = await linked(provider, await provider.add_person(), client_id)
    await link.moved(Status.SUSPENDED)
    uow = provider.unit_of_work()
    uow.outbox.add(
        delivery_of(client_id, stream_updated_event(stream.stream_id, "paused"), provider.clock.now)
    )
    await uow.commit()
    await told(provider)
    assert events_at(hook) == ["stream-updated"], "that it stopped is said though it has stopped"
    await change_stream(provider, stream, status=StreamStatus.ENABLED)
    await told(provider)
    assert events_at(hook)[1:] == ["account-link-established", "account-link-suspended", "account-disabled"]


async def test_of_a_disabled_or_deleted_stream_nothing_is_sent_and_nothing_waits(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    client_id = platform.client.client_id
    stream = await add_stream(provider, client_id, hook)
    link = await linked(provider, await provider.add_person(), client_id)
    await follow(provider)
    await change_stream(provider, stream, status=StreamStatus.DISABLED)
    await link.moved(Status.SUSPENDED)
    await told(provider)
    assert hook.received == []
    overview = provider.unit_of_work().outbox_overview
    assert await overview.page(State.WAITING, client_id=client_id) == []


async def test_a_polled_stream_is_never_pushed(provider: Provider, platform: Platform) -> None:
    client_id = platform.client.client_id
    await add_stream(provider, client_id, None)
    await linked(provider, await provider.add_person(), client_id)
    await told(provider)
    (waiting,) = await provider.unit_of_work().outbox_overview.page(State.WAITING, client_id=client_id)
    assert waiting.attempts == 0


async def test_a_set_that_its_receiver_finds_wrong_is_parked_and_what_follows_goes_on(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    """RFC 8935 §2.4: the code is kept, the description is not."""
    client_id = platform.client.client_id
    await add_stream(provider, client_id, hook)
    link = await linked(provider, await provider.add_person(), client_id)
    hook.status, hook.headers = "400 Bad Request", {"Content-Type": "application/json"}
    hook.body = b'{"err":"invalid_audience","description":"Nguyen Thi Lan is not here"}'
    for pause in (timedelta(0), *PAUSES[: REFUSED_ATTEMPTS - 1]):
        provider.clock.now += pause * 1.3
        await told(provider)
    overview = provider.unit_of_work().outbox_overview
    (parked,) = await overview.page(State.PARKED, client_id=client_id)
    assert (parked.attempts, parked.last_failure) == (
        REFUSED_ATTEMPTS,
        "the answer was 400: invalid_audience",
    )
    hook.status, hook.body = "202 Accepted", b""
    hook.received.clear()
    await link.moved(Status.SUSPENDED)
    await told(provider)
    assert events_at(hook) == ["account-link-suspended", "account-disabled"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("400 Bad Request", b'{"err":"authentication_failed"}'),
        ("400 Bad Request", b'{"err":"Not A Code"}'),
        ("400 Bad Request", b"[1]"),
        ("400 Bad Request", b"<html>"),
        ("302 Found", b""),
        ("401 Unauthorized", b""),
        ("503 Service Unavailable", b""),
    ],
)
async def test_whatever_else_is_no_receipt_is_tried_again_with_the_same_jti(
    provider: Provider, platform: Platform, hook: Receiver, status: str, body: bytes
) -> None:
    await add_stream(provider, platform.client.client_id, hook)
    await linked(provider, await provider.add_person(), platform.client.client_id)
    hook.status, hook.body = status, body
    for pause in (timedelta(0), *PAUSES[:REFUSED_ATTEMPTS]):
        provider.clock.now += pause * 1.3
        await told(provider)
    hook.status = "202 Accepted"
    provider.clock.now += PAUSES[REFUSED_ATTEMPTS + 1] * 1.3
    await told(provider)
    claims = [claims_in(received) for received in hook.received]
    assert len(claims) == REFUSED_ATTEMPTS + 2
    assert len({each["jti"] for each in claims}) == 1
    assert claims[0]["iat"] < claims[-1]["iat"], "signed anew each time, for keys may have been rotated"


async def test_changes_are_placed_once_however_many_follow_them(
    provider: Provider, platform: Platform, hook: Receiver
) -> None:
    await add_stream(provider, platform.client.client_id, hook)
    link = await linked(provider, await provider.add_person(), platform.client.client_id)
    await link.moved(Status.SUSPENDED)
    assert await follow(provider) >= 2
    assert await follow(provider) == 0
    changes = await provider.unit_of_work().link_changes.of_client_since(platform.client.client_id, 0, 10)
    assert [change.kind for change in changes] == [ChangeKind.ESTABLISHED, ChangeKind.SUSPENDED]
    await told(provider)
    assert len(hook.received) == 3
