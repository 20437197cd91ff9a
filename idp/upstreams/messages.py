"""The parts of Authlib that build OAuth messages and judge metadata, with types around them.

Authlib ships no type information, so this one module takes it as untyped and gives typed functions to the
rest. Its clients for httpx own the connection, while every call of ours goes through the guarded one; and
their module warns at its import, for it wants httpx2 instead. The base class under them has no connection: it
builds the front channel. RFC 6749 §4.1.1, §4.1.3, RFC 7523 §2.2, RFC 7636 §4, RFC 9126 §2.1, RFC 8414 §2.
"""
# mypy: disable-error-code="import-untyped"

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import rfc9207
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc.jwk import Key

from idp.upstreams.exchange import OpenVisit

ASSERTION_LIFETIME = timedelta(seconds=60)
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_VERIFIER_LENGTH = 64


def new_code_verifier() -> str:
    """Return a fresh `code_verifier`: RFC 7636 §4.1."""
    return str(generate_token(_VERIFIER_LENGTH))


def authorization_address(
    endpoint: str, client_id: str, visit: OpenVisit, parameters: Mapping[str, str], *, has_pkce: bool = True
) -> str:
    """Return the whole authorization request as an address: RFC 6749 §4.1.1, RFC 7636 §4.3 (S256)."""
    client = OAuth2Client(
        None,
        client_id,
        redirect_uri=visit.redirect_uri,
        code_challenge_method="S256" if has_pkce else None,
    )
    sent = {name: value for name, value in parameters.items() if value}
    address, _ = client.create_authorization_url(
        endpoint, state=visit.state, code_verifier=visit.code_verifier, **sent
    )
    return str(address)


def pushed_parameters(address: str) -> list[tuple[str, str]]:
    """Return the parameters of an authorization request, to be pushed instead: RFC 9126 §2.1."""
    return parse_qsl(urlsplit(address).query, keep_blank_values=True)


def pushed_address(endpoint: str, client_id: str, request_uri: str) -> str:
    """Return where the browser goes after a push: `client_id` and `request_uri`, nothing else (§4)."""
    return str(add_params_to_uri(endpoint, [("client_id", client_id), ("request_uri", request_uri)]))


def token_request(code: str, visit: OpenVisit, *, has_pkce: bool = True) -> str:
    """Return the body of a token request: RFC 6749 §4.1.3, RFC 7636 §4.5."""
    verifier = {"code_verifier": visit.code_verifier} if has_pkce else {}
    return str(
        prepare_token_request("authorization_code", redirect_uri=visit.redirect_uri, code=code, **verifier)
    )


def with_client_secret(
    method: str, client_id: str, secret: str, endpoint: str, body: str
) -> tuple[dict[str, str], str]:
    """Return headers and body of a request that a secret authenticates: RFC 6749 §2.3.1."""
    headers: dict[str, str] = {}
    _, headers, body = ClientAuth(client_id, secret, method).prepare("POST", endpoint, headers, body)
    return headers, body


def assertion_parameters(
    key: Key, algorithm: str, *, client_id: str, issuer: str, jti: str, now: datetime
) -> list[tuple[str, str]]:
    """Return what authenticates a client by its key: RFC 7523 §2.2; the audience is the issuer alone.

    RFC 9700 and CVE-2025-27370: an assertion for an address could be carried to another server.
    """
    assertion = private_key_jwt_sign(
        key,
        client_id,
        issuer,
        alg=algorithm,
        claims={"jti": jti},
        header={"kid": key.kid, "typ": "JWT"},
        issued_at=int(now.timestamp()),
        expires_in=int(ASSERTION_LIFETIME.total_seconds()),
    )
    return [("client_assertion_type", _ASSERTION_TYPE), ("client_assertion", str(assertion))]


def check_metadata(document: Mapping[str, object]) -> None:
    """Check a provider's metadata by Discovery §3, RFC 8414 §2 and RFC 9207 §3. Raises ValueError."""
    metadata = OpenIDProviderMetadata(document)
    metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
