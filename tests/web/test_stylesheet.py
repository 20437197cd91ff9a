"""A page with its stylesheet as gzip: the same bytes, and a length that says nothing of what stands in it."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.web.stylesheet import STYLESHEET, packed

STYLE = STYLESHEET.encode()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_what_is_unpacked_is_the_page(before: bytes, after: bytes) -> None:
    page = before + STYLE + after
    assert gzip.decompress(packed(page)) == page


@pytest.mark.parametrize("length", [0, 1, 0xFFFE, 0xFFFF, 0x10000, 200_000])
def test_a_page_of_any_length_arrives(length: int) -> None:
    page = b"<" * length + STYLE + b">" * length
    assert gzip.decompress(packed(page)) == page


def test_a_secret_that_is_guessed_makes_no_page_shorter() -> None:
    secret = b"csrf=5f1c9a0e7b3d"
    lengths = {len(packed(STYLE + secret + guess)) for guess in (secret, b"csrf=5f1c9a0e7b3c", b"x" * 17)}
    assert len(lengths) == 1
    assert len(gzip.compress(secret + secret)) < len(gzip.compress(secret + b"csrf=0246813579ab"))


def test_the_stylesheet_is_a_third_of_itself() -> None:
    assert len(packed(STYLE)) < len(STYLE) / 3


def test_what_is_no_page_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="not found"):
        packed(b"<!doctype html>")
