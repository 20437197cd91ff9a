"""A request answered on another device, in any order of steps: one owner, one decision, one use."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from idp.protocol.decoupled_request import (
    POLL_INTERVAL,
    POLL_SLACK,
    Answered,
    DecoupledRequest,
    DeniedByPersonError,
    Kind,
    State,
    UnansweredError,
    check_answered,
)
from idp.protocol.errors import ExpiredTokenError, InvalidGrantError
from idp.store.encoding import hash_secret
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from tests.support.models import Model, hold
from tests.support.protocol_builders import make_client, make_grant
from tests.support.stores import NOW, REQUEST, Memory, make_person, memory_and_loop

OWNER, STRANGER = make_client(client_id="network"), make_client(client_id="stranger")
PEOPLE = st.sampled_from(("lan", "binh"))
LIFETIME = timedelta(minutes=5)


class Requests(Model):
    """One request, its client, another client, and two people; the model knows whose turn it is."""

    def __init__(self, memory: Memory, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.memory = memory
        self.now = NOW
        self.holder: str | None = None
        self.decided: State | None = None
        self.is_used = False
        self.polled_at: datetime | None = None

    @initialize(kind=st.sampled_from(Kind))
    def begin(self, kind: Kind) -> None:
        self.kind = kind
        self.holder = "lan" if kind is Kind.CIBA else None
        request = DecoupledRequest(
            request_hash=hash_secret(self.prefix),
            kind=kind,
            asked=replace(REQUEST, redirect_uri=""),
            interval=POLL_INTERVAL,
            created_at=NOW,
            expires_at=NOW + LIFETIME,
            citizen_id=self.holder,
        )
        uow = self.memory.unit_of_work()
        uow.backchannel_requests.add(request)
        self.run(uow.commit())

    def _found(self) -> DecoupledRequest:
        found = self.run(self.memory.unit_of_work().backchannel_requests.find(self.prefix))
        assert found is not None
        return found

    def _is_open(self) -> bool:
        return self.decided is None and self.now < NOW + LIFETIME

    def _commit(self, uow: UnitOfWork) -> bool:
        """Commit; tell whether every gate was open."""
        try:
            self.run(uow.commit())
        except GateClosedError:
            return False
        return True

    @rule(person=PEOPLE)
    def claim(self, person: str) -> None:
        uow = self.memory.unit_of_work()
        uow.backchannel_requests.claim(self._found(), person, self.now)
        assert self._commit(uow) is (self.holder is None and self._is_open())
        if self.holder is None and self._is_open():
            self.holder = person

    @rule(person=PEOPLE, is_allowed=st.booleans())
    def decide(self, person: str, *, is_allowed: bool) -> None:
        """A person presses a button, on a page that may be long out of date."""
        uow, seen = self.memory.unit_of_work(), replace(self._found(), citizen_id=person)
        if is_allowed:
            grant = make_grant(grant_id=self.prefix, citizen_id=person, link_id=None)
            uow.backchannel_requests.approve(seen, grant, self.now)
        else:
            uow.backchannel_requests.deny(seen, self.now)
        may = self.holder == person and self._is_open()
        assert self._commit(uow) is may
        if may:
            self.decided = State.APPROVED if is_allowed else State.DENIED

    @rule(is_its_own=st.booleans(), is_its_kind=st.booleans())
    def fetch(self, *, is_its_own: bool, is_its_kind: bool) -> None:
        """A client asks; two of its workers ask at once."""
        found, client = self._found(), OWNER if is_its_own else STRANGER
        kind = self.kind if is_its_kind else next(each for each in Kind if each is not self.kind)
        outcome = self._outcome(found, kind, client.client_id)
        if not isinstance(outcome, Answered):
            return
        assert (is_its_own, is_its_kind, self.decided, self.is_used) == (True, True, State.APPROVED, False)
        assert outcome.grant.citizen_id == self.holder
        commits = [self.memory.unit_of_work() for _ in range(2)]
        for uow in commits:
            uow.backchannel_requests.consume(outcome.request, self.now)
        assert [self._commit(uow) for uow in commits] == [True, False]
        self.is_used = True

    def _outcome(self, found: DecoupledRequest, kind: Kind, client_id: str) -> Answered | None:
        client = OWNER if client_id == OWNER.client_id else STRANGER
        try:
            return check_answered(found, kind, client, self.now)
        except UnansweredError:
            assert self._is_open()
            self._poll(found)
        except DeniedByPersonError:
            assert self.decided is State.DENIED
        except ExpiredTokenError:
            assert self.now >= NOW + LIFETIME
        except InvalidGrantError:
            assert self.is_used or kind is not self.kind or client is STRANGER
        return None

    def _poll(self, found: DecoupledRequest) -> None:
        uow = self.memory.unit_of_work()
        uow.backchannel_requests.poll(found, self.now)
        is_in_time = self.polled_at is None or self.polled_at + POLL_INTERVAL <= self.now + POLL_SLACK
        assert self._commit(uow) is is_in_time
        if is_in_time:
            self.polled_at = self.now

    @rule(seconds=st.sampled_from((1, 3, 5, 60, 200)))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def what_is_kept_is_what_happened(self) -> None:
        found = self._found()
        assert found.citizen_id == self.holder
        assert found.state is (self.decided or State.PENDING)
        assert (found.grant is not None) is (self.decided is State.APPROVED)
        assert (found.consumed_at is not None) is self.is_used

    @invariant()
    def a_list_shows_what_its_person_may_answer(self) -> None:
        for person in ("lan", "binh"):
            open_ones = self.run(
                self.memory.unit_of_work().backchannel_requests.open_of(person, self.now, 1000)
            )
            is_listed = hash_secret(self.prefix) in {each.request_hash for each in open_ones}
            assert is_listed is (self.holder == person and self._is_open())


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[tuple[Memory, asyncio.Runner]]:
    with memory_and_loop(sqlite_url) as opened:
        memory, runner = opened
        runner.run(memory.add_people(make_person("lan"), make_person("binh")))
        yield opened


def test_a_request_keeps_its_promises_in_any_order_of_steps(opened: tuple[Memory, asyncio.Runner]) -> None:
    hold(lambda: Requests(*opened), examples=40, steps=20)
