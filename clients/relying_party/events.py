"""Security events: what became of the links that people have with you. Pure.

    SET ─▶ read_header ─▶ (key of that kid) ─▶ verify_event ─▶ SecurityEvent ─▶ is its jti new? ─▶ yours
          typ secevent+jwt                       every check must hold

A SET is like a logout token: whoever can forge one suspends your people. RFC 8417, RFC 9493, SSF 1.0 §4.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import Key

from .errors import TokenError
from .model import LEEWAY
from .tokens import Expected, Header, SignedClaims, check_audience, check_issuer, short_acr, verify_signature

SET_TYPE = "secevent+jwt"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
STREAM_UPDATED = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"


INVALID_REQUEST = "invalid_request"


class EventError(TokenError):
    """An event failed a check; `code` is what the provider is told (RFC 8935 §2.4)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class LinkState:
    """How an account link stands from an event on."""

    link_id: str
    account_id: str
    status: str
    """`active`, `suspended`, `lapsed` or `ended`."""
    assurance_level: str
    acr: str
    """In short: `vn-1` … `vn-4`."""
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event that the provider signed for you."""

    uri: str
    jti: str
    """Remember it for four days: a second event with it is a copy, to be accepted and not acted upon."""
    issued_at: datetime
    subject: str | None
    """The `sub` of the person's ID tokens; None where the event is about your stream."""
    stream_id: str | None
    payload: Mapping[str, Any] = field(default_factory=dict)
    link: LinkState | None = None
    """For the events `account-link-…`."""
    occurred_at: datetime | None = None
    txn: str | None = None
    """The same for all events of one cause."""

    @property
    def name(self) -> str:
        """Return the last part of its URI, such as `account-link-suspended` or `session-revoked`."""
        return self.uri.rpartition("/")[2]


def verify_event(token: str, header: Header, key: Key, expected: Expected) -> SecurityEvent:
    """Verify a SET completely. Raises TokenError. Whether its `jti` was seen before is yours to know.

    Its age is no reason to refuse it: it may have waited three days for you.
    """
    try:
        claims = verify_signature(token, header, key)
    except TokenError as error:
        raise EventError("invalid_key", str(error)) from error
    for check, code in _CHECKS:
        try:
            check(claims, expected)
        except TokenError as error:
            raise EventError(code, str(error)) from error
    ((uri, payload),) = claims["events"].items()
    subject, stream_id = _subject(claims, expected)
    if (stream_id is not None) is not (uri in {VERIFICATION, STREAM_UPDATED}):
        raise TokenError("the event is not about what such an event is about")
    own = f"{expected.issuer}/events/account-link-"
    return SecurityEvent(
        uri=uri,
        jti=_text(claims, "jti"),
        issued_at=_time(claims, "iat"),
        subject=subject,
        stream_id=stream_id,
        payload=dict(payload),
        link=_link(payload, expected.issuer) if uri.startswith(own) else None,
        occurred_at=_time(payload, "event_timestamp") if "event_timestamp" in payload else None,
        txn=_text(claims, "txn") if "txn" in claims else None,
    )


def check_not_from_the_future(claims: SignedClaims, expected: Expected) -> None:
    """RFC 8417 §2.2: `iat` says when it was issued."""
    if _time(claims, "iat") > expected.now + LEEWAY:
        raise TokenError("the event is from the future")


def check_no_other_token(claims: SignedClaims, _: Expected) -> None:
    """SSF §4.1: with `sub`, `exp` or `nonce` it is another kind of token that somebody sends here."""
    if claims.keys() & {"sub", "exp", "nonce"}:
        raise TokenError("a security event has neither sub nor exp nor nonce")


def check_one_event(claims: SignedClaims, _: Expected) -> None:
    """SSF §4.1: it tells of exactly one event."""
    events = claims.get("events")
    if not isinstance(events, dict) or len(events) != 1 or not isinstance(next(iter(events.values())), dict):
        raise TokenError("the token does not tell of one event")


Check = Callable[[SignedClaims, Expected], None]
_CHECKS: tuple[tuple[Check, str], ...] = (
    (check_issuer, "invalid_issuer"),
    (check_audience, "invalid_audience"),
    (check_not_from_the_future, INVALID_REQUEST),
    (check_no_other_token, INVALID_REQUEST),
    (check_one_event, INVALID_REQUEST),
)
"""Each with what the provider is told when it does not hold (RFC 8935 §2.4)."""


def _subject(claims: SignedClaims, expected: Expected) -> tuple[str | None, str | None]:
    """Return the person's `sub`, or the id of the stream: RFC 9493 §3.2.3, SSF §8.1.4."""
    sub_id = claims.get("sub_id")
    if not isinstance(sub_id, dict):
        raise TokenError("the event does not say whom it is about")
    if sub_id.get("format") == "opaque":
        return None, _text(sub_id, "id")
    if sub_id.get("format") != "iss_sub" or sub_id.get("iss") != expected.issuer:
        raise TokenError("the subject of the event is not named as ours are")
    return _text(sub_id, "sub"), None


def _link(payload: Mapping[str, Any], issuer: str) -> LinkState:
    return LinkState(
        link_id=_text(payload, "link_id"),
        account_id=_text(payload, "account_id"),
        status=_text(payload, "status"),
        assurance_level=_text(payload, "assurance_level"),
        acr=short_acr(_text(payload, "acr"), issuer),
        expires_at=_time(payload, "expires_at") if "expires_at" in payload else None,
    )


def _text(members: Mapping[str, Any], name: str) -> str:
    value: Any = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise TokenError(f"{name} is missing in the event")
    return value


def _time(members: Mapping[str, Any], name: str) -> datetime:
    value: Any = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"{name} is no time in the event")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenError(f"{name} is no time in the event") from error
