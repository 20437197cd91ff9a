"""Opaque access tokens: what a JWT would have said, kept under the hash of a random value. RFC 7662 §1."""

from datetime import datetime

import orjson
from sqlalchemy import bindparam, select

from idp.store.client_tables import access_tokens as t
from idp.store.encoding import hash_secret, micros
from idp.store.recorder import Recorder
from idp.store.writes import Insert

_INSERT = Insert("access_token", t, tuple(column.name for column in t.columns))
_FIND = select(t.c.claims).where(t.c.token_hash == bindparam("token_hash"))


class AccessTokens:
    """What the program remembers about access tokens that say nothing themselves."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def add(self, token: str, claims: dict[str, object], expires_at: datetime) -> None:
        """Record a new token with its claims (names of RFC 9068 §2.2)."""
        self._recorder.record(
            _INSERT,
            token_hash=hash_secret(token),
            client_id=str(claims["client_id"]),
            grant_id=None if "grant_id" not in claims else str(claims["grant_id"]),
            claims=orjson.dumps(claims).decode(),
            expires_at=micros(expires_at),
        )

    async def find(self, token: str) -> dict[str, object] | None:
        """Return the claims of a token, expired ones included until they are purged."""
        row = await self._recorder.fetch_one(_FIND, token_hash=hash_secret(token))
        if row is None:
            return None
        claims: dict[str, object] = orjson.loads(row["claims"])
        return claims
