"""Status lists: thousands of links in one signed, compressed array of two bits each. Pure.

Token Status List, draft-ietf-oauth-status-list-21: §4 the array, §5.1 the token, §6.1 the reference in a
receipt, §8 how it is asked for. A list belongs to one client: two platforms have no value in common (P7).
"""

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

STATUS_LISTS = "/status-lists"
"""Where lists are, below the issuer."""
AGGREGATION = "/account-links/status-lists"
"""Where a client learns which lists are its own (§9)."""

STATUS_LIST_TYPE = "statuslist+jwt"
"""`typ` of the token (§5.1)."""
MEDIA_TYPE = "application/statuslist+jwt"

BITS = 2
_PER_BYTE = 8 // BITS
_MASK = (1 << BITS) - 1

SIZE = 1 << 20
"""Indexes of a list. All exist from the first day on, so that its size does not tell how many are taken."""

LEVEL = 6
"""Compression (RFC 1950). The highest level, which §4.1 recommends, takes ten times as long for a seventh
less; a mass suspension changes every list of a platform within seconds."""

TTL = timedelta(seconds=20)
"""How long whoever checks links may keep a list (§13.7)."""
MAX_AGE = timedelta(seconds=10)
"""How long a cache on the way may. With the time until a change is built in, both are below 60 seconds."""
VALIDITY = timedelta(hours=24)
"""How long a list is believed after the moment of which it tells, when no newer one can be had."""
SIGNED_FOR = timedelta(hours=1)
"""A list that does not change is signed anew when it tells of a moment that is so much later."""


def empty_array(size: int = SIZE) -> bytes:
    """Return the array, compressed, in which every index is valid: what an unused one says, too."""
    return zlib.compress(bytes(size // _PER_BYTE), LEVEL)


def changed_array(compressed: bytes, changes: Mapping[int, int]) -> bytes:
    """Return the compressed array with these values at these indexes; the same object if nothing differs.

    §4.1: within a byte, indexes count from the least significant bit. Raises IndexError for one outside.
    """
    array = bytearray(zlib.decompress(compressed))
    is_changed = False
    for index, value in changes.items():
        at, shift = index // _PER_BYTE, index % _PER_BYTE * BITS
        if index < 0 or value != value & _MASK:
            raise IndexError(f"index {index} cannot hold {value}")
        byte = array[at] & ~(_MASK << shift) | value << shift
        is_changed |= byte != array[at]
        array[at] = byte
    return zlib.compress(array, LEVEL) if is_changed else compressed


def value_at(compressed: bytes, index: int) -> int:
    """Return what the array says at an index. Raises IndexError for one outside."""
    if index < 0:
        raise IndexError(index)
    array = zlib.decompress(compressed)
    return array[index // _PER_BYTE] >> index % _PER_BYTE * BITS & _MASK


def status_list_uri(issuer: str, list_id: str) -> str:
    """Return the address of a list, which is its name in receipts, too (§6.2)."""
    return f"{issuer}{STATUS_LISTS}/{list_id}"


def status_claim(issuer: str, list_id: str, index: int) -> dict[str, Any]:
    """Return the claim `status`: in which list a link stands, and where (§6.1, §6.2)."""
    return {"status_list": {"idx": index, "uri": status_list_uri(issuer, list_id)}}


def status_list_claims(issuer: str, list_id: str, compressed: bytes, complete_at: datetime) -> dict[str, Any]:
    """Return the claims of a status list token (§5.1, §4.2).

    `complete_at`: every change before it is in the list. It is `iat`, and the list expires that much later:
    one that nobody keeps up to date ends by itself, however often it is signed.
    """
    lst = urlsafe_b64encode(compressed).rstrip(b"=").decode()
    issued_at = int(complete_at.timestamp())
    return {
        "iss": issuer,
        "sub": status_list_uri(issuer, list_id),
        "iat": issued_at,
        "exp": issued_at + int(VALIDITY.total_seconds()),
        "ttl": int(TTL.total_seconds()),
        "status_list": {"bits": BITS, "lst": lst, "aggregation_uri": issuer + AGGREGATION},
    }


def is_due_to_sign(signed_at: datetime, complete_at: datetime) -> bool:
    """Tell whether a list that has not changed is to be signed for a later moment."""
    return complete_at - signed_at >= SIGNED_FOR


def accepts_jwt(accept: str | None) -> bool:
    """Tell whether a caller takes a list in JWT format (§8.1, RFC 9110 §12.5.1); without a wish they do."""
    if accept is None or not accept.strip():
        return True
    best: tuple[int, float] = (0, 0.0)
    for element in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in element.split(";"))
        if media_range in _RANGES:
            best = max(best, (_RANGES[media_range], _quality(parameters)))
    return best[1] > 0


_RANGES = {MEDIA_TYPE: 3, "application/*": 2, "*/*": 1}
"""How specific a range is that takes the media type: the most specific one decides."""


def _quality(parameters: list[str]) -> float:
    """RFC 9110 §12.4.2; what cannot be read counts as not given."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 1.0
    return 1.0
