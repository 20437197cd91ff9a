"""Account links in memory: what is found, what a page holds, and the two indexes that decide races."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.audit.events import PROVIDER
from idp.identity.account_links import AccountLink, Status, move
from idp.store.account_links import ACCOUNT_INDEX, PLACE_INDEX
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.protocol_builders import NOW, make_grant, make_link
from tests.support.stores import Memory, make_person

pytestmark = pytest.mark.anyio
TICK = timedelta(microseconds=1)


async def with_links(memory: Memory, *links: AccountLink) -> None:
    await memory.add_people(make_person("citizen-1"), make_person("citizen-2"))
    uow = memory.unit_of_work()
    for link in links:
        uow.account_links.add(link, NOW)
    await uow.commit()


def ids(links: list[AccountLink]) -> list[str]:
    return sorted(link.link_id for link in links)


def pending(**changes: object) -> AccountLink:
    nothing = {"place": None, "linked_at": None, "expires_at": None}
    return make_link(**({"status": Status.PENDING} | nothing | changes))


async def test_a_link_comes_back_as_it_went(memory: Memory) -> None:
    full = make_link(
        last_used_at=NOW + TICK, suspended_because="reported", ended_at=NOW, ended_because="ended_by_holder"
    )
    bare = pending(link_id="link-2", handle=None, profile_uri=None, purpose=None, account_id="Đ🙂\\'\"%_")
    await with_links(memory, full, bare)
    links = memory.unit_of_work().account_links
    assert await links.find("link-1") == full
    assert await links.find("link-2") == bare
    assert await links.find("link-3") is None


async def test_neighbours_are_the_live_links_of_the_account_or_the_person_at_one_client(
    memory: Memory,
) -> None:
    await with_links(
        memory,
        make_link(link_id="own", account_id="a"),
        make_link(link_id="own-lapsed", account_id="b", place=2, status=Status.LAPSED),
        make_link(link_id="own-ended", account_id="a", place=None, status=Status.ENDED),
        pending(link_id="own-pending", account_id="c"),
        make_link(link_id="anothers", account_id="c", citizen_id="citizen-2", status=Status.SUSPENDED),
        make_link(link_id="anothers-else", account_id="d", citizen_id="citizen-2", place=2),
        make_link(link_id="elsewhere", account_id="c", client_id="other"),
    )
    neighbours = await memory.unit_of_work().account_links.neighbours("network", "c", "citizen-1")
    assert ids(neighbours) == ["anothers", "own", "own-lapsed"]


async def test_pages_go_on_after_an_id_and_let_pass_what_the_filters_say(memory: Memory) -> None:
    await with_links(
        memory,
        make_link(link_id="a", account_id="1"),
        make_link(link_id="b", account_id="2", place=None, status=Status.ENDED),
        pending(link_id="c", account_id="3"),
        make_link(link_id="d", account_id="4", client_id="other"),
        make_link(link_id="e", account_id="5", citizen_id="citizen-2"),
    )
    links = memory.unit_of_work().account_links
    assert ids(await links.page()) == ["a", "b", "c", "d", "e"]
    assert ids(await links.page(limit=2)) == ["a", "b"]
    assert ids(await links.page(after="b", limit=2)) == ["c", "d"]
    assert ids(await links.page(client_id="other")) == ["d"]
    assert ids(await links.page(client_id="network", status="active")) == ["a", "e"]
    assert ids(await links.page(status="pending", after="c")) == []
    assert ids(await links.of_citizen("citizen-1")) == ["a", "b", "d"], "pending ones are not shown"
    assert ids(await links.of_citizen("citizen-1", after="a", limit=1)) == ["b"]
    assert await links.counts() == {"active": 3, "ended": 1, "pending": 1}


async def test_overdue_links_are_found_to_the_microsecond(memory: Memory) -> None:
    await with_links(
        memory,
        pending(link_id="old", account_id="1", requested_at=NOW - TICK),
        pending(link_id="new", account_id="2", requested_at=NOW),
        make_link(link_id="over", account_id="3", requested_at=NOW - TICK, expires_at=NOW),
        make_link(link_id="valid", account_id="4", place=2, expires_at=NOW + TICK),
        make_link(link_id="lapsed", account_id="5", place=3, expires_at=NOW, status=Status.LAPSED),
    )
    links = memory.unit_of_work().account_links
    assert ids(await links.pending_since(NOW, 10)) == ["old"]
    assert ids(await links.due_to_lapse(NOW, 10)) == ["over"]
    assert await links.pending_since(NOW, 0) == []


async def test_a_link_moves_once_from_each_state(memory: Memory) -> None:
    link = make_link()
    await with_links(memory, link)
    suspended, _ = move(link, Status.SUSPENDED, PROVIDER, "reported", NOW)
    ended, _ = move(link, Status.ENDED, PROVIDER, "ended_by_holder", NOW)
    uow = memory.unit_of_work()
    uow.account_links.move(link, suspended, NOW)
    await uow.commit()
    assert await uow.account_links.find("link-1") == suspended
    uow.account_links.move(link, ended, NOW)
    with pytest.raises(GateClosedError, match="account_link_moved"):
        await uow.commit()
    assert await uow.account_links.find("link-1") == suspended


async def test_what_its_holder_disowned_meanwhile_is_not_reinstated(memory: Memory) -> None:
    """Class 24, P1: the state is the same, and the reason for it is not."""
    await with_links(memory, replace(make_link(status=Status.SUSPENDED), suspended_because="reported"))
    uow, other = memory.unit_of_work(), memory.unit_of_work()
    read = await uow.account_links.find("link-1")
    assert read is not None
    other.account_links.change(read, replace(read, suspended_because="not_me"), None, NOW)
    await other.commit()
    reinstated, _ = move(read, Status.ACTIVE, PROVIDER, "checked", NOW)
    uow.account_links.move(read, reinstated, NOW)
    with pytest.raises(GateClosedError, match="account_link_moved"):
        await uow.commit()
    stands = await uow.account_links.find("link-1")
    assert stands is not None
    assert (stands.status, stands.suspended_because) == (Status.SUSPENDED, "not_me")


async def test_an_ended_link_takes_its_grants_with_it_and_no_others(memory: Memory) -> None:
    link = make_link()
    await with_links(memory, link)
    uow = memory.unit_of_work()
    uow.grants.add(make_grant(grant_id="of the link"))
    uow.grants.add(make_grant(grant_id="of another", link_id="link-2"))
    uow.grants.add(make_grant(grant_id="of none", link_id=None))
    await uow.commit()
    ended, _ = move(link, Status.ENDED, PROVIDER, "ended_by_holder", NOW)
    uow.account_links.move(link, ended, NOW)
    await uow.commit()
    revoked = {}
    for grant_id in ("of the link", "of another", "of none"):
        found = await uow.grants.find(grant_id, NOW)
        assert found is not None
        revoked[grant_id] = found.grant.revoked_at
    assert revoked == {"of the link": NOW, "of another": None, "of none": None}


async def test_only_a_pending_link_vanishes(memory: Memory) -> None:
    await with_links(memory, make_link(), pending(link_id="unredeemed", account_id="x"))
    uow = memory.unit_of_work()
    uow.account_links.vanish("unredeemed")
    await uow.commit()
    uow.account_links.vanish("link-1")
    with pytest.raises(GateClosedError, match="account_link_vanished"):
        await uow.commit()
    assert ids(await uow.account_links.page()) == ["link-1"]


async def test_a_used_link_says_when(memory: Memory) -> None:
    await with_links(memory, make_link())
    uow = memory.unit_of_work()
    uow.account_links.touch("link-1", NOW + TICK)
    await uow.commit()
    assert await uow.account_links.find("link-1") == make_link(last_used_at=NOW + TICK)


@pytest.mark.parametrize(
    ("second", "index"),
    [
        pytest.param({"citizen_id": "citizen-2"}, ACCOUNT_INDEX, id="one account, two people"),
        pytest.param({"account_id": "0815"}, PLACE_INDEX, id="one person, one place, two accounts"),
    ],
)
@pytest.mark.parametrize("status", [Status.ACTIVE, Status.SUSPENDED, Status.LAPSED])
async def test_a_live_link_is_alone_in_its_account_and_its_place(
    memory: Memory, second: dict[str, str], index: str, status: Status
) -> None:
    await with_links(memory, make_link(status=status))
    before = await memory.everything()
    rival = make_link(link_id="link-2", **second)
    uow = memory.unit_of_work()
    uow.account_links.add(replace(rival, status=Status.PENDING), NOW)
    uow.account_links.add(replace(rival, link_id="link-3"), NOW)
    with pytest.raises(UniquenessError) as refused:
        await uow.commit()
    assert refused.value.index == index
    assert await memory.everything() == before


async def test_what_ended_or_waits_occupies_nothing(memory: Memory) -> None:
    await with_links(
        memory,
        make_link(link_id="ended", status=Status.ENDED),
        make_link(link_id="ended too", status=Status.ENDED),
        make_link(link_id="waits", status=Status.PENDING),
        make_link(link_id="waits too", status=Status.PENDING),
        make_link(),
    )
    assert len(await memory.unit_of_work().account_links.page()) == 5
