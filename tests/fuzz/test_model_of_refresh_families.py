"""A refresh token family, in any order of uses, losses, thefts and waits: RFC 9700 §4.14.2, abuse class 5."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import select

from idp.protocol.grants import MAX_RETRIES
from idp.protocol.model import Client, RefreshToken
from idp.store.encoding import hash_secret
from idp.store.tables import refresh_tokens
from tests.support.models import Model, hold
from tests.support.protocol_builders import make_grant
from tests.support.provider import SECRET, Person, Provider, running_provider
from tests.support.stores import make_consent, make_session

GRACE = timedelta(seconds=60)
USES = st.integers(0, 12)


@dataclass
class World:
    """The real application, two clients and a person who is signed in."""

    provider: Provider
    http: httpx.AsyncClient
    client: Client
    thief: Client
    person: Person


@dataclass
class Generation:
    """What the model knows of one token of the family."""

    value: str
    expires_at: datetime
    used_at: datetime | None = None
    retries: int = 0


class Family(Model):
    """One family of one client. A token that was given is known to its client, and to whoever stole it."""

    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.world = world
        self.generations: list[Generation] = []
        self.has_ended = False

    @property
    def now(self) -> datetime:
        return self.world.provider.clock.now

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        world, value = self.world, secrets.token_urlsafe(32)
        lifetimes = world.provider.context.policy.lifetimes
        self.lifetime = lifetimes.refresh_token
        consent = make_consent(
            consent_id=self.prefix, citizen_id=world.person.citizen_id, decided_at=self.now
        )
        session = make_session(self.prefix, citizen_id=world.person.citizen_id, created_at=self.now)
        grant = make_grant(
            grant_id=self.prefix,
            client_id=world.client.client_id,
            citizen_id=world.person.citizen_id,
            session_id=self.prefix,
            consent_id=self.prefix,
            link_id=None,
            scope=frozenset({"openid", "offline_access"}),
            issued_at=self.now,
            expires_at=self.now + lifetimes.grant,
        )
        self.grant_ends_at = grant.expires_at
        expires_at = self.now + self.lifetime
        uow = world.provider.unit_of_work()
        uow.consents.add(consent)
        uow.sessions.add(session, f"cookie-{self.prefix}", self.now + timedelta(hours=12))
        uow.grants.add(grant)
        uow.grants.add_refresh_token(RefreshToken(hash_secret(value), self.prefix, 1, self.now, expires_at))
        await uow.commit()
        self.generations = [Generation(value, expires_at)]

    async def _send(self, client: Client, value: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": value}
        return await self.world.http.post("/token", data=form, auth=(client.client_id, SECRET))

    def _expected(self, used: Generation) -> bool:
        """Tell by the rule in words whether a use is answered, and note what it does."""
        if self.has_ended:
            return False
        if used.used_at is not None and (used.retries >= MAX_RETRIES or self.now >= used.used_at + GRACE):
            self.has_ended = True
            return False
        if self.now >= min(used.expires_at, self.grant_ends_at):
            return False
        if used.used_at is None:
            used.used_at = self.now
        else:
            used.retries += 1
        return True

    @rule(which=USES)
    def use(self, which: int) -> None:
        place = which % len(self.generations)
        used = self.generations[place]
        is_answered = self._expected(used)
        answer = self.run(self._send(self.world.client, used.value))
        assert answer.status_code == (200 if is_answered else 400), answer.text
        if not is_answered:
            assert answer.json()["error"] == "invalid_grant"
            return
        successor = answer.json()["refresh_token"]
        if place + 1 == len(self.generations):
            expires_at = min(self.now + self.lifetime, self.grant_ends_at)
            self.generations.append(Generation(successor, expires_at))
        assert successor == self.generations[place + 1].value, "a retry gets the successor there is"

    @rule(which=USES)
    def steal(self, which: int) -> None:
        """Another client uses it: nothing is given, nothing is counted, nothing ends."""
        used = self.generations[which % len(self.generations)]
        answer = self.run(self._send(self.world.thief, used.value))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    @rule(which=USES)
    def guess(self, which: int) -> None:
        """A token cut short or changed is unknown; it ends no family."""
        value = self.generations[which % len(self.generations)].value
        changed = base64.urlsafe_b64encode(value.encode()).decode()[: len(value)]
        for wrong in (value[:-1], changed, value + "A"):
            assert self.run(self._send(self.world.client, wrong)).status_code == 400

    @rule(seconds=st.sampled_from((1, 30, 59, 60, 61, 3600)))
    def wait(self, seconds: int) -> None:
        self.world.provider.clock.advance(seconds=seconds)

    @rule()
    def wait_for_weeks(self) -> None:
        self.world.provider.clock.advance(days=20)

    @precondition(lambda self: not self.has_ended)
    @rule()
    def revoke(self) -> None:
        async def end() -> None:
            uow = self.world.provider.unit_of_work()
            uow.grants.revoke(self.prefix, "test", self.now)
            await uow.commit()

        self.run(end())
        self.has_ended = True

    @invariant()
    def one_chain_is_alive_at_most(self) -> None:
        async def kept() -> list[tuple[bytes, int | None, int]]:
            query = select(refresh_tokens).where(refresh_tokens.c.grant_id == self.prefix)
            rows = await self.world.provider.context.database.fetch_all(query, {})
            return [(bytes(row["token_hash"]), row["consumed_at"], row["retries"]) for row in rows]

        rows = self.run(kept())
        unused = [token_hash for token_hash, consumed_at, _ in rows if consumed_at is None]
        assert unused == [hash_secret(each.value) for each in self.generations if each.used_at is None]
        assert len(unused) <= 1
        assert all(retries <= MAX_RETRIES for _, _, retries in rows)
        assert len(rows) == len(self.generations)

    def teardown(self) -> None:
        """After the end nothing that was ever given works."""
        if self.has_ended:
            for each in self.generations:
                assert self.run(self._send(self.world.client, each.value)).status_code == 400


@pytest.fixture
def opened(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[World, asyncio.Runner]]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_world() -> World:
            provider = await stack.enter_async_context(running_provider(sqlite_url, tmp_path))
            http = await stack.enter_async_context(provider.http())
            client, thief = await provider.add_client(), await provider.add_client(client_id="thief")
            return World(provider, http, client, thief, await provider.add_person())

        yield runner.run(open_world()), runner
        runner.run(stack.aclose())


def test_a_family_keeps_its_promises_in_any_order_of_steps(opened: tuple[World, asyncio.Runner]) -> None:
    hold(lambda: Family(*opened), examples=40, steps=20)
