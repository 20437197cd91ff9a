"""The one stylesheet. It stands inside every page: a second round trip costs more than its bytes.

Of a page it alone is compressed, once, and never what is said to a person: compressed beside what somebody
else chose, a secret could be guessed by its length (BREACH). What stands around it goes as stored blocks of
the same stream, so the length of an answer tells the length of the page and nothing about its text.
"""

import hashlib
import zlib
from base64 import b64encode
from pathlib import Path
from struct import pack

STYLESHEET = (Path(__file__).resolve().parent.parent / "templates" / "lienket.css").read_text()

STYLE_SOURCE = f"'sha256-{b64encode(hashlib.sha256(STYLESHEET.encode()).digest()).decode()}'"
"""What a Content-Security-Policy allows: this very text between `<style>` tags (CSP 3 §2.3.1)."""

_LONGEST_BLOCK = 0xFFFF
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""RFC 1952 §2.3: deflate, no flags, no time, no known system."""


def packed(page: bytes) -> bytes:
    """Return a page as gzip (RFC 1952). Raises ValueError where the stylesheet is not in it."""
    start = page.index(_PLAIN)
    end = start + len(_PLAIN)
    return b"".join(
        (
            _GZIP_HEADER,
            *_stored(page[:start], is_last=False),
            _DEFLATED,
            *_stored(page[end:], is_last=True),
            pack("<LL", zlib.crc32(page), len(page)),
        )
    )


def _stored(text: bytes, *, is_last: bool) -> list[bytes]:
    """Return blocks without compression: RFC 1951 §3.2.4."""
    parts = [text[at : at + _LONGEST_BLOCK] for at in range(0, len(text), _LONGEST_BLOCK)] or [b""]
    ends = [False] * (len(parts) - 1) + [is_last]
    return [
        pack("<BHH", end, len(part), len(part) ^ _LONGEST_BLOCK) + part
        for end, part in zip(ends, parts, strict=True)
    ]


def _deflated(text: bytes) -> bytes:
    """Return deflated blocks that end at a whole byte and refer to nothing before them: RFC 1951 §3.2.3."""
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflating.compress(text) + deflating.flush(zlib.Z_FULL_FLUSH)


_PLAIN = STYLESHEET.encode()
_DEFLATED = _deflated(_PLAIN)
