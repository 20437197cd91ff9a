"""What must be left at head of the rows that stood in a database at each revision.

`rows/<revision>.sql` is raw SQL, written once and never changed: the program of today cannot write the
rows of yesterday. Bytes are written `x'…'`; `rows_of` translates that for PostgreSQL. A new revision adds a
file, with rows for what it adds or converts, and its questions here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS = Path(__file__).parent / "rows"

SURVIVORS: Mapping[str, Mapping[str, list[tuple[Any, ...]]]] = {
    "0001": {
        "SELECT citizen_id, status, personal_data, phone_lookup FROM citizens": [
            ("citizen-1", "active", b"\x5e\xa1", b"\x0f")
        ],
        "SELECT personal_number, valid_from, valid_until FROM personal_numbers ORDER BY valid_from": [
            (b"\x5e\xa2", 1, 5),
            (b"\x5e\xa3", 5, None),
        ],
        "SELECT kind, secret, last_used_step FROM authenticators": [("totp", b"\x5e\xa4", 7)],
        "SELECT link_id, account_id, status, place, handle FROM account_links ORDER BY link_id": [
            ("link-1", "tài khoản", "active", 1, "@lan"),
            ("link-2", "tài khoản", "ended", None, None),
        ],
        "SELECT consent_id, decision, claims, text_version FROM consents": [
            ("consent-1", "allow", '["name"]', "2026-11")
        ],
        "SELECT client_id, status, revision FROM clients": [("network", "active", 4)],
        "SELECT grant_id, link_id, revoked_at FROM grants": [("grant-1", "link-1", None)],
        "SELECT token_hash, generation FROM refresh_tokens": [(b"\x06", 1)],
        "SELECT event_id, sequence, chain_hash FROM audit_events ORDER BY event_id": [
            ("event-1", 1, b"\x08"),
            ("event-2", None, None),
        ],
        "SELECT sequence, chain_hash FROM audit_head": [(1, b"\x08")],
    },
    "0002": {
        "SELECT code_challenge FROM codes ORDER BY code_hash": [("challenge",), (None,)],
        "SELECT token_hash, retries FROM refresh_tokens": [(b"\x06", 0)],
        "SELECT grant_id, subject FROM grants": [("grant-1", None)],
        "SELECT client_id, claims FROM access_tokens": [("network", '{"jti":"1"}')],
        "SELECT kind, citizen_id, status FROM backchannel_requests": [("ciba", "citizen-1", "pending")],
        "SELECT label, uses_left FROM initial_access_tokens": [("for the tests", 3)],
        "SELECT client_id, initial_token_id FROM client_registrations": [("network", "token-1")],
        "SELECT delivery_id, kind, content FROM outbox": [("delivery-1", "backchannel_logout", b"\x5e\xa6")],
    },
    "0003": {
        "SELECT change_id, kind, sequence FROM link_changes": [("change-1", "established", 1)],
        "SELECT name, sequence FROM consumers ORDER BY name": [("link_changes", 0), ("status_lists", 0)],
        "SELECT list_id, size, taken, statuses FROM status_lists": [("list-1", 8, b"\x01", b"\x00")],
        "SELECT stream_id, status, authorization_header FROM event_streams": [
            ("stream-1", "enabled", b"\x5e\xa7")
        ],
        "SELECT stream_id, subject FROM event_stream_subjects": [("stream-1", "subject-1")],
        "SELECT case_id, reference, kind FROM cases": [("case-1", "ABCD2345", "not_me")],
        "SELECT notice_id, citizen_id, kind FROM notices": [("notice-1", "citizen-1", "link_established")],
        "SELECT citizen_id, channels FROM notice_preferences": [("citizen-1", '["email"]')],
        "SELECT guardianship_id, source FROM guardianships": [("guardianship-1", "operator")],
        "SELECT request_id, status FROM guardian_requests": [("request-1", "pending")],
    },
    "0004": {
        "SELECT status, answer FROM idempotency_keys": [(200, "{}")],
        "SELECT action_id, kind, status FROM mass_actions": [("action-1", "suspend", "proposed")],
        "SELECT action_id, link_id FROM mass_action_items": [("action-1", "link-1")],
        "SELECT level, tile, hashes FROM merkle_tiles": [(0, 0, b"\x43")],
        "SELECT tree_size, signed FROM checkpoints": [(1, "signed")],
        "SELECT purge_id, chain_hash FROM purged_log": [(1, b"\x45")],
        "SELECT kind, seconds, deliveries FROM delivery_figures": [("backchannel_logout", 5, 12)],
        "SELECT version, published_by FROM feature_policies": [(2, "lan")],
        "SELECT name, enrolled_by, removed_at FROM operators": [("lan", "nga", None)],
        "SELECT client_id, revision FROM simulations": [("network", 1)],
    },
    "0005": {
        "SELECT passkey_id, sign_count, name FROM passkeys": [("passkey-1", 3, b"\x5e\xa9")],
        "SELECT device_id, name FROM app_devices": [("device-1", b"\x5e\xaa")],
        "SELECT kind, visit_id, status FROM phone_approvals": [("sign_in", "my", "open")],
        "SELECT purpose, subject FROM phone_codes": [("approval", "approval-1")],
        "SELECT citizen_id, used_at FROM recovery_codes": [("citizen-1", None)],
        "SELECT browser_id, expires_at FROM trusted_browsers": [("browser-1", 9)],
        "SELECT activation_id, purpose, ground FROM activations": [("activation-1", "enrolment", "post")],
        "SELECT upstream_id, citizen_id FROM upstream_accounts": [("upstream", "citizen-1")],
        "SELECT upstream_id, visit_id FROM upstream_visits": [("upstream", "my")],
    },
}
"""By revision: questions, and the answers that hold at head."""


def rows_of(revision: str, database_url: str) -> list[str]:
    """Return the statements that put rows into a database that stands at this revision."""
    sql = (ROWS / f"{revision}.sql").read_text(encoding="utf-8")
    if not database_url.startswith("sqlite"):
        sql = re.sub(r"x'(\w*)'", r"'\\x\1'::bytea", sql)
    return [statement for statement in sql.split(";\n") if statement.strip()]
