"""What a receiver may ask of its stream, and what is refused. SSF 1.0 §8.1; abuse class 13."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.protocol.event_stream import ChangedBy, DeliveryMethod, EventStream, StreamStatus
from idp.protocol.event_stream_request import (
    MAX_AUTHORIZATION_HEADER,
    MAX_EVENTS,
    MAX_STATE,
    EventStreamRequestError,
    StatusChange,
    StatusNotAllowedError,
    read_new_stream,
    read_replacement,
    read_state,
    read_status,
    read_stream_id,
    read_subject,
    read_update,
    with_status,
)
from idp.protocol.model import Client
from idp.protocol.security_events import SESSION_REVOKED
from tests.support.event_streams import ENDED, ISSUER, NOW, make_stream

CLIENT = Client(
    client_id="network",
    client_name="Quán Cóc",
    redirect_uris=("https://rp.example/callback",),
    token_endpoint_auth_method="private_key_jwt",
    sector="rp.example",
    backchannel_logout_uri="https://hooks.rp.example/logout",
    profile_hosts=frozenset({"people.rp.example"}),
)
LATER = NOW + timedelta(minutes=1)
PUSH = {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://rp.example/events"}


def new(**members: Any) -> EventStream:
    return read_new_stream(members, CLIENT, stream_id="stream-1", now=NOW)


def updated(stream: EventStream, **members: Any) -> EventStream:
    return read_update(members, stream, CLIENT, ISSUER, LATER)


def test_without_a_wish_it_is_polled_for() -> None:
    """SSF §8.1.1.1: without `delivery` the method is poll."""
    stream = new()
    assert (stream.method, stream.endpoint_url) == (DeliveryMethod.POLL, None)
    assert (stream.status, stream.events_requested) == (StreamStatus.ENABLED, None)
    polled = {"method": "urn:ietf:rfc:8936", "endpoint_url": None}
    assert new(delivery=polled, unknown={"a": 1}, stream_id="mine", iss="x") == stream


def test_it_is_read_as_it_was_sent() -> None:
    stream = new(
        delivery=PUSH | {"authorization_header": "Bearer s3cret"},
        events_requested=[ENDED, "urn:x", ENDED],
        description="d" * 300,
    )
    assert (stream.method, stream.endpoint_url) == (DeliveryMethod.PUSH, "https://rp.example/events")
    assert stream.authorization_header == "Bearer s3cret"
    assert stream.events_requested == (ENDED, "urn:x")
    assert stream.description == "d" * 200, "SSF §8.1.1: it may be cut"


@pytest.mark.parametrize(
    "members",
    [
        {"delivery": None},
        {"delivery": []},
        {"delivery": {}},
        {"delivery": {"method": 1}},
        {"delivery": {"method": "urn:ietf:rfc:0000"}},
        {"delivery": {"method": "urn:ietf:rfc:8935"}},
        {"delivery": PUSH | {"endpoint_url": ["https://rp.example"]}},
        {"delivery": PUSH | {"authorization_header": ""}},
        {"delivery": PUSH | {"authorization_header": "Bearer a\r\nHost: evil.example"}},
        {"delivery": PUSH | {"authorization_header": "Bearer \u0111"}},
        {"delivery": PUSH | {"authorization_header": " Bearer a"}},
        {"delivery": PUSH | {"authorization_header": "a" * (MAX_AUTHORIZATION_HEADER + 1)}},
        {"delivery": PUSH | {"authorization_header": 7}},
        {"events_requested": []},
        {"events_requested": "all"},
        {"events_requested": [1]},
        {"events_requested": [""]},
        {"events_requested": ["urn:x"] * (MAX_EVENTS + 1)},
        {"events_requested": ["u" * 501]},
        {"description": 5},
        {"description": "a\u0000b"},
        {"description": "\u202e"},
    ],
)
def test_what_is_not_understood_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(EventStreamRequestError):
        new(**members)


@pytest.mark.parametrize(
    "uri",
    [
        "http://rp.example/events",
        "https://rp.example@evil.example/",
        "https://evil.example/events",
        "https://sub.rp.example/events",
        "https://rp.example.evil.example/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://0x7f000001/",
        "https://rp.example/../admin",
        "https://rp.example/#fragment",
        "ftp://rp.example/",
        "//rp.example/events",
        "",
    ],
)
def test_events_are_pushed_to_a_host_of_the_client_alone(uri: str) -> None:
    """Abuse class 13: where a name leads is checked when it is called; where it may point, here."""
    with pytest.raises(EventStreamRequestError):
        new(delivery=PUSH | {"endpoint_url": uri})


@pytest.mark.parametrize(
    "uri",
    [
        "https://hooks.rp.example/events?stream=1",
        "https://people.rp.example:8443/",
        "https://localhost:9443/events",
        "http://127.0.0.1:9000/events",
    ],
)
def test_every_host_it_is_registered_with_will_do(uri: str) -> None:
    assert new(delivery=PUSH | {"endpoint_url": uri}).endpoint_url == uri


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    """SSF §8.1.1.3."""
    stream = make_stream(description="old")
    assert updated(stream) == replace(stream, updated_at=LATER)
    after = updated(stream, events_requested=[SESSION_REVOKED])
    assert after == replace(stream, events_requested=(SESSION_REVOKED,), updated_at=LATER)
    assert updated(stream, description="new").description == "new"


def test_a_replacement_takes_away_what_it_lacks() -> None:
    """SSF §8.1.1.4; `delivery` is required, so it cannot be taken away."""
    stream = make_stream(description="old")
    after = read_replacement({"delivery": PUSH}, stream, CLIENT, ISSUER, LATER)
    assert (after.events_requested, after.description) == (None, None)
    assert after.stream_id == stream.stream_id
    with pytest.raises(EventStreamRequestError):
        read_replacement({"events_requested": [ENDED]}, stream, CLIENT, ISSUER, LATER)


def test_what_we_say_may_come_back_only_as_it_is() -> None:
    """SSF §8.1.1.3: a Transmitter-Supplied property must match; `events_delivered` as it was before."""
    stream = make_stream()
    fits = {
        "stream_id": "stream-1",
        "iss": ISSUER,
        "aud": ["network"],
        "events_delivered": [SESSION_REVOKED, ENDED],
        "min_verification_interval": 30,
    }
    assert updated(stream, **fits, events_requested=[ENDED]).events_requested == (ENDED,)
    for name, wrong in {
        "iss": "https://evil.example",
        "aud": ["network", "other"],
        "events_delivered": [ENDED],
        "events_supported": {},
        "min_verification_interval": 0,
    }.items():
        with pytest.raises(EventStreamRequestError, match=name):
            updated(stream, **{name: wrong})


def test_what_authorizes_a_push_stays_with_its_address_and_never_follows_to_another() -> None:
    stream = make_stream()
    assert updated(stream, delivery=PUSH).authorization_header == stream.authorization_header
    elsewhere = updated(stream, delivery=PUSH | {"endpoint_url": "https://rp.example/other"})
    assert elsewhere.authorization_header is None
    assert updated(stream, delivery=PUSH | {"authorization_header": None}).authorization_header is None
    polled = updated(stream, delivery={"method": "urn:ietf:rfc:8936"})
    assert (polled.method, polled.endpoint_url, polled.authorization_header) == (
        DeliveryMethod.POLL,
        None,
        None,
    )


def test_the_address_for_polling_is_ours_to_give() -> None:
    stream = make_stream(method=DeliveryMethod.POLL, endpoint_url=None, authorization_header=None)
    ours = {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{ISSUER}/ssf/poll/stream-1"}
    assert updated(stream, delivery=ours) == replace(stream, updated_at=LATER)
    with pytest.raises(EventStreamRequestError):
        updated(stream, delivery=ours | {"endpoint_url": f"{ISSUER}/ssf/poll/another"})


def test_a_stream_is_named_by_a_string() -> None:
    assert read_stream_id({"stream_id": "stream-1"}) == "stream-1"
    wrongs: list[dict[str, Any]] = [{}, {"stream_id": ""}, {"stream_id": 1}, {"stream_id": ["stream-1"]}]
    for wrong in wrongs:
        with pytest.raises(EventStreamRequestError):
            read_stream_id(wrong)


def test_a_status_is_one_of_three() -> None:
    """SSF §8.1.2.2."""
    assert read_status({"status": "paused"}) == StatusChange(StreamStatus.PAUSED, None)
    assert read_status({"status": "disabled", "reason": "why"}).reason == "why"
    wrongs: list[dict[str, Any]] = [{}, {"status": "on"}, {"status": []}, {"status": "paused", "reason": 1}]
    for wrong in wrongs:
        with pytest.raises(EventStreamRequestError):
            read_status(wrong)


def test_what_an_operator_stopped_its_receiver_cannot_let_go_on() -> None:
    stopped = with_status(
        make_stream(), StatusChange(StreamStatus.PAUSED, "abuse"), ChangedBy.TRANSMITTER, LATER
    )
    assert (stopped.status, stopped.reason) == (StreamStatus.PAUSED, "abuse")
    with pytest.raises(StatusNotAllowedError):
        with_status(stopped, StatusChange(StreamStatus.ENABLED, None), ChangedBy.RECEIVER, LATER)
    disabled = with_status(stopped, StatusChange(StreamStatus.DISABLED, None), ChangedBy.RECEIVER, LATER)
    for status in (StreamStatus.ENABLED, StreamStatus.PAUSED):
        with pytest.raises(StatusNotAllowedError):
            with_status(disabled, StatusChange(status, None), ChangedBy.RECEIVER, LATER)
    enabled = with_status(disabled, StatusChange(StreamStatus.ENABLED, None), ChangedBy.TRANSMITTER, LATER)
    paused = with_status(enabled, StatusChange(StreamStatus.PAUSED, None), ChangedBy.RECEIVER, LATER)
    assert with_status(
        paused, StatusChange(StreamStatus.ENABLED, None), ChangedBy.RECEIVER, LATER
    ).status is (StreamStatus.ENABLED)


def test_a_subject_is_known_by_the_sub_of_its_id_tokens() -> None:
    """RFC 9493 §3.2.3; SSF §9.1: what can name nobody is not told apart from what does not."""
    subject = {"format": "iss_sub", "iss": ISSUER, "sub": "pairwise"}
    assert read_subject({"subject": subject, "verified": True}, ISSUER) == "pairwise"
    for nobody in (
        {"format": "email", "email": "lan@rp.example"},
        {"format": "phone_number", "phone_number": "+84000000001"},
        {"format": "complex", "user": subject},
        {"format": "of our own"},
        subject | {"iss": "https://other.example"},
        subject | {"sub": "x" * 256},
        subject | {"sub": "a\u0000"},
        subject | {"sub": "ă"},
    ):
        assert read_subject({"subject": nobody}, ISSUER) is None


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"subject": "pairwise"},
        {"subject": {}},
        {"subject": {"format": 1}},
        {"subject": {"format": "iss_sub", "iss": ISSUER}},
        {"subject": {"format": "iss_sub", "iss": ISSUER, "sub": ""}},
        {"subject": {"format": "email"}, "verified": "yes"},
    ],
)
def test_what_is_no_subject_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(EventStreamRequestError):
        read_subject(members, ISSUER)


def test_a_state_is_any_short_string() -> None:
    assert read_state({}) is None
    assert read_state({"state": "\u0000ă"}) == "\u0000ă"
    wrongs: list[Any] = [1, [], "x" * (MAX_STATE + 1)]
    for wrong in wrongs:
        with pytest.raises(EventStreamRequestError):
            read_state({"state": wrong})
