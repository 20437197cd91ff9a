"""The Idempotency-Key header field: what is sent twice happens once. Pure.

draft-ietf-httpapi-idempotency-key-header-07. The key is a String of Structured Fields (RFC 9651 §3.3.3). It
is stored hashed, together with its client, so that one platform's keys never meet another's.
"""

import hashlib
import hmac
import re
from datetime import timedelta

from idp.protocol.problems import Problem, ProblemError

HEADER = "Idempotency-Key"
MAX_LENGTH = 255
KEEP = timedelta(hours=24)
"""How long an answer is remembered at least."""

_STRING = re.compile(rf'"((?:[ !#-\[\]-~]|\\["\\]){{1,{MAX_LENGTH}}})"')


def read_idempotency_key(value: str | None) -> str:
    """Return the key of a request: §2.1. Raises ProblemError."""
    key = None if value is None else _STRING.fullmatch(value.strip())
    if key is None:
        raise ProblemError(
            Problem.IDEMPOTENCY_KEY_REQUIRED,
            f'{HEADER} is required: 1 to {MAX_LENGTH} ASCII characters in double quotes, such as "6a1f…"'
            if value is None
            else f"{HEADER} must be 1 to {MAX_LENGTH} ASCII characters in double quotes",
        )
    return key[1]


def key_hash(client_id: str, key: str) -> bytes:
    """Return under what a client's key is remembered."""
    return hashlib.sha256(f"{client_id}\0{key}".encode()).digest()


def request_hash(method: str, path: str, body: bytes) -> bytes:
    """Return the fingerprint of a request: §2.4."""
    head = f"{method} {path}\0".encode()
    return hashlib.sha256(head + body).digest()


def check_same_request(remembered: bytes, sent: bytes) -> None:
    """Check that a key comes with the request it came with before: §2.7. Raises ProblemError."""
    if not hmac.compare_digest(remembered, sent):
        raise ProblemError(
            Problem.IDEMPOTENCY_KEY_REUSED, f"this {HEADER} was used for another request; take a fresh one"
        )
