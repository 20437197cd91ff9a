"""The key that a proof of possession brings along in its header. RFC 7515 §4.1.3, RFC 7638.

Nowhere else is such a key looked at: it proves that the sender holds it, and nothing about who that is.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from idp.protocol.jose import JOSEError, PublicKey, parse_jwk, read_json_object

_REQUIRED_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
"""RFC 7638 §3.2, RFC 8037 §2."""


@dataclass(frozen=True, slots=True)
class EmbeddedKey:
    """A public key that came in a header, with its thumbprint."""

    key: PublicKey
    jkt: str
    """RFC 7638 §3: SHA-256 of the required members, as base64url."""


def embedded_key(header: Mapping[str, Any], algorithm: str) -> EmbeddedKey:
    """Return the key in `jwk`: public, well-formed and of the algorithm's kind. Raises JOSEError."""
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise JOSEError("the header has no jwk")
    found = _parsed(orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS))
    if algorithm not in found.key.algorithms:
        raise JOSEError("the key in the header is not for this algorithm")
    return found


@lru_cache(maxsize=1024)
def _parsed(jwk: bytes) -> EmbeddedKey:
    """Parse a key once: a client's key comes with every one of its requests. Failures are not kept."""
    members = read_json_object(jwk)
    key = parse_jwk(members)
    if key is None:
        raise JOSEError("the key in the header does not sign, or is of an unknown type")
    return EmbeddedKey(key, thumbprint(members))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the thumbprint of a key that was parsed: RFC 7638 §3, as base64url."""
    required = {name: jwk[name] for name in _REQUIRED_MEMBERS[jwk["kty"]]}
    digest = hashlib.sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
