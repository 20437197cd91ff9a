"""Event streams on both engines: one a client, changed by one at a time, what authorizes a push sealed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.event_stream import ChangedBy, DeliveryMethod, EventStream, StreamStatus
from idp.store.event_streams import ADDED_GATE, CHANGED_GATE, REMOVED_GATE, TOUCHED_GATE, VERIFIED_GATE
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from tests.support.event_streams import NOW, make_stream
from tests.support.stores import Memory

pytestmark = pytest.mark.anyio
INTERVAL = timedelta(seconds=30)


async def added(memory: Memory, stream: EventStream) -> EventStream:
    uow = memory.unit_of_work()
    uow.event_streams.add(stream)
    await uow.commit()
    return stream


async def closed_gate(uow: UnitOfWork) -> str:
    """Commit; return the gate that was closed, empty where none was."""
    try:
        await uow.commit()
    except GateClosedError as closed:
        return closed.gate
    return ""


async def test_a_stream_comes_back_as_it_was_given(memory: Memory) -> None:
    stream = await added(
        memory,
        make_stream(
            description="Kiểm duyệt",
            status=StreamStatus.PAUSED,
            reason="why",
            changed_by=ChangedBy.TRANSMITTER,
        ),
    )
    streams = memory.unit_of_work().event_streams
    assert await streams.find("stream-1") == stream
    assert await streams.of_client("network") == stream
    assert await streams.page() == [stream]
    assert await streams.page(after="network") == []
    assert await streams.find("another") is None
    assert await streams.of_client("another") is None


async def test_what_authorizes_a_push_lies_sealed(memory: Memory) -> None:
    await added(memory, make_stream(authorization_header="Bearer of-the-receiver"))
    assert await memory.contains("of-the-receiver") == []


async def test_what_was_left_out_stays_left_out(memory: Memory) -> None:
    polled = make_stream(
        method=DeliveryMethod.POLL, endpoint_url=None, events_requested=None, authorization_header=None
    )
    await added(memory, polled)
    assert await memory.unit_of_work().event_streams.find("stream-1") == polled


async def test_a_client_has_one(memory: Memory) -> None:
    """SSF §8.1.1.1: 409."""
    await added(memory, make_stream())
    with pytest.raises(GateClosedError) as closed:
        await added(memory, make_stream(stream_id="stream-2"))
    assert closed.value.gate == ADDED_GATE
    await added(memory, make_stream(stream_id="stream-2", client_id="other"))


async def test_of_two_who_change_it_at_once_one_begins_again(memory: Memory) -> None:
    before = await added(memory, make_stream())

    async def change(description: str) -> str:
        uow = memory.unit_of_work()
        uow.event_streams.change(before, replace(before, description=description))
        return await closed_gate(uow)

    assert sorted(await asyncio.gather(change("one"), change("other"))) == ["", CHANGED_GATE]
    after = await memory.unit_of_work().event_streams.find("stream-1")
    assert after is not None
    assert after.revision == 2


async def test_a_verification_is_asked_for_once_in_an_interval(memory: Memory) -> None:
    stream = await added(memory, make_stream())

    async def verify(seconds: int) -> str:
        uow, now = memory.unit_of_work(), NOW + timedelta(seconds=seconds)
        uow.event_streams.verify(stream, now - INTERVAL, now)
        return await closed_gate(uow)

    assert sorted(await asyncio.gather(verify(0), verify(0))) == ["", VERIFIED_GATE]
    assert [await verify(29), await verify(30)] == [VERIFIED_GATE, ""]


async def test_removed_subjects_are_remembered_until_they_are_added_or_the_stream_ends(
    memory: Memory,
) -> None:
    stream = await added(memory, make_stream())
    other = await added(memory, make_stream(stream_id="stream-2", client_id="other"))
    streams = memory.unit_of_work().event_streams
    assert await streams.removed("stream-1", ["lan", "mai"]) == frozenset()
    for subject in ("lan", "mai", "lan"):
        uow = memory.unit_of_work()
        uow.event_streams.remove_subject(stream, subject, NOW)
        await uow.commit()
    assert await streams.removed("stream-1", ["lan", "an"]) == {"lan"}
    assert await streams.removed("stream-2", ["lan"]) == frozenset()
    assert await streams.count_removed("stream-1") == 2
    uow = memory.unit_of_work()
    uow.event_streams.add_subject(stream, "lan")
    uow.event_streams.add_subject(stream, "nobody")
    uow.event_streams.remove_subject(other, "an", NOW)
    await uow.commit()
    assert await streams.removed("stream-1", ["lan", "mai"]) == {"mai"}
    uow = memory.unit_of_work()
    uow.event_streams.remove(stream)
    await uow.commit()
    assert await streams.find("stream-1") is None
    assert await streams.count_removed("stream-1") == 0
    assert await streams.count_removed("stream-2") == 1


async def test_a_stream_that_is_gone_can_neither_end_nor_lose_a_subject(memory: Memory) -> None:
    stream = make_stream()
    uow = memory.unit_of_work()
    uow.event_streams.remove(stream)
    with pytest.raises(GateClosedError, match=REMOVED_GATE):
        await uow.commit()
    uow.event_streams.remove_subject(stream, "lan", NOW)
    with pytest.raises(GateClosedError, match=TOUCHED_GATE):
        await uow.commit()
    assert await uow.event_streams.count_removed("stream-1") == 0


async def test_a_subject_removed_while_its_stream_ends_breaks_neither(memory: Memory) -> None:
    stream = await added(memory, make_stream())

    async def end() -> None:
        uow = memory.unit_of_work()
        uow.event_streams.remove(stream)
        await uow.commit()

    async def remove(number: int) -> None:
        uow = memory.unit_of_work()
        uow.event_streams.remove_subject(stream, f"subject-{number}", NOW)
        assert await closed_gate(uow) in {"", TOUCHED_GATE}

    await asyncio.gather(*map(remove, range(10)), end(), *map(remove, range(10, 20)))
    assert await memory.unit_of_work().event_streams.count_removed("stream-1") == 0
