"""How people say who they are: by personal number or by phone number. Circular 59/2021; ITU-T E.164."""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

PERSONAL_NUMBER = re.compile(r"[0-9]{12}")
VIETNAMESE_PHONE = re.compile(r"\+84[0-9]{9}")
FOREIGN_PHONE = re.compile(r"\+(?!84)[1-9][0-9]{6,14}")


class IdentifierKind(StrEnum):
    """What people sign in with."""

    PERSONAL_NUMBER = "personal_number"
    PHONE_NUMBER = "phone_number"


@dataclass(frozen=True, slots=True)
class Identifier:
    """What somebody typed to say who they are, in the one form in which the register is searched."""

    kind: IdentifierKind
    value: str = field(repr=False)


_SEPARATORS = re.compile(r"[\s.()-]+")
_LONGEST_TYPED = 64


def normalise_identifier(text: str) -> Identifier | None:
    """Read what was typed as personal number or phone number; None when it can be neither.

    Spaces, full stops, hyphens and brackets are as people write numbers. Phone numbers come as `+84…`,
    `0084…`, `84…` or `0…`, also with the needless 0 in `+84 (0)…`.
    """
    if len(text) > _LONGEST_TYPED:
        return None
    typed = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    if PERSONAL_NUMBER.fullmatch(typed):
        return Identifier(IdentifierKind.PERSONAL_NUMBER, typed)
    for pattern, prefix in _PHONE_FORMS:
        match = pattern.fullmatch(typed)
        if match:
            return Identifier(IdentifierKind.PHONE_NUMBER, prefix + match[1])
    return None


_PHONE_FORMS = (
    (re.compile(r"(?:\+84|0084|84|0)([0-9]{9})"), "+84"),
    (re.compile(r"(?:\+84|0084)0([0-9]{9})"), "+84"),
    (re.compile(r"(?:\+|00)((?!84)[1-9][0-9]{6,14})"), "+"),
)
