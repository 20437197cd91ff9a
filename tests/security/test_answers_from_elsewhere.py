"""Ids of requests answered on another device, of both kinds. Abuse classes 5, 7, 10, 17, 24, 25, 31."""

import asyncio
from collections import Counter
from dataclasses import dataclass

import httpx
import pytest

from idp.identity.citizens import CitizenStatus
from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT
from tests.support.decoupled import arrive, press, type_code, waiting_for
from tests.support.html_forms import Html
from tests.support.platform import Platform
from tests.support.provider import Person, Provider
from tests.support.shared_provider import change_client, new_platform, set_citizen_status, suspend_client

pytestmark = pytest.mark.anyio

PARAMETER = {CIBA_GRANT: "auth_req_id", DEVICE_GRANT: "device_code"}
GRANTS = list(PARAMETER)
EITHER = {
    "grant_types": ["authorization_code", "refresh_token", *GRANTS],
    "backchannel_token_delivery_mode": "poll",
    "scope": "openid email",
}


@dataclass
class Asker:
    """A platform that may ask in both ways, a person it knows, and that person's browser."""

    provider: Provider
    platform: Platform
    http: httpx.AsyncClient
    person: Person
    phone: httpx.AsyncClient
    grant: str

    async def ask(self, **parameters: str) -> httpx.Response:
        form, auth = {"scope": "openid"} | parameters, self.platform.auth
        if self.grant == DEVICE_GRANT:
            return await self.http.post("/device-authorization", data=form, auth=auth)
        custody, sector = self.provider.context.custody, self.platform.client.sector
        hint = {"login_hint": custody.data.pairwise_subject(sector, self.person.citizen_id)}
        return await self.http.post("/backchannel-authentication", data=hint | form, auth=auth)

    async def begin(self) -> tuple[str, str]:
        """Ask; return the id, and the page on which the person answers."""
        asked = (await self.ask()).json()
        if self.grant == CIBA_GRANT:
            waiting = await waiting_for(self.provider, self.phone, self.person)
            return asked["auth_req_id"], waiting[0]
        typed = await type_code(self.provider, self.phone, self.person, asked["user_code"])
        return asked["device_code"], typed.headers["location"]

    async def decide(self, address: str, decision: str = "allow") -> None:
        form = Html((await self.phone.get(address)).text).forms["approval"]
        assert (await press(self.phone, form, decision)).status_code == 200

    async def fetch(self, request_id: str, grant: str = "", **more: str) -> httpx.Response:
        return await fetch(self.http, self.platform, request_id, grant or self.grant, **more)


async def fetch(
    http: httpx.AsyncClient, platform: Platform, request_id: str, grant: str, **more: str
) -> httpx.Response:
    form = {"grant_type": grant, PARAMETER[grant]: request_id}
    return await http.post("/token", data=form | more, auth=platform.auth)


@pytest.fixture
async def phone(provider: Provider) -> httpx.AsyncClient:
    return provider.http()


@pytest.fixture(params=GRANTS, ids=["ciba", "device"])
async def asker(provider: Provider, phone: httpx.AsyncClient, request: pytest.FixtureRequest) -> Asker:
    platform, person = await new_platform(provider, EITHER), await provider.add_person(has_totp=False)
    await platform.tokens_for(phone, person, None)
    return Asker(provider, platform, provider.http(), person, phone, request.param)


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")


async def test_an_id_of_another_client_or_kind_is_nobodys(asker: Asker) -> None:
    """Class 7 (CVE-2026-55672), class 24: before and after the person agreed; used up, it revokes nothing."""
    thief = await new_platform(asker.provider, EITHER)
    other_kind = next(each for each in GRANTS if each != asker.grant)
    request_id, address = await asker.begin()

    async def check_stolen() -> None:
        stolen = await fetch(asker.http, thief, request_id, asker.grant)
        confused = await asker.fetch(request_id, other_kind)
        assert outcome(stolen) == outcome(confused) == (400, "invalid_grant")

    await check_stolen()
    await asker.decide(address)
    await check_stolen()
    tokens = (await asker.fetch(request_id)).json()
    assert outcome(await asker.fetch(request_id)) == (400, "invalid_grant")
    await check_stolen()
    assert (await asker.platform.refresh(asker.http, tokens["refresh_token"])).status_code == 200
    assert outcome(await thief.refresh(asker.http, tokens["refresh_token"])) == (400, "invalid_grant")


async def test_an_answer_fetched_by_many_at_once_gives_tokens_once(asker: Asker) -> None:
    """Classes 5, 31 (CVE-2026-1035, CVE-2026-90997): one gate, on each engine."""
    request_id, address = await asker.begin()
    await asker.decide(address)
    fetched = await asyncio.gather(*(asker.fetch(request_id) for _ in range(20)))
    assert Counter(outcome(each) for each in fetched) == {(200, ""): 1, (400, "invalid_grant"): 19}


async def test_of_many_questions_at_once_one_is_looked_at(asker: Asker) -> None:
    """Class 25; RFC 8628 §3.5, CIBA Core §11."""
    request_id, _ = await asker.begin()
    asked = await asyncio.gather(*(asker.fetch(request_id) for _ in range(10)))
    errors = Counter(each.json()["error"] for each in asked)
    assert errors == {"authorization_pending": 1, "slow_down": 9}


async def test_no_more_scope_than_was_registered_and_shown(asker: Asker) -> None:
    """Class 10 (CVE-2024-52287): neither when asking nor when fetching."""
    assert outcome(await asker.ask(scope="openid phone")) == (400, "invalid_scope")
    request_id, address = await asker.begin()
    await asker.decide(address)
    tokens = (await asker.fetch(request_id, scope="openid email phone")).json()
    assert tokens["scope"] == "openid"


@pytest.mark.parametrize(
    ("who", "refused"),
    [
        ("citizen", (400, "invalid_grant")),
        ("session", (400, "invalid_grant")),
        ("client", (401, "invalid_client")),
        ("grant_type", (400, "unauthorized_client")),
    ],
)
async def test_whoever_fell_after_agreeing_gets_nothing(
    asker: Asker, who: str, refused: tuple[int, str]
) -> None:
    """Class 17 (CVE-2023-22492), case P8: in the moment between the answer and the tokens."""
    client = asker.platform.client
    request_id, address = await asker.begin()
    await asker.decide(address)
    match who:
        case "citizen":
            await set_citizen_status(asker.provider, asker.person, CitizenStatus.LOCKED)
        case "session":
            another = await asker.provider.add_person(has_totp=False)
            form = {"identifier": another.personal_number, "password": another.password}
            await asker.phone.post("/sign-in/my", data=form)
        case "client":
            await suspend_client(asker.provider, client.client_id)
        case _:
            kept = client.grant_types - {asker.grant}
            await change_client(asker.provider, client.client_id, grant_types=kept)
    assert outcome(await asker.fetch(request_id)) == refused


async def test_the_questions_of_a_suspended_client_are_gone(asker: Asker) -> None:
    """Class 17: neither listed nor answered, whoever kept their address."""
    _, address = await asker.begin()
    form = Html((await asker.phone.get(address)).text).forms["approval"]
    await suspend_client(asker.provider, asker.platform.client.client_id)
    assert outcome(await asker.ask()) == (401, "invalid_client")
    assert await waiting_for(asker.provider, asker.phone, asker.person) == []
    assert (await asker.phone.get(address)).status_code == 403
    assert (await press(asker.phone, form)).status_code == 403


async def test_a_person_who_was_locked_answers_nothing(asker: Asker) -> None:
    """Class 17: the session that they had ends with them."""
    request_id, address = await asker.begin()
    form = Html((await asker.phone.get(address)).text).forms["approval"]
    await set_citizen_status(asker.provider, asker.person, CitizenStatus.LOCKED)
    assert "/sign-in/" in (await press(asker.phone, form)).headers["location"]
    assert "/sign-in/" in (await asker.phone.get(address)).headers["location"]
    assert outcome(await asker.fetch(request_id)) == (400, "authorization_pending")


async def test_a_page_of_another_person_is_none(asker: Asker) -> None:
    """Class 24: by its address, with their own session, and with the form of the one it is for."""
    request_id, address = await asker.begin()
    form = Html((await asker.phone.get(address)).text).forms["approval"]
    async with asker.provider.http() as stranger:
        other = await asker.provider.add_person(has_totp=False)
        assert (await arrive(asker.provider, stranger, other, address)).status_code == 404
        assert (await press(stranger, form)).status_code == 404
    assert outcome(await asker.fetch(request_id)) == (400, "authorization_pending")


async def test_what_was_asked_too_long_ago_is_neither_answered_nor_fetched(asker: Asker) -> None:
    """Class 5: expired before the answer, and expired after it."""
    (late, address), (answered, other) = await asker.begin(), await asker.begin()
    form = Html((await asker.phone.get(address)).text).forms["approval"]
    await asker.decide(other)
    asker.provider.clock.advance(minutes=11)
    assert (await press(asker.phone, form)).status_code == 400
    for request_id in (late, answered):
        assert outcome(await asker.fetch(request_id)) == (400, "expired_token")


async def test_without_the_grant_nothing_is_begun_and_nothing_fetched(asker: Asker) -> None:
    asker.platform = await new_platform(asker.provider)
    assert outcome(await asker.ask()) == (400, "unauthorized_client")
    assert outcome(await asker.fetch("x")) == (400, "unauthorized_client")
