"""create the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The hash that the audit chain begins with (idp.audit.chain), written out: a migration does not change.
GENESIS = bytes.fromhex("51b852564cc535aeff776f1c8d56d267000a0bd84649c471deecc279d9a7e952")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("attempt_key", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counted_since", sa.BigInteger(), nullable=False),
        sa.Column("last_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_key", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_expires_at", "attempts", ["expires_at"], unique=False)
    op.create_table(
        "audit_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("citizen_id", sa.Text(), nullable=True),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_link_id", "audit_events", ["link_id"], unique=False)
    op.create_index(
        "ix_audit_events_unsealed",
        "audit_events",
        ["occurred_at"],
        unique=False,
        postgresql_where=sa.text("sequence IS NULL"),
        sqlite_where=sa.text("sequence IS NULL"),
    )
    op.create_index("uq_audit_events_sequence", "audit_events", ["sequence"], unique=True)
    op.create_table(
        "audit_head",
        sa.Column("head_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("head_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "citizens",
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proofing", sa.Text(), nullable=False),
        sa.Column("proofed_at", sa.BigInteger(), nullable=False),
        sa.Column("personal_data", sa.LargeBinary(), nullable=False),
        sa.Column("phone_lookup", sa.LargeBinary(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", name=op.f("pk_citizens")),
    )
    op.create_index("ix_citizens_phone_lookup", "citizens", ["phone_lookup"], unique=False)
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_clients")),
    )
    op.create_table(
        "codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_codes")),
    )
    op.create_index("ix_codes_expires_at", "codes", ["expires_at"], unique=False)
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grants")),
    )
    op.create_index("ix_grants_citizen_id", "grants", ["citizen_id"], unique=False)
    op.create_index("ix_grants_expires_at", "grants", ["expires_at"], unique=False)
    op.create_index("ix_grants_link_id", "grants", ["link_id"], unique=False)
    op.create_table(
        "interactions",
        sa.Column("interaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("request_uri_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("chosen_session_id", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Text(), nullable=True),
        sa.Column("denied_because", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("interaction_hash", name=op.f("pk_interactions")),
    )
    op.create_index("ix_interactions_expires_at", "interactions", ["expires_at"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "pushed_requests",
        sa.Column("request_uri_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("request_uri_hash", name=op.f("pk_pushed_requests")),
    )
    op.create_index("ix_pushed_requests_expires_at", "pushed_requests", ["expires_at"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index("ix_refresh_tokens_expires_at", "refresh_tokens", ["expires_at"], unique=False)
    op.create_index("ix_refresh_tokens_grant_id", "refresh_tokens", ["grant_id"], unique=False)
    op.create_table(
        "spent",
        sa.Column("spent_key", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("spent_key", name=op.f("pk_spent")),
    )
    op.create_index("ix_spent_expires_at", "spent", ["expires_at"], unique=False)
    op.create_table(
        "account_links",
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proofing", sa.Text(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("profile_uri", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("suspended_because", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_account_links_citizen_id")
        ),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_account_links")),
    )
    op.create_index("ix_account_links_citizen_id", "account_links", ["citizen_id"], unique=False)
    op.create_index(
        "ix_account_links_due",
        "account_links",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
        sqlite_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "ix_account_links_pending",
        "account_links",
        ["requested_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
        sqlite_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "uq_account_links_client_id_account_id",
        "account_links",
        ["client_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
        sqlite_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
    )
    op.create_index(
        "uq_account_links_client_id_citizen_id_place",
        "account_links",
        ["client_id", "citizen_id", "place"],
        unique=True,
        postgresql_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
        sqlite_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
    )
    op.create_table(
        "authenticators",
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_used_step", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_authenticators_citizen_id")
        ),
        sa.PrimaryKeyConstraint("citizen_id", "kind", name=op.f("pk_authenticators")),
    )
    op.create_table(
        "consents",
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("offered", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("ui_locale", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_consents_citizen_id")),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_citizen_id_client_id", "consents", ["citizen_id", "client_id"], unique=False)
    op.create_table(
        "personal_numbers",
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("number_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("personal_number", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_personal_numbers_citizen_id")
        ),
    )
    op.create_index("ix_personal_numbers_citizen_id", "personal_numbers", ["citizen_id"], unique=False)
    op.create_index(
        "uq_personal_numbers_number_lookup",
        "personal_numbers",
        ["number_lookup"],
        unique=True,
        postgresql_where=sa.text("valid_until IS NULL"),
        sqlite_where=sa.text("valid_until IS NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("cookie_hash", sa.LargeBinary(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("amr", sa.Text(), nullable=False),
        sa.Column("auth_time", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_sessions_citizen_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_citizen_id", "sessions", ["citizen_id"], unique=False)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_index("uq_sessions_cookie_hash", "sessions", ["cookie_hash"], unique=True)
    op.bulk_insert(
        sa.table(
            "audit_head",
            sa.column("head_id", sa.BigInteger()),
            sa.column("sequence", sa.BigInteger()),
            sa.column("chain_hash", sa.LargeBinary()),
            sa.column("sealed_at", sa.BigInteger()),
        ),
        [{"head_id": 1, "sequence": 0, "chain_hash": GENESIS, "sealed_at": 0}],
    )


def downgrade() -> None:
    op.drop_index("uq_sessions_cookie_hash", table_name="sessions")
    op.drop_index("ix_sessions_expires_at", table_name="sessions")
    op.drop_index("ix_sessions_citizen_id", table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(
        "uq_personal_numbers_number_lookup",
        table_name="personal_numbers",
        postgresql_where=sa.text("valid_until IS NULL"),
        sqlite_where=sa.text("valid_until IS NULL"),
    )
    op.drop_index("ix_personal_numbers_citizen_id", table_name="personal_numbers")
    op.drop_table("personal_numbers")
    op.drop_index("ix_consents_citizen_id_client_id", table_name="consents")
    op.drop_table("consents")
    op.drop_table("authenticators")
    op.drop_index(
        "uq_account_links_client_id_citizen_id_place",
        table_name="account_links",
        postgresql_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
        sqlite_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
    )
    op.drop_index(
        "uq_account_links_client_id_account_id",
        table_name="account_links",
        postgresql_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
        sqlite_where=sa.text("status IN ('active', 'suspended', 'lapsed')"),
    )
    op.drop_index(
        "ix_account_links_pending",
        table_name="account_links",
        postgresql_where=sa.text("status = 'pending'"),
        sqlite_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_account_links_due",
        table_name="account_links",
        postgresql_where=sa.text("status = 'active'"),
        sqlite_where=sa.text("status = 'active'"),
    )
    op.drop_index("ix_account_links_citizen_id", table_name="account_links")
    op.drop_table("account_links")
    op.drop_index("ix_spent_expires_at", table_name="spent")
    op.drop_table("spent")
    op.drop_index("ix_refresh_tokens_grant_id", table_name="refresh_tokens")
    op.drop_index("ix_refresh_tokens_expires_at", table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index("ix_pushed_requests_expires_at", table_name="pushed_requests")
    op.drop_table("pushed_requests")
    op.drop_table("leases")
    op.drop_index("ix_interactions_expires_at", table_name="interactions")
    op.drop_table("interactions")
    op.drop_index("ix_grants_link_id", table_name="grants")
    op.drop_index("ix_grants_expires_at", table_name="grants")
    op.drop_index("ix_grants_citizen_id", table_name="grants")
    op.drop_table("grants")
    op.drop_index("ix_codes_expires_at", table_name="codes")
    op.drop_table("codes")
    op.drop_table("clients")
    op.drop_index("ix_citizens_phone_lookup", table_name="citizens")
    op.drop_table("citizens")
    op.drop_table("audit_head")
    op.drop_index("uq_audit_events_sequence", table_name="audit_events")
    op.drop_index(
        "ix_audit_events_unsealed",
        table_name="audit_events",
        postgresql_where=sa.text("sequence IS NULL"),
        sqlite_where=sa.text("sequence IS NULL"),
    )
    op.drop_index("ix_audit_events_link_id", table_name="audit_events")
    op.drop_table("audit_events")
    op.drop_index("ix_attempts_expires_at", table_name="attempts")
    op.drop_table("attempts")
