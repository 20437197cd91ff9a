"""Activation codes: how one is made, written in groups and read back as people type it. NIST SP 800-63B §4.6.

Twenty letters in five groups, nineteen of them random: more than 94 bits, so that nobody can guess one and a
keyed hash of it can be kept without salt. The last letter checks the others: whoever mistypes one letter or
swaps two learns it before anything is counted or looked up. It is no secret how it is computed, and it tells
nothing about any code that exists.
"""

import unicodedata
from collections.abc import Callable

from idp.identity.cases import REFERENCE_LETTERS

LETTERS = REFERENCE_LETTERS
"""Thirty-one, a prime number: then every slip of one letter, and every swap of two, changes the check."""
RANDOM_LETTERS = 19
_GROUP = 4
_LONGEST_TYPED = 64


def make_activation_code(choice: Callable[[str], str]) -> str:
    """Return a new code; `choice` takes one letter of a text at random, from a source fit for secrets."""
    drawn = "".join(choice(LETTERS) for _ in range(RANDOM_LETTERS))
    return drawn + _check_letter(drawn)


def shown_activation_code(code: str) -> str:
    """Return a code in groups, as it is printed."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def read_activation_code(text: str) -> str | None:
    """Read what somebody typed or scanned; None for what no code can be, a mistyped one included.

    Groups may be parted by anything that is no letter or digit, letters be small or of full width.
    """
    if len(text) > _LONGEST_TYPED:
        return None
    folded = unicodedata.normalize("NFKC", text).upper()
    code = "".join(character for character in folded if character.isalnum())
    if len(code) != RANDOM_LETTERS + 1 or not set(code) <= set(LETTERS):
        return None
    return code if _check_letter(code[:-1]) == code[-1] else None


def _check_letter(drawn: str) -> str:
    weighted = sum(place * LETTERS.index(letter) for place, letter in enumerate(drawn, 2))
    return LETTERS[weighted % len(LETTERS)]
