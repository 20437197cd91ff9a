"""Text of others that a person will read. Unicode TR36 §3; TR9 (bidirectional controls).

Such text is plain: it is escaped wherever it is shown, and nothing invisible may be in it.
"""

import unicodedata

# Control, format (bidirectional, zero-width, tags), surrogate, private use, line and paragraph separator.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Letters and symbols by category, nothing to the eye: Hangul fillers, the blank braille pattern, Khmer
# inherent vowels, the combining grapheme joiner.
_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def is_displayable(text: str) -> bool:
    """Tell whether the text is not blank and holds nothing that hides, reorders or breaks text."""
    return bool(text.strip()) and not any(map(is_invisible, text))


def is_invisible(character: str) -> bool:
    """Tell whether a character hides, reorders or breaks text, or shows nothing where a letter should be."""
    if " " <= character <= "~":
        return False
    return character in _INVISIBLE_LETTERS or unicodedata.category(character) in _INVISIBLE_CATEGORIES
