"""Tables of what clients hold and are sent beside the code flow: opaque tokens, requests, deliveries."""

from sqlalchemy import Index, Table, text

from idp.store.columns import bytes_column, metadata, number_column, text_column, time_column

access_tokens = Table(
    "access_tokens",
    metadata,
    bytes_column("token_hash", pii="secret", key=True),
    text_column("client_id"),
    text_column("grant_id", null=True),
    text_column("claims", pii="indirect"),
    time_column("expires_at"),
)
Index("ix_access_tokens_expires_at", access_tokens.c.expires_at)

backchannel_requests = Table(
    "backchannel_requests",
    metadata,
    bytes_column("request_hash", pii="secret", key=True),
    text_column("kind"),
    text_column("client_id"),
    text_column("citizen_id", pii="indirect", null=True),
    bytes_column("user_code_lookup", pii="secret", null=True),
    text_column("content", pii="indirect"),
    bytes_column("notification", pii="secret", null=True),
    text_column("status"),
    text_column("outcome", pii="indirect", null=True),
    number_column("poll_seconds"),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("last_polled_at", null=True),
    time_column("decided_at", null=True),
    time_column("consumed_at", null=True),
)
Index("uq_backchannel_requests_user_code_lookup", backchannel_requests.c.user_code_lookup, unique=True)
Index("ix_backchannel_requests_citizen_id", backchannel_requests.c.citizen_id)
Index("ix_backchannel_requests_expires_at", backchannel_requests.c.expires_at)

initial_access_tokens = Table(
    "initial_access_tokens",
    metadata,
    text_column("token_id", key=True),
    bytes_column("token_hash", pii="secret"),
    text_column("label"),
    text_column("policy"),
    number_column("uses_left"),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("revoked_at", null=True),
)
Index("uq_initial_access_tokens_token_hash", initial_access_tokens.c.token_hash, unique=True)

client_registrations = Table(
    "client_registrations",
    metadata,
    text_column("client_id", key=True),
    bytes_column("token_hash", pii="secret"),
    text_column("initial_token_id"),
    time_column("registered_at"),
)

outbox = Table(
    "outbox",
    metadata,
    text_column("delivery_id", key=True),
    text_column("kind"),
    text_column("client_id"),
    text_column("ordering_key", pii="indirect"),
    bytes_column("content", pii="secret"),
    number_column("attempts"),
    time_column("created_at"),
    time_column("next_attempt_at"),
    time_column("delivered_at", null=True),
    time_column("parked_at", null=True),
    text_column("last_failure", null=True),
    time_column("replayed_at", null=True),
)
_WAITING = text("delivered_at IS NULL AND parked_at IS NULL")
for columns in (
    (outbox.c.kind, outbox.c.client_id, outbox.c.next_attempt_at, outbox.c.delivery_id),
    (outbox.c.ordering_key, outbox.c.created_at, outbox.c.delivery_id),
):
    name = "_".join(("ix_outbox", *(column.name for column in columns)))
    Index(name, *columns, postgresql_where=_WAITING, sqlite_where=_WAITING)
Index("ix_outbox_delivered_at", outbox.c.delivered_at)
Index("ix_outbox_parked_at", outbox.c.parked_at)
