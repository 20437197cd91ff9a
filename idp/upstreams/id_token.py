"""The ID token of an upstream, judged. OpenID Connect Core §3.1.3.7, RFC 8725; abuse classes 11, 12. Pure.

A claim that is absent does not pass for one that fits: all that bind the token to this visit are required.
"""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.protocol.jose import JOSEError, PublicKey, media_type, verify_jws
from idp.protocol.tokens import half_hash
from idp.upstreams.exchange import SKEW

OLDEST = timedelta(minutes=10)
"""How long ago a token may have been issued; its visit is no older."""

_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nonce")
_TYPES = frozenset({None, "jwt"})
_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must be about."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    algorithms: frozenset[str]


def verify_id_token(
    token: str, keys: Collection[PublicKey], expected: Expected, now: datetime
) -> Mapping[str, Any]:
    """Return the claims of an ID token for us, of this visit: OpenID Connect Core §3.1.3.7.

    An audience beside us is refused, for we know nobody else whom we would trust with it. `at_hash` is
    compared where it is there (§3.1.3.8). Raises JOSEError, UnknownKeyError among them.
    """
    verified = verify_jws(token, keys, algorithms=expected.algorithms, required=_REQUIRED)
    claims = verified.claims
    if media_type(verified.header) not in _TYPES:
        raise JOSEError("typ: the token is for another purpose")
    if claims["iss"] != expected.issuer:
        raise JOSEError("iss: another issuer")
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if audience != [expected.client_id] or claims.get("azp", expected.client_id) != expected.client_id:
        raise JOSEError("aud: not for this client alone")
    if not _is_same(claims["nonce"], expected.nonce):
        raise JOSEError("nonce: of another visit")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _LONGEST_SUBJECT:
        raise JOSEError("sub: is no identifier")
    at_hash = half_hash(expected.access_token, verified.header["alg"])
    if not _is_same(claims.get("at_hash", at_hash), at_hash):
        raise JOSEError("at_hash: of another access token")
    _check_times(claims, now)
    return claims


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    present, skew = now.timestamp(), SKEW.total_seconds()
    if claims["exp"] <= present - skew:
        raise JOSEError("exp: expired")
    if claims["iat"] > present + skew or claims.get("nbf", 0) > present + skew:
        raise JOSEError("iat: in the future")
    if claims["iat"] < present - skew - OLDEST.total_seconds():
        raise JOSEError("iat: older than the visit")
    if claims.get("auth_time", 0) > present + skew:
        raise JOSEError("auth_time: in the future")


def _is_same(received: object, expected: str) -> bool:
    return isinstance(received, str) and hmac.compare_digest(received.encode(), expected.encode())
