"""An event stream: what a receiver asked to be told, where, and whether it is told now. Pure.

Shared Signals Framework (SSF) 1.0 §8.1.1 (configuration), §8.1.2 (status), §8.1.3 (subjects). A client has
one stream at most. Every subject is part of it until the receiver removes it (`default_subjects` is ALL).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from idp.protocol.security_events import STREAM_UPDATED, VERIFICATION, supported_events

MIN_VERIFICATION_INTERVAL = timedelta(seconds=30)
"""§8.1.1 `min_verification_interval`: a verification asked for sooner is answered 429."""

ABOUT_STREAMS = frozenset({VERIFICATION, STREAM_UPDATED})
"""§8.1.4, §8.1.5: sent whether they were asked for or not; a stream is always one of its own subjects."""


class DeliveryMethod(StrEnum):
    """How events reach the receiver: SSF §7.1 `delivery_methods_supported`."""

    PUSH = "urn:ietf:rfc:8935"
    POLL = "urn:ietf:rfc:8936"


class StreamStatus(StrEnum):
    """SSF §8.1.2.1."""

    ENABLED = "enabled"
    PAUSED = "paused"
    """Nothing is sent; what happens meanwhile waits as long as any delivery does (`delivery_schedule`)."""
    DISABLED = "disabled"
    """Nothing is sent, and nothing is held."""


class ChangedBy(StrEnum):
    """Who gave a stream its status."""

    RECEIVER = "receiver"
    TRANSMITTER = "transmitter"
    """An operator; the receiver cannot undo it."""


@dataclass(frozen=True, slots=True)
class EventStream:
    """A stream as it stands; the receiver's part is what it sent last."""

    stream_id: str
    client_id: str
    method: DeliveryMethod
    endpoint_url: str | None
    """Where events are pushed to; None where they are polled for."""
    events_requested: tuple[str, ...] | None
    """As sent, unknown ones too; None: whatever is supported."""
    created_at: datetime
    updated_at: datetime
    authorization_header: str | None = field(default=None, repr=False)
    """Sent with every push, exactly so; never shown to anybody."""
    description: str | None = None
    status: StreamStatus = StreamStatus.ENABLED
    reason: str | None = None
    """Why it has this status, in the words of whoever set it."""
    changed_by: ChangedBy = ChangedBy.RECEIVER
    revision: int = 1
    verified_at: datetime | None = None
    """When its receiver last asked for a verification."""

    def events_delivered(self, issuer: str) -> tuple[str, ...]:
        """Return what is told on it: the events that were asked for and exist."""
        supported = supported_events(issuer)
        if self.events_requested is None:
            return supported
        return tuple(event for event in supported if event in self.events_requested)


def poll_endpoint(issuer: str, stream_id: str) -> str:
    """Return where a receiver fetches its events: RFC 8936 §2; one address a stream (SSF §6.1.2)."""
    return f"{issuer}/ssf/poll/{stream_id}"


def configuration(stream: EventStream, issuer: str) -> dict[str, Any]:
    """Return the stream's configuration: SSF §8.1.1. What authorizes a push is not part of it."""
    endpoint = stream.endpoint_url or poll_endpoint(issuer, stream.stream_id)
    shown: dict[str, Any] = {
        "stream_id": stream.stream_id,
        "iss": issuer,
        "aud": stream.client_id,
        "delivery": {"method": stream.method.value, "endpoint_url": endpoint},
        "events_supported": list(supported_events(issuer)),
        "events_delivered": list(stream.events_delivered(issuer)),
        "min_verification_interval": int(MIN_VERIFICATION_INTERVAL.total_seconds()),
    }
    if stream.events_requested is not None:
        shown["events_requested"] = list(stream.events_requested)
    if stream.description is not None:
        shown["description"] = stream.description
    return shown


def status_members(stream: EventStream) -> dict[str, str]:
    """Return the stream's status: SSF §8.1.2.1."""
    shown = {"stream_id": stream.stream_id, "status": stream.status.value}
    return shown if stream.reason is None else shown | {"reason": stream.reason}


def is_wanted(stream: EventStream, event: str, issuer: str, *, is_removed: bool = False) -> bool:
    """Tell whether an event belongs on the stream, now or when it goes on.

    `is_removed` says whether its receiver removed the subject (SSF §8.1.3.3).
    """
    if event in ABOUT_STREAMS:
        return event == STREAM_UPDATED or stream.status is not StreamStatus.DISABLED
    if stream.status is StreamStatus.DISABLED or is_removed:
        return False
    return event in stream.events_delivered(issuer)


def may_send(stream: EventStream, event: str) -> bool:
    """Tell whether an event may leave now. SSF §8.1.5: that a stream stops is said though it has stopped."""
    return stream.status is StreamStatus.ENABLED or event == STREAM_UPDATED


def may_verify_again(stream: EventStream, now: datetime) -> bool:
    """SSF §8.1.4.2: tell whether the minimum interval since the last request is over."""
    return stream.verified_at is None or now - stream.verified_at >= MIN_VERIFICATION_INTERVAL
