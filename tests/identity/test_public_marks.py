"""Whether a mark is shown, what it tells, and how an account is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.account_links import Status
from idp.identity.assurance import Proofing
from idp.identity.public_marks import (
    LONGEST_NAME,
    can_have_mark,
    is_shown,
    read_account_name,
    shown_level,
    with_mark,
    without_mark,
)
from tests.support.protocol_builders import NOW, make_link

LINK = make_link(mark_id="mark-1")


def test_a_mark_that_its_person_wants_is_shown() -> None:
    assert is_shown(LINK, NOW)
    assert not is_shown(replace(LINK, mark_id=None), NOW)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.ACTIVE])
def test_only_a_link_in_force_has_a_mark(status: Status) -> None:
    assert not is_shown(replace(LINK, status=status), NOW)


def test_a_link_whose_time_is_over_has_none_before_housekeeping_came() -> None:
    assert LINK.expires_at is not None
    assert not is_shown(LINK, LINK.expires_at)
    assert is_shown(LINK, LINK.expires_at - timedelta(seconds=1))


def test_an_account_without_a_name_that_people_know_has_none() -> None:
    assert can_have_mark(replace(LINK, handle=None), NOW)
    assert can_have_mark(replace(LINK, profile_uri=None), NOW)
    assert not can_have_mark(replace(LINK, handle=None, profile_uri=None), NOW)


def test_that_somebody_is_a_foreigner_is_not_told() -> None:
    assert [shown_level(level) for level in Proofing] == [Proofing.VN1, Proofing.VN2, Proofing.VN2]


def test_turning_it_on_and_off_is_written_down_and_changes_nothing_else() -> None:
    on, allowed = with_mark(replace(LINK, mark_id=None), "mark-2", NOW)
    off, withdrawn = without_mark(on, NOW)
    assert (on, off) == (replace(LINK, mark_id="mark-2"), replace(LINK, mark_id=None))
    assert (allowed.type, withdrawn.type) == ("account_link:mark_allowed", "account_link:mark_withdrawn")
    assert {allowed.link_id, withdrawn.link_id} == {LINK.link_id}
    assert {allowed.actor.id, withdrawn.actor.id} == {LINK.citizen_id}
    assert "mark-2" not in str(allowed), "the log tells nobody where a mark is found"


@pytest.mark.parametrize(
    ("typed", "handles", "profile_uri"),
    [
        ("@lan", ("lan", "@lan"), ""),
        (" lan\t", ("lan", "@lan"), ""),
        ("Lan Chè Sen", ("Lan Chè Sen", "@Lan Chè Sen"), ""),
        ("Lan Che\u0300 Sen", ("Lan Chè Sen", "@Lan Chè Sen"), ""),
        ("https://quan.example/@lan", None, "https://quan.example/@lan"),
        ("quan.example/@lan", None, "https://quan.example/@lan"),
        ("localhost:8100/@lan", None, ""),
        ("lan.tran", None, ""),
    ],
)
def test_an_account_is_named_as_people_name_it(
    typed: str, handles: tuple[str, str] | None, profile_uri: str
) -> None:
    name = read_account_name(typed)
    assert name is not None
    assert handles is None or name.handles == handles
    assert name.profile_uri == profile_uri


@pytest.mark.parametrize("typed", ["", "  ", "l\u200ban", "\u202enal", "lan\x00", "a" * (LONGEST_NAME + 1)])
def test_what_names_nobody_is_not_looked_for(typed: str) -> None:
    assert read_account_name(typed) is None


@pytest.mark.parametrize("typed", ["@Lan", "@l\u0430n", "@lan.", "@ lan", "\uff20lan"])
def test_a_name_that_looks_alike_is_another_one(typed: str) -> None:
    """P11: a Cyrillic letter, a sign of full width."""
    name = read_account_name(typed)
    assert name is not None
    assert "@lan" not in name.handles
