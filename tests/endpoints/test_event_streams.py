"""Event streams over HTTP: created, read, changed, ended; told of subjects; verified. SSF 1.0 §8.1."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from idp.endpoints import event_stream_subjects
from idp.protocol.event_stream import ChangedBy, StreamStatus
from idp.protocol.security_events import SESSION_REVOKED, own_event, supported_events
from idp.store.tables import audit_events
from tests.support.provider import ISSUER, Provider
from tests.support.receiver_of_events import (
    ADD,
    POLL_METHOD,
    PUSH_METHOD,
    REMOVE,
    STATUS,
    STREAMS,
    VERIFY,
    ReceiverOfEvents,
)

pytestmark = pytest.mark.anyio

ENDED = own_event(ISSUER, "account-link-ended")


async def test_a_stream_is_created_read_and_ended(provider: Provider) -> None:
    """SSF-01, SSF-04, SSF-05."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        assert (await receiver.ask("GET", STREAMS)).json() == []
        push = {
            "method": PUSH_METHOD,
            "endpoint_url": receiver.endpoint,
            "authorization_header": "Bearer s3cret",
        }
        created = await receiver.create(delivery=push, events_requested=[ENDED, "urn:x"], description="Spam")
        stream_id = created["stream_id"]
        assert created == {
            "stream_id": stream_id,
            "iss": ISSUER,
            "aud": receiver.client_id,
            "delivery": {"method": PUSH_METHOD, "endpoint_url": receiver.endpoint},
            "events_supported": list(supported_events(ISSUER)),
            "events_requested": [ENDED, "urn:x"],
            "events_delivered": [ENDED],
            "min_verification_interval": 30,
            "description": "Spam",
        }
        one = await receiver.ask("GET", f"{STREAMS}?stream_id={stream_id}")
        assert (one.status_code, one.json(), one.headers["cache-control"]) == (200, created, "no-store")
        assert (await receiver.ask("GET", STREAMS)).json() == [created]
        ended = await receiver.ask("DELETE", f"{STREAMS}?stream_id={stream_id}")
        assert (ended.status_code, ended.content) == (204, b"")
        assert (await receiver.ask("GET", f"{STREAMS}?stream_id={stream_id}")).status_code == 404
        assert (await receiver.ask("DELETE", f"{STREAMS}?stream_id={stream_id}")).status_code == 404
        assert (await receiver.ask("GET", STREAMS)).json() == []
    events = await provider.context.database.fetch_all(
        select(audit_events).where(audit_events.c.client_id == receiver.client_id), {}
    )
    types = [row["type"] for row in events if row["type"].startswith("event_stream")]
    assert types == ["event_stream:created", "event_stream:deleted"]
    assert all("s3cret" not in str(row["details"]) for row in events)


async def test_a_client_has_one_stream(provider: Provider) -> None:
    """SSF-02, SSF §8.1.1.1."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        first = await receiver.create()
        assert first["delivery"]["method"] == POLL_METHOD
        again = await receiver.ask("POST", STREAMS, json={})
        assert again.status_code == 409
        assert again.headers["content-type"] == "application/problem+json"
        await receiver.ask("DELETE", f"{STREAMS}?stream_id={first['stream_id']}")
        assert (await receiver.create())["stream_id"] != first["stream_id"]


async def test_a_stream_is_changed_and_replaced(provider: Provider) -> None:
    """SSF-04: PATCH leaves what is not named, PUT takes it away."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        created = await receiver.create(events_requested=[ENDED], description="old")
        named = {"stream_id": created["stream_id"]}
        patched = await receiver.ask("PATCH", STREAMS, json=named | {"events_requested": [SESSION_REVOKED]})
        assert patched.status_code == 200
        assert patched.json() == created | {
            "events_requested": [SESSION_REVOKED],
            "events_delivered": [SESSION_REVOKED],
        }
        push = {"method": PUSH_METHOD, "endpoint_url": receiver.endpoint}
        replaced = await receiver.ask("PUT", STREAMS, json=named | {"delivery": push})
        assert replaced.status_code == 200
        assert "description" not in replaced.json()
        assert replaced.json()["events_delivered"] == created["events_supported"]
        assert replaced.json()["delivery"] == push
        back = await receiver.ask("PUT", STREAMS, json=replaced.json() | {"description": "new"})
        assert back.json() == replaced.json() | {"description": "new"}, "what was read may be sent back"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", STREAMS, "{"),
        ("POST", STREAMS, "[]"),
        ("POST", STREAMS, '{"delivery": 1}'),
        ("POST", STREAMS, '{"description": "a", "description": "b"}'),
        ("POST", STREAMS, b"\xff"),
        ("POST", STREAMS, '{"description": "' + "a" * 70000 + '"}'),
        (
            "POST",
            STREAMS,
            '{"delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "http://10.0.0.1/"}}',
        ),
        ("PATCH", STREAMS, "{}"),
        ("PATCH", STREAMS, '{"stream_id": "ID", "aud": "another"}'),
        ("PATCH", STREAMS, '{"stream_id": "ID", "events_requested": {}}'),
        ("PUT", STREAMS, '{"stream_id": "ID"}'),
        ("PUT", STREAMS, "null"),
        ("DELETE", STREAMS, ""),
        ("GET", STATUS, ""),
        ("POST", STATUS, '{"stream_id": "ID", "status": "off"}'),
        ("POST", STATUS, '{"status": "paused"}'),
        ("POST", ADD, '{"stream_id": "ID"}'),
        ("POST", ADD, '{"stream_id": "ID", "subject": {"format": "iss_sub"}}'),
        ("POST", REMOVE, '{"stream_id": "ID", "subject": []}'),
        ("POST", VERIFY, '{"stream_id": "ID", "state": 1}'),
        ("POST", VERIFY, "x"),
        ("POST", "/ssf/poll/ID", "x"),
        ("POST", "/ssf/poll/ID", '{"maxEvents": -1}'),
        ("POST", "/ssf/poll/ID", '{"ack": "a"}'),
    ],
)
async def test_what_cannot_be_understood_is_a_problem(
    provider: Provider, method: str, path: str, body: str | bytes
) -> None:
    """SSF-02, SSF-03: 400, and the stream stays as it was."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        created = await receiver.create() if "ID" in f"{path}{body!r}" or method != "POST" else None
        if created is not None and isinstance(body, str):
            body, path = (text.replace("ID", created["stream_id"]) for text in (body, path))
        answer = await receiver.ask(method, path, content=body)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 400
        listed = (await receiver.ask("GET", STREAMS)).json()
        assert listed == ([] if created is None else [created])


async def test_its_status_is_read_and_changed(provider: Provider) -> None:
    """SSF-06."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        address = f"{STATUS}?stream_id={stream_id}"
        assert (await receiver.ask("GET", address)).json() == {"stream_id": stream_id, "status": "enabled"}
        for wanted in (
            {"status": "paused", "reason": "maintenance"},
            {"status": "disabled"},
            {"status": "enabled"},
        ):
            answer = await receiver.ask("POST", STATUS, json={"stream_id": stream_id} | wanted)
            assert (answer.status_code, answer.json()) == (200, {"stream_id": stream_id} | wanted)
            assert (await receiver.ask("GET", address)).json() == answer.json()


async def test_subjects_are_removed_and_added_and_nobody_is_told_apart(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSF-07; SSF §9.1: whether a subject exists is not said."""
    monkeypatch.setattr(event_stream_subjects, "MOST_REMOVED_SUBJECTS", 2)
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]

        async def told(path: str, subject: dict[str, Any]) -> int:
            members = {"stream_id": stream_id, "subject": subject, "verified": True}
            answer = await receiver.ask("POST", path, json=members)
            assert (answer.content == b"") is (answer.status_code in {200, 204})
            return answer.status_code

        unknown = {"format": "email", "email": "lan@rp.example"}
        for subject in (receiver.subject("lan"), receiver.subject("nobody"), unknown):
            assert await told(REMOVE, subject) == 204
        assert await told(REMOVE, receiver.subject("one-too-many")) == 403
        streams = provider.unit_of_work().event_streams
        assert await streams.removed(stream_id, ["lan", "mai"]) == {"lan"}
        for subject in (receiver.subject("lan"), receiver.subject("mai"), unknown):
            assert await told(ADD, subject) == 200
        assert await streams.removed(stream_id, ["lan"]) == frozenset()


async def test_a_verification_is_asked_for_once_in_an_interval(provider: Provider) -> None:
    """SSF-08; SSF §8.1.4.2: 429 with the time to wait."""
    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        members = {"stream_id": stream_id, "state": "my state"}
        first = await receiver.ask("POST", VERIFY, json=members)
        assert (first.status_code, first.content) == (204, b"")
        provider.clock.advance(seconds=10)
        early = await receiver.ask("POST", VERIFY, json=members)
        assert (early.status_code, early.headers["retry-after"]) == (429, "20")
        provider.clock.advance(seconds=20)
        assert (await receiver.ask("POST", VERIFY, json={"stream_id": stream_id})).status_code == 204
        await receiver.ask("POST", STATUS, json={"stream_id": stream_id, "status": "disabled"})
        provider.clock.advance(seconds=31)
        assert (await receiver.ask("POST", VERIFY, json=members)).status_code == 400


async def test_what_an_operator_stopped_the_receiver_cannot_let_go_on(provider: Provider) -> None:

    async with provider.http() as http:
        receiver = await ReceiverOfEvents.registered(provider, http)
        stream_id = (await receiver.create())["stream_id"]
        uow = provider.unit_of_work()
        stream = await uow.event_streams.find(stream_id)
        assert stream is not None
        stopped = replace(stream, status=StreamStatus.PAUSED, changed_by=ChangedBy.TRANSMITTER)
        uow.event_streams.change(stream, stopped)
        await uow.commit()
        answer = await receiver.ask("POST", STATUS, json={"stream_id": stream_id, "status": "enabled"})
        assert answer.status_code == 403
        gone = await receiver.ask("DELETE", f"{STREAMS}?stream_id={stream_id}")
        assert gone.status_code == 403, "a new one in its place would go on"
        assert (await receiver.ask("GET", f"{STATUS}?stream_id={stream_id}")).json()["status"] == "paused"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_what_is_no_endpoint_is_said_to_machines(provider: Provider, method: str) -> None:
    async with provider.http() as http:
        for path in ("/ssf", "/ssf/", "/ssf/nothing", "/ssf/poll", "/ssf/streams/x"):
            answer = await http.request(method, path)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("application/")
