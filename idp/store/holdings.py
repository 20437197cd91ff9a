"""What is held about a person beside their links, decisions and history: described for them, never a secret.

Each kind names the columns that a person may take along. Whatever could let somebody in (hashes, keys, seeds,
codes) is none of them, nor is another person or one of our staff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Select, Table, bindparam, or_, select

from idp.store.credential_tables import (
    activations,
    app_devices,
    passkeys,
    recovery_codes,
    trusted_browsers,
    upstream_accounts,
)
from idp.store.database import Row
from idp.store.encoding import moment_or_none
from idp.store.link_tables import cases, guardian_requests, guardianships, notice_preferences, notices
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.tables import authenticators, sessions


class HoldingKind(StrEnum):
    """What is held; the value is the member of the file for programs."""

    AUTHENTICATORS = "authenticators"
    PASSKEYS = "passkeys"
    PHONES = "phones"
    RECOVERY_CODES = "recovery_codes"
    BROWSERS = "browsers"
    UPSTREAM_ACCOUNTS = "upstream_accounts"
    ACTIVATIONS = "activations"
    SESSIONS = "sessions"
    NOTICE_PREFERENCES = "notice_preferences"
    NOTICES = "notices"
    CASES = "cases"
    GUARDIANSHIPS = "guardianships"
    GUARDIAN_REQUESTS = "guardian_requests"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a kind is found, and what of it is described."""

    table: Table
    key: str
    """Tells a person's rows apart; shown only where it is among the columns."""
    columns: tuple[str, ...]
    owners: tuple[str, ...] = ("citizen_id",)
    label: str | None = None
    """Which column says which one it is."""
    sealed_as: str | None = None
    """What the sealed column `name` is bound to, beside the key."""


_REVOKED = ("created_at", "last_used_at", "revoked_at")
SOURCES: Mapping[HoldingKind, _Source] = {
    HoldingKind.AUTHENTICATORS: _Source(authenticators, "kind", ("kind", "created_at"), label="kind"),
    HoldingKind.PASSKEYS: _Source(
        passkeys,
        "passkey_id",
        (
            *("passkey_id", "name", "aaguid", "transports", "attestation", "is_hardware"),
            *("is_backup_eligible", "is_backed_up", *_REVOKED, "revoked_because"),
        ),
        label="name",
        sealed_as="passkey",
    ),
    HoldingKind.PHONES: _Source(
        app_devices,
        "device_id",
        ("device_id", "name", "confirmed_at", *_REVOKED, "revoked_because"),
        label="name",
        sealed_as="app_name",
    ),
    HoldingKind.RECOVERY_CODES: _Source(recovery_codes, "code_hash", ("created_at", "used_at")),
    HoldingKind.BROWSERS: _Source(
        trusted_browsers,
        "browser_id",
        ("browser_id", "name", *_REVOKED, "expires_at"),
        label="name",
        sealed_as="trusted_browser",
    ),
    HoldingKind.UPSTREAM_ACCOUNTS: _Source(
        upstream_accounts,
        "subject_lookup",
        ("upstream_id", "first_used_at", "last_used_at", "disconnected_at"),
        label="upstream_id",
    ),
    HoldingKind.ACTIVATIONS: _Source(
        activations,
        "activation_id",
        (
            *("activation_id", "purpose", "ground", "evidence", "status", "issued_at", "usable_from"),
            *("expires_at", "used_at", "stopped_at", "stopped_because"),
        ),
    ),
    HoldingKind.SESSIONS: _Source(
        sessions,
        "session_id",
        ("acr", "amr", "auth_time", "created_at", "last_seen_at", "expires_at", "ended_at"),
    ),
    HoldingKind.NOTICE_PREFERENCES: _Source(
        notice_preferences, "citizen_id", ("channels", "ui_locale", "updated_at")
    ),
    HoldingKind.NOTICES: _Source(
        notices,
        "notice_id",
        (
            *("notice_id", "kind", "client_id", "link_id", "case_id", "details"),
            *("created_at", "vetoed_at", "expires_at"),
        ),
    ),
    HoldingKind.CASES: _Source(
        cases,
        "case_id",
        (
            # Without `link_id`: in a dispute it is the other party's.
            *("case_id", "reference", "kind", "status", "client_id", "account_id"),
            *("opened_at", "due_at", "answered_at", "closed_at", "outcome"),
        ),
        owners=("citizen_id", "holder_citizen_id"),
        label="reference",
    ),
    HoldingKind.GUARDIANSHIPS: _Source(
        guardianships,
        "guardianship_id",
        ("guardianship_id", "source", "child_turns_16_at", "valid_from", "ended_at", "handed_over_at"),
        owners=("guardian_id", "child_id"),
    ),
    HoldingKind.GUARDIAN_REQUESTS: _Source(
        guardian_requests,
        "request_id",
        (
            *("request_id", "client_id", "account_id", "status", "guardianship_id"),
            *("created_at", "expires_at", "decided_at", "used_at"),
        ),
        owners=("child_id",),
        label="account_id",
    ),
}
_MOMENTS = frozenset({"auth_time", "usable_from", "valid_from"})
"""Times whose names do not end as the others do."""


def _statement(source: _Source) -> Select[Any]:
    named = {
        source.key: source.table.c[source.key],
        **{name: source.table.c[name] for name in source.columns},
    }
    owned: list[ColumnElement[bool]] = [
        source.table.c[name] == bindparam("citizen_id") for name in source.owners
    ]
    key = source.table.c[source.key]
    return (
        select(*named.values())
        .where(or_(*owned))
        .where(key > bindparam("after"))
        .order_by(key)
        .limit(bindparam("limit"))
    )


_STATEMENTS = {kind: _statement(source) for kind, source in SOURCES.items()}


@dataclass(frozen=True, slots=True)
class Holding:
    """One row, described."""

    kind: HoldingKind
    label: str
    """Which one it is, in the person's or a network's words; empty where nothing says so."""
    facts: Mapping[str, Any]
    """What is described, by the names of the columns; times as such."""


class Holdings:
    """A read over what other stores write."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def page(
        self, kind: HoldingKind, citizen_id: str, after: str | bytes | None, limit: int
    ) -> tuple[list[Holding], str | bytes | None]:
        """Return a page of what is held of one kind, and where the next begins; None at the end."""
        source = SOURCES[kind]
        begin = after if after is not None else _lowest(source.table.c[source.key])
        rows = await self._recorder.fetch_all(
            _STATEMENTS[kind], citizen_id=citizen_id, after=begin, limit=limit
        )
        last = rows[-1][source.key] if len(rows) == limit else None
        return [self._holding(kind, source, row) for row in rows], last

    def _holding(self, kind: HoldingKind, source: _Source, row: Row) -> Holding:
        facts = {name: self._fact(source, row, name) for name in source.columns}
        label = "" if source.label is None else facts[source.label]
        return Holding(kind, label, facts)

    def _fact(self, source: _Source, row: Row, name: str) -> Any:
        value = row[name]
        if name == "name" and source.sealed_as is not None:
            context = column_of(row[source.key], source.sealed_as)
            return self._seal.open(bytes(value), context).decode()
        if name.endswith("_at") or name in _MOMENTS:
            return moment_or_none(value)
        return bool(value) if name.startswith("is_") else value


def _lowest(column: Column[Any]) -> str | bytes:
    return b"" if isinstance(column.type, LargeBinary) else ""
