from datetime import UTC, datetime, timedelta

import pytest

from idp.identity.cases import NOT_ME
from idp.identity.link_changes import ChangeKind
from idp.identity.notices import (
    EVERY_CHANNEL,
    VETO_VALIDITY,
    Channel,
    KeptNotice,
    Notice,
    NoticeKind,
    NoticePreferences,
    UILocale,
    can_be_vetoed,
    channels_to_use,
    link_notice,
    links_quickly,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_every_change_that_concerns_the_holder_is_told() -> None:
    silent = {kind for kind in ChangeKind if link_notice(kind, None) is None}
    assert silent == {ChangeKind.UPDATED, ChangeKind.ASSURANCE_CHANGED}
    assert link_notice(ChangeKind.ESTABLISHED, None) is NoticeKind.LINK_ESTABLISHED
    assert link_notice(ChangeKind.ENDED, "ended_by_holder") is NoticeKind.LINK_ENDED, "always"


@pytest.mark.parametrize("kind", [ChangeKind.SUSPENDED, ChangeKind.ENDED])
def test_who_pressed_that_it_was_not_them_is_told_of_the_case_alone(kind: ChangeKind) -> None:
    assert link_notice(kind, NOT_ME) is None
    assert link_notice(kind, "operator_decision") is not None


def test_a_message_can_be_answered_for_thirty_days() -> None:
    of_link = KeptNotice("n", Notice(NoticeKind.LINK_ESTABLISHED, "c", link_id="l"), NOW, NOW)
    of_none = KeptNotice("n", Notice(NoticeKind.FREEZE_ON, "c"), NOW, NOW)
    assert can_be_vetoed(of_link, NOW + VETO_VALIDITY - timedelta(microseconds=1))
    assert not can_be_vetoed(of_link, NOW + VETO_VALIDITY)
    assert not can_be_vetoed(of_none, NOW)


@pytest.mark.parametrize(
    ("chosen", "reachable", "used"),
    [
        (EVERY_CHANNEL, {Channel.SMS, Channel.EMAIL}, (Channel.EMAIL, Channel.SMS)),
        ({Channel.SMS}, {Channel.SMS, Channel.EMAIL}, (Channel.SMS,)),
        ({Channel.PUSH}, {Channel.EMAIL}, (Channel.EMAIL,)),
        (set(), {Channel.EMAIL}, (Channel.EMAIL,)),
        (EVERY_CHANNEL, set(), ()),
    ],
)
def test_a_message_leaves_by_what_was_chosen_or_else_by_what_there_is(
    chosen: set[Channel], reachable: set[Channel], used: tuple[Channel, ...]
) -> None:
    assert channels_to_use(NoticePreferences(frozenset(chosen)), reachable) == used


def test_whoever_chose_nothing_is_told_in_vietnamese_in_every_way() -> None:
    assert NoticePreferences() == NoticePreferences(EVERY_CHANNEL, UILocale.VI)


def test_more_networks_in_a_day_than_the_setting_says_is_a_signal() -> None:
    """Abuse case P4."""
    assert not links_quickly(5, 5)
    assert links_quickly(6, 5)
