"""At 16 a link that a guardian approved becomes the young person's own: asked, agreed to, or over. R10. Pure.

Nobody else is told that it is asked: a platform would learn a birthday by it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from idp.audit.events import PROVIDER, Actor, ActorKind, Event
from idp.identity.account_links import LIVE, AccountLink, Status, move
from idp.identity.guardians import Oversight, oversight_of

OWN_CONSENT_MISSING = "own_consent_missing"
"""Why a link lapses that nobody answered for."""


def ask_own_consent(link: AccountLink, grace: timedelta, now: datetime) -> tuple[AccountLink, Event]:
    """Ask whether a link stays; it counts until the grace is over."""
    return replace(link, own_consent_due_at=now + grace), _event(
        "account_link:own_consent_asked", link, PROVIDER, now
    )


def is_asked(link: AccountLink, birthdate: str, now: datetime) -> bool:
    """Tell whether a link waits for its holder's own consent, and the holder is old enough to give it."""
    is_due = link.own_consent_due_at is not None and link.status in LIVE
    return is_due and oversight_of(birthdate, now) is Oversight.NONE


def take_over(link: AccountLink, now: datetime) -> tuple[AccountLink, Event]:
    """Make a link its holder's own: from then on it names no guardian."""
    own = replace(link, guardianship_id=None, own_consent_due_at=None)
    return own, _event("account_link:taken_over", link, Actor(ActorKind.CITIZEN, link.citizen_id), now)


def let_lapse(link: AccountLink, now: datetime) -> tuple[AccountLink, Event]:
    """Let an active link lapse whose grace is over; its holder links it anew. Raises IllegalMoveError."""
    lapsed, event = move(link, Status.LAPSED, PROVIDER, OWN_CONSENT_MISSING, now)
    return replace(lapsed, guardianship_id=None, own_consent_due_at=None), event


def _event(kind: str, link: AccountLink, actor: Actor, now: datetime) -> Event:
    return Event(
        type=kind,
        actor=actor,
        occurred_at=now,
        client_id=link.client_id,
        citizen_id=link.citizen_id,
        link_id=link.link_id,
    )
