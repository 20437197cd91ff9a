"""The life of account links under everybody who moves them, dying at any moment; on both engines.

Citizen, platform, operators, register, housekeeping, disputes and mass actions act in any order, through the
program's own code. Each may die before a commit, or after it and before anybody knew. Whatever happened, the
tables must tell one story: links, the changes that are fed to platforms, audit log, status list and grants.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from sqlalchemy import select

from idp.audit.events import PROVIDER, Actor, ActorKind
from idp.housekeeping.disputes import decide_overdue
from idp.housekeeping.expiry import let_time_pass
from idp.housekeeping.mass_endings import make_final
from idp.housekeeping.status_lists import CONSUMER, build_status_lists
from idp.identity.account_links import (
    LIVE,
    MOVES,
    AccountLink,
    LinkPolicy,
    LinkRefusedError,
    Status,
    activate,
    move,
)
from idp.identity.assurance import Acr, Proofing
from idp.identity.cases import CaseKind, IllegalCaseMoveError
from idp.identity.citizens import CitizenStatus
from idp.identity.disputes import DisputeRefusedError, Outcome
from idp.identity.freezes import check_not_frozen
from idp.identity.link_changes import ChangeKind
from idp.identity.link_status import link_status
from idp.identity.link_upkeep import StateConflictError, reattach, request_reverification, update_details
from idp.identity.mass_actions import (
    OWN_REASONS,
    LinkQuery,
    MassAction,
    MassActionError,
    MassKind,
    MassStatus,
    approve,
)
from idp.mass_run import MassRunner
from idp.operators.citizen_status import HOLDER_SUSPENDED, change_status
from idp.protocol.model import ClaimsRequest, Grant
from idp.protocol.status_list import value_at
from idp.store.account_links import link_from_row
from idp.store.database import Database
from idp.store.link_tables import link_changes
from idp.store.mass_actions import MassActions
from idp.store.opening import open_database
from idp.store.tables import account_links, audit_events, grants
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, UniquenessError
from idp.web.disputes import decide_dispute, open_dispute
from idp.web.status_indexes import reserve_indexes
from idp.web.vetoes import Pressed, veto
from tests.support.databases import migrated_database
from tests.support.models import Model, hold
from tests.support.platform_api import sequence_changes
from tests.support.stores import NOW, data_keys, make_person

POLICY = LinkPolicy(max_links_per_citizen=2, link_validity=timedelta(days=40))
PEOPLE = ("lan", "binh")
ACCOUNTS = ("account-1", "account-2", "account-3")
OPERATOR, SECOND = Actor(ActorKind.OPERATOR, "minh"), Actor(ActorKind.OPERATOR, "thu")
TOLD_AS = {
    "account_link:activated": ChangeKind.ESTABLISHED,
    "account_link:renewed": ChangeKind.RENEWED,
    "account_link:suspended": ChangeKind.SUSPENDED,
    "account_link:reinstated": ChangeKind.REINSTATED,
    "account_link:lapsed": ChangeKind.LAPSED,
    "account_link:ended": ChangeKind.ENDED,
}
"""Each move of a link in the audit log, and what it is to those who follow links."""
NUMBERS = itertools.count()

people, accounts = st.sampled_from(PEOPLE), st.sampled_from(ACCOUNTS)
which = st.integers(0, 7)
deaths = st.sampled_from([None] * 8 + [(1, False), (1, True), (2, False), (2, True), (3, True)])
"""At which commit somebody dies, and whether the commit was done by then."""


class DiedError(Exception):
    """The process is gone: nothing after this runs, and nothing was answered."""


@dataclass
class Life:
    """How many commits are left to whoever acts now."""

    death: tuple[int, bool] | None = None
    commits: int = 0


class MortalUnitOfWork(UnitOfWork):
    """A unit of work of a process that may die at a commit."""

    def __init__(self, database: Database, life: Life) -> None:
        super().__init__(database, data_keys())
        self._life = life

    async def commit(self) -> None:
        """Commit, unless this is where the process dies."""
        self._life.commits += 1
        dies_at, is_done = self._life.death or (0, False)
        if self._life.commits != dies_at:
            await super().commit()
            return
        if is_done:
            await super().commit()
        raise DiedError


@dataclass
class Table:
    """What the tables say of one platform's links."""

    links: list[AccountLink] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    living_grants: set[str] = field(default_factory=set)


class Lives(Model):
    """Two people and three accounts of one platform, and everybody who may move a link."""

    def __init__(self, database: Database, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.database = database
        self.now = NOW
        self.life = Life()
        self.ended: dict[str, datetime | None] = {}
        self.people = {name: f"{self.prefix}-{name}" for name in PEOPLE}
        uow = self.open()
        uow.citizens.add_many([make_person(each) for each in self.people.values()], self.now)
        uow.link_changes.begin("link_changes")
        uow.link_changes.begin(CONSUMER)
        self.run(uow.commit())

    def open(self) -> UnitOfWork:
        return MortalUnitOfWork(self.database, self.life)

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def act(self, work: Callable[[], Coroutine[Any, Any, object]], death: tuple[int, bool] | None) -> None:
        """Let somebody act, who may die at it, or be refused, or be overtaken."""
        self.life = Life(death)
        try:
            self.run(work())
        except (
            DiedError,
            GateClosedError,
            UniquenessError,
            StateConflictError,
            MassActionError,
            LinkRefusedError,
            DisputeRefusedError,
            IllegalCaseMoveError,
        ):
            return
        finally:
            self.life = Life()

    async def links(self) -> list[AccountLink]:
        return await self.open().account_links.page(client_id=self.prefix, limit=1000)

    async def one(self, number: int, *states: Status) -> AccountLink | None:
        found = [link for link in await self.links() if link.status in states]
        return found[number % len(found)] if found else None

    @rule(person=people, account=accounts, place=st.integers(1, 2), death=deaths)
    def link_an_account(self, person: str, account: str, place: int, death: tuple[int, bool] | None) -> None:
        """The citizen agrees and the platform redeems: the indexes decide whether it can be."""

        async def work() -> None:
            citizen = await self.open().citizens.find(self.people[person])
            assert citizen is not None
            held = [link for link in await self.links() if link.account_id == account]
            own = next(
                (link for link in held if link.status in LIVE and link.citizen_id == citizen.citizen_id), None
            )
            check_not_frozen(citizen, own, self.now)
            if not citizen.is_active():
                return
            if own is None:
                own = AccountLink(
                    link_id=f"{self.prefix}-{next(NUMBERS)}",
                    client_id=self.prefix,
                    account_id=account,
                    citizen_id=citizen.citizen_id,
                    subject=f"{self.prefix}-{person}-subject",
                    status=Status.PENDING,
                    proofing=Proofing.VN2,
                    acr=Acr.VN_2,
                    requested_at=self.now,
                )
                uow = self.open()
                uow.account_links.add(own, self.clock())
                await uow.commit()
            if own.status not in {Status.PENDING, Status.LAPSED}:
                return
            if own.status_list_id is None:
                list_id, [index] = await reserve_indexes(self.open(), self.prefix, 1, self.now)
                own = replace(own, status_list_id=list_id, status_index=index)
            now, uow = self.clock(), self.open()
            after, event = activate(own, own.place or place, POLICY, PROVIDER, now)
            uow.account_links.move(own, after, now)
            uow.ledger.append(event)
            uow.grants.add(self._grant(after, now))
            await uow.commit()

        self.act(work, death)

    def _grant(self, link: AccountLink, now: datetime) -> Grant:
        return Grant(
            grant_id=f"{link.link_id}-{next(NUMBERS)}",
            client_id=link.client_id,
            citizen_id=link.citizen_id,
            subject=link.subject,
            session_id="session",
            scope=frozenset({"openid"}),
            claims=ClaimsRequest(),
            acr=link.acr,
            amr=("pwd",),
            auth_time=now,
            nonce=None,
            consent_id=None,
            link_id=link.link_id,
            issued_at=now,
            expires_at=now + timedelta(days=90),
        )

    @rule(number=which, who=st.sampled_from(ActorKind), to=st.sampled_from(Status), death=deaths)
    def move_one(self, number: int, who: ActorKind, to: Status, death: tuple[int, bool] | None) -> None:
        """The citizen, a guardian or the platform ends a link; an operator suspends and reinstates, too."""

        async def work() -> None:
            link = await self.one(number, *LIVE)
            if link is None or to not in MOVES[link.status]:
                return
            if to is not Status.ENDED and who is not ActorKind.OPERATOR:
                return
            if to is Status.ACTIVE:
                holder = await self.open().citizens.find(link.citizen_id)
                is_back = holder is not None and holder.is_active()
                if link.status is not Status.SUSPENDED or link.suspended_because == "not_me" or not is_back:
                    return
            if to is Status.LAPSED:
                return
            now, uow = self.clock(), self.open()
            after, event = move(link, to, Actor(who, "x"), "test", now)
            uow.account_links.move(link, after, now)
            uow.ledger.append(event)
            await uow.commit()

        self.act(work, death)

    @rule(
        number=which, how=st.sampled_from(["details", "account", "reverify"]), account=accounts, death=deaths
    )
    def keep_in_order(self, number: int, how: str, account: str, death: tuple[int, bool] | None) -> None:
        """The platform changes a link within its state."""

        async def work() -> None:
            link = await self.one(number, *LIVE)
            if link is None:
                return
            now, uow, actor = self.clock(), self.open(), Actor(ActorKind.CLIENT, self.prefix)
            if how == "details":
                after, event = update_details(link, {"handle": f"@{now.microsecond}"}, actor, now)
                kind = ChangeKind.UPDATED
            elif how == "account":
                after, event = reattach(link, account, actor, now)
                kind = ChangeKind.REATTACHED
            else:
                after, event = request_reverification(link, now + timedelta(days=8), actor, now)
                kind = ChangeKind.REVERIFY_REQUESTED
            uow.account_links.change(link, after, kind, now)
            uow.ledger.append(event)
            await uow.commit()

        self.act(work, death)

    @rule(number=which, death=deaths)
    def disown(self, number: int, death: tuple[int, bool] | None) -> None:
        """The citizen says that it was not them."""

        async def work() -> None:
            link = await self.one(number, *LIVE)
            if link is not None:
                context = cast("Any", SimpleNamespace(unit_of_work=self.open))
                await veto(context, Pressed(link.link_id), self.clock())
                after = await self.open().account_links.find(link.link_id)
                assert after is not None
                assert after.status in {Status.SUSPENDED, Status.ENDED}

        self.act(work, death)

    @rule(person=people, wish=st.sampled_from(["on", "off"]), death=deaths)
    def freeze(self, person: str, wish: str, death: tuple[int, bool] | None) -> None:
        async def work() -> None:
            uow = self.open()
            if wish == "on":
                uow.citizens.freeze_links(self.people[person], self.clock())
            else:
                uow.citizens.lift_freeze(self.people[person])
            await uow.commit()

        self.act(work, death)

    @rule(person=people, status=st.sampled_from(CitizenStatus), death=deaths)
    def change_in_the_register(
        self, person: str, status: CitizenStatus, death: tuple[int, bool] | None
    ) -> None:
        """The register suspends a person, or has them back; the import is run again where it died."""

        async def work() -> None:
            citizen = await self.open().citizens.find(self.people[person])
            assert citizen is not None
            desk = cast("Any", SimpleNamespace(unit_of_work=self.open, clock=self.clock, operator=OPERATOR))
            await change_status(desk, citizen, status, "register", dry_run=False)

        self.act(work, death)
        if death is not None:
            self.act(work, None)
        for link in self.run(self.links()):
            if link.citizen_id == self.people[person] and status is not CitizenStatus.ACTIVE:
                assert link.status is not Status.ACTIVE

    @rule(kind=st.sampled_from(MassKind), death=deaths)
    def move_in_a_mass(self, kind: MassKind, death: tuple[int, bool] | None) -> None:
        """Two operators move all there is; a run that died is gone on with half a minute later."""
        self.now += timedelta(seconds=1)
        action = MassAction(
            action_id=f"{self.prefix}-{next(NUMBERS)}",
            kind=kind,
            query=LinkQuery(client_id=self.prefix),
            reason="test",
            status=MassStatus.PROPOSED,
            proposed_by=OPERATOR.id,
            proposed_at=self.now,
            expected=0,
        )
        approved = approve(action, SECOND, self.now)

        async def propose() -> None:
            uow = self.open()
            uow.mass_actions.add(approved)
            await uow.commit()

        self.run(propose())
        self._in_a_mass(MassRunner.run, approved.action_id, death)

    @rule(number=which, death=deaths)
    def undo_a_mass(self, number: int, death: tuple[int, bool] | None) -> None:
        finished = self.run(self._actions(MassStatus.FINISHED, MassStatus.UNDOING))
        if finished:
            self._in_a_mass(MassRunner.undo, finished[number % len(finished)].action_id, death)

    @rule(death=deaths)
    def make_masses_final(self, death: tuple[int, bool] | None) -> None:
        """Housekeeping, three days later: what was to end ends."""
        self.now += timedelta(hours=73)
        self.act(lambda: make_final(self.open, self.clock), death)

    async def _actions(self, *states: MassStatus) -> list[MassAction]:
        newest = await MassActions(self.open()).newest(50)
        return [each for each in newest if each.status in states and each.query.client_id == self.prefix]

    def _in_a_mass(
        self,
        work: Callable[[MassRunner, MassAction], Coroutine[Any, Any, object]],
        action_id: str,
        death: tuple[int, bool] | None,
    ) -> None:
        before = {link.link_id: link for link in self.run(self.links())}

        async def go_on() -> None:
            action = await self.open().mass_actions.find(action_id)
            assert action is not None
            await work(MassRunner(self.open, self.clock, OPERATOR, lambda _: None), action)

        self.act(go_on, death)
        if death is not None:
            self.now += timedelta(seconds=31)
            self.act(go_on, None)
        for link in self.run(self.links()):
            was = before[link.link_id]
            if was.suspended_because in OWN_REASONS:
                assert link == was, "its holder, or the register, rests it: no mass brings it back"
            if link.status is Status.ACTIVE and was.status is not Status.ACTIVE:
                holder = self.run(self.open().citizens.find(link.citizen_id))
                assert holder is not None
                assert holder.is_active(), "nobody is vouched for whom the register suspended"

    @rule(person=people, number=which, death=deaths)
    def claim(self, person: str, number: int, death: tuple[int, bool] | None) -> None:
        """Somebody else says that an account is theirs."""

        async def work() -> None:
            link = await self.one(number, *LIVE)
            if link is not None and link.citizen_id != self.people[person]:
                await open_dispute(
                    self.open(), link, Actor(ActorKind.CITIZEN, self.people[person]), self.clock()
                )

        self.act(work, death)

    @rule(number=which, outcome=st.sampled_from(Outcome), death=deaths)
    def decide(self, number: int, outcome: Outcome, death: tuple[int, bool] | None) -> None:
        """The holder or our staff decide a dispute."""

        async def work() -> None:
            cases = await self.open().cases.page(client_id=self.prefix, kind=CaseKind.DISPUTE)
            if cases:
                uow = self.open()
                await decide_dispute(uow, cases[number % len(cases)], outcome, OPERATOR, self.clock())
                await uow.commit()

        self.act(work, death)

    @rule(days=st.sampled_from([0, 1, 15, 41]), death=deaths)
    def let_time_pass(self, days: int, death: tuple[int, bool] | None) -> None:
        """Housekeeping: links lapse, disputes that nobody answered are decided."""
        self.now += timedelta(days=days)

        async def work() -> None:
            await let_time_pass(self.open(), self.clock())
            await decide_overdue(self.open(), self.clock())

        self.act(work, death)

    @rule(death=deaths)
    def publish(self, death: tuple[int, bool] | None) -> None:
        """The fan-out and the builder of status lists; then every list says how its links stand."""

        async def work() -> None:
            await sequence_changes(self.open())
            await build_status_lists(self.open, "builder", self.clock())

        self.act(work, death)
        self.act(work, None)
        self.run(self._check_lists())

    async def _check_lists(self) -> None:
        for link in await self.links():
            if link.status is Status.PENDING or link.status_list_id is None or link.status_index is None:
                continue
            statuses = await self.open().status_lists.find(link.status_list_id)
            assert statuses is not None
            assert value_at(statuses.compressed, link.status_index) == link_status(link.status)
        feed = await self.open().link_changes.of_client_since(self.prefix, 0, 10_000)
        told: dict[str, Status] = {change.link_id: change.status for change in feed}
        stand = {each.link_id: each.status for each in await self.links() if each.link_id in told}
        assert told == stand, "who follows the feed knows how every link stands"

    async def _table(self) -> Table:
        async def rows(statement: Any) -> list[Any]:
            return [dict(row) for row in await self.database.fetch_all(statement, {})]

        mine = account_links.c.client_id == self.prefix
        return Table(
            [link_from_row(row) for row in await rows(select(account_links).where(mine))],
            await rows(
                select(link_changes)
                .where(link_changes.c.client_id == self.prefix)
                .order_by(link_changes.c.occurred_at, link_changes.c.change_id)
            ),
            await rows(select(audit_events).where(audit_events.c.client_id == self.prefix)),
            {
                row["link_id"]
                for row in await rows(
                    select(grants).where(grants.c.client_id == self.prefix, grants.c.revoked_at.is_(None))
                )
            },
        )

    @invariant()
    def the_tables_tell_one_story(self) -> None:
        table = self.run(self._table())
        check_places(table.links)
        for link in table.links:
            if link.link_id in self.ended:
                assert (link.status, link.ended_at) == (Status.ENDED, self.ended[link.link_id])
            if link.status is Status.ENDED:
                self.ended[link.link_id] = link.ended_at
                assert link.link_id not in table.living_grants
            check_story(link, table)


def check_places(links: list[AccountLink]) -> None:
    """One holder an account, no more than the cap a person, no place for what is not live."""
    live = [link for link in links if link.status in LIVE]
    assert max(Counter(link.account_id for link in live).values(), default=0) <= 1
    for person in {link.citizen_id for link in live}:
        places = [link.place for link in live if link.citizen_id == person]
        assert None not in places
        assert len(set(places)) == len(places) <= POLICY.max_links_per_citizen
    assert all(link.place is None for link in links if link.status not in LIVE)


def check_story(link: AccountLink, table: Table) -> None:
    """Every move is one change and one event, and the changes lead from the first state to this one."""
    changes = [row for row in table.changes if row["link_id"] == link.link_id]
    moved = [row for row in changes if row["kind"] in set(TOLD_AS.values())]
    events = [row for row in table.events if row["link_id"] == link.link_id and row["type"] in TOLD_AS]
    assert Counter(row["kind"] for row in moved) == Counter(TOLD_AS[row["type"]] for row in events)
    state = Status.PENDING
    for row in changes:
        assert state is not Status.ENDED, "nothing is told of a link after its end"
        if row["kind"] in set(TOLD_AS.values()):
            assert Status(row["status"]) in MOVES[state]
            state = Status(row["status"])
        else:
            assert Status(row["status"]) is state
    assert state is link.status


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Database, asyncio.Runner]]:
    with migrated_database(request.param, tmp_path) as url, asyncio.Runner() as runner:
        database = open_database(url, connections=4)
        try:
            yield database, runner
        finally:
            runner.run(database.close())


def test_whoever_acts_and_whoever_dies_the_tables_tell_one_story(
    opened: tuple[Database, asyncio.Runner],
) -> None:
    hold(lambda: Lives(*opened), examples=20, steps=30)


def test_whom_the_register_suspends_under_a_mass_action_no_undoing_brings_back(
    opened: tuple[Database, asyncio.Runner],
) -> None:
    """Cases P8, P9: the link rests on with its holder, and comes back with them."""
    lives = Lives(*opened)
    lives.link_an_account("lan", "account-1", 1, None)
    lives.move_in_a_mass(MassKind.SUSPEND, None)
    lives.change_in_the_register("lan", CitizenStatus.LOCKED, None)
    lives.undo_a_mass(0, None)
    [link] = lives.run(lives.links())
    assert (link.status, link.suspended_because) == (Status.SUSPENDED, HOLDER_SUSPENDED)
    lives.change_in_the_register("lan", CitizenStatus.ACTIVE, None)
    [link] = lives.run(lives.links())
    assert link.status is Status.ACTIVE
    lives.the_tables_tell_one_story()
