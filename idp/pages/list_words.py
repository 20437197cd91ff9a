"""The words of lists: by what they are narrowed down, and what can be looked for in them."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from babel.support import Translations

from idp.audit.activity import ActivityKind
from idp.identity.account_links import Status
from idp.identity.consents import ConsentState
from idp.identity.notice_topics import NoticeTopic
from idp.pages.case_views import CaseState
from idp.pages.list_views import FilterName, Period
from idp.pages.words import ACTIVITY, STATUS, msgid

FILTERS: Mapping[FilterName, str] = {
    FilterName.NETWORK: msgid("Network"),
    FilterName.KIND: msgid("What about"),
    FilterName.STATE: msgid("How it stands"),
    FilterName.PERIOD: msgid("When"),
}

PERIODS: Mapping[Period, str] = {
    Period.WEEK: msgid("In the last 7 days"),
    Period.MONTH: msgid("In the last 30 days"),
    Period.YEAR: msgid("In the last 12 months"),
    Period.EARLIER: msgid("Earlier than that"),
}

CONSENT_STATES: Mapping[ConsentState, str] = {
    ConsentState.AGREED: msgid("Agreed"),
    ConsentState.REFUSED: msgid("Refused"),
    ConsentState.WITHDRAWN: msgid("Withdrawn"),
}

NOTICE_TOPICS: Mapping[NoticeTopic, str] = {
    NoticeTopic.LINKS: msgid("Linked accounts"),
    NoticeTopic.SECURITY: msgid("Your safety"),
    NoticeTopic.CASES: msgid("Cases"),
    NoticeTopic.REQUESTS: msgid("Questions to you"),
}

CASE_STATES: Mapping[CaseState, str] = {
    CaseState.UNDECIDED: msgid("Undecided"),
    CaseState.DECIDED: msgid("Decided"),
}

_TABLES: Mapping[type[StrEnum], Mapping[Any, str]] = {
    ActivityKind: ACTIVITY,
    CaseState: CASE_STATES,
    ConsentState: CONSENT_STATES,
    NoticeTopic: NOTICE_TOPICS,
    Period: PERIODS,
    Status: STATUS,
}


def list_filters(translations: Translations) -> dict[str, Callable[..., object]]:
    """Return the filters of one language's templates, by their names there."""
    translate = translations.ugettext
    return {
        "filter_name": lambda name: translate(FILTERS[name]),
        "choice": lambda word: translate(_TABLES[type(word)][word]),
    }
