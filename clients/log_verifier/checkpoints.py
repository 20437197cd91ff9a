"""Signed states of the log: a checkpoint is a JWS (RFC 7515) of type checkpoint+jwt by a published key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from joserfc.jws import deserialize_compact, extract_compact
from joserfc.util import urlsafe_b64decode

from .tree import HASH_SIZE, TamperedError

ALGORITHMS = frozenset({"ES256", "RS256", "PS256", "EdDSA"})
LONGEST_PROOF = 128
"""Hashes: twice the height of the largest tree there can be."""
_CLOCKS_DIFFER = 300
"""Seconds by which two clocks may disagree."""

FindKey = Callable[[str], Mapping[str, Any]]
"""Returns the published JWK of a `kid`. Raises TamperedError where there is none to believe."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of the log whose signature was verified."""

    tree_size: int
    root_hash: bytes
    issued_at: int
    """Seconds since 1970 (RFC 7519 §2)."""
    signed: str


def verify_checkpoint(signed: str, issuer: str, find_key: FindKey, now: float) -> Checkpoint:
    """Verify a checkpoint. Raises TamperedError when this issuer did not sign it, or signed nonsense."""
    claims = verify_claims(signed, "checkpoint+jwt", find_key)
    size, issued_at = claims.get("tree_size"), claims.get("iat")
    if claims.get("iss") != issuer or claims.get("hash_alg") != "sha-256":
        raise TamperedError("a checkpoint is of another log")
    if not (isinstance(size, int) and isinstance(issued_at, int) and min(size, issued_at) > 0):
        raise TamperedError("a checkpoint says no size or no time")
    if issued_at > now + _CLOCKS_DIFFER:
        raise TamperedError("a checkpoint is of the future")
    return Checkpoint(size, read_hash(claims.get("root_hash")), issued_at, signed)


def verify_claims(signed: str, typ: str, find_key: FindKey) -> dict[str, Any]:
    """Verify a compact JWS of JSON claims: RFC 8725 §3.1, §3.11. Raises TamperedError."""
    try:
        header = extract_compact(signed.encode("ascii")).headers()
        algorithm, jwk = header.get("alg"), find_key(str(header.get("kid")))
        if header.get("typ") != typ or algorithm not in ALGORITHMS or jwk.get("alg", algorithm) != algorithm:
            raise TamperedError("a signature is of another kind")
        verified = deserialize_compact(signed, JWKRegistry.import_key(dict(jwk)), algorithms=[algorithm])
        claims = json.loads(verified.payload or b"")
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TamperedError("a signature does not verify") from error
    if not isinstance(claims, dict):
        raise TamperedError("what was signed is no JSON object")
    return claims


def read_hash(text: object) -> bytes:
    """Read a hash as it stands in JSON: base64url. Raises TamperedError."""
    try:
        value = urlsafe_b64decode(str(text).encode("ascii"))
    except ValueError as error:
        raise TamperedError("a hash cannot be read") from error
    if len(value) != HASH_SIZE:
        raise TamperedError("a hash has 32 bytes")
    return value


def read_hashes(texts: object) -> list[bytes]:
    """Read the hashes of a proof. Raises TamperedError."""
    if not isinstance(texts, list) or len(texts) > LONGEST_PROOF:
        raise TamperedError("a proof is no list of hashes")
    return [read_hash(text) for text in texts]
