"""Recovery codes as people copy them from paper."""

import math

import pytest

from idp.authenticators.recovery_codes import (
    ALPHABET,
    LENGTH,
    RecoveryCodeError,
    read_recovery_code,
    shown_recovery_code,
)


def test_nist_a_code_has_more_bits_than_anybody_guesses() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert math.log2(len(ALPHABET)) * LENGTH > 64


@pytest.mark.parametrize("alike", ["0O", "1IL", "5S", "UV", "2Z"])
def test_no_two_signs_of_a_code_look_alike(alike: str) -> None:
    assert len(set(alike) & set(ALPHABET)) <= 1


@pytest.mark.parametrize(
    "typed",
    ["BCDFG-HJKMP-QRTVW", "bcdfg hjkmp qrtvw", "  bcdfghjkmpqrtvw ", "bc-df-gh-jk-mp-qr-tv-w"],
)
def test_a_code_is_read_however_it_is_spelt(typed: str) -> None:
    assert read_recovery_code(typed) == "BCDFGHJKMPQRTVW"
    assert shown_recovery_code("BCDFGHJKMPQRTVW") == "BCDFG-HJKMP-QRTVW"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "BCDFG-HJKMP-QRTV",
        "BCDFG-HJKMP-QRTVWW",
        "BCDFG-HJKMP-QRTV0",
        "BCDFG-HJKMP-QRTVÐ",
        "B" * 65,
        "\u0661" * 15,
    ],
)
def test_what_can_be_no_code_is_refused(typed: str) -> None:
    with pytest.raises(RecoveryCodeError):
        read_recovery_code(typed)
