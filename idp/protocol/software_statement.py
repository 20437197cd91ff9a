"""Software statements: what somebody whom we trust says of a client. RFC 7591 §2.3, §3.1.1."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idp.protocol.errors import InvalidSoftwareStatementError, UnapprovedSoftwareStatementError
from idp.protocol.jose import (
    SIGNING_ALGORITHMS,
    JOSEError,
    PublicKey,
    media_type,
    parse_jwk_set,
    peek_claims,
    read_json_object,
    verify_jws,
)

StatementIssuers = Mapping[str, tuple[PublicKey, ...]]
"""The keys of everybody whose statements count, by `iss`."""

_OF_THE_TOKEN = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
_TYPES = frozenset({None, "jwt", "software-statement+jwt"})


def read_statement_issuers(document: bytes) -> StatementIssuers:
    """Read an object of JWK Sets by issuer. Raises JOSEError."""
    return {name: parse_jwk_set(jwks) for name, jwks in read_json_object(document).items() if _is_set(jwks)}


def _is_set(jwks: object) -> bool:
    if not isinstance(jwks, Mapping):
        raise JOSEError("every issuer has a JWK Set")
    return True


def verify_software_statement(
    statement: str, issuers: StatementIssuers, issuer: str, now: datetime
) -> Mapping[str, Any]:
    """Return the client metadata that a statement holds; it goes before what stands beside it.

    `exp`, `nbf` and `aud` may be left out and count where they are. Raises UnapprovedSoftwareStatementError
    for a signer who is not trusted, InvalidSoftwareStatementError for everything else.
    """
    try:
        signer = peek_claims(statement).get("iss")
    except JOSEError as error:
        raise InvalidSoftwareStatementError("software_statement is not a signed JWT") from error
    if not isinstance(signer, str) or signer not in issuers:
        raise UnapprovedSoftwareStatementError("software_statement is by nobody whom this provider trusts")
    try:
        verified = verify_jws(statement, issuers[signer], algorithms=SIGNING_ALGORITHMS, required=("iss",))
    except JOSEError as error:
        raise InvalidSoftwareStatementError(
            "software_statement is not signed by its issuer", detail=str(error)
        ) from error
    if media_type(verified.header) not in _TYPES:
        raise InvalidSoftwareStatementError("software_statement is a JWT for another purpose")
    _check_claims(verified.claims, issuer, now)
    return {name: value for name, value in verified.claims.items() if name not in _OF_THE_TOKEN}


def _check_claims(claims: Mapping[str, Any], issuer: str, now: datetime) -> None:
    present = now.timestamp()
    if claims.get("exp", present + 1) <= present:
        raise InvalidSoftwareStatementError("software_statement has expired")
    if claims.get("nbf", present) > present:
        raise InvalidSoftwareStatementError("software_statement is not valid yet")
    audience = claims.get("aud", issuer)
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidSoftwareStatementError("software_statement is for another provider")
