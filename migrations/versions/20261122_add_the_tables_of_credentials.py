"""add what lets people in: passkeys, phones, codes, trusted browsers, activations, upstream providers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phone_approvals",
        sa.Column("approval_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("asked_from", sa.LargeBinary(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("citizen_id", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("approval_hash", name=op.f("pk_phone_approvals")),
    )
    op.create_index("ix_phone_approvals_browser_hash", "phone_approvals", ["browser_hash"], unique=False)
    op.create_index("ix_phone_approvals_citizen_id", "phone_approvals", ["citizen_id"], unique=False)
    op.create_index("ix_phone_approvals_expires_at", "phone_approvals", ["expires_at"], unique=False)
    op.create_table(
        "phone_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_phone_codes")),
    )
    op.create_index("ix_phone_codes_expires_at", "phone_codes", ["expires_at"], unique=False)
    op.create_table(
        "upstream_visits",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("upstream_id", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_upstream_visits")),
    )
    op.create_index("ix_upstream_visits_expires_at", "upstream_visits", ["expires_at"], unique=False)
    op.create_table(
        "activations",
        sa.Column("activation_id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("stop_hash", sa.LargeBinary(), nullable=True),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("usable_from", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_activations_citizen_id")
        ),
        sa.PrimaryKeyConstraint("activation_id", name=op.f("pk_activations")),
    )
    op.create_index("ix_activations_citizen_id", "activations", ["citizen_id"], unique=False)
    op.create_index(
        "ix_activations_expires_at",
        "activations",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("used_at IS NULL"),
        sqlite_where=sa.text("used_at IS NULL"),
    )
    op.create_index(
        "ix_activations_open",
        "activations",
        ["issued_at"],
        unique=False,
        postgresql_where=sa.text("used_at IS NULL AND stopped_at IS NULL"),
        sqlite_where=sa.text("used_at IS NULL AND stopped_at IS NULL"),
    )
    op.create_index("uq_activations_code_hash", "activations", ["code_hash"], unique=True)
    op.create_index("uq_activations_stop_hash", "activations", ["stop_hash"], unique=True)
    op.create_table(
        "app_devices",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("pin_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_app_devices_citizen_id")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_app_devices")),
    )
    op.create_index("ix_app_devices_citizen_id", "app_devices", ["citizen_id"], unique=False)
    op.create_index(
        "ix_app_devices_revoked_at",
        "app_devices",
        ["revoked_at"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.create_index(
        "ix_app_devices_unconfirmed",
        "app_devices",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("confirmed_at IS NULL"),
        sqlite_where=sa.text("confirmed_at IS NULL"),
    )
    op.create_table(
        "passkeys",
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("passkey_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("aaguid", sa.Text(), nullable=False),
        sa.Column("transports", sa.Text(), nullable=False),
        sa.Column("attestation", sa.Text(), nullable=False),
        sa.Column("is_hardware", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_backup_eligible", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_backed_up", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_passkeys_citizen_id")),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_passkeys")),
    )
    op.create_index("ix_passkeys_citizen_id", "passkeys", ["citizen_id"], unique=False)
    op.create_index(
        "ix_passkeys_revoked_at",
        "passkeys",
        ["revoked_at"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.create_index("uq_passkeys_passkey_id", "passkeys", ["passkey_id"], unique=True)
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_recovery_codes_citizen_id")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_citizen_id", "recovery_codes", ["citizen_id"], unique=False)
    op.create_table(
        "trusted_browsers",
        sa.Column("cookie_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_trusted_browsers_citizen_id")
        ),
        sa.PrimaryKeyConstraint("cookie_hash", name=op.f("pk_trusted_browsers")),
    )
    op.create_index("ix_trusted_browsers_citizen_id", "trusted_browsers", ["citizen_id"], unique=False)
    op.create_index("ix_trusted_browsers_expires_at", "trusted_browsers", ["expires_at"], unique=False)
    op.create_index("uq_trusted_browsers_browser_id", "trusted_browsers", ["browser_id"], unique=True)
    op.create_table(
        "upstream_accounts",
        sa.Column("upstream_id", sa.Text(), nullable=False),
        sa.Column("subject_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("disconnected_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_upstream_accounts_citizen_id")
        ),
        sa.PrimaryKeyConstraint("upstream_id", "subject_lookup", name=op.f("pk_upstream_accounts")),
    )
    op.create_index(
        "uq_upstream_accounts_upstream_id_citizen_id",
        "upstream_accounts",
        ["upstream_id", "citizen_id"],
        unique=True,
        postgresql_where=sa.text("disconnected_at IS NULL"),
        sqlite_where=sa.text("disconnected_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_upstream_accounts_upstream_id_citizen_id",
        table_name="upstream_accounts",
        postgresql_where=sa.text("disconnected_at IS NULL"),
        sqlite_where=sa.text("disconnected_at IS NULL"),
    )
    op.drop_table("upstream_accounts")
    op.drop_index("uq_trusted_browsers_browser_id", table_name="trusted_browsers")
    op.drop_index("ix_trusted_browsers_expires_at", table_name="trusted_browsers")
    op.drop_index("ix_trusted_browsers_citizen_id", table_name="trusted_browsers")
    op.drop_table("trusted_browsers")
    op.drop_index("ix_recovery_codes_citizen_id", table_name="recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_index("uq_passkeys_passkey_id", table_name="passkeys")
    op.drop_index(
        "ix_passkeys_revoked_at",
        table_name="passkeys",
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.drop_index("ix_passkeys_citizen_id", table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index(
        "ix_app_devices_unconfirmed",
        table_name="app_devices",
        postgresql_where=sa.text("confirmed_at IS NULL"),
        sqlite_where=sa.text("confirmed_at IS NULL"),
    )
    op.drop_index(
        "ix_app_devices_revoked_at",
        table_name="app_devices",
        postgresql_where=sa.text("revoked_at IS NOT NULL"),
        sqlite_where=sa.text("revoked_at IS NOT NULL"),
    )
    op.drop_index("ix_app_devices_citizen_id", table_name="app_devices")
    op.drop_table("app_devices")
    op.drop_index("uq_activations_stop_hash", table_name="activations")
    op.drop_index("uq_activations_code_hash", table_name="activations")
    op.drop_index(
        "ix_activations_open",
        table_name="activations",
        postgresql_where=sa.text("used_at IS NULL AND stopped_at IS NULL"),
        sqlite_where=sa.text("used_at IS NULL AND stopped_at IS NULL"),
    )
    op.drop_index(
        "ix_activations_expires_at",
        table_name="activations",
        postgresql_where=sa.text("used_at IS NULL"),
        sqlite_where=sa.text("used_at IS NULL"),
    )
    op.drop_index("ix_activations_citizen_id", table_name="activations")
    op.drop_table("activations")
    op.drop_index("ix_upstream_visits_expires_at", table_name="upstream_visits")
    op.drop_table("upstream_visits")
    op.drop_index("ix_phone_codes_expires_at", table_name="phone_codes")
    op.drop_table("phone_codes")
    op.drop_index("ix_phone_approvals_expires_at", table_name="phone_approvals")
    op.drop_index("ix_phone_approvals_citizen_id", table_name="phone_approvals")
    op.drop_index("ix_phone_approvals_browser_hash", table_name="phone_approvals")
    op.drop_table("phone_approvals")
