"""What a message to a person says, in their language: plain text, and no address in it but ours.

What a network wrote is quoted and shortened, its writing direction fenced (Unicode UAX #9 §2.4.2), and its
dots, colons, slashes and at-signs are followed by an invisible joiner, so that no program that shows the
message makes an address of it that could be pressed (abuse case P11).
"""

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from babel.support import Translations

from idp.identity.notices import SECURITY_NOTICES, STOPPABLE, Channel, UILocale
from idp.pages.notice_words import (
    AT,
    CHECK_ADDRESS,
    CREDENTIALS,
    NOT_YOU,
    NOT_YOU_IN_SHORT,
    SEE_ALL,
    SEE_SIGN_IN,
    SIGNATURE,
    STOP_IT,
    TEXTS,
    TITLES,
)
from idp.pages.rendering import read_catalogue
from idp.pages.words import date_and_time, isolate_plain
from idp.web.notice_facts import NoticeFacts

LONGEST = 64
"""Characters of a name that a network wrote."""
_PRESSABLE = re.compile(r"([.:/@])(?=\S)")
_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Wording:
    """A message as it leaves."""

    title: str
    text: str
    uri: str


def compose(
    issuer: str, facts: NoticeFacts, token: str | None, channel: Channel, locale: UILocale
) -> Wording:
    """Write a message for one way and one language.

    `token` stands in the address at which "this was not me" can be pressed, or something stopped.
    """
    translate = _catalogue(locale).ugettext
    said = translate(TEXTS[facts.kind]) % {
        "network": as_quoted(facts.network),
        "account": as_quoted(facts.account),
        "reference": facts.reference,
        "count": facts.count,
        "what": "" if facts.what is None else translate(CREDENTIALS[facts.what]),
    }
    at = translate(AT) % {"time": date_and_time(facts.at)}
    title, told = translate(TITLES[facts.kind]), f"{at} {said}"
    path, words = _way_on(facts, token)
    uri = f"{issuer}{path}"
    match channel:
        case Channel.PUSH:
            return Wording(title, told, uri)
        case Channel.SMS:
            asked = "" if token is None else f" {translate(NOT_YOU_IN_SHORT)}"
            return Wording(title, f"{urlsplit(issuer).netloc}: {told}{asked} {uri}", uri)
        case Channel.EMAIL:
            paragraphs = [
                title,
                told,
                f"{translate(words)}\n{uri}",
                translate(CHECK_ADDRESS) % {"issuer": issuer},
                translate(SIGNATURE),
            ]
            return Wording(title, "\n\n".join(paragraphs) + "\n", uri)


def _way_on(facts: NoticeFacts, token: str | None) -> tuple[str, str]:
    """Return where a message leads, and the words above the address."""
    if token is not None:
        if facts.kind in STOPPABLE:
            return f"/recovery/stop/{token}", STOP_IT
        return f"/not-me/{token}", NOT_YOU
    return ("/my/security", SEE_SIGN_IN) if facts.kind in SECURITY_NOTICES else ("/my/notices", SEE_ALL)


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
