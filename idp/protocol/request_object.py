"""The request object: an authorization request that its client signed. RFC 9101; OpenID Connect Core §6.1.

Only what stands inside counts (RFC 9101 §6.3: "The authorization server MUST only use the parameters in the
Request Object"). What is asked of the object itself is more under FAPI 2.0 Message Signing §5.3.1, where it
is dated and names its sender and its reader. Encrypted objects are not read at all: encryption proves nothing
about who wrote them (CVE-2026-9793).
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from idp.protocol.client_authentication import CLOCK_SKEW
from idp.protocol.errors import InvalidRequestObjectError, RequestNotSupportedError
from idp.protocol.jose import (
    SIGNING_ALGORITHMS,
    JOSEError,
    PublicKey,
    UnknownKeyError,
    is_encrypted,
    media_type,
    peek_header,
    verify_jws,
)
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters, printable
from idp.protocol.profiles import ProfileRules

MAX_AGE = timedelta(minutes=60)
"""FAPI 2.0 Message Signing §5.3.1: `nbf` no longer ago, and `exp` no longer after `nbf`."""

TYPES = frozenset({"jwt", "oauth-authz-req+jwt"})
"""`typ` of a request object (RFC 9101 §4); it may be absent, too."""

_ABOUT_THE_OBJECT = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
"""RFC 7519 §4.1: claims about the JWT, no parameters of the request."""

_JSON_DOCUMENTS = frozenset({"claims", "authorization_details", "registration"})
"""Parameters that are JSON text in a form, and JSON itself in a request object (Core §6.1, RFC 9396 §3)."""

_NUMBERS = frozenset({"max_age"})

_TEXTS = frozenset(
    {
        "acr_values",
        "claims_locales",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "display",
        "dpop_jkt",
        "id_token_hint",
        "login_hint",
        "nonce",
        "prompt",
        "redirect_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)
"""Parameters that are a string and nothing else; what is not known here is passed over (RFC 6749 §3.1)."""

_REQUIRED_WHEN_STRICT = ("iss", "aud", "exp", "nbf", "client_id")


class UnknownRequestKeyError(InvalidRequestObjectError):
    """The object names a `kid` that the client's known keys lack: fetch `jwks_uri` again, then decide."""


def verify_request_object(
    token: str,
    client: Client,
    keys: Collection[PublicKey],
    *,
    rules: ProfileRules,
    issuer: str,
    now: datetime,
) -> Parameters:
    """Verify a request object and return the parameters that stand inside.

    `keys` are the client's, `rules` those of its profile; of the algorithms that these allow, a registered
    `request_object_signing_alg` leaves one. Raises InvalidRequestObjectError; UnknownRequestKeyError when
    fetching the keys again may help; RequestNotSupportedError for an unsigned one where FAPI is not asked for
    (Core §3.1.2.6).
    """
    is_strict = rules.is_request_object_strict
    _check_is_signed(token, is_strict=is_strict)
    registered = client.request_object_signing_alg
    algorithms = rules.signing_algorithms & (SIGNING_ALGORITHMS if registered is None else {registered})
    claims = _verified_claims(token, keys, algorithms, _REQUIRED_WHEN_STRICT if is_strict else ())
    _check_parties(claims, client.client_id, issuer)
    _check_times(claims, now, is_strict=is_strict)
    nested = {"request", "request_uri"} & claims.keys()
    if nested:
        raise InvalidRequestObjectError(f"{min(nested)} must not stand inside a request object")
    # The caller found the client by the client_id outside; inside it is the same or, outside FAPI, absent.
    return _parameters({**claims, "client_id": client.client_id})


def _check_is_signed(token: str, *, is_strict: bool) -> None:
    if is_encrypted(token):
        raise InvalidRequestObjectError("a request object must be signed; encrypted ones are not read")
    try:
        algorithm = peek_header(token).get("alg")
    except JOSEError as error:
        raise InvalidRequestObjectError("the request object is no signed JWT", detail=str(error)) from error
    if isinstance(algorithm, str) and algorithm.lower() == "none":
        if is_strict:
            raise InvalidRequestObjectError("the request object must be signed")
        raise RequestNotSupportedError("request objects that are not signed are not supported")


def _verified_claims(
    token: str, keys: Collection[PublicKey], algorithms: frozenset[str], required: tuple[str, ...]
) -> Mapping[str, Any]:
    try:
        verified = verify_jws(token, keys, algorithms=algorithms, required=required)
    except UnknownKeyError as error:
        raise UnknownRequestKeyError(
            "the request object names a kid that is not among the client's keys", detail=str(error)
        ) from error
    except JOSEError as error:
        raise InvalidRequestObjectError(f"the request object is refused: {error}") from error
    if "typ" in verified.header and media_type(verified.header) not in TYPES:
        raise InvalidRequestObjectError("typ of the request object names another purpose")
    return verified.claims


def _check_parties(claims: Mapping[str, Any], client_id: str, issuer: str) -> None:
    """RFC 9101 §4, §5, §6.3; §10.8: an object with the client as `sub` would do as a client assertion."""
    for name in ("iss", "client_id"):
        if claims.get(name, client_id) != client_id:
            raise InvalidRequestObjectError(f"{name} of the request object is not the client")
    if claims.get("sub") == client_id:
        raise InvalidRequestObjectError("sub of the request object must not be the client")
    audience = claims.get("aud", issuer)
    if audience != issuer and not (isinstance(audience, list) and issuer in audience):
        raise InvalidRequestObjectError("aud of the request object does not contain the issuer")


def _check_times(claims: Mapping[str, Any], now: datetime, *, is_strict: bool) -> None:
    """FAPI 2.0 Message Signing §5.3.1; Security Profile §5.3.2.1 on clocks that run ahead."""
    present = now.timestamp()
    if claims.get("exp", present + 1) <= present:
        raise InvalidRequestObjectError("the request object has expired")
    if claims.get("nbf", present) > present + CLOCK_SKEW.total_seconds():
        raise InvalidRequestObjectError("nbf of the request object lies in the future")
    if not is_strict:
        return
    if claims["nbf"] < present - MAX_AGE.total_seconds():
        raise InvalidRequestObjectError("nbf of the request object is older than 60 minutes")
    if claims["exp"] - claims["nbf"] > MAX_AGE.total_seconds():
        raise InvalidRequestObjectError("exp of the request object is more than 60 minutes after nbf")


def _parameters(claims: Mapping[str, Any]) -> Parameters:
    """Turn the members into the parameters that they would be in a form (RFC 9101 §4)."""
    sent: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in claims.items():
        if name in _ABOUT_THE_OBJECT:
            continue
        if name == "resource" and isinstance(value, list) and len(value) > 1:
            repeated.add(name)
            continue
        text = _text(name, value)
        if "\0" in text:
            raise InvalidRequestObjectError(f"{printable(name)} in the request object holds NUL")
        # RFC 6749 §3.1: what has no value is treated as if it were omitted.
        if text:
            sent[name] = text
    return Parameters(sent, frozenset(repeated), is_signed=True)


def _text(name: str, value: object) -> str:
    """Return a member as the text of a parameter; "" for one without value, or not known and no text."""
    match value:
        case None:
            return ""
        case str():
            return value
        case int() if name in _NUMBERS and not isinstance(value, bool):
            return str(value)
        case dict() | list() if name in _JSON_DOCUMENTS:
            return orjson.dumps(value).decode()
        case [str() as only] if name == "resource":
            # RFC 8707 §2: what a form repeats is an array here.
            return only
    if name in _TEXTS | _NUMBERS | _JSON_DOCUMENTS | {"resource"}:
        raise InvalidRequestObjectError(f"{name} in the request object has the wrong type")
    return ""
