"""What becomes of an account link while its state stays: details, account, next verification. Pure.

Like a move, each gives back the changed link and the event that must be stored beside it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.audit.events import Actor, Event
from idp.identity.account_links import LIVE, AccountLink, LinkPolicy, Status

SHORTEST_NOTICE = timedelta(days=7)
"""How much time a person has at least to verify a link again."""
DEFAULT_NOTICE = timedelta(days=30)
LONGEST_NOTICE = timedelta(days=365)


class StateConflictError(ValueError):
    """The link's state does not allow it. The message says which state that is, and nothing of why."""

    def __init__(self, link: AccountLink, status: Status) -> None:
        super().__init__(f"the account link is {status}")
        self.link = link
        self.status = status


def status_at(link: AccountLink, now: datetime) -> Status:
    """Return the state as it counts: a link whose validity is over has lapsed, moved already or not."""
    is_over = link.status is Status.ACTIVE and link.is_expired(now)
    return Status.LAPSED if is_over else link.status


def update_details(
    link: AccountLink, members: Mapping[str, str | None], actor: Actor, now: datetime
) -> tuple[AccountLink, Event]:
    """Change handle or profile address of a live link. Raises StateConflictError."""
    _check_live(link, now)
    changed = replace(
        link,
        handle=members.get("handle", link.handle),
        profile_uri=members.get("profile_uri", link.profile_uri),
    )
    return changed, _event("account_link:updated", link, actor, now, changed=" ".join(sorted(members)))


def reattach(link: AccountLink, account_id: str, actor: Actor, now: datetime) -> tuple[AccountLink, Event]:
    """Attach a live link to the account under the id it has from now on. Raises StateConflictError.

    That no other live link has this id is for the store's unique index to say.
    """
    _check_live(link, now)
    return replace(link, account_id=account_id), _event(
        "account_link:reattached", link, actor, now, changed="account_id"
    )


def request_reverification(
    link: AccountLink, due_at: datetime, actor: Actor, now: datetime
) -> tuple[AccountLink, Event]:
    """Ask that an active link be verified again in time: until then it counts, never longer than before.

    Raises StateConflictError.
    """
    status = status_at(link, now)
    if status is not Status.ACTIVE:
        raise StateConflictError(link, status)
    expires_at = due_at if link.expires_at is None else min(link.expires_at, due_at)
    asked = replace(link, reverify_requested_at=now, expires_at=expires_at)
    return asked, _event("account_link:reverify_requested", link, actor, now)


def is_verified_again(link: AccountLink, authenticated_at: datetime) -> bool:
    """Tell whether a sign-in is the new verification that was asked for: one before the request is not."""
    asked_at = link.reverify_requested_at
    return link.status is Status.ACTIVE and asked_at is not None and authenticated_at >= asked_at


def renew(link: AccountLink, policy: LinkPolicy, actor: Actor, now: datetime) -> tuple[AccountLink, Event]:
    """Renew an active link whose holder has verified it again."""
    renewed = replace(
        link, expires_at=now + policy.link_validity, last_used_at=now, reverify_requested_at=None
    )
    return renewed, _event("account_link:renewed", link, actor, now, because="verified_again")


def _check_live(link: AccountLink, now: datetime) -> None:
    if link.status not in LIVE:
        raise StateConflictError(link, status_at(link, now))


def _event(happened: str, link: AccountLink, actor: Actor, now: datetime, **details: str) -> Event:
    return Event(
        type=happened,
        actor=actor,
        occurred_at=now,
        client_id=link.client_id,
        citizen_id=link.citizen_id,
        link_id=link.link_id,
        details=details,
    )
