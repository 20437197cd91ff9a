"""What a receiver asks of its event stream, read strictly. SSF 1.0 §8.1; RFC 9493 §3.2.3; abuse class 13.

Pure. Members that are not known are passed over: the framework grows. Those that are known must be what they
say. What only we may say (`iss`, `aud`, …) may be sent back to us as it stands, and not otherwise (§8.1.1.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from idp.identity.display_text import is_displayable
from idp.protocol.event_stream import (
    ChangedBy,
    DeliveryMethod,
    EventStream,
    StreamStatus,
    configuration,
    poll_endpoint,
)
from idp.protocol.metadata_reader import host_of
from idp.protocol.model import Client
from idp.protocol.web_uris import LOOPBACK_HOSTS, WebURIError, read_web_uri

MAX_EVENTS = 100
MAX_EVENT_LENGTH = 500
MAX_DESCRIPTION = 200
MAX_REASON = 200
MAX_STATE = 1024
MAX_AUTHORIZATION_HEADER = 2048
MAX_SUBJECT = 255

# RFC 9110 §5.5 without obs-text: what may stand in a field, and what can end neither it nor the request.
_FIELD_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")

_OURS = ("iss", "aud", "events_supported", "events_delivered", "min_verification_interval")
"""Transmitter-supplied members of a configuration, beside `stream_id` (SSF §8.1.1)."""


class EventStreamRequestError(ValueError):
    """The request cannot be followed: 400. The message says why."""


class StatusNotAllowedError(Exception):
    """An operator stopped the stream, and its receiver may not let it go on: 403."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A receiver's wish for a status: SSF §8.1.2.2."""

    status: StreamStatus
    reason: str | None


def read_stream_id(members: Mapping[str, Any]) -> str:
    """Return the stream that a request names. Raises EventStreamRequestError."""
    stream_id = members.get("stream_id")
    if not isinstance(stream_id, str) or not stream_id:
        raise EventStreamRequestError("stream_id is required, a string")
    return stream_id


def read_new_stream(
    members: Mapping[str, Any], client: Client, *, stream_id: str, now: datetime
) -> EventStream:
    """Return the stream that a request creates: SSF §8.1.1.1. Raises EventStreamRequestError.

    Without `delivery` it is polled for.
    """
    blank = EventStream(
        stream_id=stream_id,
        client_id=client.client_id,
        method=DeliveryMethod.POLL,
        endpoint_url=None,
        events_requested=_read_events(members),
        created_at=now,
        updated_at=now,
        description=_read_text(members, "description", MAX_DESCRIPTION),
    )
    return _with_delivery(blank, members["delivery"], client, None) if "delivery" in members else blank


def read_update(
    members: Mapping[str, Any], stream: EventStream, client: Client, issuer: str, now: datetime
) -> EventStream:
    """Return the stream with what a PATCH names: SSF §8.1.1.3. Raises EventStreamRequestError."""
    _check_ours(members, stream, issuer)
    after = replace(stream, updated_at=now)
    if "delivery" in members:
        polled_at = poll_endpoint(issuer, stream.stream_id)
        after = _with_delivery(after, members["delivery"], client, polled_at)
    if "events_requested" in members:
        after = replace(after, events_requested=_read_events(members))
    if "description" in members:
        after = replace(after, description=_read_text(members, "description", MAX_DESCRIPTION))
    return after


def read_replacement(
    members: Mapping[str, Any], stream: EventStream, client: Client, issuer: str, now: datetime
) -> EventStream:
    """Return the stream as a PUT wants it: SSF §8.1.1.4; what is missing is gone.

    Raises EventStreamRequestError. `delivery` cannot be gone, so it must be there.
    """
    if "delivery" not in members:
        raise EventStreamRequestError("delivery is required: a stream cannot be without one")
    absent = {"events_requested": None, "description": None}
    return read_update({**absent, **members}, stream, client, issuer, now)


def read_status(members: Mapping[str, Any]) -> StatusChange:
    """Return the status that is asked for: SSF §8.1.2.2. Raises EventStreamRequestError."""
    status = members.get("status")
    if not isinstance(status, str) or status not in set(StreamStatus):
        raise EventStreamRequestError(f"status must be one of {', '.join(StreamStatus)}")
    return StatusChange(StreamStatus(status), _read_text(members, "reason", MAX_REASON))


def with_status(stream: EventStream, change: StatusChange, by: ChangedBy, now: datetime) -> EventStream:
    """Return the stream with another status. Raises StatusNotAllowedError.

    What an operator paused or disabled its receiver may stop still further, and not let go on.
    """
    if is_held(stream) and by is ChangedBy.RECEIVER:
        if change.status is not StreamStatus.DISABLED and change.status is not stream.status:
            raise StatusNotAllowedError("the provider stopped this stream; ask its operator")
        by = ChangedBy.TRANSMITTER
    return replace(stream, status=change.status, reason=change.reason, changed_by=by, updated_at=now)


def is_held(stream: EventStream) -> bool:
    """Tell whether an operator paused or disabled a stream, which its receiver may not undo."""
    return stream.changed_by is ChangedBy.TRANSMITTER and stream.status is not StreamStatus.ENABLED


def check_may_end(stream: EventStream) -> None:
    """Check that a receiver may delete its stream: SSF §8.1.1.5. Raises StatusNotAllowedError.

    A new one in the place of one that an operator stopped would let it go on.
    """
    if is_held(stream):
        raise StatusNotAllowedError("the provider stopped this stream; ask its operator")


def read_subject(members: Mapping[str, Any], issuer: str) -> str | None:
    """Return the pairwise `sub` that a request names, None for any other subject: SSF §8.1.3.2, §8.1.3.3.

    A platform knows people here by the `sub` of their ID tokens and by nothing else, so another format can
    name nobody; that is not said (§9.1). Raises EventStreamRequestError for what is none (RFC 9493 §3).
    """
    subject = members.get("subject")
    if not isinstance(subject, Mapping) or not isinstance(subject.get("format"), str):
        raise EventStreamRequestError("subject is required, a subject identifier with its format")
    if "verified" in members and not isinstance(members["verified"], bool):
        raise EventStreamRequestError("verified must be true or false")
    if subject["format"] != "iss_sub":
        return None
    named = (subject.get("iss"), subject.get("sub"))
    if not all(isinstance(value, str) and value for value in named):
        raise EventStreamRequestError("a subject of format iss_sub has iss and sub")
    sub: str = subject["sub"]
    is_ours = subject["iss"] == issuer and len(sub) <= MAX_SUBJECT
    return sub if is_ours and sub.isascii() and sub.isprintable() else None


def read_state(members: Mapping[str, Any]) -> str | None:
    """Return the state that the verification event echoes: SSF §8.1.4.2. Raises EventStreamRequestError."""
    state = members.get("state")
    if state is not None and (not isinstance(state, str) or len(state) > MAX_STATE):
        raise EventStreamRequestError(f"state must be a string of at most {MAX_STATE} characters")
    return state


def check_endpoint(uri: str, client: Client) -> None:
    """Check where events are to be pushed. Raises EventStreamRequestError. Abuse class 13.

    Only to a host that the client is registered with: whoever gets hold of its token cannot have the stream
    sent elsewhere. Which address that host has is looked at when the call is made (`idp.outbound`).
    """
    try:
        read = read_web_uri(uri)
    except WebURIError as error:
        raise EventStreamRequestError(f"endpoint_url is no usable address: {error}") from None
    if read.host not in LOOPBACK_HOSTS and read.host not in registered_hosts(client):
        raise EventStreamRequestError("endpoint_url must be at a host that this client is registered with")


def registered_hosts(client: Client) -> frozenset[str]:
    """Return the hosts of every address in a client's registration, and those its profiles are at."""
    uris = (
        *client.redirect_uris,
        *client.post_logout_redirect_uris,
        client.client_uri,
        client.jwks_uri,
        client.sector_identifier_uri,
        client.initiate_login_uri,
        client.backchannel_logout_uri,
        client.backchannel_client_notification_endpoint,
    )
    hosts = {host_of(uri) for uri in uris if uri is not None} - {None}
    return frozenset(filter(None, hosts)) | client.profile_hosts


def _read_events(members: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the events that are asked for, the unknown too, which are ignored later (SSF §8.1.1)."""
    events = members.get("events_requested")
    if events is None:
        return None
    if not isinstance(events, list) or not 0 < len(events) <= MAX_EVENTS:
        raise EventStreamRequestError(f"events_requested must be a list of 1 to {MAX_EVENTS} URIs")
    if not all(isinstance(each, str) and 0 < len(each) <= MAX_EVENT_LENGTH for each in events):
        raise EventStreamRequestError(
            f"events_requested must hold strings of 1 to {MAX_EVENT_LENGTH} characters"
        )
    return tuple(dict.fromkeys(events))


def _read_text(members: Mapping[str, Any], name: str, longest: int) -> str | None:
    """Return text that operators will read, cut where it is too long (SSF §8.1.1 `description`)."""
    text = members.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or not is_displayable(text):
        raise EventStreamRequestError(f"{name} must be a string of visible characters")
    return text[:longest]


def _check_ours(members: Mapping[str, Any], stream: EventStream, issuer: str) -> None:
    """Check what only we may say, before anything changes. Lists are compared as sets."""
    shown = configuration(stream, issuer)
    for name in _OURS:
        if name in members and _comparable(members[name]) != _comparable(shown[name]):
            raise EventStreamRequestError(f"{name} is said by the provider, and it is not this")


def _comparable(value: object) -> object:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return frozenset(value)
    return frozenset({value}) if isinstance(value, str) else value


def _with_delivery(
    stream: EventStream, delivery: object, client: Client, polled_at: str | None
) -> EventStream:
    """Read `delivery`: SSF §6.1. `polled_at` is our address for it; None while the stream has none yet."""
    if not isinstance(delivery, Mapping):
        raise EventStreamRequestError("delivery must be an object")
    method = delivery.get("method")
    if not isinstance(method, str) or method not in set(DeliveryMethod):
        raise EventStreamRequestError(f"delivery.method must be one of {', '.join(DeliveryMethod)}")
    endpoint = delivery.get("endpoint_url")
    if method == DeliveryMethod.POLL:
        if polled_at is not None and endpoint not in {None, polled_at}:
            raise EventStreamRequestError("delivery.endpoint_url is the provider's for this method")
        return replace(stream, method=DeliveryMethod.POLL, endpoint_url=None, authorization_header=None)
    if not isinstance(endpoint, str):
        raise EventStreamRequestError("delivery.endpoint_url is required for this method, a string")
    check_endpoint(endpoint, client)
    return replace(
        stream,
        method=DeliveryMethod.PUSH,
        endpoint_url=endpoint,
        authorization_header=_read_authorization(delivery, stream, endpoint),
    )


def _read_authorization(delivery: Mapping[str, Any], stream: EventStream, endpoint: str) -> str | None:
    """Return what authorizes a push.

    It is never shown, so whoever sends a configuration back as it was read has none to send: it stays as long
    as the address does. It never goes along to another address. `null` takes it away.
    """
    if "authorization_header" not in delivery:
        return stream.authorization_header if endpoint == stream.endpoint_url else None
    value = delivery["authorization_header"]
    if value is None:
        return None
    if (
        not isinstance(value, str)
        or len(value) > MAX_AUTHORIZATION_HEADER
        or not _FIELD_VALUE.fullmatch(value)
    ):
        raise EventStreamRequestError("delivery.authorization_header must be the value of an HTTP field")
    return value
