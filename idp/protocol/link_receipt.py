"""The receipt of an account link: a signed statement that its platform keeps, and checks for years. Pure.

Of a kind of our own, `account-link+jwt` (RFC 7519; RFC 8725 §3.11), in the shape of a referenced token of the
Token Status List draft (§6.2): what it says was so when it was signed; what became of the link since is read
from the status list. R1, R4, R12: nothing about the person but pairwise subject and levels.

It has neither `aud` nor `exp`, on purpose: no library takes it for an ID token, which must have both
(RFC 8725 §3.12 "mutually exclusive validation rules"). Whom it was given to is `client_id`; until when the
link is vouched for, `expires_at`.
"""

from datetime import datetime
from typing import Any

from idp.identity.account_links import AccountLink, Status
from idp.protocol.status_list import status_claim

RECEIPT_TYPE = "account-link+jwt"
"""`typ` of a receipt."""
MEDIA_TYPE = "application/account-link+jwt"


def has_receipt(link: AccountLink) -> bool:
    """Tell whether a receipt can be made: the link is active and has its index in a status list."""
    return link.status is Status.ACTIVE and link.status_list_id is not None and link.status_index is not None


def receipt_claims(link: AccountLink, issuer: str, now: datetime) -> dict[str, Any]:
    """Return the claims of a receipt. Raises ValueError for a link that has none (see `has_receipt`).

    Levels are those at which it was made or last renewed. Times are seconds since 1970 (RFC 7519 §2).
    """
    if not has_receipt(link) or link.status_list_id is None or link.status_index is None:
        raise ValueError(f"an account link that is {link.status} has no receipt")
    claims = {
        "iss": issuer,
        "client_id": link.client_id,
        "sub": link.subject,
        "iat": int(now.timestamp()),
        "link_id": link.link_id,
        "account_id": link.account_id,
        "assurance_level": link.proofing.value,
        "acr": link.acr.uri(issuer),
        "linked_at": _seconds(link.linked_at),
        "expires_at": _seconds(link.expires_at),
        "policy_version": link.policy_version,
        "status": status_claim(issuer, link.status_list_id, link.status_index),
    }
    return {name: value for name, value in claims.items() if value is not None}


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
