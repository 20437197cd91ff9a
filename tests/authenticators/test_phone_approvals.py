"""When a request may be taken, answered and used; which code a page shows; what a browser is called."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.authenticators.phone_approvals import (
    CODE_LIFETIME,
    CODE_STEP,
    ApprovalKind,
    ApprovalStatus,
    PhoneApproval,
    browser_kind,
    code_window,
    is_same_network,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OPEN = PhoneApproval(
    approval_hash=b"hash",
    kind=ApprovalKind.SIGN_IN,
    visit_id="my",
    browser_hash=b"browser",
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
)
CLAIMED = replace(OPEN, status=ApprovalStatus.CLAIMED, citizen_id="lan", device_id="phone", number="42")
APPROVED = replace(CLAIMED, status=ApprovalStatus.APPROVED)


def test_a_request_is_taken_once_and_in_time() -> None:
    assert OPEN.is_open(NOW)
    assert not OPEN.is_open(OPEN.expires_at)
    assert not CLAIMED.is_open(NOW)


def test_only_the_phone_that_took_it_answers() -> None:
    assert CLAIMED.is_answerable("phone", NOW)
    assert not CLAIMED.is_answerable("other phone", NOW)
    assert not CLAIMED.is_answerable("phone", CLAIMED.expires_at)
    assert not OPEN.is_answerable("phone", NOW)
    assert not APPROVED.is_answerable("phone", NOW)


def test_what_was_approved_is_used_once_and_in_time() -> None:
    assert APPROVED.is_approved(NOW)
    assert not APPROVED.is_approved(APPROVED.expires_at)
    assert not replace(APPROVED, consumed_at=NOW).is_approved(NOW)
    for status in set(ApprovalStatus) - {ApprovalStatus.APPROVED}:
        assert not replace(APPROVED, status=status).is_approved(NOW)


def test_codes_follow_one_another_before_they_end() -> None:
    first, first_ends_at, next_at = code_window(OPEN, NOW)
    assert (first, first_ends_at, next_at) == (0, NOW + CODE_LIFETIME, NOW + CODE_STEP)
    assert code_window(OPEN, NOW + CODE_STEP - SECOND)[0] == 0
    second, second_ends_at, _ = code_window(OPEN, NOW + CODE_STEP)
    assert (second, second_ends_at) == (1, NOW + CODE_STEP + CODE_LIFETIME)
    assert next_at < first_ends_at, "whoever scans at the change is not too late"


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/130.0 Safari/537 Edg/130.0", "Edge, Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) coc_coc_browser/128 Chrome/122.0 Safari/537", "Cốc Cốc, Windows"),
        ("Mozilla/5.0 (Linux; Android 9; SM-J4) SamsungBrowser/20 Chrome/9", "Samsung Internet, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 15 like Mac OS X) Version/15 Safari/604", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox, Linux"),
        ("curl/8", ""),
        ("", ""),
        ("x" * 100_000 + "Firefox", ""),
    ],
)
def test_a_browser_is_named_by_its_kind(user_agent: str, kind: str) -> None:
    assert browser_kind(user_agent) == kind


def test_a_household_is_one_network() -> None:
    assert is_same_network("203.0.113.7", "203.0.113.7")
    assert not is_same_network("203.0.113.7", "203.0.113.8")
    assert is_same_network("2001:db8:1:2::7", "2001:db8:1:2::8")
