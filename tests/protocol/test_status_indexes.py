"""Indexes are drawn at random, each once, and tell nothing: Token Status List §13.2, abuse case P7."""

import os
import random

import pytest

from idp.protocol.status_indexes import BLOCK, ListFullError, capacity, draw_indexes, none_taken
from idp.protocol.status_list import SIZE


def correlation(first: list[int], second: list[int]) -> float:
    """Pearson's, from -1 to 1."""
    n = len(first)
    mean_1, mean_2 = sum(first) / n, sum(second) / n
    both = sum((a - mean_1) * (b - mean_2) for a, b in zip(first, second, strict=True))
    spread = sum((a - mean_1) ** 2 for a in first) * sum((b - mean_2) ** 2 for b in second)
    return both / spread**0.5


def drawn(size: int, blocks: int, count: int = BLOCK) -> list[int]:
    taken, free, found = none_taken(size), capacity(size), list[int]()
    for _ in range(blocks):
        block, taken = draw_indexes(taken, size, free, count, os.urandom)
        free -= count
        found += block
    return found


def test_no_index_is_drawn_twice_until_the_list_is_full() -> None:
    size = 1 << 13
    found = drawn(size, capacity(size) // BLOCK)
    assert len(found) == len(set(found)) == capacity(size)
    assert min(found) >= 0
    assert max(found) < size


def test_a_full_list_says_so_and_gives_nothing() -> None:
    with pytest.raises(ListFullError):
        draw_indexes(none_taken(64), 64, 3, 4, os.urandom)


def test_p7_an_index_tells_neither_the_order_nor_the_time_of_links() -> None:
    """Ten thousand links in the order in which they were made: their indexes follow no order at all."""
    found = drawn(SIZE, 40)
    order = list(range(len(found)))
    assert abs(correlation(order, found)) < 0.05
    assert abs(correlation(found[:-1], found[1:])) < 0.05
    upper = sum(index >= SIZE // 2 for index in found)
    assert abs(upper / len(found) - 0.5) < 0.03


def test_p7_two_platforms_lists_have_nothing_in_common() -> None:
    """The same people link with both in the same order."""
    assert abs(correlation(drawn(SIZE, 20), drawn(SIZE, 20))) < 0.06


def test_every_free_index_is_as_likely_as_any_other() -> None:
    """With noise of known seed, so that the test judges the rule and not the weather."""
    noise = random.Random(20261122)
    counts = [0] * 16
    for _ in range(4000):
        [index], _ = draw_indexes(none_taken(16), 16, 16, 1, noise.randbytes)
        counts[index] += 1
    assert max(counts) < 320
    assert min(counts) > 190
