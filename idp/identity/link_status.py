"""What a status list says of an account link: one of four values in two bits. R12. Pure.

Token Status List (draft-ietf-oauth-status-list-21) §7.1: 0, 1 and 2 are registered, 3 is an application's
own. A list never tells a reason.
"""

from collections.abc import Mapping
from enum import IntEnum

from idp.identity.account_links import Status


class LinkStatus(IntEnum):
    """A Status Type value (§7.1)."""

    VALID = 0
    INVALID = 1
    """Ended, for good."""
    SUSPENDED = 2
    LAPSED = 3
    """The assurance expired; the same receipt becomes valid again when its holder links again."""


_VALUES: Mapping[Status, LinkStatus] = {
    Status.ACTIVE: LinkStatus.VALID,
    Status.SUSPENDED: LinkStatus.SUSPENDED,
    Status.LAPSED: LinkStatus.LAPSED,
    Status.ENDED: LinkStatus.INVALID,
}


def link_status(status: Status) -> LinkStatus:
    """Return what a list says of a link in this state. A pending one stands in no list: KeyError."""
    return _VALUES[status]
