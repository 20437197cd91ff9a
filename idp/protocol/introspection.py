"""What a client may learn of a token. RFC 7662, RFC 9701; FAPI 2.0 Message Signing §5.5. Pure.

Whoever may not know reads what is said of a token that never was: `{"active": false}`, and nothing else.
"""

from datetime import datetime
from typing import Any

from idp.protocol.model import Client, Grant, Policy, RefreshToken
from idp.protocol.profiles import Profile, rules_of
from idp.protocol.tokens import AccessToken, scope_value, token_type

INACTIVE: dict[str, Any] = {"active": False}

RESPONSE_TYPE = "token-introspection+jwt"
"""`typ` of a signed response, and with `application/` before it its media type (RFC 9701 §5)."""

MEDIA_TYPE = f"application/{RESPONSE_TYPE}"


def may_introspect(client: Client, token: AccessToken, policy: Policy) -> bool:
    """Tell whether a client may learn of an access token: its own, or one for a resource that it serves.

    RFC 7662 §4: not every client of every token, or a stolen one could be tried for what it opens.
    """
    served = {policy.issuer + path for path in client.introspects}
    return token.client_id == client.client_id or token.audience in served


def access_token_introspection(token: AccessToken, grant: Grant | None, policy: Policy) -> dict[str, Any]:
    """Return what stands in an access token that is active: RFC 7662 §2.2, RFC 9470 §6.2, RFC 7800 §3.1."""
    members: dict[str, Any] = {
        "active": True,
        "iss": policy.issuer,
        "sub": token.subject,
        "aud": token.audience,
        "client_id": token.client_id,
        "scope": scope_value(token.scope),
        "token_type": token_type(token.confirmation),
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
        "jti": token.jti,
    }
    if token.confirmation is not None:
        members["cnf"] = token.confirmation.as_claim()
    if grant is not None:
        members["acr"] = grant.acr.uri(policy.issuer)
        members["auth_time"] = int(grant.auth_time.timestamp())
    return members


def refresh_token_introspection(token: RefreshToken, grant: Grant, policy: Policy) -> dict[str, Any]:
    """Return what stands behind a refresh token that is active: RFC 7662 §2.2."""
    return {
        "active": True,
        "iss": policy.issuer,
        "sub": grant.subject,
        "client_id": grant.client_id,
        "scope": scope_value(grant.scope),
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }


def is_signed_response_due(client: Client, accept: str) -> bool:
    """Tell whether the response is signed: RFC 9701 §4, because the client asks for it in Accept.

    FAPI 2.0 Message Signing §5.5: a client of that profile relies on it, and so never gets another.
    """
    asked = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return MEDIA_TYPE in asked or client.profile is Profile.FAPI2_MESSAGE_SIGNING


def signing_algorithm(client: Client) -> str:
    """Return how responses to a client are signed: RFC 9701 §6, RS256 by default where its profile has it."""
    if client.introspection_signed_response_alg is not None:
        return client.introspection_signed_response_alg
    return "RS256" if "RS256" in rules_of(client.profile).signing_algorithms else "ES256"


def signed_response_claims(
    response: dict[str, Any], client: Client, policy: Policy, now: datetime
) -> dict[str, Any]:
    """Return the claims of a signed response: RFC 9701 §5. No `sub`, no `exp`: it must be no token itself."""
    return {
        "iss": policy.issuer,
        "aud": client.client_id,
        "iat": int(now.timestamp()),
        "token_introspection": response,
    }
