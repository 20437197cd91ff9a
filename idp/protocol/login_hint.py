"""Whom a backchannel request is for. CIBA Core 1.0 §7.1; RFC 9493 §3.2; OpenID Connect Core §8. Pure.

A client names a person by what it has of them already: the pairwise `sub` that it was given, or its own
account that is linked to them. Never a personal number or a telephone number: those are in no client's hands
(rule R4), and whoever could ask with them could ask who is enrolled here (abuse case P6).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from idp.protocol.errors import ExpiredLoginHintTokenError, InvalidRequestError, UnknownUserIdError
from idp.protocol.jose import JOSEError, PublicKey, UnknownKeyError, media_type, verify_jws
from idp.protocol.model import Client, Policy
from idp.protocol.parameters import Parameters
from idp.protocol.profiles import rules_of
from idp.protocol.tokens import verify_id_token_hint

HINTS = ("login_hint", "login_hint_token", "id_token_hint")
ACCOUNT_PREFIX = "account:"
"""Before an account's id in `login_hint`, to tell it from a `sub`."""
MAX_HINT = 255

_TYPES = frozenset({"jwt", "login-hint+jwt"})


class HintKind(StrEnum):
    """What a hint names a person by."""

    SUBJECT = "subject"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom a client means."""

    kind: HintKind
    value: str


class UnknownHintKeyError(InvalidRequestError):
    """The token names a `kid` that the client's known keys lack: fetch `jwks_uri` again, then decide."""


def read_hint(
    parameters: Parameters, client: Client, policy: Policy, ours: Collection[PublicKey]
) -> Hint | str:
    """Return whom the one hint means, or the login_hint_token that is still to be verified.

    CIBA Core §7.1: "It is REQUIRED that the Client provides one (and only one) of the hints". `ours` are the
    keys of our own ID tokens; one that has expired is as good a hint. Raises InvalidRequestError,
    UnknownUserIdError.
    """
    sent = [name for name in HINTS if name in parameters]
    if len(sent) != 1:
        raise InvalidRequestError(f"exactly one of {', '.join(HINTS)} is needed")
    if "id_token_hint" in parameters:
        subject = verify_id_token_hint(parameters["id_token_hint"], ours, client, policy)
        return Hint(HintKind.SUBJECT, subject)
    if "login_hint_token" in parameters:
        return parameters["login_hint_token"]
    return _from_text(parameters["login_hint"])


def _from_text(text: str) -> Hint:
    is_account = text.startswith(ACCOUNT_PREFIX)
    value = text.removeprefix(ACCOUNT_PREFIX)
    return _hint(HintKind.ACCOUNT if is_account else HintKind.SUBJECT, value)


def _hint(kind: HintKind, value: object) -> Hint:
    """Return the hint, if anybody could have such a name at all: what does not print is nobody's."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_HINT or not value.isprintable():
        raise UnknownUserIdError("nobody can be told from this hint")
    return Hint(kind, value)


def verify_login_hint_token(
    token: str, client: Client, keys: Collection[PublicKey], *, issuer: str, now: datetime
) -> Hint:
    """Verify a login_hint_token and return whom it means: CIBA Core §7.1, RFC 9493.

    The client signs it itself: `iss` is the client, `aud` contains the issuer, `exp` lies ahead, and `sub_id`
    (format opaque or iss_sub) or `sub` names the person. Raises InvalidRequestError,
    ExpiredLoginHintTokenError, UnknownUserIdError; UnknownHintKeyError when fetching the client's keys again
    may help.
    """
    algorithms = rules_of(client.profile).signing_algorithms
    try:
        verified = verify_jws(token, keys, algorithms=algorithms, required=("iss", "aud", "exp"))
    except JOSEError as error:
        kind = UnknownHintKeyError if isinstance(error, UnknownKeyError) else InvalidRequestError
        raise kind(f"login_hint_token is refused: {error}") from error
    if "typ" in verified.header and media_type(verified.header) not in _TYPES:
        raise InvalidRequestError("typ of login_hint_token names another purpose")
    claims = verified.claims
    audience = claims["aud"]
    is_for_us = audience == issuer or (isinstance(audience, list) and issuer in audience)
    if claims["iss"] != client.client_id or not is_for_us or claims.get("sub") == client.client_id:
        raise InvalidRequestError("login_hint_token is not from this client to this provider")
    if claims["exp"] <= now.timestamp():
        raise ExpiredLoginHintTokenError("login_hint_token has expired")
    return _hint(HintKind.SUBJECT, _subject_of(claims, issuer))


def _subject_of(claims: Mapping[str, Any], issuer: str) -> object:
    """RFC 9493 §3.2.3 (iss_sub), §3.2.5 (opaque)."""
    match claims.get("sub_id"):
        case None:
            return claims.get("sub")
        case {"format": "opaque", "id": value}:
            return value
        case {"format": "iss_sub", "iss": named, "sub": value} if named == issuer:
            return value
    return None
