"""Event streams: what belongs on one, what may leave now, and what is shown of it. SSF 1.0 §8.1."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.event_stream import (
    MIN_VERIFICATION_INTERVAL,
    ChangedBy,
    DeliveryMethod,
    StreamStatus,
    configuration,
    is_wanted,
    may_send,
    may_verify_again,
    status_members,
)
from idp.protocol.security_events import (
    ACCOUNT_PURGED,
    SESSION_REVOKED,
    STREAM_UPDATED,
    VERIFICATION,
    supported_events,
)
from tests.support.event_streams import ENDED, ISSUER, NOW, make_stream


def test_what_is_delivered_was_asked_for_and_exists() -> None:
    """SSF §8.1.1: a subset of both; what is unknown is kept as it was sent, and ignored."""
    shown = configuration(make_stream(), ISSUER)
    assert shown["events_delivered"] == [ENDED, SESSION_REVOKED]
    assert shown["events_requested"] == [ENDED, SESSION_REVOKED, "urn:example:unknown"]
    assert shown["events_supported"] == list(supported_events(ISSUER))


def test_who_asks_for_nothing_in_particular_is_told_everything() -> None:
    shown = configuration(make_stream(events_requested=None), ISSUER)
    assert shown["events_delivered"] == shown["events_supported"]
    assert "events_requested" not in shown


def test_what_authorizes_a_push_is_never_shown() -> None:
    stream = make_stream(description="For moderation")
    shown = configuration(stream, ISSUER)
    assert shown["delivery"] == {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://rp.example/events"}
    assert "secret-of-the-receiver" not in f"{shown}{status_members(stream)}{stream!r}"
    assert (shown["iss"], shown["aud"], shown["description"]) == (ISSUER, "network", "For moderation")
    assert shown["min_verification_interval"] == 30


def test_a_polled_stream_has_an_address_of_its_own() -> None:
    """SSF §6.1.2: unique for each stream, and named by us."""
    shown = configuration(make_stream(method=DeliveryMethod.POLL, endpoint_url=None), ISSUER)
    assert shown["delivery"] == {
        "method": "urn:ietf:rfc:8936",
        "endpoint_url": f"{ISSUER}/ssf/poll/stream-1",
    }


@pytest.mark.parametrize("status", StreamStatus)
def test_its_status_says_whether_events_are_recorded_and_whether_they_leave(status: StreamStatus) -> None:
    """SSF §8.1.2.1: paused holds, disabled does not even that; §8.1.5: that it stopped is always said."""
    stream = make_stream(status=status)
    is_on = status is not StreamStatus.DISABLED
    assert is_wanted(stream, ENDED, ISSUER) is is_on
    assert is_wanted(stream, VERIFICATION, ISSUER) is is_on
    assert is_wanted(stream, STREAM_UPDATED, ISSUER)
    assert may_send(stream, ENDED) is (status is StreamStatus.ENABLED)
    assert may_send(stream, STREAM_UPDATED)


def test_neither_what_was_not_asked_for_nor_who_was_removed_is_told() -> None:
    stream = make_stream()
    assert not is_wanted(stream, ACCOUNT_PURGED, ISSUER)
    assert not is_wanted(stream, "urn:example:unknown", ISSUER)
    assert not is_wanted(stream, ENDED, ISSUER, is_removed=True)
    assert is_wanted(stream, VERIFICATION, ISSUER, is_removed=True), "the stream is always its own subject"


def test_a_verification_is_asked_for_once_in_an_interval() -> None:
    assert may_verify_again(make_stream(), NOW)
    asked = make_stream(verified_at=NOW)
    almost = NOW + MIN_VERIFICATION_INTERVAL - timedelta(microseconds=1)
    assert not may_verify_again(asked, almost)
    assert may_verify_again(asked, NOW + MIN_VERIFICATION_INTERVAL)


def test_a_status_is_shown_with_the_reason_that_was_given() -> None:
    stream = make_stream(status=StreamStatus.PAUSED)
    assert status_members(stream) == {"stream_id": "stream-1", "status": "paused"}
    stopped = replace(stream, reason="maintenance", changed_by=ChangedBy.TRANSMITTER)
    assert status_members(stopped)["reason"] == "maintenance"
