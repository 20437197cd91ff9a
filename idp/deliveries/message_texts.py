"""What a message to a person says, in their language: plain text, and no address in it but ours.

What a network wrote is quoted and shortened, its writing direction fenced (Unicode UAX #9 §2.4.2), and its
dots, colons, slashes and at-signs are followed by an invisible joiner, so that no program that shows the
message makes an address of it that could be pressed (abuse case P11).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from urllib.parse import urlsplit

from babel.support import Translations

from idp.identity.notices import Channel, NoticeKind, UILocale
from idp.pages.notice_words import (
    AT,
    CHECK_ADDRESS,
    NOT_YOU,
    NOT_YOU_IN_SHORT,
    SEE_ALL,
    SIGNATURE,
    TEXTS,
    TITLES,
)
from idp.pages.rendering import read_catalogue
from idp.pages.words import date_and_time, isolate_plain

LONGEST = 64
"""Characters of a name that a network wrote."""
_PRESSABLE = re.compile(r"([.:/@])(?=\S)")
_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message tells of."""

    kind: NoticeKind
    at: datetime
    network: str = ""
    account: str = ""
    reference: str = ""
    count: str = ""
    veto_token: str | None = None
    """Stands in the address at which "this was not me" can be pressed."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A message as it leaves."""

    title: str
    text: str
    uri: str


def compose(issuer: str, facts: Facts, channel: Channel, locale: UILocale) -> Wording:
    """Write a message for one way and one language."""
    translate = _catalogue(locale).ugettext
    said = translate(TEXTS[facts.kind]) % {
        "network": as_quoted(facts.network),
        "account": as_quoted(facts.account),
        "reference": facts.reference,
        "count": facts.count,
    }
    at = translate(AT) % {"time": date_and_time(facts.at)}
    title, told = translate(TITLES[facts.kind]), f"{at} {said}"
    is_vetoed = facts.veto_token is not None
    uri = f"{issuer}/not-me/{facts.veto_token}" if is_vetoed else f"{issuer}/my/notices"
    match channel:
        case Channel.PUSH:
            return Wording(title, told, uri)
        case Channel.SMS:
            asked = f" {translate(NOT_YOU_IN_SHORT)}" if is_vetoed else ""
            return Wording(title, f"{urlsplit(issuer).netloc}: {told}{asked} {uri}", uri)
        case Channel.EMAIL:
            paragraphs = [
                title,
                told,
                f"{translate(NOT_YOU if is_vetoed else SEE_ALL)}\n{uri}",
                translate(CHECK_ADDRESS) % {"issuer": issuer},
                translate(SIGNATURE),
            ]
            return Wording(title, "\n\n".join(paragraphs) + "\n", uri)


@cache
def _catalogue(locale: UILocale) -> Translations:
    return read_catalogue(locale.value)


def as_quoted(text: str) -> str:
    """Quote what a network wrote, so that it is seen to be that and leads nowhere."""
    short = " ".join(text.split())
    if len(short) > LONGEST:
        short = short[: LONGEST - 1] + "…"
    plain = re.sub('[“”«»"]', "'", short)
    joined = _PRESSABLE.sub(lambda found: found[1] + _JOINER, plain)
    return f"“{isolate_plain(joined)}”"
