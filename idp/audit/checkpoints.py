"""Checkpoints: what the provider signs about its log, so that it cannot show two people two logs. Pure.

A checkpoint says how many events the log has and what the root over them is. It is a JWS (RFC 7515) by the
published keys, so that whoever verifies ID tokens can verify it; `typ` keeps the two apart (RFC 8725 §3.11).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

CHECKPOINT_TYPE = "checkpoint+jwt"
HASH_ALGORITHM = "sha-256"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed state of the log."""

    tree_size: int
    root_hash: bytes
    created_at: datetime
    signed: str
    """The compact JWS of `checkpoint_claims`."""


def checkpoint_claims(issuer: str, tree_size: int, root_hash: bytes, now: datetime) -> Mapping[str, object]:
    """Return what is signed; the names of the tree are those of RFC 9162 §4.10, in the case of JSON."""
    return {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "tree_size": tree_size,
        "root_hash": text_of_hash(root_hash),
        "hash_alg": HASH_ALGORITHM,
    }


def text_of_hash(value: bytes) -> str:
    """Return a hash as it stands in JSON: base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def hash_of_text(text: str) -> bytes:
    """Read a hash back. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
