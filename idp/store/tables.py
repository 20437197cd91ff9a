"""Every table of people, sessions, clients, grants and links; what clients are sent is in client_tables."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, text

from idp.store.columns import bytes_column, metadata, number_column, text_column, time_column

citizens = Table(
    "citizens",
    metadata,
    text_column("citizen_id", pii="indirect", key=True),
    text_column("status"),
    text_column("proofing"),
    time_column("proofed_at"),
    bytes_column("personal_data", pii="direct"),
    bytes_column("phone_lookup", pii="indirect", null=True),
    time_column("held_at", null=True),
    time_column("links_frozen_at", null=True),
    time_column("created_at"),
    time_column("updated_at"),
)
Index("ix_citizens_phone_lookup", citizens.c.phone_lookup)

personal_numbers = Table(
    "personal_numbers",
    metadata,
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    bytes_column("number_lookup", pii="indirect"),
    bytes_column("personal_number", pii="direct"),
    time_column("valid_from"),
    time_column("valid_until", null=True),
)
Index(
    "uq_personal_numbers_number_lookup",
    personal_numbers.c.number_lookup,
    unique=True,
    postgresql_where=text("valid_until IS NULL"),
    sqlite_where=text("valid_until IS NULL"),
)
Index("ix_personal_numbers_citizen_id", personal_numbers.c.citizen_id)

authenticators = Table(
    "authenticators",
    metadata,
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect", key=True),
    text_column("kind", key=True),
    bytes_column("secret", pii="secret"),
    number_column("last_used_step", null=True),
    time_column("created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    bytes_column("attempt_key", pii="indirect", key=True),
    number_column("failures"),
    time_column("counted_since"),
    time_column("last_attempt_at"),
    time_column("expires_at"),
)
Index("ix_attempts_expires_at", attempts.c.expires_at)

sessions = Table(
    "sessions",
    metadata,
    text_column("session_id", pii="indirect", key=True),
    bytes_column("cookie_hash", pii="secret"),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("acr"),
    text_column("amr"),
    time_column("auth_time"),
    time_column("created_at"),
    time_column("last_seen_at"),
    time_column("expires_at"),
    time_column("ended_at", null=True),
)
Index("uq_sessions_cookie_hash", sessions.c.cookie_hash, unique=True)
Index("ix_sessions_citizen_id", sessions.c.citizen_id)
Index("ix_sessions_expires_at", sessions.c.expires_at)

clients = Table(
    "clients",
    metadata,
    text_column("client_id", key=True),
    text_column("registration"),
    text_column("secrets", pii="secret"),
    text_column("status"),
    number_column("revision"),
    time_column("registered_at"),
    time_column("updated_at"),
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    bytes_column("request_uri_hash", key=True),
    text_column("client_id"),
    text_column("request", pii="indirect"),
    time_column("expires_at"),
    time_column("used_at", null=True),
)
Index("ix_pushed_requests_expires_at", pushed_requests.c.expires_at)

interactions = Table(
    "interactions",
    metadata,
    bytes_column("interaction_hash", key=True),
    bytes_column("browser_hash", pii="indirect", null=True),
    text_column("client_id"),
    text_column("request", pii="indirect"),
    bytes_column("request_uri_hash", null=True),
    time_column("created_at"),
    time_column("expires_at"),
    text_column("chosen_session_id", pii="indirect", null=True),
    text_column("consent_id", null=True),
    text_column("denied_because", null=True),
    time_column("finished_at", null=True),
)
Index("ix_interactions_expires_at", interactions.c.expires_at)

consents = Table(
    "consents",
    metadata,
    text_column("consent_id", key=True),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("client_id"),
    text_column("decision"),
    text_column("reason"),
    text_column("purpose", null=True),
    text_column("scope"),
    text_column("claims"),
    text_column("offered"),
    text_column("text_version"),
    text_column("ui_locale"),
    time_column("decided_at"),
    time_column("withdrawn_at", null=True),
)
Index("ix_consents_citizen_id_client_id", consents.c.citizen_id, consents.c.client_id)

account_links = Table(
    "account_links",
    metadata,
    text_column("link_id", pii="indirect", key=True),
    text_column("client_id"),
    text_column("account_id", pii="indirect"),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("subject", pii="indirect"),
    text_column("status"),
    text_column("proofing"),
    text_column("acr"),
    text_column("handle", pii="indirect", null=True),
    text_column("profile_uri", pii="indirect", null=True),
    text_column("purpose", null=True),
    Column("place", Integer, nullable=True, info={"pii": "none"}),
    time_column("requested_at"),
    time_column("linked_at", null=True),
    time_column("expires_at", null=True),
    time_column("last_used_at", null=True),
    text_column("suspended_because", null=True),
    time_column("ended_at", null=True),
    text_column("ended_because", null=True),
    time_column("updated_at"),
    text_column("status_list_id", null=True),
    number_column("status_index", null=True, pii="indirect"),
    number_column("policy_version", null=True),
    text_column("guardianship_id", pii="indirect", null=True),
    time_column("own_consent_due_at", null=True),
    text_column("mark_id", pii="indirect", null=True),
    time_column("reverify_requested_at", null=True),
)
_LIVE = text("status IN ('active', 'suspended', 'lapsed')")
Index(
    "uq_account_links_client_id_account_id",
    account_links.c.client_id,
    account_links.c.account_id,
    unique=True,
    postgresql_where=_LIVE,
    sqlite_where=_LIVE,
)
Index(
    "uq_account_links_client_id_citizen_id_place",
    account_links.c.client_id,
    account_links.c.citizen_id,
    account_links.c.place,
    unique=True,
    postgresql_where=_LIVE,
    sqlite_where=_LIVE,
)
Index("ix_account_links_citizen_id", account_links.c.citizen_id)
Index("ix_account_links_client_id_link_id", account_links.c.client_id, account_links.c.link_id)
Index(
    "uq_account_links_mark_id",
    account_links.c.mark_id,
    unique=True,
    postgresql_where=text("mark_id IS NOT NULL"),
    sqlite_where=text("mark_id IS NOT NULL"),
)
for _name in ("handle", "profile_uri"):
    Index(
        f"ix_account_links_client_id_{_name}_marked",
        account_links.c.client_id,
        account_links.c[_name],
        postgresql_where=text("mark_id IS NOT NULL"),
        sqlite_where=text("mark_id IS NOT NULL"),
    )
Index(
    "ix_account_links_guardianship_id",
    account_links.c.guardianship_id,
    postgresql_where=text("guardianship_id IS NOT NULL"),
    sqlite_where=text("guardianship_id IS NOT NULL"),
)
Index(
    "ix_account_links_own_consent_due_at",
    account_links.c.own_consent_due_at,
    postgresql_where=text("own_consent_due_at IS NOT NULL"),
    sqlite_where=text("own_consent_due_at IS NOT NULL"),
)
Index(
    "ix_account_links_pending",
    account_links.c.requested_at,
    postgresql_where=text("status = 'pending'"),
    sqlite_where=text("status = 'pending'"),
)
Index(
    "ix_account_links_unlisted",
    account_links.c.link_id,
    postgresql_where=text("status_list_id IS NULL AND status IN ('active', 'lapsed', 'suspended')"),
    sqlite_where=text("status_list_id IS NULL AND status IN ('active', 'lapsed', 'suspended')"),
)
Index(
    "ix_account_links_due",
    account_links.c.expires_at,
    postgresql_where=text("status = 'active'"),
    sqlite_where=text("status = 'active'"),
)

codes = Table(
    "codes",
    metadata,
    bytes_column("code_hash", pii="secret", key=True),
    text_column("grant_id"),
    text_column("client_id"),
    text_column("citizen_id", pii="indirect"),
    text_column("session_id", pii="indirect"),
    text_column("link_id", pii="indirect", null=True),
    text_column("redirect_uri"),
    text_column("code_challenge", null=True),
    text_column("content", pii="indirect"),
    time_column("issued_at"),
    time_column("expires_at"),
    time_column("consumed_at", null=True),
    text_column("consent_id", null=True),
)
Index("ix_codes_expires_at", codes.c.expires_at)

grants = Table(
    "grants",
    metadata,
    text_column("grant_id", key=True),
    text_column("client_id"),
    text_column("citizen_id", pii="indirect"),
    text_column("session_id", pii="indirect"),
    text_column("link_id", pii="indirect", null=True),
    text_column("content", pii="indirect"),
    time_column("issued_at"),
    time_column("expires_at"),
    time_column("revoked_at", null=True),
    text_column("revoked_because", null=True),
    text_column("consent_id", null=True),
    text_column("subject", pii="indirect", null=True),
)
Index("ix_grants_subject", grants.c.subject)
Index("ix_grants_citizen_id", grants.c.citizen_id)
Index("ix_grants_link_id", grants.c.link_id)
Index("ix_grants_session_id", grants.c.session_id)
Index("ix_grants_expires_at", grants.c.expires_at)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    bytes_column("token_hash", pii="secret", key=True),
    text_column("grant_id"),
    number_column("generation"),
    time_column("issued_at"),
    time_column("expires_at"),
    time_column("consumed_at", null=True),
    number_column("retries", default="0"),
)
Index("ix_refresh_tokens_grant_id", refresh_tokens.c.grant_id)
Index("ix_refresh_tokens_expires_at", refresh_tokens.c.expires_at)

spent = Table(
    "spent",
    metadata,
    bytes_column("spent_key", key=True),
    time_column("expires_at"),
)
Index("ix_spent_expires_at", spent.c.expires_at)

audit_events = Table(
    "audit_events",
    metadata,
    text_column("event_id", key=True),
    time_column("occurred_at"),
    text_column("type"),
    text_column("actor_kind"),
    text_column("actor_id", pii="indirect"),
    text_column("client_id", null=True),
    text_column("citizen_id", pii="indirect", null=True),
    text_column("link_id", pii="indirect", null=True),
    text_column("details"),
    number_column("sequence", null=True),
    bytes_column("chain_hash", null=True),
)
Index("uq_audit_events_sequence", audit_events.c.sequence, unique=True)
Index("ix_audit_events_link_id", audit_events.c.link_id)
Index("ix_audit_events_citizen_id_occurred_at", audit_events.c.citizen_id, audit_events.c.occurred_at)
Index(
    "ix_audit_events_unsealed",
    audit_events.c.occurred_at,
    postgresql_where=text("sequence IS NULL"),
    sqlite_where=text("sequence IS NULL"),
)

audit_head = Table(
    "audit_head",
    metadata,
    number_column("head_id", key=True),
    number_column("sequence"),
    bytes_column("chain_hash"),
    time_column("sealed_at"),
)

leases = Table(
    "leases",
    metadata,
    text_column("name", key=True),
    text_column("holder"),
    time_column("taken_at"),
    time_column("expires_at"),
)
