"""Pushed requests and authorization codes: short-lived, each used once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, null, select

from idp.protocol.grants import Backing
from idp.protocol.model import AuthorizationCode, AuthorizationRequest
from idp.protocol.stored_request import dump_request, load_request
from idp.store.encoding import hash_secret, load_mapping, micros, moment, moment_or_none
from idp.store.grants import (
    BACKING,
    backing_from_row,
    dump_grant_content,
    grant_from_row,
)
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import account_links, citizens, codes, consents, pushed_requests, sessions
from idp.store.writes import Change, Insert

_INSERT_PUSHED = Insert(
    "pushed_request", pushed_requests, ("request_uri_hash", "client_id", "request", "expires_at")
)
_USE_PUSHED = Change(
    "pushed_request_used",
    pushed_requests,
    where=lambda bind: (
        (pushed_requests.c.request_uri_hash == bind("uri")) & (pushed_requests.c.used_at == null())
    ),
    values=lambda bind: {"used_at": bind("now")},
    gate=True,
)
_INSERT_CODE = Insert(
    "code",
    codes,
    (
        "code_hash",
        "grant_id",
        "client_id",
        "citizen_id",
        "session_id",
        "link_id",
        "consent_id",
        "redirect_uri",
        "code_challenge",
        "content",
        "issued_at",
        "expires_at",
    ),
)
_CONSUME_CODE = Change(
    "code_consumed",
    codes,
    where=lambda bind: (codes.c.code_hash == bind("code")) & (codes.c.consumed_at == null()),
    values=lambda bind: {"consumed_at": bind("now")},
    gate=True,
)
_FIND_PUSHED = select(pushed_requests).where(
    pushed_requests.c.request_uri_hash == bindparam("request_uri_hash")
)
_FIND_CODE = (
    select(
        codes.c.redirect_uri,
        codes.c.code_challenge,
        codes.c.consumed_at,
        codes.c.expires_at,
        codes.c.grant_id.label("grant_grant_id"),
        codes.c.client_id.label("grant_client_id"),
        codes.c.citizen_id.label("grant_citizen_id"),
        codes.c.session_id.label("grant_session_id"),
        codes.c.link_id.label("grant_link_id"),
        codes.c.content.label("grant_content"),
        codes.c.issued_at.label("grant_issued_at"),
        null().label("grant_revoked_at"),
        *BACKING,
    )
    .select_from(codes)
    .join(citizens, citizens.c.citizen_id == codes.c.citizen_id)
    .outerjoin(account_links, account_links.c.link_id == codes.c.link_id)
    .outerjoin(sessions, sessions.c.session_id == codes.c.session_id)
    .outerjoin(consents, consents.c.consent_id == codes.c.consent_id)
    .where(codes.c.code_hash == bindparam("code_hash"))
)


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A pushed authorization request (RFC 9126 §2.2)."""

    request_uri_hash: bytes
    client_id: str
    request: AuthorizationRequest
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code, consumed or not, with everything behind it."""

    code: AuthorizationCode
    backing: Backing


class Codes:
    """What the program remembers about pushed requests and codes."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add_pushed_request(
        self, request_uri: str, request: AuthorizationRequest, expires_at: datetime
    ) -> None:
        """Record a pushed request under the hash of its URI."""
        self._recorder.record(
            _INSERT_PUSHED,
            request_uri_hash=hash_secret(request_uri),
            client_id=request.client_id,
            request=dump_request(request),
            expires_at=micros(expires_at),
        )

    async def find_pushed_request(self, request_uri: str) -> PushedRequest | None:
        """Return a pushed request, used or expired ones included."""
        request_uri_hash = hash_secret(request_uri)
        row = await self._recorder.fetch_one(_FIND_PUSHED, request_uri_hash=request_uri_hash)
        if row is None:
            return None
        return PushedRequest(
            request_uri_hash=request_uri_hash,
            client_id=row["client_id"],
            request=load_request(row["request"]),
            expires_at=moment(row["expires_at"]),
            used_at=moment_or_none(row["used_at"]),
        )

    def use_pushed_request(self, request_uri_hash: bytes, now: datetime) -> None:
        """Record that its authorization is complete; the gate `pushed_request_used` closes afterwards."""
        self._recorder.record(_USE_PUSHED, uri=request_uri_hash, now=micros(now))

    def add(self, code: AuthorizationCode) -> None:
        """Record a new code with all that it will grant."""
        grant = code.grant
        self._recorder.record(
            _INSERT_CODE,
            code_hash=code.code_hash,
            grant_id=grant.grant_id,
            client_id=grant.client_id,
            citizen_id=grant.citizen_id,
            session_id=grant.session_id,
            link_id=grant.link_id,
            consent_id=grant.consent_id,
            redirect_uri=code.redirect_uri,
            code_challenge=code.code_challenge,
            content=dump_grant_content(grant, dpop_jkt=code.dpop_jkt),
            issued_at=micros(grant.issued_at),
            expires_at=micros(code.expires_at),
        )

    async def find(self, code: str, now: datetime) -> FoundCode | None:
        """Return a code, consumed or expired ones included, with its backing."""
        code_hash = hash_secret(code)
        row = await self._recorder.fetch_one(_FIND_CODE, code_hash=code_hash)
        if row is None:
            return None
        found = AuthorizationCode(
            code_hash=code_hash,
            redirect_uri=row["redirect_uri"],
            code_challenge=row["code_challenge"],
            grant=grant_from_row(row),
            expires_at=moment(row["expires_at"]),
            consumed_at=moment_or_none(row["consumed_at"]),
            dpop_jkt=load_mapping(row["grant_content"]).get("dpop_jkt"),
        )
        return FoundCode(found, backing_from_row(row, self._seal, now))

    def consume(self, code: AuthorizationCode, now: datetime) -> None:
        """Record its single use; the gate `code_consumed` closes for the second one (RFC 6749 §4.1.2)."""
        self._recorder.record(_CONSUME_CODE, code=code.code_hash, now=micros(now))
