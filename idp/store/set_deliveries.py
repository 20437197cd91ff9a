"""Security events in the outbox: rows that become SETs when they are sent or fetched.

A row is due at once, whatever the stream: of a stream that is paused, or that its receiver polls, nothing is
claimed, so that nothing has to be moved when a stream goes on or changes its method.
"""

import secrets
from datetime import datetime
from typing import Any

from idp.protocol.security_events import STREAM_UPDATED, SecurityEvent, SubjectId, set_claims
from idp.store.outbox import Delivery

SECURITY_EVENT = "security_event"
"""The kind of delivery that is one SET to one receiver."""
STREAM_EVENT = "stream_event"
"""That of the one event that is sent whatever the status of the stream (SSF §8.1.5)."""


def delivery_of(client_id: str, event: SecurityEvent, now: datetime, *, txn: str | None = None) -> Delivery:
    """Return the delivery of an event to a client's stream. Its id is the SET's `jti`, random, kept for good.

    Events of one subject leave in the order of `now`, which the caller makes strictly later each time. `txn`
    (RFC 8417 §2.2) joins events of one cause at one receiver; it is never the same at two.
    """
    kind = STREAM_EVENT if event.uri == STREAM_UPDATED else SECURITY_EVENT
    return Delivery(
        delivery_id=secrets.token_urlsafe(16),
        kind=kind,
        client_id=client_id,
        ordering_key=f"{'set' if kind == SECURITY_EVENT else kind}:{client_id}:{_name(event.sub_id)}",
        content={
            "event": event.uri,
            "payload": dict(event.payload),
            "sub_id": dict(event.sub_id),
            "txn": txn,
        },
        created_at=now,
        next_attempt_at=now,
    )


def claims_of(delivery: Delivery, issuer: str, now: datetime) -> dict[str, Any]:
    """Return the claims of the SET that a delivery is, issued now: its receiver is its audience."""
    content = delivery.content
    event = SecurityEvent(content["event"], content["sub_id"], content["payload"])
    jti, txn = delivery.delivery_id, content["txn"]
    return set_claims(issuer, delivery.client_id, event, jti=jti, issued_at=now, txn=txn)


def _name(sub_id: SubjectId) -> str:
    """Return what tells a subject from others at one receiver: neither its format nor who issued it."""
    (name,) = (value for member, value in sub_id.items() if member not in {"format", "iss"})
    return name
