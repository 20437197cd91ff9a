"""The parts of Authlib that build OAuth messages, with types around them.

Authlib ships no type information, so this one module takes it as untyped and gives typed functions
to the rest. Its httpx client class is not used: it owns the connection and refreshes tokens by
itself, while a linking platform wants to see every request.
RFC 6749 §4.1.3, RFC 7523 §2.2, RFC 7636 §4.2, OpenID Connect Core §3.1.3.6.
"""
# mypy: disable-error-code="import-untyped"

from collections.abc import Mapping
from datetime import datetime, timedelta

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.util import create_half_hash
from joserfc.jwk import Key

ASSERTION_LIFETIME = timedelta(seconds=60)


def s256_challenge(code_verifier: str) -> str:
    """RFC 7636 §4.2: code_challenge = BASE64URL(SHA256(code_verifier))."""
    return str(create_s256_code_challenge(code_verifier))


def authorization_parameters(client_id: str, parameters: Mapping[str, str]) -> str:
    """Return the form body of a pushed authorization request (RFC 9126 §2.1)."""
    return str(prepare_grant_uri("", client_id, "code", **parameters)).lstrip("?")


def authorization_url(endpoint: str, client_id: str, request_uri: str) -> str:
    """Return where to send the person: RFC 9126 §4 has client_id and request_uri, nothing else."""
    return str(add_params_to_uri(endpoint, [("client_id", client_id), ("request_uri", request_uri)]))


def token_request(grant_type: str, parameters: Mapping[str, str]) -> str:
    """Return the form body of a token request (RFC 6749 §4.1.3 and §6)."""
    return str(prepare_token_request(grant_type, **parameters))


def client_assertion(
    key: Key, algorithm: str, *, client_id: str, issuer: str, jti: str, now: datetime
) -> str:
    """Sign a client assertion for one request: audience is the issuer, good for a minute (RFC 7523 §3)."""
    return str(
        private_key_jwt_sign(
            key,
            client_id,
            issuer,
            alg=algorithm,
            claims={"jti": jti},
            header={"kid": key.kid, "typ": "JWT"},
            issued_at=int(now.timestamp()),
            expires_in=int(ASSERTION_LIFETIME.total_seconds()),
        )
    )


def half_hash(value: str, algorithm: str) -> str | None:
    """Return `at_hash` of an access token; None when the algorithm has no hash (OIDC Core §3.1.3.6)."""
    digest = create_half_hash(value, algorithm)
    return None if digest is None else bytes(digest).decode()
