"""The grants of the token endpoint, code and refresh token. RFC 6749 §4.1.3, §6; RFC 9700 §4.14.

The rules look at what the store holds and refuse; that a code or token is consumed at most once is the
store's one atomic statement. A replay is an exception of its own, because the handler has to revoke the
grant and commit that before it answers.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.identity.account_links import AccountLink, Status
from idp.identity.citizens import Citizen
from idp.protocol.errors import (
    InsufficientUserAuthenticationError,
    InvalidGrantError,
    InvalidScopeError,
    InvalidTokenError,
    UnauthorizedClientError,
)
from idp.protocol.model import AuthorizationCode, Client, ClientStatus, Grant, RefreshToken
from idp.protocol.pkce import verify_code_verifier

_CODE_REFUSED = "the authorization code is unknown, used, expired or not this client's"
_TOKEN_REFUSED = "the refresh token is unknown, used, expired, revoked or not this client's"
MAX_RETRIES = 3
"""How often a refresh token that was rotated may come back within the grace."""

_SUBJECT_REFUSED = "the authorization is no longer in force"


class ReplayedError(InvalidGrantError):
    """A code or refresh token that was spent already came back: somebody else holds a copy.

    The handler revokes the grant `grant_id`, commits, and answers with this error (RFC 6749 §4.1.2).
    """

    def __init__(self, description: str, *, grant_id: str) -> None:
        super().__init__(description, detail="replayed")
        self.grant_id = grant_id


def check_redemption(
    code: AuthorizationCode | None,
    client: Client,
    redirect_uri: str | None,
    code_verifier: str | None,
    now: datetime,
) -> Grant:
    """Check that this client may redeem this code now; return the grant behind it. RFC 6749 §4.1.3.

    Whose code it is comes first, so that no client can have another's grant revoked; then the replay, however
    old. Raises InvalidGrantError; ReplayedError for a code that was spent already.
    """
    if code is None:
        raise InvalidGrantError(_CODE_REFUSED, detail="unknown code")
    if code.grant.client_id != client.client_id:
        raise InvalidGrantError(_CODE_REFUSED, detail="the code of another client")
    if code.consumed_at is not None:
        raise ReplayedError(_CODE_REFUSED, grant_id=code.grant.grant_id)
    if now >= code.expires_at:
        raise InvalidGrantError(_CODE_REFUSED, detail="expired code")
    if redirect_uri is None or not hmac.compare_digest(redirect_uri.encode(), code.redirect_uri.encode()):
        raise InvalidGrantError("redirect_uri is not the one of the authorization request")
    verify_code_verifier(code_verifier, code.code_challenge)
    return code.grant


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh that is allowed."""

    scope: frozenset[str]
    is_retry: bool
    """The token was rotated a moment ago: its successor is given once more, and no new generation."""


def check_refresh(
    token: RefreshToken | None,
    grant: Grant | None,
    client: Client,
    now: datetime,
    scope: str | None,
    *,
    grace: timedelta,
) -> Refresh:
    """Check that this client may use this refresh token now. RFC 6749 §6, RFC 9700 §4.14.2.

    A token that was rotated may come back for a while (`grace`) and a few times (MAX_RETRIES): the answer may
    have been lost, or two tabs asked at once. After that it is a replay, unless its family has ended anyway.
    `scope` may only narrow what was granted, and what the client is still registered for. Raises
    InvalidGrantError, InvalidScopeError, and ReplayedError.
    """
    if token is None or grant is None or token.grant_id != grant.grant_id:
        raise InvalidGrantError(_TOKEN_REFUSED, detail="unknown token")
    if grant.client_id != client.client_id:
        raise InvalidGrantError(_TOKEN_REFUSED, detail="the token of another client")
    if grant.revoked_at is not None:
        raise InvalidGrantError(_TOKEN_REFUSED, detail="revoked grant")
    if token.consumed_at is not None and (token.retries >= MAX_RETRIES or now >= token.consumed_at + grace):
        raise ReplayedError(_TOKEN_REFUSED, grant_id=grant.grant_id)
    if now >= token.expires_at or now >= grant.expires_at:
        raise InvalidGrantError(_TOKEN_REFUSED, detail="expired token")
    return Refresh(narrow_scope(grant.scope & client.scope, scope), token.consumed_at is not None)


def narrow_scope(granted: frozenset[str], scope: str | None) -> frozenset[str]:
    """Return the scope asked for, never more than was granted: RFC 6749 §6. Raises InvalidScopeError."""
    asked = frozenset(scope.split(" ")) - {""} if scope else granted
    if not asked or not asked <= granted:
        raise InvalidScopeError("scope exceeds what was granted")
    return asked


@dataclass(frozen=True, slots=True)
class Backing:
    """How person, link, session and consent stand now; the choke-point looks at nothing else."""

    citizen: Citizen
    link: AccountLink | None
    session_is_over: bool
    is_consent_withdrawn: bool = False


def check_subject(
    grant: Grant, client: Client | None, backing: Backing, now: datetime, *, needs_session: bool = False
) -> None:
    """Check that grant, client, citizen, link, consent and assurance all still stand: for every token.

    The link is the one that the grant names, as it stands *after* this request's own moves: at redemption the
    pending link is activated first. `needs_session` matters at redemption, where the grant of a person who
    signed out meanwhile could not be revoked, because it was not stored yet, and for tokens that end with
    their session. The public answer does not say which of them failed (domain rule R12). Raises
    InvalidGrantError.
    """
    detail = _why_not(grant, client, backing, now)
    if detail is None and needs_session and backing.session_is_over:
        detail = "the session is over"
    if detail is None and client is not None and not grant.acr.satisfies(client.policy.min_acr):
        detail = "the acr is below the client's policy"
    if detail is not None:
        raise InvalidGrantError(_SUBJECT_REFUSED, detail=detail)


def check_token_subject(
    grant: Grant, client: Client, backing: Backing, now: datetime, *, issuer: str
) -> None:
    """Check the same where an access token is used: RFC 9068 §4. Raises InvalidTokenError.

    Where nothing is amiss but the level of sign-in, because the client's policy was raised since, the person
    need only sign in more strongly: RFC 9470 §3 has a challenge for that. Raises
    InsufficientUserAuthenticationError.
    """
    detail = _why_not(grant, client, backing, now)
    if detail is not None:
        raise InvalidTokenError(_SUBJECT_REFUSED, detail=detail)
    if not grant.acr.satisfies(client.policy.min_acr):
        raise InsufficientUserAuthenticationError(
            "a stronger sign-in is required", acr_values=client.policy.min_acr.uri(issuer)
        )


def _why_not(grant: Grant, client: Client | None, backing: Backing, now: datetime) -> str | None:
    return (
        _why_not_client(grant, client)
        or _why_not_grant(grant, now)
        or _why_not_citizen(client, backing.citizen)
        or _why_not_link(grant, backing.link, now)
        or ("the consent is withdrawn" if backing.is_consent_withdrawn else None)
    )


def check_client(client: Client) -> None:
    """Check that a client that acts for itself may still act at all. Raises UnauthorizedClientError."""
    if client.status is not ClientStatus.ACTIVE:
        raise UnauthorizedClientError("this client is suspended")


def _why_not_citizen(client: Client | None, citizen: Citizen) -> str | None:
    """Domain rule R13; and the platform's policy as it is now, which may have been raised meanwhile."""
    if not citizen.is_active():
        return f"the citizen is {citizen.status}"
    if client is not None and not citizen.proofing.satisfies(client.policy.min_proofing):
        return "the proofing is below the client's policy"
    return None


def _why_not_client(grant: Grant, client: Client | None) -> str | None:
    if client is None or client.client_id != grant.client_id:
        return "the grant is not this client's"
    return None if client.status is ClientStatus.ACTIVE else "the client is suspended"


def _why_not_grant(grant: Grant, now: datetime) -> str | None:
    if grant.revoked_at is not None:
        return "the grant is revoked"
    return "the grant is expired" if now >= grant.expires_at else None


def _why_not_link(grant: Grant, link: AccountLink | None, now: datetime) -> str | None:
    if grant.link_id is None:
        return None
    if link is None or (link.link_id, link.client_id, link.citizen_id) != (
        grant.link_id,
        grant.client_id,
        grant.citizen_id,
    ):
        return "the account link is not the one of the grant"
    if link.status is not Status.ACTIVE:
        return f"the account link is {link.status}"
    return "the account link is expired" if link.is_expired(now) else None
