"""What a list says of a link: every state has its value, a pending link has none."""

import pytest

from idp.identity.account_links import Status
from idp.identity.link_status import LinkStatus, link_status


def test_the_registered_values_mean_what_they_are_registered_for() -> None:
    """Token Status List §7.1: 0 valid, 1 invalid for good, 2 suspended, 3 an application's own."""
    assert {status: int(link_status(status)) for status in Status if status is not Status.PENDING} == {
        Status.ACTIVE: 0,
        Status.ENDED: 1,
        Status.SUSPENDED: 2,
        Status.LAPSED: 3,
    }


def test_what_was_never_redeemed_stands_in_no_list() -> None:
    with pytest.raises(KeyError):
        link_status(Status.PENDING)


def test_every_value_fits_into_two_bits() -> None:
    assert {int(value) for value in LinkStatus} == {0, 1, 2, 3}
