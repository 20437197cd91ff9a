"""What people are told: kept, sent as work of the outbox, disowned once; on both engines."""

import asyncio
from datetime import timedelta

import pytest

from idp.identity.notices import (
    KEPT_FOR,
    Channel,
    KeptNotice,
    Notice,
    NoticeKind,
    NoticePreferences,
    UILocale,
)
from idp.store.notices import CITIZEN_NOTICE
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

LINKED = Notice(
    NoticeKind.LINK_ESTABLISHED,
    "citizen-1",
    client_id="network",
    link_id="link-1",
    details={"handle": "@lan"},
)


async def told(memory: Memory, *notices: Notice) -> list[KeptNotice]:
    uow = memory.unit_of_work()
    uow.notices.tell_many(notices, NOW)
    await uow.commit()
    return await uow.notices.of_citizen("citizen-1")


async def with_person(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))


async def token_of(memory: Memory, kept: KeptNotice) -> str | None:
    delivery = await memory.unit_of_work().outbox.find(f"{CITIZEN_NOTICE}:{kept.notice_id}")
    assert delivery is not None
    assert delivery.kind == CITIZEN_NOTICE
    assert delivery.ordering_key == f"citizen:{kept.notice.citizen_id}"
    token: str | None = delivery.content["token"]
    return token


async def test_a_notice_is_kept_and_is_work_of_the_outbox(memory: Memory) -> None:
    await with_person(memory)
    (kept,) = await told(memory, LINKED)
    assert (kept.notice, kept.created_at, kept.expires_at) == (LINKED, NOW, NOW + KEPT_FOR)
    token = await token_of(memory, kept)
    assert token is not None
    notices = memory.unit_of_work().notices
    assert await notices.find_by_token(token) == kept
    assert await notices.find(kept.notice_id) == kept
    assert await notices.find_by_token(token[:-1]) is None
    assert await memory.contains(token) == [], "the token lies nowhere in plain text"


async def test_only_what_happened_to_a_link_can_be_disowned(memory: Memory) -> None:
    await with_person(memory)
    kept = await told(memory, LINKED, Notice(NoticeKind.FREEZE_ON, "citizen-1"))
    tokens = {each.notice.kind: await token_of(memory, each) for each in kept}
    assert tokens[NoticeKind.FREEZE_ON] is None
    assert tokens[NoticeKind.LINK_ESTABLISHED] is not None


async def test_a_notice_is_disowned_once_by_however_many_at_once(memory: Memory) -> None:
    await with_person(memory)
    (kept,) = await told(memory, LINKED)

    async def press(case_id: str) -> None:
        uow = memory.unit_of_work()
        uow.notices.veto(kept, case_id, NOW + timedelta(hours=1))
        await uow.commit()

    outcomes = await asyncio.gather(*(press(f"case-{n}") for n in range(10)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, GateClosedError) for outcome in outcomes if outcome is not None)
    again = await memory.unit_of_work().notices.find(kept.notice_id)
    assert again is not None
    assert again.vetoed_at == NOW + timedelta(hours=1)
    assert again.notice.case_id == f"case-{outcomes.index(None)}"


async def test_a_persons_list_comes_newest_first_in_pages_and_holds_no_one_elses(memory: Memory) -> None:
    await with_person(memory)
    uow = memory.unit_of_work()
    for minutes in range(5):
        uow.notices.tell(LINKED, NOW + timedelta(minutes=minutes))
    uow.notices.tell(Notice(NoticeKind.FREEZE_ON, "citizen-2"), NOW)
    await uow.commit()
    first = await uow.notices.of_citizen("citizen-1", limit=3)
    last = first[-1]
    place = (int((last.created_at - NOW).total_seconds() * 10**6) + _micros_of_now(), last.notice_id)
    rest = await uow.notices.of_citizen("citizen-1", before=place, limit=3)
    times = [each.created_at for each in (*first, *rest)]
    assert times == [NOW + timedelta(minutes=minutes) for minutes in (4, 3, 2, 1, 0)]
    assert await uow.notices.was_told_since("citizen-1", NoticeKind.LINK_ESTABLISHED, NOW)
    later = NOW + timedelta(hours=1)
    assert not await uow.notices.was_told_since("citizen-1", NoticeKind.LINK_ESTABLISHED, later)
    assert not await uow.notices.was_told_since("citizen-1", NoticeKind.FREEZE_ON, NOW)


def _micros_of_now() -> int:
    return int(NOW.timestamp()) * 10**6


async def test_how_a_person_wants_to_be_told_is_remembered_and_can_change(memory: Memory) -> None:
    await with_person(memory)
    uow = memory.unit_of_work()
    assert await uow.notices.preferences("citizen-1") == NoticePreferences()
    for chosen in (
        NoticePreferences(frozenset({Channel.SMS}), UILocale.EN),
        NoticePreferences(frozenset({Channel.EMAIL, Channel.PUSH}), UILocale.VI),
    ):
        uow.notices.prefer("citizen-1", chosen, NOW)
        await uow.commit()
        assert await uow.notices.preferences("citizen-1") == chosen
    assert await uow.notices.preferences("citizen-2") == NoticePreferences()


async def test_a_notice_can_be_told_by_other_ways_than_those_chosen(memory: Memory) -> None:
    await with_person(memory)
    uow = memory.unit_of_work()
    uow.notices.tell(
        Notice(NoticeKind.PREFERENCES_CHANGED, "citizen-1"), NOW, channels=(Channel.SMS, Channel.EMAIL)
    )
    await uow.commit()
    (kept,) = await uow.notices.of_citizen("citizen-1")
    delivery = await uow.outbox.find(f"{CITIZEN_NOTICE}:{kept.notice_id}")
    assert delivery is not None
    assert delivery.content["channels"] == ["email", "sms"]
