"""Accounts at upstreams and visits to them: pairs that are never forgotten, states that work once."""

import pytest

from idp.store.upstream_visits import UpstreamVisit
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

SUBJECT = "the-sub-of-lan"
VISIT = UpstreamVisit("standard", "my", b"browser", NOW, NOW, {"nonce": "n-1", "max_age": None})


async def with_people(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.citizens.add_many([make_person("lan"), make_person("hoa")], NOW)
    uow.upstream_accounts.connect("standard", SUBJECT, "lan", NOW)
    await uow.commit()


async def test_an_account_is_found_by_its_sub_and_by_its_person_and_the_sub_is_nowhere(
    memory: Memory,
) -> None:
    await with_people(memory)
    accounts = memory.unit_of_work().upstream_accounts
    found = await accounts.find("standard", SUBJECT)
    assert found is not None
    assert found.citizen_id == "lan"
    assert await accounts.of_citizen("lan") == [found]
    assert await accounts.of_citizen("hoa") == []
    assert await accounts.find("dialect", SUBJECT) is None
    assert await memory.contains(SUBJECT) == []


@pytest.mark.parametrize(
    ("subject", "citizen_id"), [(SUBJECT, "hoa"), ("another-sub", "lan"), (SUBJECT, "lan")]
)
async def test_class_16_neither_sub_nor_person_is_connected_twice(
    memory: Memory, subject: str, citizen_id: str
) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    uow.upstream_accounts.connect("standard", subject, citizen_id, NOW)
    with pytest.raises((GateClosedError, UniquenessError)):
        await uow.commit()
    uow = memory.unit_of_work()
    uow.upstream_accounts.connect("dialect", subject, citizen_id, NOW)
    await uow.commit()


async def test_a_disconnected_account_is_used_again_by_its_own_person_alone(memory: Memory) -> None:
    await with_people(memory)
    uow = memory.unit_of_work()
    uow.upstream_accounts.disconnect("standard", "lan", NOW)
    await uow.commit()
    assert await uow.upstream_accounts.of_citizen("lan") == []
    uow.upstream_accounts.use("standard", SUBJECT, "lan", NOW)
    with pytest.raises(GateClosedError, match="upstream_account_used"):
        await uow.commit()
    uow = memory.unit_of_work()
    uow.upstream_accounts.reconnect("standard", SUBJECT, "hoa", NOW)
    with pytest.raises(GateClosedError, match="upstream_account_reconnected"):
        await uow.commit()
    uow = memory.unit_of_work()
    uow.upstream_accounts.reconnect("standard", SUBJECT, "lan", NOW)
    await uow.commit()
    uow.upstream_accounts.use("standard", SUBJECT, "lan", NOW)
    await uow.commit()
    uow.upstream_accounts.disconnect("dialect", "lan", NOW)
    with pytest.raises(GateClosedError, match="upstream_account_disconnected"):
        await uow.commit()


async def test_a_visit_comes_back_as_it_went_once_and_nothing_of_it_can_be_read(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.upstream_visits.add("state-1", VISIT)
    await uow.commit()
    assert await uow.upstream_visits.find("state-1") == VISIT
    assert await uow.upstream_visits.find("state-2") is None
    assert await memory.contains("state-1") == []
    assert await memory.contains("n-1") == []
    uow.upstream_visits.use("state-1", NOW)
    await uow.commit()
    uow.upstream_visits.use("state-1", NOW)
    with pytest.raises(GateClosedError, match="upstream_visit_used"):
        await uow.commit()
    found = await memory.unit_of_work().upstream_visits.find("state-1")
    assert found is not None
    assert found.used_at == NOW
