"""Tables of what follows from links: changes, status lists, event streams, cases, notices, guardians."""

from sqlalchemy import ForeignKey, Index, Table, text

from idp.store.columns import bytes_column, metadata, number_column, text_column, time_column

link_changes = Table(
    "link_changes",
    metadata,
    text_column("change_id", key=True),
    text_column("client_id"),
    text_column("link_id", pii="indirect"),
    text_column("kind"),
    text_column("status"),
    text_column("details", pii="indirect"),
    time_column("occurred_at"),
    number_column("sequence", null=True),
)
Index("uq_link_changes_sequence", link_changes.c.sequence, unique=True)
Index("ix_link_changes_client_id_sequence", link_changes.c.client_id, link_changes.c.sequence)
Index(
    "ix_link_changes_link_id",
    link_changes.c.link_id,
    postgresql_where=text("sequence IS NULL"),
    sqlite_where=text("sequence IS NULL"),
)
Index(
    "ix_link_changes_unsequenced",
    link_changes.c.occurred_at,
    postgresql_where=text("sequence IS NULL"),
    sqlite_where=text("sequence IS NULL"),
)

consumers = Table(
    "consumers",
    metadata,
    text_column("name", key=True),
    number_column("sequence"),
)

status_lists = Table(
    "status_lists",
    metadata,
    text_column("list_id", key=True),
    text_column("client_id"),
    number_column("size"),
    number_column("free"),
    bytes_column("taken"),
    number_column("taken_revision"),
    bytes_column("statuses"),
    number_column("version"),
    time_column("created_at"),
    time_column("changed_at"),
)
Index("ix_status_lists_client_id", status_lists.c.client_id)

event_streams = Table(
    "event_streams",
    metadata,
    text_column("stream_id", key=True),
    text_column("client_id"),
    text_column("status"),
    text_column("content"),
    bytes_column("authorization_header", pii="secret", null=True),
    number_column("revision"),
    time_column("created_at"),
    time_column("updated_at"),
    time_column("verified_at", null=True),
)
Index("uq_event_streams_client_id", event_streams.c.client_id, unique=True)

event_stream_subjects = Table(
    "event_stream_subjects",
    metadata,
    text_column("stream_id", ForeignKey("event_streams.stream_id", ondelete="CASCADE"), key=True),
    text_column("subject", pii="indirect", key=True),
    time_column("removed_at"),
)

cases = Table(
    "cases",
    metadata,
    text_column("case_id", key=True),
    text_column("reference"),
    text_column("kind"),
    text_column("status"),
    text_column("client_id"),
    text_column("link_id", pii="indirect", null=True),
    text_column("account_id", pii="indirect", null=True),
    text_column("citizen_id", pii="indirect", null=True),
    text_column("holder_citizen_id", pii="indirect", null=True),
    text_column("opened_by_kind"),
    text_column("opened_by_id", pii="indirect"),
    bytes_column("content", pii="direct", null=True),
    time_column("opened_at"),
    time_column("due_at", null=True),
    time_column("answered_at", null=True),
    time_column("closed_at", null=True),
    text_column("outcome", null=True),
)
Index("uq_cases_reference", cases.c.reference, unique=True)
Index("ix_cases_citizen_id", cases.c.citizen_id)
Index("ix_cases_holder_citizen_id", cases.c.holder_citizen_id)
Index("ix_cases_link_id", cases.c.link_id)
Index(
    "ix_cases_due_at",
    cases.c.due_at,
    postgresql_where=text("closed_at IS NULL"),
    sqlite_where=text("closed_at IS NULL"),
)
Index(
    "uq_cases_open_link_id_kind",
    cases.c.link_id,
    cases.c.kind,
    unique=True,
    postgresql_where=text("closed_at IS NULL AND kind IN ('not_me', 'misuse')"),
    sqlite_where=text("closed_at IS NULL AND kind IN ('not_me', 'misuse')"),
)
_OPEN_DISPUTE = text("closed_at IS NULL AND kind = 'dispute'")
Index(
    "uq_cases_open_dispute_link_id_citizen_id",
    cases.c.link_id,
    cases.c.citizen_id,
    unique=True,
    postgresql_where=_OPEN_DISPUTE,
    sqlite_where=_OPEN_DISPUTE,
)

notices = Table(
    "notices",
    metadata,
    text_column("notice_id", key=True),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("kind"),
    text_column("client_id", null=True),
    text_column("link_id", pii="indirect", null=True),
    text_column("case_id", null=True),
    text_column("details", pii="indirect"),
    bytes_column("veto_hash", pii="secret", null=True),
    time_column("created_at"),
    time_column("vetoed_at", null=True),
    time_column("expires_at"),
)
Index("ix_notices_citizen_id_created_at", notices.c.citizen_id, notices.c.created_at)
Index("uq_notices_veto_hash", notices.c.veto_hash, unique=True)
Index("ix_notices_expires_at", notices.c.expires_at)

notice_preferences = Table(
    "notice_preferences",
    metadata,
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect", key=True),
    text_column("channels"),
    text_column("ui_locale"),
    time_column("updated_at"),
)

guardianships = Table(
    "guardianships",
    metadata,
    text_column("guardianship_id", key=True),
    text_column("guardian_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("child_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("source"),
    text_column("evidence", null=True),
    time_column("child_turns_16_at"),
    time_column("valid_from"),
    time_column("ended_at", null=True),
    time_column("handed_over_at", null=True),
)
Index(
    "uq_guardianships_guardian_id_child_id",
    guardianships.c.guardian_id,
    guardianships.c.child_id,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
    sqlite_where=text("ended_at IS NULL"),
)
Index("ix_guardianships_child_id", guardianships.c.child_id)
Index(
    "ix_guardianships_to_hand_over",
    guardianships.c.child_turns_16_at,
    postgresql_where=text("handed_over_at IS NULL"),
    sqlite_where=text("handed_over_at IS NULL"),
)

guardian_requests = Table(
    "guardian_requests",
    metadata,
    text_column("request_id", key=True),
    text_column("child_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("client_id"),
    text_column("account_id", pii="indirect"),
    text_column("content", pii="indirect"),
    text_column("status"),
    text_column("guardianship_id", pii="indirect", null=True),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("decided_at", null=True),
    time_column("used_at", null=True),
)
Index(
    "uq_guardian_requests_child_id_client_id_account_id",
    guardian_requests.c.child_id,
    guardian_requests.c.client_id,
    guardian_requests.c.account_id,
    unique=True,
    postgresql_where=text("status = 'pending'"),
    sqlite_where=text("status = 'pending'"),
)
Index("ix_guardian_requests_child_id_client_id", guardian_requests.c.child_id, guardian_requests.c.client_id)
Index("ix_guardian_requests_expires_at", guardian_requests.c.expires_at)
