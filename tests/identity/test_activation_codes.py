"""Codes that people copy from paper: long enough, unmistakable, and forgiving about how they are typed."""

import math
import random

import pytest

from idp.identity.activation_codes import (
    LETTERS,
    RANDOM_LETTERS,
    make_activation_code,
    read_activation_code,
    shown_activation_code,
)

CHANCE = random.Random(20261122)
CODE = make_activation_code(CHANCE.choice)


def test_a_code_has_more_than_80_bits_in_letters_that_look_like_no_other() -> None:
    assert RANDOM_LETTERS * math.log2(len(LETTERS)) > 80
    assert not set("0O1IL") & set(LETTERS)
    assert len(CODE) == RANDOM_LETTERS + 1
    assert shown_activation_code(CODE) == "-".join(CODE[at : at + 4] for at in range(0, 20, 4))


def test_it_is_read_however_it_is_typed() -> None:
    shown = shown_activation_code(CODE)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in CODE)
    for typed in (
        CODE,
        shown,
        shown.lower(),
        shown.replace("-", " "),
        f"  {shown}.",
        wide,
        shown.replace("-", "\u2013"),
    ):
        assert read_activation_code(typed) == CODE


@pytest.mark.parametrize(
    "text", ["", "A", "-", "A" * 65, "a" * 10_000, "\x00" * 20, "\uff21", "0O1IL" * 4, "🙂" * 20]
)
def test_what_can_be_no_code_is_none(text: str) -> None:
    assert read_activation_code(text) is None


def test_every_slip_of_one_letter_and_every_swap_of_two_is_found() -> None:
    for _ in range(20):
        code = make_activation_code(CHANCE.choice)
        for place, letter in enumerate(code):
            for other in set(LETTERS) - {letter}:
                assert read_activation_code(code[:place] + other + code[place + 1 :]) is None
        for place in range(len(code) - 1):
            if code[place] != code[place + 1]:
                swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
                assert read_activation_code(swapped) is None
