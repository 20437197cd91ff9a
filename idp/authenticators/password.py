"""Passwords: what may be one, how it is kept, how it is verified.

NIST SP 800-63B §3.1.1 (length and common passwords, no composition rules); RFC 9106 (argon2id);
RFC 8265 §4.2 (OpaqueString: NFC, one kind of space). The cost is OWASP's minimum of 19 MiB and two
passes. Both hash functions take some 25 ms of a core: only ever call them through HashingPool.
"""

import base64
import unicodedata
from dataclasses import dataclass

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from idp.authenticators.common_passwords import common_passwords, fold
from idp.authenticators.favourite_passwords import is_favourite

MEMORY_COST = 19 * 1024
"""In KiB."""
TIME_COST = 2
PARALLELISM = 1
_SALT_LENGTH = 16
_HASH_LENGTH = 32

_HASHER = PasswordHasher(
    time_cost=TIME_COST,
    memory_cost=MEMORY_COST,
    parallelism=PARALLELISM,
    hash_len=_HASH_LENGTH,
    salt_len=_SALT_LENGTH,
    type=Type.ID,
)


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii").rstrip("=")


DUMMY_HASH = (
    f"$argon2id$v=19$m={MEMORY_COST},t={TIME_COST},p={PARALLELISM}"
    f"${_unpadded(bytes(_SALT_LENGTH))}${_unpadded(bytes(_HASH_LENGTH))}"
)
"""Verified against when nobody holds the identifier, so that the answer takes as long as for somebody.

It is the all-zero hash: nobody can know a password that leads to it. Made from the costs above, it
always costs what a real one does.
"""

MIN_CHARACTERS = 8
MAX_CHARACTERS = 256
MAX_BYTES = 1024


class WrongPasswordError(Exception):
    """The password is not this person's. Says nothing more, and is told to nobody as such."""

    def __init__(self) -> None:
        super().__init__("the password does not match")


class PasswordRefusedError(ValueError):
    """The password may not be chosen; `reason` is a short code that a page or report puts into words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PersonalFacts:
    """What a stranger may know of a person, and so tries first. NIST SP 800-63B-4 §3.1.1.2."""

    name: str = ""
    numbers: tuple[str, ...] = ()
    """Personal and telephone numbers."""


_NOBODY = PersonalFacts()


def check_password(password: str, about: PersonalFacts = _NOBODY) -> None:
    """Check that a password may be chosen. Raises PasswordRefusedError.

    The reasons are too_short, too_long, too_common, about_you and control_character.
    """
    text = _prepared(password)
    if len(text) < MIN_CHARACTERS:
        raise PasswordRefusedError("too_short")
    if len(text) > MAX_CHARACTERS or len(_encoded(text)) > MAX_BYTES:
        raise PasswordRefusedError("too_long")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise PasswordRefusedError("control_character")
    folded = fold(text)
    if folded in common_passwords() or is_favourite(folded):
        raise PasswordRefusedError("too_common")
    if is_favourite(folded, _own_words(about)) or any(
        number in folded for number in map(_national, about.numbers) if number
    ):
        raise PasswordRefusedError("about_you")


def _own_words(about: PersonalFacts) -> set[str]:
    """Return a person's names as they are put together: each, all, all backwards, the last two."""
    names = [fold(name) for name in about.name.split()]
    return {
        *names,
        "".join(names),
        "".join(reversed(names)),
        "".join(names[-2:]),
        "".join(names[-1:] + names[:-1]),
    }


def _national(number: str) -> str:
    """Return the part of a number that every way of writing it shares."""
    return number.removeprefix("+84").removeprefix("0")


def hash_password(password: str) -> str:
    """Hash a password with a fresh salt; the result names its own algorithm and costs (PHC string)."""
    return _HASHER.hash(_encoded(_prepared(password)))


def verify_password(encoded: str, password: str) -> None:
    """Verify a password against what is kept of it. Raises WrongPasswordError.

    What is kept but no argon2 hash at all is our fault, not the person's: argon2's InvalidHashError
    passes through.
    """
    # Nobody has such a password, and hashing megabytes would be work that a stranger orders. It tells
    # the sender nothing about the identifier, for it does not depend on what is kept.
    if len(password) > MAX_BYTES:
        raise WrongPasswordError
    try:
        _HASHER.verify(encoded, _encoded(_prepared(password)))
    except VerifyMismatchError:
        raise WrongPasswordError from None


def needs_rehash(encoded: str) -> bool:
    """Tell whether a hash was made at other costs than today's and should be made anew at sign-in."""
    return _HASHER.check_needs_rehash(encoded)


def _prepared(password: str) -> str:
    """Return the password as RFC 8265 §4.2.2 prepares it, so that it matches from every keyboard.

    Systems differ in how they type "ệ": as one character, or as a letter and two marks.
    """
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    return unicodedata.normalize("NFC", spaced)


def _encoded(text: str) -> bytes:
    # A lone surrogate is no character of any password, but it must not be an internal error either.
    return text.encode("utf-8", "surrogatepass")
