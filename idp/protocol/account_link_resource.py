"""An account link as its platform may see it. Domain rules R1, R12; abuse cases P6, P7. Pure."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idp.identity.account_links import AccountLink, Status
from idp.identity.link_changes import LinkChange
from idp.identity.link_upkeep import status_at
from idp.identity.public_marks import is_shown, mark_uri
from idp.protocol.problems import Problem, ProblemError

PREVIOUS_ACCOUNT_ID = "previous_account_id"
"""The detail of a change that tells which id a reattached account had."""


def is_visible(link: AccountLink, client_id: str, citizen_id: str | None) -> bool:
    """Tell whether a link may be shown: the client's own; with a person's token, that person's.

    What was never redeemed is not known to the platform yet.
    """
    is_own = link.client_id == client_id and link.status is not Status.PENDING
    return is_own and (citizen_id is None or link.citizen_id == citizen_id)


def link_members(link: AccountLink, issuer: str, now: datetime) -> dict[str, Any]:
    """Return the members of the resource. A reason is never among them (R12).

    Times are seconds since 1970, as in the claim `account_link`. A link whose validity is over has lapsed,
    whether housekeeping was here already or not.
    """
    return {
        "link_id": link.link_id,
        "account_id": link.account_id,
        "handle": link.handle,
        "profile_uri": link.profile_uri,
        "sub": link.subject,
        "status": status_at(link, now).value,
        "assurance_level": link.proofing.value,
        "acr": link.acr.uri(issuer),
        "linked_at": _seconds(link.linked_at),
        "expires_at": _seconds(link.expires_at),
        "guardian_consented": link.guardianship_id is not None,
        "reverify_requested_at": _seconds(link.reverify_requested_at),
        "ended_at": _seconds(link.ended_at),
        "mark_uri": mark_uri(link, issuer) if is_shown(link, now) else None,
    }


def change_members(
    change: LinkChange, links: Mapping[str, AccountLink], issuer: str, now: datetime
) -> dict[str, Any]:
    """Return one entry of the change feed: what happened, and the link as it stands *now*.

    Who follows the feed may therefore skip to the newest entry of a link, and repeat one without harm. A link
    that ended so long ago that its record is gone is None.
    """
    link = links.get(change.link_id)
    members: dict[str, Any] = {
        "change_id": change.change_id,
        "kind": change.kind.value,
        "occurred_at": _seconds(change.occurred_at),
        "link_id": change.link_id,
        "link": None if link is None else link_members(link, issuer, now),
    }
    if PREVIOUS_ACCOUNT_ID in change.details:
        members[PREVIOUS_ACCOUNT_ID] = change.details[PREVIOUS_ACCOUNT_ID]
    return members


def entity_tag(representation: bytes) -> str:
    """Return the strong entity tag: RFC 9110 §8.8.3. A hash of what is shown, so it tells no more."""
    return f'"{hashlib.sha256(representation).hexdigest()[:32]}"'


_TAGS = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')


def check_precondition(if_match: str | None, present: str) -> None:
    """Check that a link is still what its platform read: RFC 9110 §13.1.1. Raises ProblemError.

    Tags are compared strongly; without the field nothing was asked.
    """
    if if_match is None or if_match.strip() == "*" or present in _TAGS.findall(if_match):
        return
    raise ProblemError(
        Problem.PRECONDITION_FAILED, "the account link is not the one that If-Match names any more"
    )


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
