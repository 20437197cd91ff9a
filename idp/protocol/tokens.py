"""Contents of the tokens and of the token response. OpenID Connect Core §2, §3.1.3; RFC 9068; RFC 9396 §7.

A rule yields claims; the handler has them signed. What this provider's own access tokens must look like when
they come back is decided here as well, beside what they look like when they leave.
"""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from idp.identity.account_links import AccountLink
from idp.identity.assurance import acr_claim
from idp.protocol.confirmation import Confirmation
from idp.protocol.errors import InvalidRequestError, InvalidTokenError
from idp.protocol.jose import SIGNING_ALGORITHMS, JOSEError, PublicKey, media_type, verify_jws
from idp.protocol.model import Client, Grant, Policy
from idp.protocol.requested_acr import told_acr
from idp.protocol.resources import resource_uris

ACCESS_TOKEN_TYPE = "at+jwt"
"""`typ` of an access token (RFC 9068 §2.1), so that no other token passes for one (RFC 8725 §3.11)."""

ID_TOKEN_TYPE = "JWT"

ACCESS_TOKEN_ALGORITHM = "ES256"
"""Access tokens are read by ourselves alone, so the cheapest signature does for all clients."""

_HASHES: Mapping[str, str] = {
    "ES256": "sha256",
    "RS256": "sha256",
    "PS256": "sha256",
    "ES384": "sha384",
    "EdDSA": "sha512",
}

_TOKEN_REFUSED = "the access token is malformed, expired, revoked or not for this resource"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was verified; made by `check_access_token` alone."""

    jti: str
    client_id: str
    subject: str
    grant_id: str | None
    """None for a token of the client's own (client_credentials)."""
    audience: str
    scope: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    confirmation: Confirmation | None = None


def half_hash(value: str, algorithm: str) -> str:
    """Return `at_hash` or `c_hash`: OpenID Connect Core §3.1.3.6, §3.3.2.11.

    The hash is that of the ID token's `alg`; EdDSA with Ed25519 hashes with SHA-512 (RFC 8032 §5.1). Raises
    ValueError for an algorithm that we do not sign with, rather than leave the claim out (CVE-2026-28498).
    """
    if algorithm not in _HASHES:
        raise ValueError(f"no hash is defined for {algorithm}")
    digest = hashlib.new(_HASHES[algorithm], value.encode()).digest()
    return _base64url(digest[: len(digest) // 2])


def pairwise_sid(session_id: str, sector: str) -> str:
    """Return the `sid` that one sector sees of a session.

    The session's own id would be the same at two platforms, which could then tell that two pairwise
    subjects are one person (OpenID Connect Core §8.1). It is random, so that a plain hash hides it.
    """
    return _base64url(hashlib.sha256(f"sid\0{sector}\0{session_id}".encode()).digest())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def id_token_claims(
    grant: Grant,
    client: Client,
    policy: Policy,
    *,
    access_token: str,
    link: AccountLink | None,
    released: Mapping[str, object],
    refreshed: bool,
    now: datetime,
) -> dict[str, Any]:
    """Return the claims of an ID token: OpenID Connect Core §2, §3.1.3.6.

    `released` are the claims about the person that were asked for and agreed to; none of them can replace one
    of the token's own. A refreshed token tells of the same authentication, without nonce (§12.2).
    """
    issued_at = int(now.timestamp())
    own: dict[str, Any] = {
        "iss": policy.issuer,
        "sub": grant.subject,
        "aud": client.client_id,
        "exp": issued_at + int(policy.lifetimes.id_token.total_seconds()),
        "iat": issued_at,
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": acr_claim(told_acr(grant), policy.issuer),
        "amr": list(grant.amr),
        "sid": pairwise_sid(grant.session_id, client.sector),
        "at_hash": half_hash(access_token, client.id_token_signed_response_alg),
    }
    if grant.nonce is not None and not refreshed:
        own["nonce"] = grant.nonce
    if link is not None:
        own["account_link"] = account_link_claim(link)
    return {**released, **own}


def account_link_claim(link: AccountLink) -> dict[str, Any]:
    """Return the claim `account_link`: the platform's own account, and until when it is vouched for.

    `guardian_consented` is there for a minor's account alone; nothing is told about the guardian (R10).
    """
    claim = {
        "link_id": link.link_id,
        "account_id": link.account_id,
        "status": link.status.value,
        "linked_at": _seconds(link.linked_at),
        "expires_at": _seconds(link.expires_at),
    }
    return claim if link.guardianship_id is None else {**claim, "guardian_consented": True}


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def access_token_claims(
    policy: Policy,
    *,
    client_id: str,
    grant: Grant | None,
    audience: str,
    scope: frozenset[str],
    confirmation: Confirmation | None,
    jti: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the claims of an access token: RFC 9068 §2.2, RFC 7800 §3.1.

    Without a grant the client acts for itself and is the subject (§2.2). `grant_id` is ours alone: by it
    every use of the token asks whether the grant still stands.
    """
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": policy.issuer,
        "sub": client_id if grant is None else grant.subject,
        "aud": audience,
        "client_id": client_id,
        "iat": issued_at,
        "exp": issued_at + int(policy.lifetimes.access_token.total_seconds()),
        "jti": jti,
        "scope": scope_value(scope),
    }
    if confirmation is not None:
        claims["cnf"] = confirmation.as_claim()
    if grant is not None:
        claims["auth_time"] = int(grant.auth_time.timestamp())
        claims["acr"] = grant.acr.uri(policy.issuer)
        claims["grant_id"] = grant.grant_id
    return claims


def scope_value(scope: Collection[str]) -> str:
    """Return scope as it stands on the wire, `openid` first, so that answers do not differ by chance."""
    return " ".join(sorted(scope, key=lambda name: (name != "openid", name)))


def token_type(confirmation: Confirmation | None) -> str:
    """Return how a token is used: DPoP (RFC 9449 §5), or Bearer, as one bound to a certificate is, too."""
    return "DPoP" if confirmation is not None and confirmation.jkt is not None else "Bearer"


def token_response(
    policy: Policy,
    *,
    access_token: str,
    scope: frozenset[str],
    confirmation: Confirmation | None = None,
    id_token: str | None = None,
    refresh_token: str | None = None,
    authorization_details: Sequence[Mapping[str, object]] | None = None,
) -> dict[str, Any]:
    """Return the members of a successful token response: RFC 6749 §5.1, Core §3.1.3.3, RFC 9396 §7."""
    response: dict[str, Any] = {
        "access_token": access_token,
        "token_type": token_type(confirmation),
        "expires_in": int(policy.lifetimes.access_token.total_seconds()),
        "scope": scope_value(scope),
        "id_token": id_token,
        "refresh_token": refresh_token,
        "authorization_details": authorization_details,
    }
    return {name: value for name, value in response.items() if value is not None}


def verify_access_token(
    token: str, keys: Collection[PublicKey], policy: Policy, now: datetime
) -> AccessToken:
    """Verify an access token of ours from signature to expiry. Raises InvalidTokenError.

    Whether its grant still stands is for `grants.check_subject`; whether this resource is its audience and
    its sender the one it is bound to, for the resource.
    """
    algorithms = frozenset({ACCESS_TOKEN_ALGORITHM})
    try:
        verified = verify_jws(token, keys, algorithms=algorithms, typ=ACCESS_TOKEN_TYPE)
    except JOSEError as error:
        raise InvalidTokenError(_TOKEN_REFUSED, detail=str(error)) from error
    return check_access_token(verified.claims, verified.header, policy, now)


def check_access_token(
    claims: Mapping[str, Any], header: Mapping[str, Any], policy: Policy, now: datetime
) -> AccessToken:
    """Check what a verified token says: RFC 9068 §4. No leeway: the clock that issued it is ours.

    Raises InvalidTokenError.
    """
    if media_type(header) != ACCESS_TOKEN_TYPE:
        raise InvalidTokenError(_TOKEN_REFUSED, detail="the token is no access token")
    return check_access_token_claims(claims, policy, now)


def check_access_token_claims(claims: Mapping[str, Any], policy: Policy, now: datetime) -> AccessToken:
    """Check the claims of an access token, be they signed or looked up. Raises InvalidTokenError."""
    audience = _text(claims, "aud")
    if claims.get("iss") != policy.issuer or audience not in {policy.issuer, *resource_uris(policy)}:
        raise InvalidTokenError(_TOKEN_REFUSED, detail="iss or aud is not this provider")
    issued_at, expires_at = _moment(claims, "iat"), _moment(claims, "exp")
    if now >= expires_at:
        raise InvalidTokenError(_TOKEN_REFUSED, detail="the token has expired")
    return AccessToken(
        jti=_text(claims, "jti"),
        client_id=_text(claims, "client_id"),
        subject=_text(claims, "sub"),
        grant_id=_text(claims, "grant_id") if "grant_id" in claims else None,
        audience=audience,
        scope=frozenset(_text(claims, "scope").split(" ")),
        issued_at=issued_at,
        expires_at=expires_at,
        confirmation=_confirmation(claims),
    )


def check_audience(access: AccessToken, policy: Policy, path: str) -> None:
    """Check that a token is for the resource at `path`: RFC 9068 §4. Raises InvalidTokenError.

    A token that names no resource is for UserInfo, the resource of OpenID Connect itself, and for whatever
    else its scope covers.
    """
    if access.audience not in {policy.issuer, policy.issuer + path}:
        raise InvalidTokenError(_TOKEN_REFUSED, detail="aud is another resource")


def _confirmation(claims: Mapping[str, Any]) -> Confirmation | None:
    """RFC 7800 §3.1. A `cnf` that is not understood refuses the token: it was bound to something."""
    if "cnf" not in claims:
        return None
    members = claims["cnf"]
    if not isinstance(members, Mapping) or len(members) != 1 or not members.keys() <= {"jkt", "x5t#S256"}:
        raise InvalidTokenError(_TOKEN_REFUSED, detail="cnf is not understood")
    [thumbprint] = members.values()
    if not isinstance(thumbprint, str) or not thumbprint:
        raise InvalidTokenError(_TOKEN_REFUSED, detail="cnf has no thumbprint")
    return Confirmation(jkt=members.get("jkt"), x5t_s256=members.get("x5t#S256"))


def read_id_token(token: str, keys: Collection[PublicKey]) -> Mapping[str, Any]:
    """Return the claims of an ID token that these keys signed, expired or not. Raises JOSEError.

    Whose token it is, and whom it was issued to, is for the caller.
    """
    required = ("iss", "aud", "sub", "iat", "exp")
    return verify_jws(token, keys, algorithms=SIGNING_ALGORITHMS, typ="jwt", required=required).claims


def verify_id_token_hint(token: str, keys: Collection[PublicKey], client: Client, policy: Policy) -> str:
    """Verify an ID token of ours that a client sends back as a hint; return its subject.

    OpenID Connect Core §3.1.2.1: it need not be unexpired, nor need this provider be in its audience; but it
    must have been issued to the client that now shows it. Raises InvalidRequestError.
    """
    try:
        claims = read_id_token(token, keys)
    except JOSEError as error:
        raise InvalidRequestError("id_token_hint is not an ID token of ours", detail=str(error)) from error
    if (claims["iss"], claims["aud"]) != (policy.issuer, client.client_id) or not isinstance(
        claims["sub"], str
    ):
        raise InvalidRequestError("id_token_hint was not issued to this client")
    return claims["sub"]


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidTokenError(_TOKEN_REFUSED, detail=f"{name} is missing or no string")
    return value


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidTokenError(_TOKEN_REFUSED, detail=f"{name} is missing or no number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidTokenError(_TOKEN_REFUSED, detail=f"{name} is out of range") from error
