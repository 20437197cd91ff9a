"""What becomes of a link while its state stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import AccountLink, LinkPolicy, Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.link_upkeep import (
    StateConflictError,
    is_verified_again,
    reattach,
    renew,
    request_reverification,
    status_at,
    update_details,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PLATFORM = Actor(ActorKind.CLIENT, "quan-coc")
LINK = AccountLink(
    "lnk_1",
    "quan-coc",
    "acc_1",
    "citizen-1",
    "subject-1",
    Status.ACTIVE,
    Proofing.VN2,
    Acr.VN_2,
    NOW,
    handle="@lan",
    place=1,
    expires_at=NOW + timedelta(days=100),
)


def test_details_change_and_the_rest_stays() -> None:
    changed, event = update_details(
        LINK, {"handle": None, "profile_uri": "https://a.example/"}, PLATFORM, NOW
    )
    assert changed == replace(LINK, handle=None, profile_uri="https://a.example/")
    assert (event.type, event.actor) == ("account_link:updated", PLATFORM)
    assert event.details == {"changed": "handle profile_uri"}, "names alone, no value"


def test_another_id_of_the_account_is_told_by_name_alone() -> None:
    changed, event = reattach(LINK, "acc_2", PLATFORM, NOW)
    assert changed == replace(LINK, account_id="acc_2")
    assert event.details == {"changed": "account_id"}


@pytest.mark.parametrize("days", [30, 365])
def test_a_request_shortens_what_is_valid_and_never_lengthens_it(days: int) -> None:
    asked, _ = request_reverification(LINK, NOW + timedelta(days=days), PLATFORM, NOW)
    assert asked.expires_at == NOW + timedelta(days=min(days, 100))
    assert asked.reverify_requested_at == NOW


def test_only_a_sign_in_after_the_request_counts() -> None:
    asked, _ = request_reverification(LINK, NOW + timedelta(days=30), PLATFORM, NOW)
    assert not is_verified_again(LINK, NOW)
    assert not is_verified_again(asked, NOW - timedelta(seconds=1))
    assert is_verified_again(asked, NOW)
    assert not is_verified_again(replace(asked, status=Status.SUSPENDED), NOW)
    later = NOW + timedelta(days=1)
    renewed, event = renew(asked, LinkPolicy(), PLATFORM, later)
    assert renewed.expires_at == later + timedelta(days=730)
    assert (renewed.reverify_requested_at, renewed.place, event.type) == (None, 1, "account_link:renewed")


@pytest.mark.parametrize("status", [Status.PENDING, Status.ENDED])
def test_what_is_not_live_is_not_kept_up(status: Status) -> None:
    link = replace(LINK, status=status)
    with pytest.raises(StateConflictError):
        update_details(link, {"handle": "@x"}, PLATFORM, NOW)
    with pytest.raises(StateConflictError):
        reattach(link, "acc_2", PLATFORM, NOW)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_only_an_active_link_can_be_asked_to_be_verified_again(status: Status) -> None:
    with pytest.raises(StateConflictError) as conflict:
        request_reverification(replace(LINK, status=status), NOW, PLATFORM, NOW)
    assert conflict.value.status is status
    over = replace(LINK, expires_at=NOW)
    assert status_at(over, NOW) is Status.LAPSED
    with pytest.raises(StateConflictError):
        request_reverification(over, NOW, PLATFORM, NOW)
