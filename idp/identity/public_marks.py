"""The public mark: anybody can check that an account belongs to a verified person, and nothing else. R21.

Two decide, each alone: the platform whether it shows marks at all, the person whether theirs may be found.
What is not to be found looks exactly like what does not exist (abuse case P6).
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Proofing
from idp.identity.display_text import is_displayable

LONGEST_NAME = 500
_HAS_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_HAS_PATH = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/\S", re.IGNORECASE)


def is_shown(link: AccountLink, now: datetime) -> bool:
    """Tell whether a link's mark is shown: its person wants it, and it is in force."""
    return link.mark_id is not None and can_have_mark(link, now)


def shown_level(proofing: Proofing) -> Proofing:
    """Return the level that a mark tells: that somebody is a foreigner is a fact about the person.

    `vnf` and `vn2` are equally strong, and a mark says how strong.
    """
    return Proofing.VN2 if proofing is Proofing.VNF else proofing


def can_have_mark(link: AccountLink, now: datetime) -> bool:
    """Tell whether a link could have a mark: it is in force, and the account has a name that people know."""
    is_named = link.handle is not None or link.profile_uri is not None
    return is_named and link.status is Status.ACTIVE and not link.is_expired(now)


def mark_uri(link: AccountLink, issuer: str) -> str:
    """Return where a mark is found."""
    return f"{issuer}/verify/{link.mark_id}"


def with_mark(link: AccountLink, mark_id: str, now: datetime) -> tuple[AccountLink, Event]:
    """Let the mark be found under a random id; return the link changed, with the event to store beside it.

    A mark that was withdrawn and is allowed again gets another id: the old address stays dead.
    """
    return replace(link, mark_id=mark_id), _event("account_link:mark_allowed", link, now)


def without_mark(link: AccountLink, now: datetime) -> tuple[AccountLink, Event]:
    """Let the mark be found no more."""
    return replace(link, mark_id=None), _event("account_link:mark_withdrawn", link, now)


def _event(event_type: str, link: AccountLink, now: datetime) -> Event:
    return Event(
        type=event_type,
        actor=Actor(ActorKind.CITIZEN, link.citizen_id),
        occurred_at=now,
        client_id=link.client_id,
        citizen_id=link.citizen_id,
        link_id=link.link_id,
    )


@dataclass(frozen=True, slots=True)
class AccountName:
    """How somebody named the account that they want to check: by its handle, or by its profile's address."""

    handles: tuple[str, str]
    """With the sign that many networks put before a handle, and without."""
    profile_uri: str
    """Empty where no address was typed, and then no account has it."""


def read_account_name(typed: str) -> AccountName | None:
    """Read what somebody typed; None for what cannot name an account.

    It is compared as it is: a name that only looks alike is another account, and must stay one (P11).
    """
    text = unicodedata.normalize("NFC", typed).strip()
    if not 0 < len(text) <= LONGEST_NAME or not is_displayable(text):
        return None
    bare = text.removeprefix("@")
    profile_uri = ""
    if _HAS_SCHEME.match(text):
        profile_uri = text
    elif _HAS_PATH.match(text):
        profile_uri = f"https://{text}"
    return AccountName((bare, f"@{bare}"), profile_uri)
