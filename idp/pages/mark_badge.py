"""The public mark as a small picture: the level and nothing else, unlike any emblem of a State.

It is drawn here from our own words alone: nothing that a platform supplied is in it (abuse case P11).
"""

from collections.abc import Mapping

from idp.identity.assurance import Proofing
from idp.identity.public_marks import shown_level
from idp.pages.rendering import Locale

_WORDS: Mapping[Locale, Mapping[Proofing, str]] = {
    "vi": {
        Proofing.VN1: "Người thật · Mức 1",
        Proofing.VN2: "Người thật · Mức 2",
    },
    "en": {
        Proofing.VN1: "Verified person · Level 1",
        Proofing.VN2: "Verified person · Level 2",
    },
}
_LETTER = 7
"""Pixels that a letter takes on average; `textLength` makes the words fit wherever fonts differ."""


def badge(proofing: Proofing, locale: Locale) -> bytes:
    """Return the picture as SVG, 24 pixels high."""
    words = _WORDS[locale][shown_level(proofing)]
    length = _LETTER * len(words)
    width = length + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="24" viewBox="0 0 {width} 24" '
        f'role="img" aria-label="{words}"><title>{words}</title>'
        f'<rect x=".5" y=".5" width="{width - 1}" height="23" rx="11.5" fill="#e7f1ed" stroke="#0d665a"/>'
        '<path d="M11 12.5l3.5 3.5 6-7.5" fill="none" stroke="#0d665a" stroke-width="2.5" '
        'stroke-linecap="round"/>'
        f'<text x="28" y="16" fill="#094c43" font-family="system-ui,sans-serif" font-size="13" '
        f'textLength="{length}" lengthAdjust="spacingAndGlyphs">{words}</text></svg>'
    ).encode()
