"""Makes a screenshot small: at most 256 colours, which is all that a page of ours needs.

PNG (Third Edition) §11.2.2 (IHDR), §11.2.3 (PLTE), §9 (filters); RGB of 8 bits in, indexed colour out.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_COLOURS = 256
TRUECOLOUR = {2: 3, 6: 4}
"""Bytes of a pixel by colour type."""


def smaller(png: bytes) -> bytes:
    """Return the same picture with a palette. Raises ValueError for what browsers do not make."""
    chunks = list(_chunks(png))
    header = next(data for kind, data in chunks if kind == b"IHDR")
    width, height, depth, colour_type, *rest = struct.unpack(">IIBBBBB", header)
    if depth != 8 or colour_type not in TRUECOLOUR or any(rest):
        raise ValueError("only plain RGB and RGBA of 8 bits can be made smaller")
    size = TRUECOLOUR[colour_type]
    raw = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    pixels = [
        row[at : at + 3] for row in _unfiltered(raw, width, height, size) for at in range(0, len(row), size)
    ]
    palette, index_of = _palette(pixels)
    lines = (pixels[start : start + width] for start in range(0, len(pixels), width))
    indexed = b"".join(b"\x00" + bytes(index_of[colour] for colour in line) for line in lines)
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(palette)),
            _chunk(b"IDAT", zlib.compress(indexed, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _unfiltered(raw: bytes, width: int, height: int, size: int) -> Iterator[bytes]:
    above = bytes(width * size)
    for number in range(height):
        start = number * (width * size + 1)
        row = bytearray(raw[start + 1 : start + 1 + width * size])
        method = raw[start]
        for at in range(len(row)) if method else ():
            left = row[at - size] if at >= size else 0
            corner = above[at - size] if at >= size else 0
            predicted = (left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))
            row[at] = (row[at] + predicted[method - 1]) & 0xFF
        above = bytes(row)
        yield above


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))


def _palette(pixels: Sequence[bytes]) -> tuple[list[bytes], dict[bytes, int]]:
    """Keep the colours that are seen most; every other one becomes the nearest of them."""
    counted = Counter(pixels)
    kept = [colour for colour, _ in counted.most_common(MOST_COLOURS)]
    index_of = {colour: index for index, colour in enumerate(kept)}
    for colour in counted.keys() - index_of.keys():
        index_of[colour] = min(range(len(kept)), key=lambda index: _distance(kept[index], colour))
    return kept, index_of


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
