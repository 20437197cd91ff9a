"""How Vietnamese words look when they are typed: without marks, by Telex, by VNI.

A password field shows dots, and on many phones no input method works in it: whoever means "mật khẩu" types
"matkhau", "maatjkhaaur" or "ma65tkha63u". Whoever guesses knows that. Telex and VNI are the two ways of
typing that Vietnamese keyboards teach; both take a mark after its letter, or at the syllable's end.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

_CIRCUMFLEX, _BREVE, _HORN = "\u0302", "\u0306", "\u031b"
_TONES = {"\u0301": "s1", "\u0300": "f2", "\u0309": "r3", "\u0303": "x4", "\u0323": "j5"}
"""Each tone as Telex types it, and as VNI does."""
_VNI = {_CIRCUMFLEX: "6", _HORN: "7", _BREVE: "8"}


def typed_forms(phrase: str) -> frozenset[str]:
    """Return what a phrase may look like in a password field: small letters, no spaces."""
    syllables = [tuple(_letters(syllable)) for syllable in phrase.casefold().split()]
    forms = {"".join(map(way.typed, syllables)) for way in _WAYS}
    # Input methods take one w for both letters of "ươ".
    forms |= {form.replace("uwow", "uow").replace("u7o7", "uo7") for form in forms}
    plain = "".join(letter.base for syllable in syllables for letter in syllable)
    return frozenset(forms | {plain})


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter with the mark that makes another letter of it, and the tone that stands on it."""

    base: str
    mark: str
    tone: str


def _letters(syllable: str) -> Iterator[_Letter]:
    for character in unicodedata.normalize("NFC", syllable):
        base, *signs = list(unicodedata.normalize("NFD", character.replace("đ", "d-")))
        mark = "-" if signs == ["-"] else next((sign for sign in signs if sign in _VNI), "")
        yield _Letter(base, mark, next((sign for sign in signs if sign in _TONES), ""))


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of typing: by which method, and whether marks and tone wait for the end of the syllable."""

    is_vni: bool
    marks_wait: bool
    tone_waits: bool

    def typed(self, syllable: tuple[_Letter, ...]) -> str:
        """Return the keys that are pressed for a syllable."""
        keys, waiting, last = "", "", ""
        for letter in syllable:
            mark = self._mark(letter)
            tone = _TONES[letter.tone][self.is_vni] if letter.tone else ""
            waits = self.marks_wait and letter.mark != "-"
            keys += letter.base + ("" if waits else mark) + ("" if self.tone_waits else tone)
            # Of the two letters of "ươ" the waiting mark is typed once.
            waiting += mark if waits and not waiting.endswith(mark or "-") else ""
            last += tone if self.tone_waits else ""
        return keys + waiting + last

    def _mark(self, letter: _Letter) -> str:
        if letter.mark == "-":
            return "9" if self.is_vni else "d"
        if self.is_vni:
            return _VNI.get(letter.mark, "")
        return {"": "", _CIRCUMFLEX: letter.base}.get(letter.mark, "w")


_WAYS = tuple(_Way(*choices) for choices in product((False, True), repeat=3))
