"""The comparison behind the rush finds what is lost, doubled, out of order or wrong."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.relying_party import LinkStatus
from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Acr, Proofing
from idp.identity.link_changes import ChangeKind, LinkChange
from tests.rush.equality import Truth, events_agree, feed_agrees, lists_agree, tables_agree
from tests.rush.heard import Heard, Told
from tests.rush.platforms import BackEnd

AT = datetime(2026, 11, 22, tzinfo=UTC)
LINK = AccountLink(
    link_id="link",
    client_id="rush",
    account_id="account",
    citizen_id="citizen",
    subject="subject",
    status=Status.SUSPENDED,
    proofing=Proofing.VN2,
    acr=Acr.VN_2,
    requested_at=AT,
)
CHANGES = [
    LinkChange("1", "rush", "link", ChangeKind.ESTABLISHED, AT, Status.ACTIVE, position=1),
    LinkChange(
        "2", "rush", "link", ChangeKind.SUSPENDED, AT + timedelta(seconds=1), Status.SUSPENDED, position=2
    ),
]
TRUTH = Truth({"link": LINK}, CHANGES, {"a": True, "b": True})
ESTABLISHED = Told("a", "account-link-established", "subject", "link", "account", "active", 1.0)
SUSPENDED = Told("b", "account-link-suspended", "subject", "link", "account", "suspended", 2.0)


def heard(*told: Told) -> Heard:
    return Heard(list(told), 0, {each.jti for each in told})


def back_end(*followed: tuple[str, str], **links: Any) -> BackEnd:
    found: Any = object()
    known = {"link": ("account", "suspended")} | links
    return BackEnd("rush", found, None, list(followed), Counter({"1": 1, "2": 1}), known)


FOLLOWED = (("link", "established"), ("link", "suspended"))


def test_what_agrees_agrees() -> None:
    assert not events_agree(TRUTH, heard(ESTABLISHED, SUSPENDED))
    assert not feed_agrees(TRUTH, back_end(*FOLLOWED))
    assert not lists_agree(TRUTH, {"link": LinkStatus.SUSPENDED})
    assert not tables_agree(TRUTH, FOLLOWED)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([ESTABLISHED], "links by events"),
        ([SUSPENDED], "1 events of 2 changes"),
        ([SUSPENDED, ESTABLISHED], "order of a person's events"),
        ([ESTABLISHED, SUSPENDED, SUSPENDED._replace(jti="c")], "3 events of 2 changes"),
        ([ESTABLISHED, SUSPENDED._replace(jti="c")], "known to one side only"),
        ([ESTABLISHED, SUSPENDED._replace(status="active")], "links by events"),
    ],
    ids=["lost", "lost-before", "order", "doubled", "unknown", "wrong"],
)
def test_events_that_differ_are_found(told: list[Told], found: str) -> None:
    assert any(found in difference for difference in events_agree(TRUTH, heard(*told)))


def test_an_event_that_still_waits_is_found() -> None:
    waiting = replace(TRUTH, sent={"a": True, "b": False})
    assert events_agree(waiting, heard(ESTABLISHED, SUSPENDED)) == ["1 events were not told"]


@pytest.mark.parametrize("followed", [FOLLOWED[:1], FOLLOWED[::-1], (*FOLLOWED, FOLLOWED[1])])
def test_a_feed_that_differs_is_found(followed: tuple[tuple[str, str], ...]) -> None:
    assert feed_agrees(TRUTH, back_end(*followed)) == ["the feed has another order"]


def test_a_change_that_the_feed_shows_twice_is_found() -> None:
    twice = back_end(*FOLLOWED)
    twice.change_ids["2"] += 1
    assert feed_agrees(TRUTH, twice) == ["1 changes stand in the feed twice"]


@pytest.mark.parametrize("statuses", [{}, {"link": LinkStatus.VALID}])
def test_a_list_that_differs_is_found(statuses: dict[str, LinkStatus]) -> None:
    assert lists_agree(TRUTH, statuses)


def test_an_acknowledged_change_that_is_lost_is_found() -> None:
    assert tables_agree(TRUTH, [*FOLLOWED, ("other", "established")])


def test_a_link_whose_state_is_not_its_last_change_is_found() -> None:
    assert tables_agree(replace(TRUTH, links={"link": replace(LINK, status=Status.ACTIVE)}), FOLLOWED)
