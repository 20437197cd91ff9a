"""A person's way through requests, in any order of steps: no code without the pages that are due."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from idp.identity.consents import VALIDITY
from tests.support.models import Model, hold
from tests.support.platform import Platform, query_of
from tests.support.provider import ISSUER, Person, Provider, running_provider

IDLE = timedelta(minutes=30)
PROMPTS = ("", "none", "login", "consent", "select_account", "login consent", "select_account consent")
SCOPES = ("openid", "openid email", "openid email phone")
LEVELS = ("", "vn-1", "vn-2")


@dataclass
class World:
    provider: Provider
    people: list[Person]
    """One with a second factor, one without."""


@dataclass
class SignedIn:
    """Who is signed in with the browser, as the model knows it."""

    person: Person
    auth_time: datetime
    seen_at: datetime
    has_second_factor: bool = False


@dataclass
class Walk:
    """What somebody did on the way to an answer."""

    pages: list[str] = field(default_factory=list)
    answer: dict[str, str] = field(default_factory=dict)


class Journey(Model):
    """One browser at one platform. The oracle says which pages a request leads over, and what answers it."""

    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.world = world
        self.signed_in: SignedIn | None = None
        self.agreed: dict[str, tuple[frozenset[str], datetime]] = {}

    @initialize()
    def begin(self) -> None:
        provider = self.world.provider
        client = self.run(provider.add_client(client_id=self.prefix))
        self.platform = Platform(provider, client)
        self.browser = provider.http()

    @property
    def now(self) -> datetime:
        return self.world.provider.clock.now

    def _is_alive(self) -> bool:
        return self.signed_in is not None and self.now < self.signed_in.seen_at + IDLE

    def _needs_sign_in(self, prompt: set[str], max_age: int | None) -> bool:
        if self.signed_in is None or not self._is_alive() or "login" in prompt:
            return True
        return max_age is not None and self.now > self.signed_in.auth_time + timedelta(seconds=max_age)

    def _needs_consent(self, person: Person, scope: frozenset[str], prompt: set[str], at: datetime) -> bool:
        agreed, decided_at = self.agreed.get(person.citizen_id, (frozenset(), at))
        return "consent" in prompt or not scope <= agreed or at >= decided_at + VALIDITY

    @rule(
        prompt=st.sampled_from(PROMPTS),
        scope=st.sampled_from(SCOPES),
        level=st.sampled_from(LEVELS),
        max_age=st.sampled_from((None, None, 0, 90)),
        who=st.integers(0, 1),
        decision=st.sampled_from(("allow", "allow", "deny")),
        choice=st.sampled_from(("continue", "other")),
    )
    def ask(
        self, prompt: str, scope: str, level: str, max_age: int | None, who: int, decision: str, choice: str
    ) -> None:
        self.world.provider.clock.advance(seconds=1)
        prompts, scopes, newcomer = set(prompt.split()), frozenset(scope.split()), self.world.people[who]
        is_choice_due = "select_account" in prompts and not self._needs_sign_in(prompts, max_age)
        is_sign_in_due = self._needs_sign_in(prompts, max_age) or (is_choice_due and choice == "other")
        person = newcomer if is_sign_in_due or self.signed_in is None else self.signed_in.person
        is_lifted = self.signed_in is not None and self.signed_in.has_second_factor and not is_sign_in_due
        is_factor_due = level == "vn-2" and person.totp_secret is not None and not is_lifted
        is_consent_due = self._needs_consent(person, scopes, prompts, self.now)
        expected = (
            ["account-choice"] * is_choice_due
            + ["sign-in"] * is_sign_in_due
            + ["second-factor"] * is_factor_due
            + ["consent"] * is_consent_due
        )
        request = self.platform.request(
            None, prompt=prompt or None, scope=scope, acr_values=level or None, max_age=max_age
        )
        walk = self.run(self._walk(request, newcomer, decision, choice))
        if "none" in prompts:
            assert walk.pages == []
            error = {
                "sign-in": "login_required",
                "second-factor": "interaction_required",
                "consent": "consent_required",
            }
            assert walk.answer.get("error") == (error[expected[0]] if expected else None)
            assert ("code" in walk.answer) is (not expected)
        else:
            assert walk.pages == expected
            is_refused = is_consent_due and decision == "deny"
            assert walk.answer.get("error") == ("access_denied" if is_refused else None)
            assert ("code" in walk.answer) is not is_refused
            if is_consent_due and not is_refused:
                self.agreed[person.citizen_id] = (scopes, self.now)
        assert walk.answer["iss"] == ISSUER

    async def _walk(self, request: dict[str, str], newcomer: Person, decision: str, choice: str) -> Walk:
        """Answer page after page, and note what that changes about who is signed in."""
        walk, clock = Walk(), self.world.provider.clock
        response = await self.browser.get("/authorize", params=request)
        for _ in range(14):
            assert response.status_code == 303, response.text[:500]
            location = response.headers["location"]
            if not location.startswith(ISSUER):
                walk.answer = query_of(location)
                if self.signed_in is not None and "code" in walk.answer:
                    self.signed_in.seen_at = self.now
                return walk
            page = urlsplit(location).path.split("/")[1]
            form: dict[str, str] = {}
            if page == "sign-in":
                form = {"identifier": newcomer.personal_number, "password": newcomer.password}
                self.signed_in = SignedIn(newcomer, self.now, self.now)
            elif page == "second-factor":
                assert self.signed_in is not None
                clock.advance(seconds=30)
                form = {"code": self.signed_in.person.code(clock.now)}
                self.signed_in.has_second_factor, self.signed_in.seen_at = True, self.now
            elif page == "account-choice":
                form = {"choice": choice}
            elif page == "consent":
                form = {"decision": decision}
            response = await self._send(location, form)
            if form:
                walk.pages.append(page)
        raise AssertionError("the journey does not end")

    async def _send(self, location: str, form: dict[str, str]) -> httpx.Response:
        return await self.browser.post(location, data=form) if form else await self.browser.get(location)

    @rule(who=st.integers(0, 1))
    def withdraw(self, who: int) -> None:
        citizen_id = self.world.people[who].citizen_id

        async def record() -> None:
            uow = self.world.provider.unit_of_work()
            uow.consents.withdraw(citizen_id, self.prefix, self.now)
            await uow.commit()

        self.run(record())
        self.agreed.pop(citizen_id, None)

    @rule()
    def forget_the_cookie(self) -> None:
        if "lienket-session" in self.browser.cookies:
            self.browser.cookies.delete("lienket-session")
        self.signed_in = None

    @rule(span=st.sampled_from((timedelta(minutes=1), timedelta(minutes=2), IDLE, timedelta(days=366))))
    def wait(self, span: timedelta) -> None:
        self.world.provider.clock.now += span

    def teardown(self) -> None:
        self.run(self.browser.aclose())


@pytest.fixture
def opened(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[World, asyncio.Runner]]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_world() -> World:
            provider = await stack.enter_async_context(running_provider(sqlite_url, tmp_path))
            return World(provider, [await provider.add_person(), await provider.add_person(has_totp=False)])

        yield runner.run(open_world()), runner
        runner.run(stack.aclose())


def test_a_journey_keeps_its_promises_in_any_order_of_steps(opened: tuple[World, asyncio.Runner]) -> None:
    hold(lambda: Journey(*opened), examples=25, steps=12)
