"""Key pairs: making them, their public JWK and its thumbprint, and their PKCS #8 form.

RFC 7517 (JWK), RFC 7518 §6 and RFC 8037 §2 (members per key type), RFC 7638 (thumbprint), RFC 5958 (PKCS #8).
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from keys.errors import SealedDataError, UnknownKeyError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

_RSA_BITS = 2048
"""RFC 7518 §3.3 asks for 2048 or more; more would make each signature several times dearer."""

_MAKERS: Mapping[str, Callable[[], PrivateKey]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}

ALGORITHMS = frozenset(_MAKERS)
"""The algorithms that have keys of their own."""

ALSO_SIGNS: Mapping[str, str] = {"RS256": "PS256"}
"""An RSA key serves both paddings; the second has its own `kid`, because a JWK's `alg` is one value."""

_REQUIRED_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
"""RFC 7638 §3.2 and RFC 8037 §2, in the order in which they are hashed. All of them are public."""


def make_private_key(algorithm: str) -> PrivateKey:
    """Make a new key for ES256 (P-256), RS256 (2048 bits) or EdDSA (Ed25519)."""
    if algorithm not in _MAKERS:
        raise UnknownKeyError(f"{algorithm} has no keys of its own")
    return _MAKERS[algorithm]()


def public_jwk(private_key: PrivateKey) -> dict[str, str]:
    """Return the required public members and nothing else: no private one can slip through."""
    public_key = private_key.public_key()
    if isinstance(public_key, rsa.RSAPublicKey):
        members = RSAAlgorithm.to_jwk(public_key, as_dict=True)
    elif isinstance(public_key, ec.EllipticCurvePublicKey):
        members = ECAlgorithm.to_jwk(public_key, as_dict=True)
    else:
        members = OKPAlgorithm.to_jwk(public_key, as_dict=True)
    return {name: members[name] for name in _REQUIRED_MEMBERS[members["kty"]]}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """RFC 7638 §3: SHA-256 of the required members, sorted and without white space, as base64url."""
    required = {name: jwk[name] for name in _REQUIRED_MEMBERS[jwk["kty"]]}
    digest = hashlib.sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def public_key_of(jwk: Mapping[str, str], algorithm: str) -> PublicKey:
    """Return the key object of a public JWK that `public_jwk` made."""
    key = PyJWK.from_dict(dict(jwk), algorithm=algorithm).key
    if not isinstance(key, PublicKey):
        raise SealedDataError("a published key is not a public key")
    return key


def to_pkcs8(private_key: PrivateKey) -> bytes:
    """Return the private key as DER. It is sealed at once and never written as it is."""
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def from_pkcs8(der: bytes) -> PrivateKey:
    """Read a private key that was unsealed a moment ago.

    The RSA consistency check (about 32 ms for each key, at every start of every process) is left out:
    it protects against parameters that a stranger chose, and the seal has just proven that these are the
    bytes this program generated.
    """
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, PrivateKey):
        raise SealedDataError("a sealed key is of a type that this program does not make")
    return key
