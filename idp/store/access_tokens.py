"""Access tokens: opaque ones under their hash, with what a JWT would have said; and those that were revoked.

RFC 7662 §1, RFC 7009. A JWT is not stored: that it was revoked is, under its `jti` until it expires.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import bindparam, false, select

from idp.store.client_tables import access_tokens as t
from idp.store.encoding import hash_secret, micros
from idp.store.grants import (
    BACKING,
    GRANT_COLUMNS,
    IS_TOKEN_REVOKED,
    REVOKED_TOKEN,
    FoundGrant,
    found_grant_from_row,
    spent_key,
)
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import account_links, citizens, consents, grants, sessions, spent
from idp.store.writes import Insert, Remove

_INSERT = Insert("access_token", t, tuple(column.name for column in t.columns))
_REMOVE = Remove("access_token_removed", t, where=lambda bind: t.c.token_hash == bind("token"))
_REVOKE = Insert("access_token_revoked", spent, ("spent_key", "expires_at"), unless_exists=True)
_IS_REVOKED = select(IS_TOKEN_REVOKED)
_FIND = (
    select(t.c.claims, false().label("is_token_revoked"), *GRANT_COLUMNS, *BACKING)
    .select_from(t)
    .outerjoin(grants, grants.c.grant_id == t.c.grant_id)
    .outerjoin(citizens, citizens.c.citizen_id == grants.c.citizen_id)
    .outerjoin(account_links, account_links.c.link_id == grants.c.link_id)
    .outerjoin(sessions, sessions.c.session_id == grants.c.session_id)
    .outerjoin(consents, consents.c.consent_id == grants.c.consent_id)
    .where(t.c.token_hash == bindparam("token_hash"))
)


@dataclass(frozen=True, slots=True)
class FoundAccessToken:
    """An opaque access token, with its grant and everything behind that."""

    claims: Mapping[str, object]
    grant: FoundGrant | None


class AccessTokens:
    """What the program remembers about access tokens."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, token: str, claims: dict[str, object], expires_at: datetime) -> None:
        """Record a new opaque token with its claims (names of RFC 9068 §2.2)."""
        self._recorder.record(
            _INSERT,
            token_hash=hash_secret(token),
            client_id=str(claims["client_id"]),
            grant_id=None if "grant_id" not in claims else str(claims["grant_id"]),
            claims=orjson.dumps(claims).decode(),
            expires_at=micros(expires_at),
        )

    async def find(self, token: str, now: datetime) -> FoundAccessToken | None:
        """Return an opaque token and its grant by one statement; expired ones until they are purged."""
        row = await self._recorder.fetch_one(_FIND, token_hash=hash_secret(token))
        if row is None:
            return None
        has_grant = row["grant_grant_id"] is not None and row["person_citizen_id"] is not None
        found = found_grant_from_row(row, self._seal, now) if has_grant else None
        return FoundAccessToken(orjson.loads(row["claims"]), found)

    async def is_revoked(self, jti: str) -> bool:
        """Tell whether a JWT without a grant was revoked; that of one with a grant comes with the grant."""
        row = await self._recorder.fetch_one(_IS_REVOKED, revoked_key=spent_key(REVOKED_TOKEN, jti))
        return row is not None and bool(row["is_token_revoked"])

    def revoke(self, jti: str, expires_at: datetime) -> None:
        """Record that a JWT is worth nothing any more; kept as long as it would have lived."""
        self._recorder.record(_REVOKE, spent_key=spent_key(REVOKED_TOKEN, jti), expires_at=micros(expires_at))

    def remove(self, token: str) -> None:
        """Record that an opaque token is gone."""
        self._recorder.record(_REMOVE, token=hash_secret(token))
