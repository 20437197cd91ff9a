"""Validation of ID tokens. Pure: values in, a verified value or TokenError out. OIDC Core §3.1.3.7.

    compact JWS ─▶ read_header ─▶ (key of that kid) ─▶ verify_signature ─▶ CHECKS… ─▶ read_linked_account
                   alg, typ, kid                        SignedClaims       every one must hold

No check is skipped because a claim is missing: what is not there does not pass. RFC 8725.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NewType

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.jwk import Key
from jwt import PyJWTError
from jwt.api_jws import PyJWS

from .errors import TokenError
from .model import LEEWAY, TRUST_FRAMEWORK, LinkedAccount, Tokens, VerifiedClaims
from .oauth import half_hash

SignedClaims = NewType("SignedClaims", dict[str, Any])
"""Claims whose signature was verified. Only verify_signature makes them."""

LARGEST_TOKEN = 32 * 1024
OLDEST_TOKEN = timedelta(minutes=10)
"""An ID token comes fresh from the token endpoint; an older one is a replay (Core §3.1.3.7, 10)."""


@dataclass(frozen=True, slots=True)
class Header:
    """The protected header of an ID token, checked."""

    algorithm: str
    kid: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must agree with, and the time."""

    issuer: str
    client_id: str
    now: datetime
    algorithm: str
    access_token: str
    nonce: str | None = None
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    account_id: str | None = None
    subject: str | None = None


def read_header(
    token: object, algorithms: frozenset[str], *, typ: str = "JWT", largest: int = LARGEST_TOKEN
) -> Header:
    """Check the header before any key is looked up (RFC 8725 §3.1, §3.11); without `typ` it is a JWT."""
    if not isinstance(token, str) or not token or len(token) > largest:
        raise TokenError("there is no ID token of a sensible size")
    if not _COMPACT.fullmatch(token):
        raise TokenError("the ID token is not a signed compact JWT")
    header = _decode_header(token.partition(".")[0])
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenError("the ID token is signed with an algorithm that is not allowed")
    if not isinstance(kid, str) or not 0 < len(kid) <= 255:
        raise TokenError("the ID token names no key")
    if "crit" in header or "b64" in header:
        raise TokenError("the ID token has header members that are not understood")
    given = header.get("typ", "JWT")
    if not isinstance(given, str) or given.lower() != typ.lower():
        raise TokenError("this is a token of another type")
    return Header(algorithm, kid)


_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
"""RFC 7515 §2, §7.1: three parts in base64url, without padding."""


def _decode_header(segment: str) -> dict[str, Any]:
    try:
        header = json.loads(
            base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
        )
    except ValueError as error:
        raise TokenError("the header of the ID token cannot be read") from error
    if not isinstance(header, dict):
        raise TokenError("the header of the ID token is not an object")
    return header


def verify_signature(token: str, header: Header, key: Key) -> SignedClaims:
    """Verify the signature with exactly this key and algorithm. Raises TokenError."""
    kind = (key.key_type, str(key.as_dict(private=False).get("crv", "")))
    if key.alg not in {None, header.algorithm} or kind != _KEY_KINDS[header.algorithm]:
        raise TokenError("the key is meant for another algorithm")
    public_key = key.public_key
    if not isinstance(public_key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        raise TokenError("the key is not a public signing key")
    try:
        claims = json.loads(PyJWS().decode(token, public_key, [header.algorithm]))
    except (PyJWTError, ValueError, TypeError) as error:
        raise TokenError("the signature of the ID token is wrong") from error
    if not isinstance(claims, dict):
        raise TokenError("the ID token holds no claims")
    return SignedClaims(claims)


_KEY_KINDS: Mapping[str, tuple[str, str]] = {
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", ""),
    "PS256": ("RSA", ""),
    "EdDSA": ("OKP", "Ed25519"),
}
SIGNING_ALGORITHMS = frozenset(_KEY_KINDS)
"""What we accept at all; the provider's list narrows it. Never `none`, never a shared secret."""


Check = Callable[[SignedClaims, Expected], None]


def check_issuer(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.7, 2: `iss` MUST exactly match."""
    if claims.get("iss") != expected.issuer:
        raise TokenError("the ID token is from another issuer")


def check_audience(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.7, 3: only our own client_id is a trusted audience."""
    if claims.get("aud") not in (expected.client_id, [expected.client_id]):
        raise TokenError("the ID token is for somebody else")


def check_authorized_party(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.7, 5: `azp`, when there is one, is our client_id."""
    if "azp" in claims and claims["azp"] != expected.client_id:
        raise TokenError("the ID token was issued to somebody else")


def check_times(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.7, 9 and 10: not expired, not from the future, not old; `nbf` when there is one."""
    issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
    if expected.now >= expires_at + LEEWAY:
        raise TokenError("the ID token is expired")
    if issued_at > expected.now + LEEWAY:
        raise TokenError("the ID token is from the future")
    if issued_at < expected.now - OLDEST_TOKEN - LEEWAY or expires_at <= issued_at:
        raise TokenError("the ID token is old")
    if "nbf" in claims and _time(claims, "nbf") > expected.now + LEEWAY:
        raise TokenError("the ID token is not valid yet")


def check_nonce(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.7, 11: the nonce is the one this browser's session started with."""
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or expected.nonce is None or not _is_same(nonce, expected.nonce):
        raise TokenError("the nonce of the ID token is not the one that was sent")


def check_access_token_hash(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.8: `at_hash`, when there is one, binds the access token beside it."""
    if "at_hash" not in claims:
        return
    digest = half_hash(expected.access_token, expected.algorithm)
    at_hash = claims["at_hash"]
    if digest is None or not isinstance(at_hash, str) or not _is_same(at_hash, digest):
        raise TokenError("the access token is not the one of this ID token")


def check_subject(claims: SignedClaims, expected: Expected) -> None:
    """Core §2: `sub` is 1 to 255 ASCII characters, and the same person's as before when we know them."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isascii():
        raise TokenError("the ID token names no subject")
    if expected.subject is not None and not _is_same(subject, expected.subject):
        raise TokenError("the ID token is about another person")


def check_authentication(claims: SignedClaims, expected: Expected) -> None:
    """Core §3.1.3.7, 12 and 13: `acr` reaches what was asked for, `auth_time` is recent enough."""
    level = short_acr(_text(claims, "acr"), expected.issuer)
    if expected.acr_values and not any(
        satisfies(level, asked, expected.issuer) for asked in expected.acr_values
    ):
        raise TokenError("the person signed in with less than was asked for")
    amr = claims.get("amr")
    if not isinstance(amr, list) or not amr or not all(isinstance(method, str) for method in amr):
        raise TokenError("the ID token does not say how the person signed in")
    auth_time = _time(claims, "auth_time")
    if auth_time > expected.now + LEEWAY:
        raise TokenError("the sign-in is from the future")
    if expected.max_age is not None and (
        auth_time < expected.now - timedelta(seconds=expected.max_age) - LEEWAY
    ):
        raise TokenError("the sign-in is too long ago")


def check_account_link(claims: SignedClaims, expected: Expected) -> None:
    """The link is about the account that was started, it is active and it is not over."""
    link = _object(claims, "account_link")
    account_id = _text(link, "account_id")
    if expected.account_id is None or not _is_same(account_id, expected.account_id):
        raise TokenError("another account was linked than the one that was started")
    if link.get("status") != "active":
        raise TokenError("the account link is not active")
    if not _text(link, "link_id") or _time(link, "linked_at") > expected.now + LEEWAY:
        raise TokenError("the account link is not plausible")
    if _time(link, "expires_at") <= expected.now:
        raise TokenError("the account link is over")


CHECKS_ALWAYS: tuple[Check, ...] = (
    check_issuer,
    check_audience,
    check_authorized_party,
    check_times,
    check_subject,
    check_access_token_hash,
)
CHECKS_LINKED: tuple[Check, ...] = (*CHECKS_ALWAYS, check_nonce, check_authentication, check_account_link)
"""For the ID token of a new link. A refreshed one has CHECKS_ALWAYS (Core §12.2)."""


def verify_linked_account(
    token: str, header: Header, key: Key, expected: Expected, tokens: Tokens
) -> LinkedAccount:
    """Verify an ID token completely and return the account link it attests. Raises TokenError."""
    claims = verify_signature(token, header, key)
    for check in CHECKS_LINKED:
        check(claims, expected)
    link = _object(claims, "account_link")
    return LinkedAccount(
        subject=_text(claims, "sub"),
        link_id=_text(link, "link_id"),
        account_id=_text(link, "account_id"),
        status=_text(link, "status"),
        linked_at=_time(link, "linked_at"),
        expires_at=_time(link, "expires_at"),
        acr=short_acr(_text(claims, "acr"), expected.issuer),
        amr=tuple(claims["amr"]),
        auth_time=_time(claims, "auth_time"),
        verified_claims=_read_verified_claims(claims),
        sid=_sid(claims),
        guardian_consented=link.get("guardian_consented") is True,
        tokens=tokens,
    )


def _sid(claims: SignedClaims) -> str | None:
    """Return the name of the session, where there is one (Back-Channel Logout §2.1)."""
    return _text(claims, "sid") if "sid" in claims else None


def verify_refreshed(token: str, header: Header, key: Key, expected: Expected) -> SignedClaims:
    """Verify an ID token that came with a refresh (Core §12.2). Raises TokenError."""
    claims = verify_signature(token, header, key)
    for check in CHECKS_ALWAYS:
        check(claims, expected)
    return claims


def _read_verified_claims(claims: SignedClaims) -> VerifiedClaims | None:
    """OpenID Connect for Identity Assurance §5: absent is fine, another framework is not."""
    if "verified_claims" not in claims:
        return None
    verified = _object(claims, "verified_claims")
    verification, attested = _object(verified, "verification"), _object(verified, "claims")
    if verification.get("trust_framework") != TRUST_FRAMEWORK:
        raise TokenError("the claims were verified by rules that we do not know")
    level = verification.get("assurance_level")
    if level is not None and level not in {"vn1", "vn2", "vnf"}:
        raise TokenError("the assurance level is not one that we know")
    return VerifiedClaims(TRUST_FRAMEWORK, level, dict(attested))


def short_acr(value: str, issuer: str) -> str:
    """Return an `acr` in short: `{issuer}/acr/vn-2` becomes `vn-2`."""
    return value.removeprefix(f"{issuer}/acr/")


def satisfies(reached: str, asked: str, issuer: str) -> bool:
    """Tell whether a level is at least the one asked for; an unknown one satisfies only itself."""
    asked = short_acr(asked, issuer)
    if reached in _ACR_RANK and asked in _ACR_RANK:
        return _ACR_RANK[reached] >= _ACR_RANK[asked]
    return reached == asked


_ACR_RANK = {"vn-1": 1, "vn-2": 2, "vn-3": 3, "vn-4": 4}


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise TokenError(f"{name} is missing")
    return value


def _object(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = members.get(name)
    if not isinstance(value, dict):
        raise TokenError(f"{name} is missing")
    return value


def _time(members: Mapping[str, Any], name: str) -> datetime:
    """Read a NumericDate (RFC 7519 §2) or, as in account_link, an RFC 3339 time."""
    value = members.get(name)
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise TokenError(f"{name} has no time zone")
            return moment.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenError(f"{name} is not a time") from error
    raise TokenError(f"{name} is missing")
