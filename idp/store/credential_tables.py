"""Tables of credentials: passkeys, phones, codes, trusted browsers, activations, upstream providers."""

from sqlalchemy import ForeignKey, Index, Table, text

from idp.store.columns import bytes_column, metadata, number_column, text_column, time_column

passkeys = Table(
    "passkeys",
    metadata,
    bytes_column("credential_id", pii="indirect", key=True),
    text_column("passkey_id", pii="indirect"),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    bytes_column("public_key"),
    number_column("sign_count"),
    bytes_column("name", pii="direct"),
    text_column("aaguid"),
    text_column("transports"),
    text_column("attestation"),
    number_column("is_hardware"),
    number_column("is_backup_eligible"),
    number_column("is_backed_up"),
    time_column("created_at"),
    time_column("last_used_at", null=True),
    time_column("revoked_at", null=True),
    text_column("revoked_because", null=True),
)
Index("uq_passkeys_passkey_id", passkeys.c.passkey_id, unique=True)
Index("ix_passkeys_citizen_id", passkeys.c.citizen_id)
_REVOKED = text("revoked_at IS NOT NULL")
Index(
    "ix_passkeys_revoked_at",
    passkeys.c.revoked_at,
    postgresql_where=_REVOKED,
    sqlite_where=_REVOKED,
)

app_devices = Table(
    "app_devices",
    metadata,
    text_column("device_id", pii="indirect", key=True),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("public_key", pii="indirect"),
    text_column("pin_hash", pii="secret"),
    bytes_column("name", pii="direct"),
    number_column("pin_failures", default="0"),
    bytes_column("number", pii="secret", null=True),
    text_column("session_id", pii="indirect", null=True),
    time_column("created_at"),
    time_column("confirmed_at", null=True),
    time_column("last_used_at", null=True),
    time_column("revoked_at", null=True),
    text_column("revoked_because", null=True),
)
Index("ix_app_devices_citizen_id", app_devices.c.citizen_id)
Index(
    "ix_app_devices_revoked_at",
    app_devices.c.revoked_at,
    postgresql_where=_REVOKED,
    sqlite_where=_REVOKED,
)
_UNCONFIRMED = text("confirmed_at IS NULL")
Index(
    "ix_app_devices_unconfirmed",
    app_devices.c.created_at,
    postgresql_where=_UNCONFIRMED,
    sqlite_where=_UNCONFIRMED,
)

phone_approvals = Table(
    "phone_approvals",
    metadata,
    bytes_column("approval_hash", key=True),
    text_column("kind"),
    text_column("visit_id", null=True),
    bytes_column("browser_hash", pii="indirect"),
    bytes_column("asked_from", pii="direct", null=True),
    text_column("client_id", null=True),
    text_column("citizen_id", pii="indirect", null=True),
    text_column("device_id", pii="indirect", null=True),
    text_column("status"),
    bytes_column("number", pii="secret", null=True),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("claimed_at", null=True),
    time_column("decided_at", null=True),
    time_column("consumed_at", null=True),
)
Index("ix_phone_approvals_browser_hash", phone_approvals.c.browser_hash)
Index("ix_phone_approvals_citizen_id", phone_approvals.c.citizen_id)
Index("ix_phone_approvals_expires_at", phone_approvals.c.expires_at)

phone_codes = Table(
    "phone_codes",
    metadata,
    bytes_column("code_hash", pii="secret", key=True),
    text_column("purpose"),
    text_column("subject", pii="indirect"),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("used_at", null=True),
)
Index("ix_phone_codes_expires_at", phone_codes.c.expires_at)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    bytes_column("code_hash", pii="secret", key=True),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    time_column("created_at"),
    time_column("used_at", null=True),
)
Index("ix_recovery_codes_citizen_id", recovery_codes.c.citizen_id)

trusted_browsers = Table(
    "trusted_browsers",
    metadata,
    bytes_column("cookie_hash", pii="secret", key=True),
    text_column("browser_id", pii="indirect"),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    bytes_column("name", pii="direct"),
    time_column("created_at"),
    time_column("last_used_at"),
    time_column("expires_at"),
    time_column("revoked_at", null=True),
)
Index("uq_trusted_browsers_browser_id", trusted_browsers.c.browser_id, unique=True)
Index("ix_trusted_browsers_citizen_id", trusted_browsers.c.citizen_id)
Index("ix_trusted_browsers_expires_at", trusted_browsers.c.expires_at)

activations = Table(
    "activations",
    metadata,
    text_column("activation_id", key=True),
    bytes_column("code_hash", pii="secret", null=True),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    text_column("purpose"),
    text_column("ground"),
    text_column("evidence", null=True),
    text_column("status"),
    bytes_column("browser_hash", pii="indirect", null=True),
    bytes_column("stop_hash", pii="secret", null=True),
    text_column("issued_by"),
    text_column("approved_by", null=True),
    time_column("issued_at"),
    time_column("usable_from"),
    time_column("expires_at"),
    time_column("claimed_at", null=True),
    time_column("used_at", null=True),
    time_column("stopped_at", null=True),
    text_column("stopped_because", null=True),
)
Index("uq_activations_code_hash", activations.c.code_hash, unique=True)
Index("uq_activations_stop_hash", activations.c.stop_hash, unique=True)
Index("ix_activations_citizen_id", activations.c.citizen_id)
_NEVER_USED = text("used_at IS NULL")
Index(
    "ix_activations_expires_at",
    activations.c.expires_at,
    postgresql_where=_NEVER_USED,
    sqlite_where=_NEVER_USED,
)
_OPEN = text("used_at IS NULL AND stopped_at IS NULL")
Index(
    "ix_activations_open",
    activations.c.issued_at,
    postgresql_where=_OPEN,
    sqlite_where=_OPEN,
)

upstream_accounts = Table(
    "upstream_accounts",
    metadata,
    text_column("upstream_id", key=True),
    bytes_column("subject_lookup", pii="indirect", key=True),
    text_column("citizen_id", ForeignKey("citizens.citizen_id"), pii="indirect"),
    time_column("first_used_at"),
    time_column("last_used_at"),
    time_column("disconnected_at", null=True),
)
Index(
    "uq_upstream_accounts_upstream_id_citizen_id",
    upstream_accounts.c.upstream_id,
    upstream_accounts.c.citizen_id,
    unique=True,
    postgresql_where=text("disconnected_at IS NULL"),
    sqlite_where=text("disconnected_at IS NULL"),
)

upstream_visits = Table(
    "upstream_visits",
    metadata,
    bytes_column("state_hash", pii="secret", key=True),
    text_column("upstream_id"),
    text_column("visit_id"),
    bytes_column("browser_hash", pii="indirect"),
    bytes_column("secrets", pii="secret"),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("used_at", null=True),
)
Index("ix_upstream_visits_expires_at", upstream_visits.c.expires_at)
