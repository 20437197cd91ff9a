"""Encryption to a client: JWE, around a signed token or around bare claims. RFC 7516; RFC 7518 §4, §5.

Only what goes out is encrypted. Nothing that arrives encrypted is read: encryption says nothing about who
wrote it (CVE-2026-9793). joserfc computes; which key and which algorithms is decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.jwe import JWERegistry, encrypt_compact
from joserfc.jwk import ECKey, RSAKey

from idp.protocol.jose import MAX_KEYS, JOSEError, read_public_key

KEY_MANAGEMENT_ALGORITHMS = ("ECDH-ES", "RSA-OAEP-256")
"""`…_encrypted_response_alg`. RSA1_5 is left out for its padding oracle (RFC 8725 §3.2)."""

CONTENT_ENCRYPTION_ALGORITHMS = ("A128GCM", "A256GCM")
"""`…_encrypted_response_enc`."""

DEFAULT_CONTENT_ENCRYPTION = "A256GCM"
"""Where a registration names `alg` alone; the standard's own default, A128CBC-HS256, is not offered."""

_REGISTRY = JWERegistry(algorithms=[*KEY_MANAGEMENT_ALGORITHMS, *CONTENT_ENCRYPTION_ALGORITHMS])
_KEY_OPERATIONS = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A client's public key, parsed once, for one way of key management."""

    kid: str | None
    algorithm: str
    key: RSAKey | ECKey


def find_encryption_key(jwks: Mapping[str, Any], algorithm: str) -> EncryptionKey | None:
    """Return the first key of a JWK Set that may be encrypted to: RFC 7517 §4.2-§4.4, §5.

    A key that says `use: enc` goes before one that says nothing. What is weak, malformed, private or for
    another algorithm is passed over. None when nothing is left.
    """
    entries = jwks.get("keys")
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        return None
    usable = [entry for entry in entries if isinstance(entry, Mapping) and _may_encrypt(entry, algorithm)]
    for entry in sorted(usable, key=lambda jwk: "use" not in jwk):
        key = _read_key(entry, algorithm)
        if key is not None:
            return key
    return None


def _may_encrypt(jwk: Mapping[str, Any], algorithm: str) -> bool:
    operations = jwk.get("key_ops", ["encrypt"])
    return (
        jwk.get("use", "enc") == "enc"
        and jwk.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and any(operation in _KEY_OPERATIONS for operation in operations if isinstance(operation, str))
        and "d" not in jwk
    )


def _read_key(jwk: Mapping[str, Any], algorithm: str) -> EncryptionKey | None:
    kid = jwk.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= 255):
        return None
    try:
        found = read_public_key(jwk)
    except JOSEError:
        return None
    match algorithm, None if found is None else found[0]:
        case "RSA-OAEP-256", RSAPublicKey() as key:
            return EncryptionKey(kid, algorithm, RSAKey.import_key(key))
        case "ECDH-ES", EllipticCurvePublicKey() as key:
            return EncryptionKey(kid, algorithm, ECKey.import_key(key))
    return None


def encrypt(content: str | bytes, key: EncryptionKey, encryption: str, *, is_nested: bool) -> str:
    """Return the compact JWE of the content for the client that holds the private key: RFC 7516 §5.1.

    A token that was signed first is nested: its `cty` says JWT (RFC 7519 §5.2). `kid` names the client's key,
    so that it is found among several.
    """
    header = {"alg": key.algorithm, "enc": encryption}
    if is_nested:
        header["cty"] = "JWT"
    if key.kid is not None:
        header["kid"] = key.kid
    return encrypt_compact(header, content, key.key, registry=_REGISTRY)
