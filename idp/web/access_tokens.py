"""What an access token is worth now: one judgement for resources, introspection and revocation.

A token is read (a JWT by its signature, an opaque one by looking it up), then everything behind it is checked
again. Together they cost one statement. RFC 9068 §4, RFC 7662 §4.
"""

from dataclasses import dataclass
from datetime import datetime

from idp.protocol.errors import InvalidTokenError
from idp.protocol.grants import Backing, check_token_subject
from idp.protocol.model import Client, ClientStatus, Grant
from idp.protocol.tokens import AccessToken, check_access_token_claims, verify_access_token
from idp.store.access_tokens import FoundAccessToken
from idp.store.grants import FoundGrant
from idp.store.unit_of_work import UnitOfWork
from idp.web.state import Context


@dataclass(frozen=True, slots=True)
class ReadToken:
    """An access token of ours that has not expired; whether it still stands is not known yet."""

    token: AccessToken
    found: FoundAccessToken | None = None
    """What was looked up already, of an opaque token."""

    @property
    def is_opaque(self) -> bool:
        """Tell whether it was looked up, not verified."""
        return self.found is not None


@dataclass(frozen=True, slots=True)
class Access:
    """A token that stands: made by `check_standing` alone."""

    token: AccessToken
    client: Client
    grant: Grant | None
    """None for a token of the client's own (client_credentials)."""
    backing: Backing | None


async def read_access_token(context: Context, uow: UnitOfWork, value: str, now: datetime) -> ReadToken:
    """Verify a JWT by its signature, an opaque token by looking it up. Raises InvalidTokenError."""
    if "." in value:
        keys = context.published.verification_keys
        return ReadToken(verify_access_token(value, keys, context.policy, now))
    found = await uow.access_tokens.find(value, now)
    if found is None:
        raise InvalidTokenError("the access token is unknown or has expired", detail="unknown token")
    return ReadToken(check_access_token_claims(found.claims, context.policy, now), found)


async def check_standing(context: Context, uow: UnitOfWork, read: ReadToken, now: datetime) -> Access:
    """Check everything behind a token again.

    Raises InvalidTokenError, InsufficientUserAuthenticationError.
    """
    token = read.token
    client = await context.clients.find(token.client_id)
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise InvalidTokenError("the authorization is no longer in force", detail="the client is suspended")
    if token.grant_id is None:
        if not read.is_opaque and await uow.access_tokens.is_revoked(token.jti):
            raise _revoked()
        return Access(token, client, None, None)
    found = await _grant_of(uow, read, token.grant_id, now)
    if found is None or found.is_token_revoked:
        raise _revoked()
    check_token_subject(found.grant, client, found.backing, now, issuer=context.issuer)
    return Access(token, client, found.grant, found.backing)


async def _grant_of(uow: UnitOfWork, read: ReadToken, grant_id: str, now: datetime) -> FoundGrant | None:
    if read.found is not None:
        return read.found.grant
    return await uow.grants.find(grant_id, now, jti=read.token.jti)


def _revoked() -> InvalidTokenError:
    return InvalidTokenError("the access token is revoked", detail="token or grant is gone")
