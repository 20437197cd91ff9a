"""Every table, with every column classified as to personal data.

Conventions, the same on both engines: times are BIGINT microseconds since 1970 (UTC), JSON is text,
ids are random text, hashes and sealed values are bytes. `info["pii"]` says what a column tells about
a person: `none`, `indirect` (an id or a fact that needs other data), `direct` (sealed), `secret`.
"""

from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

PII = Literal["none", "indirect", "direct", "secret"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *args: Any, pii: PII = "none", null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text, *args, nullable=null, primary_key=key, info={"pii": pii})


def _bytes(name: str, *, pii: PII = "none", null: bool = False, key: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null, primary_key=key, info={"pii": pii})


def _time(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, info={"pii": "none"})


def _number(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, primary_key=key, autoincrement=False, info={"pii": "none"})


citizens = Table(
    "citizens",
    metadata,
    _text("citizen_id", pii="indirect", key=True),
    _text("status"),
    _text("proofing"),
    _time("proofed_at"),
    _bytes("personal_data", pii="direct"),
    _bytes("phone_lookup", pii="indirect", null=True),
    _time("held_at", null=True),
    _time("created_at"),
    _time("updated_at"),
)
Index("ix_citizens_phone_lookup", citizens.c.phone_lookup)

personal_numbers = Table(
    "personal_numbers",
    metadata,
    _text("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    _bytes("number_lookup", pii="indirect"),
    _bytes("personal_number", pii="direct"),
    _time("valid_from"),
    _time("valid_until", null=True),
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
    _text("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect", key=True),
    _text("kind", key=True),
    _bytes("secret", pii="secret"),
    _number("last_used_step", null=True),
    _time("created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    _bytes("attempt_key", pii="indirect", key=True),
    _number("failures"),
    _time("counted_since"),
    _time("last_attempt_at"),
    _time("expires_at"),
)
Index("ix_attempts_expires_at", attempts.c.expires_at)

sessions = Table(
    "sessions",
    metadata,
    _text("session_id", pii="indirect", key=True),
    _bytes("cookie_hash", pii="secret"),
    _text("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    _text("acr"),
    _text("amr"),
    _time("auth_time"),
    _time("created_at"),
    _time("last_seen_at"),
    _time("expires_at"),
    _time("ended_at", null=True),
)
Index("uq_sessions_cookie_hash", sessions.c.cookie_hash, unique=True)
Index("ix_sessions_citizen_id", sessions.c.citizen_id)
Index("ix_sessions_expires_at", sessions.c.expires_at)

clients = Table(
    "clients",
    metadata,
    _text("client_id", key=True),
    _text("registration"),
    _text("secrets", pii="secret"),
    _text("status"),
    _number("revision"),
    _time("registered_at"),
    _time("updated_at"),
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    _bytes("request_uri_hash", key=True),
    _text("client_id"),
    _text("request", pii="indirect"),
    _time("expires_at"),
    _time("used_at", null=True),
)
Index("ix_pushed_requests_expires_at", pushed_requests.c.expires_at)

interactions = Table(
    "interactions",
    metadata,
    _bytes("interaction_hash", key=True),
    _bytes("browser_hash", pii="indirect", null=True),
    _text("client_id"),
    _text("request", pii="indirect"),
    _bytes("request_uri_hash", null=True),
    _time("created_at"),
    _time("expires_at"),
    _text("chosen_session_id", pii="indirect", null=True),
    _text("consent_id", null=True),
    _text("denied_because", null=True),
    _time("finished_at", null=True),
)
Index("ix_interactions_expires_at", interactions.c.expires_at)

consents = Table(
    "consents",
    metadata,
    _text("consent_id", key=True),
    _text("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    _text("client_id"),
    _text("decision"),
    _text("reason"),
    _text("purpose", null=True),
    _text("scope"),
    _text("claims"),
    _text("offered"),
    _text("text_version"),
    _text("ui_locale"),
    _time("decided_at"),
    _time("withdrawn_at", null=True),
)
Index("ix_consents_citizen_id_client_id", consents.c.citizen_id, consents.c.client_id)

account_links = Table(
    "account_links",
    metadata,
    _text("link_id", pii="indirect", key=True),
    _text("client_id"),
    _text("account_id", pii="indirect"),
    _text("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    _text("subject", pii="indirect"),
    _text("status"),
    _text("proofing"),
    _text("acr"),
    _text("handle", pii="indirect", null=True),
    _text("profile_uri", pii="indirect", null=True),
    _text("purpose", null=True),
    Column("place", Integer, nullable=True, info={"pii": "none"}),
    _time("requested_at"),
    _time("linked_at", null=True),
    _time("expires_at", null=True),
    _time("last_used_at", null=True),
    _text("suspended_because", null=True),
    _time("ended_at", null=True),
    _text("ended_because", null=True),
    _time("updated_at"),
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
Index(
    "ix_account_links_pending",
    account_links.c.requested_at,
    postgresql_where=text("status = 'pending'"),
    sqlite_where=text("status = 'pending'"),
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
    _bytes("code_hash", pii="secret", key=True),
    _text("grant_id"),
    _text("client_id"),
    _text("citizen_id", pii="indirect"),
    _text("session_id", pii="indirect"),
    _text("link_id", pii="indirect", null=True),
    _text("redirect_uri"),
    _text("code_challenge"),
    _text("content", pii="indirect"),
    _time("issued_at"),
    _time("expires_at"),
    _time("consumed_at", null=True),
)
Index("ix_codes_expires_at", codes.c.expires_at)

grants = Table(
    "grants",
    metadata,
    _text("grant_id", key=True),
    _text("client_id"),
    _text("citizen_id", pii="indirect"),
    _text("session_id", pii="indirect"),
    _text("link_id", pii="indirect", null=True),
    _text("content", pii="indirect"),
    _time("issued_at"),
    _time("expires_at"),
    _time("revoked_at", null=True),
    _text("revoked_because", null=True),
)
Index("ix_grants_citizen_id", grants.c.citizen_id)
Index("ix_grants_link_id", grants.c.link_id)
Index("ix_grants_expires_at", grants.c.expires_at)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    _bytes("token_hash", pii="secret", key=True),
    _text("grant_id"),
    _number("generation"),
    _time("issued_at"),
    _time("expires_at"),
    _time("consumed_at", null=True),
)
Index("ix_refresh_tokens_grant_id", refresh_tokens.c.grant_id)
Index("ix_refresh_tokens_expires_at", refresh_tokens.c.expires_at)

spent = Table(
    "spent",
    metadata,
    _bytes("spent_key", key=True),
    _time("expires_at"),
)
Index("ix_spent_expires_at", spent.c.expires_at)

audit_events = Table(
    "audit_events",
    metadata,
    _text("event_id", key=True),
    _time("occurred_at"),
    _text("type"),
    _text("actor_kind"),
    _text("actor_id", pii="indirect"),
    _text("client_id", null=True),
    _text("citizen_id", pii="indirect", null=True),
    _text("link_id", pii="indirect", null=True),
    _text("details"),
    _number("sequence", null=True),
    _bytes("chain_hash", null=True),
)
Index("uq_audit_events_sequence", audit_events.c.sequence, unique=True)
Index("ix_audit_events_link_id", audit_events.c.link_id)
Index(
    "ix_audit_events_unsealed",
    audit_events.c.occurred_at,
    postgresql_where=text("sequence IS NULL"),
    sqlite_where=text("sequence IS NULL"),
)

audit_head = Table(
    "audit_head",
    metadata,
    _number("head_id", key=True),
    _number("sequence"),
    _bytes("chain_hash"),
    _time("sealed_at"),
)

leases = Table(
    "leases",
    metadata,
    _text("name", key=True),
    _text("holder"),
    _time("taken_at"),
    _time("expires_at"),
)
