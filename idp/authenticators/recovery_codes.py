"""Recovery codes: how one looks, and how one is read from paper. NIST SP 800-63B-4 §4.2.1.1.

A set has ten codes of fifteen characters out of 24: digits and consonants, no vowel, so that no word comes
about, and nothing that is taken for something else in handwriting. That is 68 bits each (§4.2.1.1 asks for
64), found by a keyed hash, so that a copy of the table is of no use. A code opens a recovery; it signs nobody
in.
"""

ALPHABET = "2346789BCDFGHJKMPQRTVWXY"
LENGTH = 15
SET_SIZE = 10
_GROUP = 5
_LONGEST_TYPED = 64


class RecoveryCodeError(ValueError):
    """What somebody typed cannot be a recovery code; whose it might have been is not asked."""

    def __init__(self) -> None:
        super().__init__("this is no recovery code")


def shown_recovery_code(code: str) -> str:
    """Return a code as it stands on paper: XXXXX-XXXXX-XXXXX."""
    return "-".join(code[start : start + _GROUP] for start in range(0, LENGTH, _GROUP))


def read_recovery_code(typed: str) -> str:
    """Return the code that somebody typed, whatever case, spaces and dashes they used.

    Raises RecoveryCodeError.
    """
    if len(typed) > _LONGEST_TYPED or not typed.isascii():
        raise RecoveryCodeError
    code = "".join(character for character in typed.upper() if character.isalnum())
    if len(code) != LENGTH or not all(character in ALPHABET for character in code):
        raise RecoveryCodeError
    return code
