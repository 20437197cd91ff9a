"""Client authentication. RFC 6749 §2.3, RFC 7521 §4.2, RFC 7523 §3, RFC 10070.

One request, one method, and the method that is registered. Whatever fails, the client reads the same words,
so that nobody can ask which clients exist; the log gets the reason.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Never
from urllib.parse import unquote_plus

from idp.protocol.approval import check_approved
from idp.protocol.client_certificate import (
    ClientCertificate,
    ClientCertificateError,
    UnknownCertificateKeyError,
    check_self_signed,
    check_tls_client_auth,
)
from idp.protocol.dpop import DPoPProof
from idp.protocol.errors import InvalidClientError, InvalidRequestError
from idp.protocol.jose import (
    JOSEError,
    PublicKey,
    UnknownKeyError,
    media_type,
    peek_claims,
    verify_jws,
    verify_shared_secret_jws,
)
from idp.protocol.model import Client, ClientStatus
from idp.protocol.profiles import (
    CLIENT_SECRET_BASIC,
    CLIENT_SECRET_JWT,
    CLIENT_SECRET_POST,
    NONE,
    PRIVATE_KEY_JWT,
    TLS_CLIENT_AUTH,
    TLS_METHODS,
    Profile,
    rules_of,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

MAX_ASSERTION_LIFETIME = timedelta(hours=1)
"""Authlib, the most used Python client, signs for an hour; longer would only fill the memory of spent jti."""

CLOCK_SKEW = timedelta(seconds=10)
"""How far a client's clock may run ahead of ours."""

_ASSERTION_TYPES = frozenset({"jwt", "client-authentication+jwt"})
"""`typ` of an assertion: no token made for another purpose signs a client in (RFC 8725 §3.11)."""

_FAILED = (
    "client authentication failed: check client_id, the registered token_endpoint_auth_method and its"
    " credential; an assertion needs iss and sub equal to client_id, the issuer as its only audience, a fresh"
    " jti and an exp within the hour"
)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request brought to prove its client; nothing is verified yet."""

    client_id: str
    method: str
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SpentAssertion:
    """An assertion that may not be seen again before it expires; to be stored under the client's name."""

    jti: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that proved itself; made by `verify_credentials` alone."""

    client: Client
    method: str
    assertion: SpentAssertion | None = None
    dpop: DPoPProof | None = None
    """What the request proved beside: a DPoP key, whose proof is spent together with the assertion."""


class UnknownClientKeyError(InvalidClientError):
    """The client proved itself with a key that its known keys lack: fetch `jwks_uri` again, then decide."""


def _refuse(detail: str, cause: Exception | None = None) -> Never:
    raise InvalidClientError(_FAILED, detail=detail) from cause


def read_credentials(authorization: str | None, parameters: Mapping[str, str]) -> ClientCredentials:
    """Find the one method a request uses: RFC 6749 §2.3, which forbids more than one.

    Raises InvalidClientError when there is none or it is malformed, InvalidRequestError for two.
    """
    claimed = parameters.get("client_id") or None
    secret = parameters.get("client_secret") or None
    assertion = parameters.get("client_assertion") or parameters.get("client_assertion_type") or None
    if sum(proof is not None for proof in (authorization, secret, assertion)) > 1:
        raise InvalidRequestError("more than one method of client authentication is used")
    if authorization is not None:
        credentials = _read_basic(authorization)
    elif assertion is not None:
        credentials = _read_assertion(parameters)
    elif secret is not None and claimed is not None:
        credentials = ClientCredentials(claimed, CLIENT_SECRET_POST, secret=secret)
    elif claimed is not None:
        credentials = ClientCredentials(claimed, NONE)
    else:
        _refuse("no client authentication in the request")
    if claimed is not None and claimed != credentials.client_id:
        _refuse("client_id is not the authenticated client")
    if not is_client_id(credentials.client_id):
        _refuse("client_id is empty, too long or not printable ASCII")
    return credentials


def _read_basic(authorization: str) -> ClientCredentials:
    """RFC 6749 §2.3.1: identifier and secret are form-urlencoded before they are joined."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        _refuse("the Authorization header is not of the scheme Basic")
    try:
        joined = base64.b64decode(encoded.strip(" "), validate=True).decode()
        encoded_id, _, encoded_secret = joined.partition(":")
        client_id = unquote_plus(encoded_id, errors="strict")
        secret = unquote_plus(encoded_secret, errors="strict")
    except (binascii.Error, ValueError) as error:
        _refuse("the Basic credentials are malformed", error)
    if not secret:
        _refuse("the Basic credentials have no secret")
    return ClientCredentials(client_id, CLIENT_SECRET_BASIC, secret=secret)


def _read_assertion(parameters: Mapping[str, str]) -> ClientCredentials:
    """RFC 7523 §2.2, §3: the subject names the client; `client_id` may be left out (RFC 7521 §4.2)."""
    assertion = parameters.get("client_assertion")
    if not assertion or parameters.get("client_assertion_type") != ASSERTION_TYPE:
        _refuse("client_assertion and the jwt-bearer client_assertion_type belong together")
    try:
        subject = peek_claims(assertion).get("sub")
    except JOSEError as error:
        _refuse(f"the assertion is malformed: {error}", error)
    if not isinstance(subject, str):
        _refuse("the assertion has no sub")
    return ClientCredentials(subject, PRIVATE_KEY_JWT, assertion=assertion)


def is_client_id(value: str) -> bool:
    """Tell whether a text may be the id of a client: RFC 6749 Appendix A.1; nothing else is looked up."""
    return 0 < len(value) <= 255 and value.isascii() and value.isprintable()


def assertion_audiences(client: Client, issuer: str) -> frozenset[str]:
    """Return what `aud` of an assertion may be: RFC 10070 the issuer, and elsewhere what was usual before.

    OpenID Connect Core §9 has clients name the token endpoint, CIBA Core §7.1 tolerates its own endpoint too.
    """
    audiences = {issuer}
    if not rules_of(client.profile).is_issuer_the_only_audience:
        audiences.add(f"{issuer}/token")
    if client.profile is Profile.CIBA:
        audiences.add(f"{issuer}/backchannel-authentication")
    return frozenset(audiences)


def verify_credentials(
    credentials: ClientCredentials,
    client: Client | None,
    keys: Collection[PublicKey],
    *,
    issuer: str,
    now: datetime,
    shared_secrets: Collection[bytes] = (),
    certificate: ClientCertificate | None = None,
) -> AuthenticatedClient:
    """Verify that the request comes from its client; `client` is None where none has that id.

    `keys` are the client's parsed keys, `shared_secrets` its live secrets opened for client_secret_jwt; both
    may be empty for other methods, and `certificate` None. The caller stores the spent assertion, and refuses
    one that is stored already. Raises InvalidClientError; UnknownClientKeyError when fetching the client's
    keys again may help; UnauthorizedClientError for a client that is not approved yet.
    """
    if client is None or client.client_id != credentials.client_id:
        _refuse("no such client")
    if client.status not in {ClientStatus.ACTIVE, ClientStatus.UNAPPROVED}:
        _refuse(f"the client is {client.status}")
    spent = _verify_method(credentials, client, keys, shared_secrets, certificate, issuer, now)
    check_approved(client)
    return AuthenticatedClient(client, client.token_endpoint_auth_method, spent)


def _verify_method(
    credentials: ClientCredentials,
    client: Client,
    keys: Collection[PublicKey],
    shared_secrets: Collection[bytes],
    certificate: ClientCertificate | None,
    issuer: str,
    now: datetime,
) -> SpentAssertion | None:
    """Verify by the registered method; return the assertion that is spent, where there is one."""
    method = client.token_endpoint_auth_method
    if credentials.assertion is not None:
        if method not in {PRIVATE_KEY_JWT, CLIENT_SECRET_JWT}:
            _refuse("an assertion is not the registered method")
        return _verify_assertion(credentials.assertion, client, keys, shared_secrets, issuer, now)
    if method in TLS_METHODS and credentials.method == NONE:
        _check_certificate(certificate, client, keys, now)
        return None
    if credentials.method != method:
        _refuse(f"{credentials.method} is not the registered method")
    is_by_secret = method in {CLIENT_SECRET_BASIC, CLIENT_SECRET_POST}
    if is_by_secret and not matches_live_secret(credentials.secret or "", client, now):
        _refuse("the client secret is wrong or expired")
    return None


def matches_live_secret(secret: str, client: Client, now: datetime) -> bool:
    """Compare with every live secret in constant time, without stopping at the first that fits."""
    presented = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
    matches = [
        hmac.compare_digest(presented, kept.sha256)
        for kept in client.secrets
        if kept.expires_at is None or now < kept.expires_at
    ]
    return any(matches)


def _check_certificate(
    certificate: ClientCertificate | None, client: Client, keys: Collection[PublicKey], now: datetime
) -> None:
    """RFC 8705 §2: the certificate is the whole credential; `client_id` says whose it should be."""
    if certificate is None:
        _refuse("no client certificate was presented")
    try:
        if client.token_endpoint_auth_method == TLS_CLIENT_AUTH:
            check_tls_client_auth(certificate, client, now)
        else:
            check_self_signed(certificate, keys, now)
    except UnknownCertificateKeyError as error:
        raise UnknownClientKeyError(_FAILED, detail=str(error)) from error
    except ClientCertificateError as error:
        _refuse(str(error), error)


def live_sealed_secrets(client: Client, now: datetime) -> tuple[bytes, ...]:
    """Return the sealed secrets that still count, for client_secret_jwt (two while rotating)."""
    return tuple(
        secret.sealed
        for secret in client.secrets
        if secret.sealed is not None and (secret.expires_at is None or now < secret.expires_at)
    )


def _verify_assertion(
    assertion: str,
    client: Client,
    keys: Collection[PublicKey],
    shared_secrets: Collection[bytes],
    issuer: str,
    now: datetime,
) -> SpentAssertion:
    required = ("iss", "sub", "aud", "exp", "jti")
    try:
        if client.token_endpoint_auth_method == CLIENT_SECRET_JWT:
            verified = verify_shared_secret_jws(assertion, shared_secrets, required=required)
        else:
            registered = client.token_endpoint_auth_signing_alg
            allowed = rules_of(client.profile).signing_algorithms
            algorithms = allowed if registered is None else allowed & {registered}
            verified = verify_jws(assertion, keys, algorithms=algorithms, required=required)
    except UnknownKeyError as error:
        raise UnknownClientKeyError(_FAILED, detail=f"the assertion: {error}") from error
    except JOSEError as error:
        _refuse(f"the assertion: {error}", error)
    if "typ" in verified.header and media_type(verified.header) not in _ASSERTION_TYPES:
        _refuse("the assertion's typ names another purpose")
    return _check_assertion(verified.claims, client, assertion_audiences(client, issuer), now)


def _check_assertion(
    claims: Mapping[str, Any], client: Client, audiences: frozenset[str], now: datetime
) -> SpentAssertion:
    """RFC 7523 §3, and RFC 10070 against CVE-2025-27370: one audience, as a string, and one of ours."""
    if claims["iss"] != client.client_id or claims["sub"] != client.client_id:
        _refuse("iss and sub of the assertion are not both the client_id")
    if not isinstance(claims["aud"], str) or claims["aud"] not in audiences:
        _refuse(f"aud of the assertion is not exactly {' or '.join(sorted(audiences))}")
    present, latest = now.timestamp(), (now + CLOCK_SKEW).timestamp()
    if claims["exp"] <= present:
        _refuse("the assertion has expired")
    if claims["exp"] > latest + MAX_ASSERTION_LIFETIME.total_seconds():
        _refuse("exp of the assertion is too far ahead")
    if max(claims.get("iat", present), claims.get("nbf", present)) > latest:
        _refuse("iat or nbf of the assertion lies in the future")
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= 255 or not jti.isprintable():
        _refuse("jti of the assertion is not a string of 1 to 255 printable characters")
    return SpentAssertion(jti, datetime.fromtimestamp(claims["exp"], UTC))
