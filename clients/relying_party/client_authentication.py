"""How the platform proves to the provider who it is. OpenID Connect Core §9, RFC 7523, RFC 6749 §2.3.1."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import quote_plus, urlencode

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from .errors import ConfigurationError
from .oauth import client_assertion

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

KeyMaterial = str | bytes | Mapping[str, str | list[str]]
"""A private key as JWK (mapping or JSON text) or as PEM."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is added to one request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who authenticates to whom, and when."""

    client_id: str
    issuer: str
    now: datetime


class ClientAuthentication(Protocol):
    """One of the ways to authenticate."""

    def credentials(self, occasion: Occasion) -> Credentials:
        """Return fresh credentials for one request."""
        ...


@dataclass(frozen=True, slots=True)
class PrivateKeyJWT:
    """private_key_jwt: a fresh assertion for every request; the private key never leaves."""

    key: Key = field(repr=False)
    algorithm: str

    def credentials(self, occasion: Occasion) -> Credentials:
        """Sign an assertion whose audience is the issuer, with a `jti` that is used once."""
        assertion = client_assertion(
            self.key,
            self.algorithm,
            client_id=occasion.client_id,
            issuer=occasion.issuer,
            jti=secrets.token_urlsafe(24),
            now=occasion.now,
        )
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return Credentials(body=urlencode(form))


@dataclass(frozen=True, slots=True)
class ClientSecretBasic:
    """client_secret_basic, for platforms that cannot keep a key."""

    secret: str = field(repr=False)

    def credentials(self, occasion: Occasion) -> Credentials:
        """RFC 6749 §2.3.1: both parts are form-urlencoded before they are joined."""
        pair = f"{quote_plus(occasion.client_id)}:{quote_plus(self.secret)}"
        return Credentials(headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


def choose_authentication(key: KeyMaterial | None, secret: str | None) -> ClientAuthentication:
    """Choose the method from what is given: exactly one of both. Raises ConfigurationError."""
    if key is not None and secret is None:
        return _private_key_jwt(key)
    if key is None and secret:
        return ClientSecretBasic(secret)
    raise ConfigurationError("give either a private key or a client secret")


def _private_key_jwt(material: KeyMaterial) -> PrivateKeyJWT:
    key = _import_private_key(material)
    algorithm = key.alg or _ALGORITHMS.get((key.key_type, str(key.as_dict(private=False).get("crv", ""))))
    if algorithm is None or not key.is_private:
        raise ConfigurationError("the client key is not a private P-256 or RSA key")
    key.ensure_kid()
    return PrivateKeyJWT(key, algorithm)


def _import_private_key(material: KeyMaterial) -> Key:
    """Import without ever repeating the material in a message."""
    try:
        if isinstance(material, Mapping):
            return JWKRegistry.import_key(dict(material))
        text = material.decode() if isinstance(material, bytes) else material
        if text.lstrip().startswith("{"):
            return JWKRegistry.import_key(json.loads(text))
    except (JoseError, ValueError, TypeError, KeyError):
        raise ConfigurationError("the client key cannot be read") from None
    for kind in (ECKey, RSAKey):
        try:
            return kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
    raise ConfigurationError("the client key cannot be read")


_ALGORITHMS: Mapping[tuple[str, str], str] = {
    ("EC", "P-256"): "ES256",
    ("RSA", ""): "PS256",
}
