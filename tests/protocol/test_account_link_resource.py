"""What a platform may see of an account link. Rules R1, R12; abuse case P6."""

from datetime import timedelta

import pytest

from idp.identity.account_links import Status
from idp.protocol.account_link_resource import is_visible, link_members
from tests.support.protocol_builders import ISSUER, NOW, make_link


@pytest.mark.parametrize("status", list(Status))
def test_its_own_once_it_was_redeemed(status: Status) -> None:
    link = make_link(status=status)
    assert is_visible(link, "network", None) is (status is not Status.PENDING)
    assert is_visible(link, "network", "citizen-1") is (status is not Status.PENDING)
    assert not is_visible(link, "network", "citizen-2")
    assert not is_visible(link, "other", None)
    assert not is_visible(link, "other", "citizen-1")


@pytest.mark.parametrize("status", list(Status))
def test_no_reason_and_no_person_is_among_the_members(status: Status) -> None:
    link = make_link(status=status, suspended_because="fraud", ended_because="court order")
    members = link_members(link, ISSUER, NOW)
    assert members.keys() == {
        "link_id", "account_id", "handle", "profile_uri", "sub", "status", "assurance_level", "acr",
        "linked_at", "expires_at", "guardian_consented", "reverify_requested_at", "ended_at", "mark_uri",
    }  # fmt: skip
    for ours in ("fraud", "court order", "citizen-1"):
        assert ours not in str(members)


def test_r10_the_platform_learns_that_a_guardian_agreed_and_not_who() -> None:
    members = link_members(make_link(guardianship_id="guardianship-1"), ISSUER, NOW)
    assert members["guardian_consented"] is True
    assert "guardianship-1" not in str(members)
    assert link_members(make_link(), ISSUER, NOW)["guardian_consented"] is False


def test_what_is_over_has_lapsed_whether_housekeeping_was_here_or_not() -> None:
    link = make_link(expires_at=NOW)
    assert link_members(link, ISSUER, NOW)["status"] == "lapsed"
    assert link_members(link, ISSUER, NOW - timedelta(seconds=1))["status"] == "active"
    assert (
        link_members(make_link(status=Status.SUSPENDED, expires_at=NOW), ISSUER, NOW)["status"] == "suspended"
    )


def test_the_platform_learns_where_a_mark_is_found_while_it_is() -> None:
    link = make_link(mark_id="mark-1")
    assert link_members(link, ISSUER, NOW)["mark_uri"] == f"{ISSUER}/verify/mark-1"
    for hidden in (make_link(), make_link(mark_id="mark-1", status=Status.SUSPENDED)):
        assert link_members(hidden, ISSUER, NOW)["mark_uri"] is None
