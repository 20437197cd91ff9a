"""Logout tokens: the provider says that a session of one of your people is over. Pure.

OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6. As strict as an ID token: what is not there does not pass,
for whoever can forge one signs your people out (CVE-2026-18569).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.jwk import Key

from .errors import TokenError
from .model import LEEWAY
from .tokens import Expected, Header, SignedClaims, check_audience, check_issuer, verify_signature

LOGOUT_TOKEN_TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
OLDEST_LOGOUT_TOKEN = timedelta(minutes=2)
"""It is made anew for each attempt, so that an older one is a copy."""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """A session is over at the provider. End what began with it at your platform."""

    subject: str
    sid: str | None
    """The session's name, as in the ID token; None: every session of this person."""
    jti: str
    """Remember it until `forget_at`: a second token with it is a copy (§2.6, 8)."""
    forget_at: datetime


def verify_logout_token(token: str, header: Header, key: Key, expected: Expected) -> LoggedOut:
    """Verify a logout token completely. Raises TokenError."""
    claims = verify_signature(token, header, key)
    for check in _CHECKS:
        check(claims, expected)
    sid = claims.get("sid")
    if sid is not None and (not isinstance(sid, str) or not sid):
        raise TokenError("the session in the logout token is not named by text")
    return LoggedOut(
        subject=_text(claims, "sub"),
        sid=sid,
        jti=_text(claims, "jti"),
        forget_at=_time(claims, "iat") + OLDEST_LOGOUT_TOKEN + 2 * LEEWAY,
    )


def check_times(claims: SignedClaims, expected: Expected) -> None:
    """§2.6, 2: `iat` and `exp` as for an ID token; it is fresh."""
    issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
    if expected.now >= expires_at + LEEWAY or issued_at < expected.now - OLDEST_LOGOUT_TOKEN - LEEWAY:
        raise TokenError("the logout token is old")
    if issued_at > expected.now + LEEWAY or expires_at <= issued_at:
        raise TokenError("the logout token is from the future")


def check_event(claims: SignedClaims, _: Expected) -> None:
    """§2.6, 6: it tells of this event, and of no other."""
    events = claims.get("events")
    if not isinstance(events, dict) or list(events) != [EVENT] or not isinstance(events[EVENT], dict):
        raise TokenError("the token does not tell of a logout")


def check_no_nonce(claims: SignedClaims, _: Expected) -> None:
    """§2.6, 7: with a nonce it is an ID token that somebody sends here."""
    if "nonce" in claims:
        raise TokenError("a logout token has no nonce")


Check = Callable[[SignedClaims, Expected], None]
_CHECKS: tuple[Check, ...] = (check_issuer, check_audience, check_times, check_event, check_no_nonce)


def _text(claims: SignedClaims, name: str) -> str:
    value: Any = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise TokenError(f"{name} is missing in the logout token")
    return value


def _time(claims: SignedClaims, name: str) -> datetime:
    value: Any = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"{name} is no time in the logout token")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenError(f"{name} is no time in the logout token") from error
