"""A person's lists, narrowed down and in pages: whatever is asked for, nothing of anybody else. R9."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.audit.events import PROVIDER, Actor, ActorKind, Event
from idp.identity.account_links import Status
from idp.identity.cases import CaseKind, close
from idp.identity.consents import ConsentState
from idp.identity.notices import Notice, NoticeKind
from idp.identity.sessions import SessionLimits
from idp.store.cases import new_case
from idp.store.encoding import micros
from idp.store.places import NEWEST, Place
from tests.support.protocol_builders import make_grant, make_link
from tests.support.stores import NOW, Memory, make_consent, make_person, make_session

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def in_pages(page: Callable[[Place], Awaitable[Sequence[tuple[int, str]]]]) -> list[str]:
    """Read a list in pages to its end, from each last entry on."""
    seen: list[str] = []
    before = NEWEST
    while found := await page(before):
        seen += [entry_id for _, entry_id in found]
        before = found[-1]
    return seen


async def with_people(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))


async def test_decisions_by_network_and_by_how_they_stand(memory: Memory) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    for index in range(6):
        uow.consents.add(
            make_consent(
                consent_id=f"c{index}",
                client_id="other" if index == 5 else "network",
                decision="deny" if index % 2 else "allow",
                decided_at=NOW + (index // 2) * DAY,
            )
        )
    uow.consents.add(make_consent(consent_id="theirs", citizen_id="citizen-2"))
    await uow.commit()
    uow.consents.withdraw("citizen-1", "network", NOW + DAY)
    await uow.commit()

    async def page(before: Place) -> list[tuple[int, str]]:
        found = await uow.consents.history("citizen-1", before=before, limit=2)
        return [(micros(each.decided_at), each.consent_id) for each in found]

    assert await in_pages(page) == ["c5", "c4", "c3", "c2", "c1", "c0"]

    async def named(client_id: str, state: ConsentState | None) -> list[str]:
        found = await uow.consents.history("citizen-1", client_id=client_id, state=state, limit=9)
        assert all(each.state is state for each in found if state is not None)
        return [each.consent_id for each in found]

    assert await named("", ConsentState.REFUSED) == ["c5", "c3", "c1"]
    assert await named("", ConsentState.WITHDRAWN) == ["c4", "c2", "c0"]
    assert await named("", ConsentState.AGREED) == []
    assert await named("other", None) == ["c5"]
    assert await uow.consents.networks_of("citizen-1") == ["network", "other"]
    assert await uow.consents.networks_of("citizen-2") == ["network"]


async def test_notices_by_network_kind_and_time(memory: Memory) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    told = (
        (NoticeKind.LINK_ENDED, "network"),
        (NoticeKind.FREEZE_ON, None),
        (NoticeKind.LINK_ENDED, "other"),
    )
    for days, (kind, client_id) in enumerate(told):
        uow.notices.tell(Notice(kind, "citizen-1", client_id), NOW + days * DAY)
        uow.notices.tell(Notice(kind, "citizen-2", client_id), NOW + days * DAY)
    await uow.commit()

    async def found(**asked: Any) -> list[str | None]:
        kept = await uow.notices.of_citizen("citizen-1", **asked)
        return [each.notice.client_id for each in kept]

    assert await found() == ["other", None, "network"]
    assert await found(client_id="other") == ["other"]
    assert await found(kinds=[NoticeKind.LINK_ENDED]) == ["other", "network"]
    assert await found(kinds=[NoticeKind.LINK_RENEWED, NoticeKind.FREEZE_ON]) == [None]
    assert await found(kinds=[]) == []
    assert await found(since=NOW + DAY) == ["other", None]
    assert await found(before=(micros(NOW + DAY), "")) == ["network"]
    assert await uow.notices.networks_of("citizen-1") == ["network", "other"]


async def test_events_by_time(memory: Memory) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    for days in range(4):
        uow.ledger.append(Event(f"e:{days}", PROVIDER, NOW + days * DAY, citizen_id="citizen-1"))
    await uow.commit()
    recent = await uow.activity.page("citizen-1", since=NOW + 2 * DAY, limit=9)
    earlier = await uow.activity.page("citizen-1", before=(micros(NOW + 2 * DAY), ""), limit=9)
    assert [event.type for event in (*recent, *earlier)] == ["e:3", "e:2", "e:1", "e:0"]
    assert len(recent) == 2


async def test_cases_by_kind_and_by_whether_they_are_decided(memory: Memory) -> None:
    person = Actor(ActorKind.CITIZEN, "citizen-1")
    uow = memory.unit_of_work()
    cases = [
        new_case(kind, person, NOW, client_id="", link_id=f"link-{index}", citizen_id="citizen-1")
        for index, kind in enumerate([CaseKind.CORRECTION, CaseKind.DISPUTE, CaseKind.CORRECTION] * 2)
    ]
    for case in cases:
        uow.cases.open(case)
    uow.cases.open(replace(new_case(CaseKind.DISPUTE, person, NOW, client_id="n"), citizen_id="citizen-2"))
    await uow.commit()
    closed, _ = close(cases[0], "corrected", person, NOW)
    uow.cases.move(cases[0], closed)
    await uow.commit()

    async def page(before: Place) -> list[tuple[int, str]]:
        found = await uow.cases.of_citizen("citizen-1", 2, before=before)
        return [(micros(each.opened_at), each.case_id) for each in found]

    seen = await in_pages(page)
    assert sorted(seen) == sorted(case.case_id for case in cases)
    assert await uow.cases.of_citizen("citizen-1", is_closed=True) == [closed]
    assert len(await uow.cases.of_citizen("citizen-1", is_closed=False)) == 5
    corrections = await uow.cases.of_citizen("citizen-1", kind=CaseKind.CORRECTION, is_closed=False)
    assert {case.kind for case in corrections} == {CaseKind.CORRECTION}
    assert len(corrections) == 3


async def test_links_by_state(memory: Memory) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    uow.account_links.add(make_link(link_id="a", account_id="1"), NOW)
    ended = make_link(link_id="b", account_id="2", place=None, status=Status.ENDED)
    uow.account_links.add(ended, NOW)
    await uow.commit()
    for status, expected in ((Status.ACTIVE, ["a"]), (Status.ENDED, ["b"]), (None, ["a", "b"])):
        found = await uow.account_links.of_citizen("citizen-1", status=status)
        assert [link.link_id for link in found] == expected
        there = await uow.account_links.of_citizen_at_client("citizen-1", "network", status=status)
        assert [link.link_id for link in there] == expected


async def test_sessions_by_a_network_that_was_used_in_them(memory: Memory) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    limits = SessionLimits()
    for name in ("one", "two"):
        uow.sessions.add(make_session(name), name, NOW + DAY)
    uow.grants.add(make_grant(session_id="two"))
    await uow.commit()
    for client_id, expected in (("network", ["two"]), ("other", []), ("", ["one", "two"])):
        found = await uow.sessions.living("citizen-1", limits, NOW, client_id=client_id)
        assert [session.session_id for session in found] == expected
