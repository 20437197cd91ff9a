"""add what follows from links: changes, status lists, event streams, cases, notices, guardians."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LANES = "ix_outbox_kind_client_id_next_attempt_at_delivery_id"
_KEYS = "ix_outbox_ordering_key_created_at_delivery_id"


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("citizen_id", sa.Text(), nullable=True),
        sa.Column("holder_citizen_id", sa.Text(), nullable=True),
        sa.Column("opened_by_kind", sa.Text(), nullable=False),
        sa.Column("opened_by_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_citizen_id", "cases", ["citizen_id"], unique=False)
    op.create_index(
        "ix_cases_due_at",
        "cases",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_cases_holder_citizen_id", "cases", ["holder_citizen_id"], unique=False)
    op.create_index("ix_cases_link_id", "cases", ["link_id"], unique=False)
    op.create_index(
        "uq_cases_open_link_id_kind",
        "cases",
        ["link_id", "kind"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL AND kind IN ('not_me', 'misuse')"),
        sqlite_where=sa.text("closed_at IS NULL AND kind IN ('not_me', 'misuse')"),
    )
    op.create_index(
        "uq_cases_open_dispute_link_id_citizen_id",
        "cases",
        ["link_id", "citizen_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL AND kind = 'dispute'"),
        sqlite_where=sa.text("closed_at IS NULL AND kind = 'dispute'"),
    )
    op.create_index("uq_cases_reference", "cases", ["reference"], unique=True)
    op.create_table(
        "consumers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_consumers")),
    )
    op.create_table(
        "event_streams",
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("authorization_header", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_event_streams")),
    )
    op.create_index("uq_event_streams_client_id", "event_streams", ["client_id"], unique=True)
    op.create_table(
        "link_changes",
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_link_changes")),
    )
    op.create_index(
        "ix_link_changes_client_id_sequence", "link_changes", ["client_id", "sequence"], unique=False
    )
    op.create_index(
        "ix_link_changes_link_id",
        "link_changes",
        ["link_id"],
        unique=False,
        postgresql_where=sa.text("sequence IS NULL"),
        sqlite_where=sa.text("sequence IS NULL"),
    )
    op.create_index(
        "ix_link_changes_unsequenced",
        "link_changes",
        ["occurred_at"],
        unique=False,
        postgresql_where=sa.text("sequence IS NULL"),
        sqlite_where=sa.text("sequence IS NULL"),
    )
    op.create_index("uq_link_changes_sequence", "link_changes", ["sequence"], unique=True)
    op.create_table(
        "status_lists",
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("free", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("taken", sa.LargeBinary(), nullable=False),
        sa.Column("taken_revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statuses", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_status_lists")),
    )
    op.create_index("ix_status_lists_client_id", "status_lists", ["client_id"], unique=False)
    op.create_table(
        "event_stream_subjects",
        sa.Column("stream_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["event_streams.stream_id"],
            name=op.f("fk_event_stream_subjects_stream_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("stream_id", "subject", name=op.f("pk_event_stream_subjects")),
    )
    op.create_table(
        "guardian_requests",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("guardianship_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["citizens.citizen_id"], name=op.f("fk_guardian_requests_child_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_guardian_requests")),
    )
    op.create_index(
        "ix_guardian_requests_child_id_client_id",
        "guardian_requests",
        ["child_id", "client_id"],
        unique=False,
    )
    op.create_index("ix_guardian_requests_expires_at", "guardian_requests", ["expires_at"], unique=False)
    op.create_index(
        "uq_guardian_requests_child_id_client_id_account_id",
        "guardian_requests",
        ["child_id", "client_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
        sqlite_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "guardianships",
        sa.Column("guardianship_id", sa.Text(), nullable=False),
        sa.Column("guardian_id", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("child_turns_16_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("handed_over_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["citizens.citizen_id"], name=op.f("fk_guardianships_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["citizens.citizen_id"], name=op.f("fk_guardianships_guardian_id")
        ),
        sa.PrimaryKeyConstraint("guardianship_id", name=op.f("pk_guardianships")),
    )
    op.create_index("ix_guardianships_child_id", "guardianships", ["child_id"], unique=False)
    op.create_index(
        "ix_guardianships_to_hand_over",
        "guardianships",
        ["child_turns_16_at"],
        unique=False,
        postgresql_where=sa.text("handed_over_at IS NULL"),
        sqlite_where=sa.text("handed_over_at IS NULL"),
    )
    op.create_index(
        "uq_guardianships_guardian_id_child_id",
        "guardianships",
        ["guardian_id", "child_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "notice_preferences",
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("ui_locale", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_notice_preferences_citizen_id")
        ),
        sa.PrimaryKeyConstraint("citizen_id", name=op.f("pk_notice_preferences")),
    )
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("case_id", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("veto_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("vetoed_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizens.citizen_id"], name=op.f("fk_notices_citizen_id")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_citizen_id_created_at", "notices", ["citizen_id", "created_at"], unique=False)
    op.create_index("ix_notices_expires_at", "notices", ["expires_at"], unique=False)
    op.create_index("uq_notices_veto_hash", "notices", ["veto_hash"], unique=True)
    op.add_column("account_links", sa.Column("status_list_id", sa.Text(), nullable=True))
    op.add_column(
        "account_links", sa.Column("status_index", sa.BigInteger(), autoincrement=False, nullable=True)
    )
    op.add_column(
        "account_links", sa.Column("policy_version", sa.BigInteger(), autoincrement=False, nullable=True)
    )
    op.add_column("account_links", sa.Column("guardianship_id", sa.Text(), nullable=True))
    op.add_column("account_links", sa.Column("own_consent_due_at", sa.BigInteger(), nullable=True))
    op.add_column("account_links", sa.Column("mark_id", sa.Text(), nullable=True))
    op.add_column("account_links", sa.Column("reverify_requested_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_account_links_client_id_link_id", "account_links", ["client_id", "link_id"], unique=False
    )
    is_unlisted = "status_list_id IS NULL AND status IN ('active', 'lapsed', 'suspended')"
    op.create_index(
        "ix_account_links_unlisted",
        "account_links",
        ["link_id"],
        unique=False,
        postgresql_where=sa.text(is_unlisted),
        sqlite_where=sa.text(is_unlisted),
    )
    for column in ("guardianship_id", "own_consent_due_at"):
        is_told = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_account_links_{column}",
            "account_links",
            [column],
            unique=False,
            postgresql_where=is_told,
            sqlite_where=is_told,
        )
    op.create_index(
        "uq_account_links_mark_id",
        "account_links",
        ["mark_id"],
        unique=True,
        postgresql_where=sa.text("mark_id IS NOT NULL"),
        sqlite_where=sa.text("mark_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_events_citizen_id_occurred_at", "audit_events", ["citizen_id", "occurred_at"], unique=False
    )
    op.add_column("citizens", sa.Column("links_frozen_at", sa.BigInteger(), nullable=True))
    _give_the_outbox_lanes()
    op.bulk_insert(
        sa.table("consumers", sa.column("name", sa.Text()), sa.column("sequence", sa.BigInteger())),
        [{"name": name, "sequence": 0} for name in ("link_changes", "status_lists")],
    )


def _give_the_outbox_lanes() -> None:
    op.add_column("outbox", sa.Column("replayed_at", sa.BigInteger(), nullable=True))
    op.drop_index("ix_outbox_client_id_next_attempt_at", table_name="outbox")
    op.drop_index("ix_outbox_ordering_key", table_name="outbox")
    _index_waiting(_LANES, ["kind", "client_id", "next_attempt_at", "delivery_id"])
    _index_waiting(_KEYS, ["ordering_key", "created_at", "delivery_id"])


def _index_waiting(name: str, columns: list[str]) -> None:
    waiting = sa.text("delivered_at IS NULL AND parked_at IS NULL")
    op.create_index(name, "outbox", columns, unique=False, postgresql_where=waiting, sqlite_where=waiting)


def downgrade() -> None:
    for table in (
        "notices",
        "notice_preferences",
        "guardianships",
        "guardian_requests",
        "event_stream_subjects",
        "status_lists",
        "link_changes",
        "event_streams",
        "consumers",
        "cases",
    ):
        op.drop_table(table)
    op.drop_index(_LANES, table_name="outbox")
    op.drop_index(_KEYS, table_name="outbox")
    _index_waiting("ix_outbox_ordering_key", ["ordering_key"])
    _index_waiting("ix_outbox_client_id_next_attempt_at", ["client_id", "next_attempt_at"])
    op.drop_column("outbox", "replayed_at")
    op.drop_index("ix_audit_events_citizen_id_occurred_at", table_name="audit_events")
    op.drop_index("uq_account_links_mark_id", table_name="account_links")
    for column in ("guardianship_id", "own_consent_due_at"):
        op.drop_index(f"ix_account_links_{column}", table_name="account_links")
    op.drop_index("ix_account_links_client_id_link_id", table_name="account_links")
    op.drop_index("ix_account_links_unlisted", table_name="account_links")
    for column in (
        "reverify_requested_at",
        "mark_id",
        "own_consent_due_at",
        "guardianship_id",
        "policy_version",
        "status_index",
        "status_list_id",
    ):
        op.drop_column("account_links", column)
    op.drop_column("citizens", "links_frozen_at")
