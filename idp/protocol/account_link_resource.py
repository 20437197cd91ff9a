"""An account link as its platform may see it. Domain rules R1, R12; abuse case P6. Pure."""

from datetime import datetime
from typing import Any

from idp.identity.account_links import AccountLink, Status


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
    is_over = link.status is Status.ACTIVE and link.is_expired(now)
    return {
        "link_id": link.link_id,
        "account_id": link.account_id,
        "sub": link.subject,
        "status": (Status.LAPSED if is_over else link.status).value,
        "assurance_level": link.proofing.value,
        "acr": link.acr.uri(issuer),
        "linked_at": _seconds(link.linked_at),
        "expires_at": _seconds(link.expires_at),
    }


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
