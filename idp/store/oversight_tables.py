"""Tables of oversight: idempotency, mass actions, the Merkle log, feature policies, simulations."""

from sqlalchemy import ForeignKey, Index, Table, text

from idp.store.columns import bytes_column, metadata, number_column, text_column, time_column

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    bytes_column("key_hash", key=True),
    bytes_column("request_hash"),
    number_column("status", null=True),
    text_column("answer", pii="indirect", null=True),
    time_column("expires_at"),
)
Index("ix_idempotency_keys_expires_at", idempotency_keys.c.expires_at)

operators = Table(
    "operators",
    metadata,
    text_column("name", key=True),
    bytes_column("totp_secret", pii="secret"),
    number_column("last_used_step", null=True),
    text_column("enrolled_by"),
    time_column("enrolled_at"),
    time_column("removed_at", null=True),
)

mass_actions = Table(
    "mass_actions",
    metadata,
    text_column("action_id", key=True),
    text_column("kind"),
    text_column("query"),
    text_column("reason"),
    text_column("status"),
    text_column("proposed_by"),
    text_column("approved_by", null=True),
    number_column("expected"),
    number_column("done"),
    number_column("skipped"),
    text_column("cursor"),
    number_column("revision"),
    time_column("proposed_at"),
    time_column("approved_at", null=True),
    time_column("finished_at", null=True),
    time_column("undone_at", null=True),
)

mass_action_items = Table(
    "mass_action_items",
    metadata,
    text_column("action_id", ForeignKey("mass_actions.action_id"), key=True),
    text_column("link_id", pii="indirect", key=True),
    text_column("before"),
    time_column("done_at"),
    time_column("undone_at", null=True),
)

merkle_tiles = Table(
    "merkle_tiles",
    metadata,
    number_column("level", key=True),
    number_column("tile", key=True),
    bytes_column("hashes"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    number_column("tree_size", key=True),
    bytes_column("root_hash"),
    text_column("signed"),
    time_column("created_at"),
)

purged_log = Table(
    "purged_log",
    metadata,
    number_column("purge_id", key=True),
    number_column("sequence"),
    bytes_column("chain_hash"),
    time_column("purged_at"),
)

delivery_figures = Table(
    "delivery_figures",
    metadata,
    number_column("hour", key=True),
    text_column("kind", key=True),
    number_column("seconds", key=True),
    number_column("deliveries"),
)

feature_policies = Table(
    "feature_policies",
    metadata,
    number_column("version", key=True),
    text_column("document"),
    text_column("published_by"),
    time_column("effective_at"),
    time_column("published_at"),
)

simulations = Table(
    "simulations",
    metadata,
    text_column("client_id", key=True),
    text_column("document"),
    number_column("remaining"),
    number_column("revision"),
    time_column("updated_at"),
    time_column("expires_at"),
)
_RUNNING = text("finished_at IS NULL")
Index(
    "ix_mass_actions_running",
    mass_actions.c.proposed_at,
    postgresql_where=_RUNNING,
    sqlite_where=_RUNNING,
)
