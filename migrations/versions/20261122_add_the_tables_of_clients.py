"""add the tables of clients: opaque tokens, decoupled requests, registrations, the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("codes") as codes:
        codes.alter_column("code_challenge", existing_type=sa.Text(), nullable=True)
    op.add_column("refresh_tokens", sa.Column("retries", sa.BigInteger(), server_default="0", nullable=False))
    for table in ("codes", "grants"):
        op.add_column(table, sa.Column("consent_id", sa.Text(), nullable=True))
    op.create_index("ix_grants_session_id", "grants", ["session_id"], unique=False)
    op.add_column("grants", sa.Column("subject", sa.Text(), nullable=True))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    subject = "json_extract(content, '$.subject')" if is_sqlite else "content::json ->> 'subject'"
    grants = sa.table("grants", sa.column("subject", sa.Text()))
    op.execute(grants.update().values(subject=sa.literal_column(subject)))
    op.create_index("ix_grants_subject", "grants", ["subject"], unique=False)
    op.create_table(
        "access_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_tokens")),
    )
    op.create_index("ix_access_tokens_expires_at", "access_tokens", ["expires_at"], unique=False)
    op.create_table(
        "backchannel_requests",
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=True),
        sa.Column("user_code_lookup", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("notification", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("poll_seconds", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("last_polled_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("request_hash", name=op.f("pk_backchannel_requests")),
    )
    op.create_index(
        "uq_backchannel_requests_user_code_lookup",
        "backchannel_requests",
        ["user_code_lookup"],
        unique=True,
    )
    op.create_index(
        "ix_backchannel_requests_citizen_id", "backchannel_requests", ["citizen_id"], unique=False
    )
    op.create_index(
        "ix_backchannel_requests_expires_at", "backchannel_requests", ["expires_at"], unique=False
    )
    op.create_table(
        "initial_access_tokens",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("uses_left", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_initial_access_tokens")),
    )
    op.create_index(
        "uq_initial_access_tokens_token_hash", "initial_access_tokens", ["token_hash"], unique=True
    )
    op.create_table(
        "client_registrations",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("initial_token_id", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_registrations")),
    )
    op.create_table(
        "outbox",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("ordering_key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("parked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_outbox")),
    )
    waiting = sa.text("delivered_at IS NULL AND parked_at IS NULL")
    for columns in (["client_id", "next_attempt_at"], ["ordering_key"]):
        op.create_index(
            "_".join(["ix_outbox", *columns]),
            "outbox",
            columns,
            unique=False,
            postgresql_where=waiting,
            sqlite_where=waiting,
        )
    op.create_index("ix_outbox_delivered_at", "outbox", ["delivered_at"], unique=False)
    op.create_index("ix_outbox_parked_at", "outbox", ["parked_at"], unique=False)


def downgrade() -> None:
    for table in (
        "outbox",
        "client_registrations",
        "initial_access_tokens",
        "backchannel_requests",
        "access_tokens",
    ):
        op.drop_table(table)
    op.drop_index("ix_grants_subject", table_name="grants")
    op.drop_column("grants", "subject")
    op.drop_index("ix_grants_session_id", table_name="grants")
    op.drop_column("refresh_tokens", "retries")
    for table in ("codes", "grants"):
        op.drop_column(table, "consent_id")
    # A code without a challenge cannot stand in the older table, and none lives longer than a minute.
    op.execute("DELETE FROM codes WHERE code_challenge IS NULL")
    with op.batch_alter_table("codes") as codes:
        codes.alter_column("code_challenge", existing_type=sa.Text(), nullable=False)
