"""Grants and their refresh tokens: token families with generations (RFC 9700 §4.14)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, exists, null, select

from idp.identity.assurance import Acr
from idp.protocol.confirmation import Confirmation
from idp.protocol.grants import Backing
from idp.protocol.model import Grant, RefreshToken
from idp.protocol.stored_request import dump_claims, load_claims
from idp.store.account_links import LINK_COLUMNS, link_from_row
from idp.store.citizens import PERSON, citizen_from_row
from idp.store.database import Row
from idp.store.encoding import dump_mapping, hash_secret, load_mapping, micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import account_links, citizens, consents, grants, refresh_tokens, sessions, spent
from idp.store.writes import Change, Insert

_INSERT_GRANT = Insert(
    "grant",
    grants,
    (
        "grant_id",
        "client_id",
        "citizen_id",
        "session_id",
        "link_id",
        "consent_id",
        "subject",
        "content",
        "issued_at",
        "expires_at",
    ),
)
_INSERT_TOKEN = Insert(
    "refresh_token", refresh_tokens, ("token_hash", "grant_id", "generation", "issued_at", "expires_at")
)
_CONSUME_TOKEN = Change(
    "refresh_token_consumed",
    refresh_tokens,
    where=lambda bind: (
        (refresh_tokens.c.token_hash == bind("token")) & (refresh_tokens.c.consumed_at == null())
    ),
    values=lambda bind: {"consumed_at": bind("now")},
    gate=True,
)
_RETRY_TOKEN = Change(
    "refresh_token_retried",
    refresh_tokens,
    where=lambda bind: (
        (refresh_tokens.c.token_hash == bind("token")) & (refresh_tokens.c.retries == bind("retries"))
    ),
    values=lambda bind: {"retries": bind("retries") + 1},
    gate=True,
)
_REVOKE = Change(
    "grant_revoked",
    grants,
    where=lambda bind: (grants.c.grant_id == bind("id")) & (grants.c.revoked_at == null()),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
)
_SPEND = Insert("spent", spent, ("spent_key", "expires_at"), gate=True, unless_exists=True)
_SPEND_PROOF = Insert("proof_spent", spent, ("spent_key", "expires_at"), gate=True, unless_exists=True)
_SPEND_REQUEST = Insert("request_spent", spent, ("spent_key", "expires_at"), gate=True, unless_exists=True)
"""Gates of their own: a request spends several, and its refusal says which of them was used before."""

REVOKED_TOKEN = "revoked_access_token"
"""The namespace of access tokens that were revoked before their time (RFC 7009)."""

BACKING = (
    *(account_links.c[name].label(f"link_{name}") for name in LINK_COLUMNS),
    *PERSON,
    sessions.c.ended_at.label("session_ended_at"),
    sessions.c.expires_at.label("session_expires_at"),
    consents.c.withdrawn_at.label("consent_withdrawn_at"),
)
"""What every token is checked against, joined beside the code, the grant or the refresh token."""

GRANT_COLUMNS = tuple(column.label(f"grant_{column.name}") for column in grants.columns)
IS_TOKEN_REVOKED = exists().where(spent.c.spent_key == bindparam("revoked_key")).label("is_token_revoked")
_BY_ID = (
    select(IS_TOKEN_REVOKED, *GRANT_COLUMNS, *BACKING)
    .select_from(grants)
    .join(citizens, citizens.c.citizen_id == grants.c.citizen_id)
    .outerjoin(account_links, account_links.c.link_id == grants.c.link_id)
    .outerjoin(sessions, sessions.c.session_id == grants.c.session_id)
    .outerjoin(consents, consents.c.consent_id == grants.c.consent_id)
    .where(grants.c.grant_id == bindparam("grant_id"))
)
_BY_TOKEN = (
    select(
        refresh_tokens.c.generation,
        refresh_tokens.c.issued_at.label("token_issued_at"),
        refresh_tokens.c.expires_at.label("token_expires_at"),
        refresh_tokens.c.consumed_at.label("token_consumed_at"),
        refresh_tokens.c.retries,
        *GRANT_COLUMNS,
        *BACKING,
    )
    .select_from(refresh_tokens)
    .join(grants, grants.c.grant_id == refresh_tokens.c.grant_id)
    .join(citizens, citizens.c.citizen_id == grants.c.citizen_id)
    .outerjoin(account_links, account_links.c.link_id == grants.c.link_id)
    .outerjoin(sessions, sessions.c.session_id == grants.c.session_id)
    .outerjoin(consents, consents.c.consent_id == grants.c.consent_id)
    .where(refresh_tokens.c.token_hash == bindparam("token_hash"))
)
_HOLDER = (
    select(grants.c.citizen_id)
    .outerjoin(consents, consents.c.consent_id == grants.c.consent_id)
    .where(grants.c.subject == bindparam("subject"))
    .where((grants.c.revoked_at == null()) & (grants.c.expires_at > bindparam("now")))
    .where(consents.c.withdrawn_at == null())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class FoundGrant:
    """A grant with everything behind it."""

    grant: Grant
    backing: Backing
    is_token_revoked: bool = False
    """Whether the access token that led here was revoked, and it alone."""


@dataclass(frozen=True, slots=True)
class FoundRefreshToken:
    """A refresh token with its grant and backing."""

    token: RefreshToken
    grant: Grant
    backing: Backing


class Grants:
    """What the program remembers about grants and refresh tokens."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, grant_id: str, now: datetime, *, jti: str = "") -> FoundGrant | None:
        """Return a grant, revoked or not, with its backing; `jti` is the access token that names it."""
        row = await self._recorder.fetch_one(
            _BY_ID, grant_id=grant_id, revoked_key=spent_key(REVOKED_TOKEN, jti)
        )
        return None if row is None else found_grant_from_row(row, self._seal, now)

    async def find_refresh_token(self, token: str, now: datetime) -> FoundRefreshToken | None:
        """Return a refresh token, consumed or not, with its grant and backing."""
        token_hash = hash_secret(token)
        row = await self._recorder.fetch_one(_BY_TOKEN, token_hash=token_hash)
        if row is None:
            return None
        grant = grant_from_row(row)
        found = RefreshToken(
            token_hash=token_hash,
            grant_id=grant.grant_id,
            generation=row["generation"],
            issued_at=moment(row["token_issued_at"]),
            expires_at=moment(row["token_expires_at"]),
            consumed_at=moment_or_none(row["token_consumed_at"]),
            retries=row["retries"],
        )
        return FoundRefreshToken(found, grant, backing_from_row(row, self._seal, now))

    async def find_holder(self, subject: str, now: datetime) -> str | None:
        """Return the citizen whom a pairwise subject stands for, while some grant to that sector lives.

        Whoever has ended what they agreed to is out of reach of that sector's clients.
        """
        row = await self._recorder.fetch_one(_HOLDER, subject=subject, now=micros(now))
        return None if row is None else str(row["citizen_id"])

    def add(self, grant: Grant) -> None:
        """Record a grant at the moment its code is redeemed."""
        self._recorder.record(
            _INSERT_GRANT,
            grant_id=grant.grant_id,
            client_id=grant.client_id,
            citizen_id=grant.citizen_id,
            session_id=grant.session_id,
            link_id=grant.link_id,
            consent_id=grant.consent_id,
            subject=grant.subject,
            content=dump_grant_content(grant),
            issued_at=micros(grant.issued_at),
            expires_at=micros(grant.expires_at),
        )

    def add_refresh_token(self, token: RefreshToken) -> None:
        """Record a new generation of a family."""
        self._recorder.record(
            _INSERT_TOKEN,
            token_hash=token.token_hash,
            grant_id=token.grant_id,
            generation=token.generation,
            issued_at=micros(token.issued_at),
            expires_at=micros(token.expires_at),
        )

    def consume_refresh_token(self, token: RefreshToken, now: datetime) -> None:
        """Record its single use; the gate `refresh_token_consumed` closes for the second user."""
        self._recorder.record(_CONSUME_TOKEN, token=token.token_hash, now=micros(now))

    def retry_refresh_token(self, token: RefreshToken) -> None:
        """Record that it came back within the grace; the gate `refresh_token_retried` counts one by one."""
        self._recorder.record(_RETRY_TOKEN, token=token.token_hash, retries=token.retries)

    def revoke(self, grant_id: str, because: str, now: datetime) -> None:
        """Record the end of a grant and with it of all its tokens."""
        self._recorder.record(_REVOKE, id=grant_id, now=micros(now), because=because)

    def spend(self, purpose: str, value: str, expires_at: datetime) -> None:
        """Record the single use of a value; the gate `spent` closes for the second one.

        `purpose` is the namespace: the same `jti` may be used once for each (abuse class 6).
        """
        self._recorder.record(_SPEND, spent_key=spent_key(purpose, value), expires_at=micros(expires_at))

    def spend_proof(self, jkt: str, jti: str, expires_at: datetime) -> None:
        """Record the single use of a DPoP proof; the gate `proof_spent` closes for the second one.

        A `jti` is its key's own (RFC 9449 §11.1): nobody spends another's.
        """
        key = spent_key("dpop_proof", f"{jkt}\x00{jti}")
        self._recorder.record(_SPEND_PROOF, spent_key=key, expires_at=micros(expires_at))

    def spend_request(self, client_id: str, jti: str, expires_at: datetime) -> None:
        """Record the single use of a signed request; the gate `request_spent` closes for the second one."""
        key = spent_key("request_object", f"{client_id}\x00{jti}")
        self._recorder.record(_SPEND_REQUEST, spent_key=key, expires_at=micros(expires_at))


def found_grant_from_row(row: Row, seal: DataSeal, now: datetime) -> FoundGrant:
    """Read a row of grant and backing, and whether its access token was revoked."""
    is_revoked = bool(row["is_token_revoked"])
    return FoundGrant(grant_from_row(row), backing_from_row(row, seal, now), is_revoked)


def spent_key(purpose: str, value: str) -> bytes:
    """Return what is kept of a value that was spent or revoked, in the namespace of its purpose."""
    return sha256(f"{purpose}\x00{value}".encode()).digest()


def dump_grant_content(grant: Grant, *, dpop_jkt: str | None = None) -> str:
    """Return what of a grant is read but never searched for, as JSON; of a code also its DPoP key."""
    confirmation = grant.confirmation
    return dump_mapping(
        {
            "dpop_jkt": dpop_jkt,
            "resource": grant.resource,
            "cnf": None if confirmation is None else [confirmation.jkt, confirmation.x5t_s256],
            "subject": grant.subject,
            "scope": sorted(grant.scope),
            "claims": dump_claims(grant.claims),
            "acr": grant.acr.value,
            "amr": list(grant.amr),
            "auth_time": micros(grant.auth_time),
            "nonce": grant.nonce,
            "consent_id": grant.consent_id,
            # Not the column beside it: that of a code is the end of the code, not of what it grants.
            "expires_at": micros(grant.expires_at),
        }
    )


def grant_from_row(row: Row) -> Grant:
    """Read a grant from a row whose grant columns begin with `grant_`."""
    content = load_mapping(row["grant_content"])
    return Grant(
        grant_id=row["grant_grant_id"],
        client_id=row["grant_client_id"],
        citizen_id=row["grant_citizen_id"],
        subject=content["subject"],
        session_id=row["grant_session_id"],
        scope=frozenset(content["scope"]),
        claims=load_claims(content["claims"]),
        acr=Acr(content["acr"]),
        amr=tuple(content["amr"]),
        auth_time=moment(content["auth_time"]),
        nonce=content["nonce"],
        consent_id=content["consent_id"],
        link_id=row["grant_link_id"],
        issued_at=moment(row["grant_issued_at"]),
        expires_at=moment(content["expires_at"]),
        revoked_at=moment_or_none(row["grant_revoked_at"]),
        resource=content.get("resource"),
        confirmation=Confirmation(*content["cnf"]) if content.get("cnf") else None,
    )


def backing_from_row(row: Row, seal: DataSeal, now: datetime) -> Backing:
    """Read the joined BACKING columns."""
    ended_at, expires_at = row["session_ended_at"], row["session_expires_at"]
    return Backing(
        citizen=citizen_from_row(row, seal),
        link=None if row["link_link_id"] is None else link_from_row(row, "link_"),
        session_is_over=ended_at is not None or expires_at is None or expires_at <= micros(now),
        is_consent_withdrawn=row["consent_withdrawn_at"] is not None,
    )
