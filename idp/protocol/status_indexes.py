"""Which indexes of a status list are given away. Drawn at random, each at most once, for ever. Pure.

Token Status List §13.2, §13.3 and abuse case P7: an index must not tell when a link was made or which
link was made before it. Randomness is handed in.
"""

import zlib
from collections.abc import Callable, Sequence

RandomBytes = Callable[[int], bytes]

BLOCK = 256
"""So many indexes a process takes at once; those it does not use stay taken and say valid, as decoys do."""

RESERVED_SHARE = 32
"""One index in so many is never given away: to find the last free ones at random would take for ever."""


class ListFullError(Exception):
    """A list has too few free indexes left; the client's next list takes over."""


def capacity(size: int) -> int:
    """Return how many indexes of a list are given away at most."""
    return size - size // RESERVED_SHARE


def none_taken(size: int) -> bytes:
    """Return the compressed map of a list of which no index is taken."""
    return zlib.compress(bytes(size // 8), 1)


def draw_indexes(
    taken: bytes, size: int, free: int, count: int, random_bytes: RandomBytes
) -> tuple[list[int], bytes]:
    """Draw free indexes, each as likely as any other; return them as they fell, and the new map.

    `free` is how many may still be given away. Raises ListFullError when they are fewer than `count`.
    """
    if free < count:
        raise ListFullError(f"{free} of {size} indexes are free")
    occupied = bytearray(zlib.decompress(taken))
    drawn: list[int] = []
    while len(drawn) < count:
        for candidate in _candidates(random_bytes(4 * count), size):
            at, bit = candidate >> 3, 1 << (candidate & 7)
            if occupied[at] & bit or len(drawn) == count:
                continue
            occupied[at] |= bit
            drawn.append(candidate)
    return drawn, zlib.compress(occupied, 1)


def _candidates(noise: bytes, size: int) -> Sequence[int]:
    """Return one number below `size` for every four bytes; none is favoured, for `size` is a power of two."""
    return [int.from_bytes(noise[at : at + 4], "big") & (size - 1) for at in range(0, len(noise), 4)]
