"""An event stream as tests need it."""

from datetime import UTC, datetime
from typing import Any

from idp.protocol.event_stream import DeliveryMethod, EventStream
from idp.protocol.security_events import SESSION_REVOKED, own_event

ISSUER = "https://id.example"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
ENDED = own_event(ISSUER, "account-link-ended")


def make_stream(**changes: Any) -> EventStream:
    facts: dict[str, Any] = {
        "stream_id": "stream-1",
        "client_id": "network",
        "method": DeliveryMethod.PUSH,
        "endpoint_url": "https://rp.example/events",
        "events_requested": (ENDED, SESSION_REVOKED, "urn:example:unknown"),
        "created_at": NOW,
        "updated_at": NOW,
        "authorization_header": "Bearer secret-of-the-receiver",
    }
    return EventStream(**(facts | changes))
