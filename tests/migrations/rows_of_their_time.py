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
}
"""By revision: questions, and the answers that hold at head."""


def rows_of(revision: str, database_url: str) -> list[str]:
    """Return the statements that put rows into a database that stands at this revision."""
    sql = (ROWS / f"{revision}.sql").read_text(encoding="utf-8")
    if not database_url.startswith("sqlite"):
        sql = re.sub(r"x'(\w*)'", r"'\\x\1'::bytea", sql)
    return [statement for statement in sql.split(";\n") if statement.strip()]
