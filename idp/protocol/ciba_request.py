"""The backchannel authentication request. CIBA Core 1.0 §7.1, §13; FAPI: CIBA Profile 1.0 §5.2.2. Pure.

Push is not offered: tokens leave by the token endpoint alone, bound to their sender.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from idp.identity.display_text import is_displayable
from idp.protocol.client_authentication import CLOCK_SKEW
from idp.protocol.decoupled_request import read_asked
from idp.protocol.errors import (
    InvalidBindingMessageError,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from idp.protocol.jose import (
    JOSEError,
    PublicKey,
    UnknownKeyError,
    media_type,
    peek_claims,
    verify_jws,
)
from idp.protocol.model import AuthorizationRequest, Client, Policy
from idp.protocol.parameters import Parameters, printable
from idp.protocol.profiles import CIBA_GRANT, Profile, rules_of
from idp.protocol.request_object import MAX_AGE, TYPES

PING = "ping"
CIBA_ALGORITHMS = rules_of(Profile.CIBA).signing_algorithms
"""What requests are signed with, whatever the client's profile: FAPI: CIBA §5.2.2 leaves RS256 out."""
MAX_BINDING_MESSAGE = 100
MAX_NOTIFICATION_TOKEN = 1024

_REQUIRED = ("iss", "aud", "iat", "exp", "nbf", "jti")
_PARAMETERS = frozenset(
    {
        "acr_values",
        "authorization_details",
        "binding_message",
        "claims",
        "client_notification_token",
        "id_token_hint",
        "login_hint",
        "login_hint_token",
        "requested_expiry",
        "resource",
        "scope",
        "user_code",
    }
)
"""What a request asks; beside a signed request none of it may stand (CIBA Core §7.1.1)."""

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 §2.1: b64token."""
_SECONDS = re.compile(r"[1-9][0-9]{0,8}")
_PLAIN = ("L", "M", "N", "P", "Zs", "Sc", "Sm")
"""Unicode categories of plain text: letters, marks, digits, punctuation, spaces, signs for sums of money."""


@dataclass(frozen=True, slots=True)
class CIBARequest:
    """A request that was read; whom it is for is not known yet."""

    asked: AuthorizationRequest
    binding_message: str | None
    client_notification_token: str | None
    requested_expiry: int | None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A signed request that was verified: its parameters, and what may not be seen again."""

    parameters: Parameters
    jti: str
    expires_at: datetime


class UnknownCIBAKeyError(InvalidRequestError):
    """The request names a `kid` that the client's known keys lack: fetch `jwks_uri` again, then decide."""


def check_ciba_client(client: Client) -> None:
    """Check that a client may use this endpoint at all. Raises UnauthorizedClientError."""
    if CIBA_GRANT not in client.grant_types or client.backchannel_token_delivery_mode is None:
        raise UnauthorizedClientError("the client is not registered for the CIBA grant")


def check_is_signed_where_required(parameters: Parameters, client: Client) -> None:
    """Check that a client that has to sign has, and that nothing stands beside what it signed.

    CIBA Core §4 (registered algorithm), §7.1.1; FAPI: CIBA §5.2.2. Raises InvalidRequestError.
    """
    is_required = (
        rules_of(client.profile).is_request_object_required
        or client.require_signed_request_object
        or client.backchannel_authentication_request_signing_alg is not None
    )
    if "request" not in parameters:
        if is_required:
            raise InvalidRequestError("this client must sign its backchannel authentication requests")
        return
    beside = _PARAMETERS & {*parameters, *parameters.repeated}
    if beside:
        raise InvalidRequestError(f"{min(beside)} stands beside the signed request instead of inside it")


def verify_signed_request(
    token: str, client: Client, keys: Collection[PublicKey], *, issuer: str, now: datetime
) -> SignedRequest:
    """Verify a signed authentication request: CIBA Core §7.1.1, FAPI: CIBA §5.2.2.

    It names its sender and reader, lives no longer than an hour, and is good for one use. Raises
    InvalidRequestError; UnknownCIBAKeyError when fetching the client's keys again may help; and
    InvalidClientError for a request that another client wrote and signed: then whoever sent it is not it.
    """
    registered = client.backchannel_authentication_request_signing_alg
    allowed = rules_of(client.profile).signing_algorithms & CIBA_ALGORITHMS
    algorithms = allowed if registered is None else allowed & {registered}
    try:
        verified = verify_jws(token, keys, algorithms=algorithms, required=_REQUIRED)
    except JOSEError as error:
        if _names_another(token, client):
            raise InvalidClientError("the request is another client's", detail=str(error)) from error
        kind = UnknownCIBAKeyError if isinstance(error, UnknownKeyError) else InvalidRequestError
        raise kind(f"the signed request is refused: {error}") from error
    if "typ" in verified.header and media_type(verified.header) not in TYPES:
        raise InvalidRequestError("typ of the signed request names another purpose")
    claims = verified.claims
    _check_parties(claims, client.client_id, issuer)
    _check_times(claims, now)
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= 255:
        raise InvalidRequestError("jti of the signed request must be 1 to 255 characters")
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    return SignedRequest(_parameters(claims), jti, expires_at)


def _names_another(token: str, client: Client) -> bool:
    try:
        issuer = peek_claims(token).get("iss")
    except JOSEError:
        return False
    return isinstance(issuer, str) and issuer != client.client_id


def _check_parties(claims: Mapping[str, Any], client_id: str, issuer: str) -> None:
    """CIBA Core §7.1.1; RFC 9101 §10.8: with the client as `sub` it would do as a client assertion."""
    audience = claims["aud"]
    if claims["iss"] != client_id or claims.get("client_id", client_id) != client_id:
        raise InvalidRequestError("iss of the signed request is not the client")
    if claims.get("sub") == client_id:
        raise InvalidRequestError("sub of the signed request must not be the client")
    if audience != issuer and not (isinstance(audience, list) and issuer in audience):
        raise InvalidRequestError("aud of the signed request does not contain the issuer")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    """FAPI: CIBA §5.2.2: `nbf` no longer than 60 minutes ago, `exp` no longer than 60 minutes after it."""
    present, hour = now.timestamp(), MAX_AGE.total_seconds()
    ahead = present + CLOCK_SKEW.total_seconds()
    if claims["exp"] <= present:
        raise InvalidRequestError("the signed request has expired")
    if claims["nbf"] > ahead or claims["iat"] > ahead:
        raise InvalidRequestError("nbf or iat of the signed request lies in the future")
    if claims["nbf"] < present - hour:
        raise InvalidRequestError("nbf of the signed request is older than 60 minutes")
    if claims["exp"] - claims["nbf"] > hour:
        raise InvalidRequestError("exp of the signed request is more than 60 minutes after nbf")


def _parameters(claims: Mapping[str, Any]) -> Parameters:
    """Return what the request asks, as text. `requested_expiry` is a number or its text (Core §7.1.1)."""
    sent: dict[str, str] = {}
    for name in _PARAMETERS & claims.keys():
        text = _text(name, claims[name])
        if "\0" in text:
            raise InvalidRequestError(f"{name} in the signed request holds NUL")
        if text:
            sent[name] = text
    return Parameters(sent, is_signed=True)


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case int() if name == "requested_expiry" and not isinstance(value, bool):
            return str(value)
        case dict() | list() if name in {"claims", "authorization_details"}:
            return orjson.dumps(value).decode()
    raise InvalidRequestError(f"{printable(name)} in the signed request has the wrong type")


def read_ciba_request(parameters: Parameters, client: Client, policy: Policy) -> CIBARequest:
    """Return what a client asks a person for: CIBA Core §7.1. Its hint is read by `login_hint`.

    Raises InvalidRequestError, InvalidScopeError, InvalidBindingMessageError.
    """
    if "openid" not in parameters.get("scope", "").split(" "):
        raise InvalidScopeError("scope must contain openid")
    if "user_code" in parameters:
        raise InvalidRequestError("user_code is not used here: the person signs in to answer")
    return CIBARequest(
        asked=read_asked(parameters, client, policy),
        binding_message=_binding_message(parameters),
        client_notification_token=_notification_token(parameters, client),
        requested_expiry=_requested_expiry(parameters),
    )


def _binding_message(parameters: Parameters) -> str | None:
    """CIBA Core §7.1: short and plain, so that two screens show the same; no address that looks like ours."""
    message = parameters.get("binding_message")
    if message is None:
        return None
    is_plain = all(unicodedata.category(character).startswith(_PLAIN) for character in message)
    if len(message) > MAX_BINDING_MESSAGE or not is_plain or not is_displayable(message) or "://" in message:
        raise InvalidBindingMessageError(
            f"binding_message must be at most {MAX_BINDING_MESSAGE} characters of plain text, with no address"
        )
    return message


def _notification_token(parameters: Parameters, client: Client) -> str | None:
    """CIBA Core §7.1: needed for ping, at most 1024 characters, of the syntax of a Bearer credential."""
    if client.backchannel_token_delivery_mode != PING:
        return None
    token = parameters.get("client_notification_token", "")
    if not 0 < len(token) <= MAX_NOTIFICATION_TOKEN or not _BEARER.fullmatch(token):
        raise InvalidRequestError("client_notification_token must be a Bearer token of 1 to 1024 characters")
    return token


def _requested_expiry(parameters: Parameters) -> int | None:
    value = parameters.get("requested_expiry")
    if value is None:
        return None
    if not _SECONDS.fullmatch(value):
        raise InvalidRequestError("requested_expiry must be a positive number of seconds")
    return int(value)
