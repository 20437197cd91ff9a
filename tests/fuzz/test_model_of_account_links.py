"""The life of account links, in any order of its steps: one holder, a cap, no way back from the end."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, rule

from idp.audit.events import PROVIDER
from idp.identity.account_links import (
    LIVE,
    MOVES,
    AccountLink,
    IllegalMoveError,
    LinkPolicy,
    LinkRefusedError,
    Status,
    activate,
    free_place,
    move,
    occupied_places,
)
from idp.identity.assurance import Acr, Proofing
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.models import Model, hold
from tests.support.stores import NOW, Memory, make_person, memory_and_loop

POLICY = LinkPolicy(max_links_per_citizen=2, link_validity=timedelta(days=10))
PEOPLE = st.sampled_from(("lan", "binh"))
ACCOUNTS = st.sampled_from(("account-1", "account-2", "account-3"))


class Links(Model):
    """Two people and three accounts of one platform; the model remembers how each link stands."""

    links = Bundle("links")

    def __init__(self, memory: Memory, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.memory = memory
        self.now = NOW
        self.stand: dict[str, AccountLink] = {}

    async def _move(self, before: AccountLink, after: AccountLink) -> bool:
        """Store a move; tell whether the store took it."""
        uow = self.memory.unit_of_work()
        uow.account_links.move(before, after, self.now)
        try:
            await uow.commit()
        except (GateClosedError, UniquenessError):
            return False
        return True

    @rule(target=links, person=PEOPLE, account=ACCOUNTS)
    def agree(self, person: str, account: str) -> str:
        link = AccountLink(
            link_id=f"{self.prefix}-{len(self.stand)}",
            client_id=self.prefix,
            account_id=account,
            citizen_id=person,
            subject="subject",
            status=Status.PENDING,
            proofing=Proofing.VN2,
            acr=Acr.VN_2,
            requested_at=self.now,
        )

        async def add() -> None:
            uow = self.memory.unit_of_work()
            uow.account_links.add(link, self.now)
            await uow.commit()

        self.run(add())
        self.stand[link.link_id] = link
        return link.link_id

    @rule(link_id=links, place=st.integers(1, 2))
    def redeem(self, link_id: str, place: int) -> None:
        """At the place that was free when somebody looked, or thought to be: the index decides."""
        before = self.stand[link_id]
        try:
            after, event = activate(before, place, POLICY, PROVIDER, self.now)
        except IllegalMoveError:
            assert before.status not in {Status.PENDING, Status.LAPSED}
            return
        assert before.status in {Status.PENDING, Status.LAPSED}
        others = [link for link in self.stand.values() if link.status in LIVE and link.link_id != link_id]
        is_taken = any(link.account_id == before.account_id for link in others)
        is_full = place in occupied_places(others, before.citizen_id)
        assert self.run(self._move(before, after)) is not (is_taken or is_full)
        if not is_taken and not is_full:
            assert event.type.startswith("account_link:")
            assert after.expires_at == self.now + POLICY.link_validity
            self.stand[link_id] = after

    @rule(link_id=links, to=st.sampled_from(Status))
    def intervene(self, link_id: str, to: Status) -> None:
        before = self.stand[link_id]
        try:
            after, _ = move(before, to, PROVIDER, "test", self.now)
        except IllegalMoveError:
            assert to not in MOVES[before.status]
            return
        assert to in MOVES[before.status]
        if to is Status.ACTIVE and before.place is None:
            return  # a pending link is made active by redeeming it, which gives it a place
        assert self.run(self._move(before, after))
        self.stand[link_id] = after

    @rule(link_id=links, to=st.sampled_from(Status))
    def move_what_moved_meanwhile(self, link_id: str, to: Status) -> None:
        """A process that read the link in another state loses."""
        now = self.stand[link_id]
        stale = replace(now, status=next(each for each in Status if each is not now.status))
        assert not self.run(self._move(stale, replace(stale, status=to)))

    @rule(days=st.integers(1, 20))
    def let_time_pass(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def the_store_remembers_what_was_done(self) -> None:
        async def stored() -> dict[str, AccountLink]:
            links = await self.memory.unit_of_work().account_links.page(client_id=self.prefix)
            return {link.link_id: link for link in links}

        assert self.run(stored()) == self.stand

    @invariant()
    def an_account_has_one_holder_and_a_person_no_more_than_the_cap(self) -> None:
        live = [link for link in self.stand.values() if link.status in LIVE]
        accounts = [link.account_id for link in live]
        assert len(accounts) == len(set(accounts))
        for person in {link.citizen_id for link in live}:
            places = [link.place for link in live if link.citizen_id == person]
            assert len(places) == len(set(places)) <= POLICY.max_links_per_citizen
            try:
                free = free_place(occupied_places(live, person), POLICY)
            except LinkRefusedError:
                assert len(places) == POLICY.max_links_per_citizen
            else:
                assert free not in places

    @invariant()
    def what_ended_has_left_its_place(self) -> None:
        for link in self.stand.values():
            is_over = link.status is Status.ENDED
            assert is_over is (link.ended_at is not None)
            assert (link.place is None) is (link.status in {Status.PENDING, Status.ENDED})
            assert (link.suspended_because is not None) is (link.status is Status.SUSPENDED)
            assert link.linked_at is None or link.linked_at >= link.requested_at


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[tuple[Memory, asyncio.Runner]]:
    with memory_and_loop(sqlite_url) as opened:
        memory, runner = opened
        runner.run(memory.add_people(make_person("lan"), make_person("binh")))
        yield opened


def test_links_keep_their_promises_in_any_order_of_steps(opened: tuple[Memory, asyncio.Runner]) -> None:
    hold(lambda: Links(*opened), examples=40, steps=25)
