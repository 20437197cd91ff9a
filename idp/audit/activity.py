"""What in the log concerns a person, by kind: what they may look for, what counts as a use. R9. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

USES = frozenset({"grant:redeemed", "grant:refreshed"})
"""A network was given what the person agreed to, or given it once more."""


class ActivityKind(StrEnum):
    """What a person may look for in their history."""

    USES = "uses"
    CONSENTS = "consents"
    LINKS = "links"
    LOOKS = "looks"
    """Somebody on the staff looked at the person or a link."""
    REFUSALS = "refusals"
    SIGN_INS = "sign_ins"
    WAYS_IN = "ways_in"
    """What lets the person in was changed, or set up anew."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which types of events: any of two patterns of SQL's LIKE, and not a third."""

    either: str
    other: str = ""
    never: str = ""


EVERYTHING = Pattern("%")

PATTERNS: Mapping[ActivityKind, Pattern] = {
    ActivityKind.USES: Pattern("grant:redeemed", "grant:refreshed"),
    ActivityKind.CONSENTS: Pattern("consent:%"),
    ActivityKind.LINKS: Pattern("account_link:%", "case:%", "%:looked_up"),
    ActivityKind.LOOKS: Pattern("%:looked_up"),
    ActivityKind.REFUSALS: Pattern("%:refused"),
    ActivityKind.SIGN_INS: Pattern("citizen:signed_%", "citizen:stepped_up"),
    ActivityKind.WAYS_IN: Pattern("authenticator:%", "activation:%"),
}
