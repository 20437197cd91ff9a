"""Freezing new links: whoever wants none is refused none that they have. Abuse cases P1, P4."""

from datetime import datetime, timedelta

from idp.identity.account_links import AccountLink, LinkRefusedError, Refusal, Status
from idp.identity.assurance import Acr, AuthenticationContext
from idp.identity.citizens import Citizen

LIFTED_WITHIN = timedelta(minutes=5)
"""How recent the sign-in must be that lets new links be made again."""


def may_lift(context: AuthenticationContext, now: datetime) -> bool:
    """Tell whether this sign-in lets new links be made again: two proofs, both shown just now."""
    return context.acr.satisfies(Acr.VN_2) and now < context.auth_time + LIFTED_WITHIN


def check_not_frozen(citizen: Citizen, link: AccountLink | None, now: datetime) -> None:
    """Check that a link is in force already, or that the person wants new ones. Raises LinkRefusedError.

    A link that has lapsed is made anew, and so it is a new one here.
    """
    if citizen.links_frozen_at is None:
        return
    if link is None or link.status is not Status.ACTIVE or link.is_expired(now):
        raise LinkRefusedError(Refusal.LINKS_FROZEN)
