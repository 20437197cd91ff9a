"""Abuse classes 15, 18, P5, P6 on every way in: fixation, contamination, login CSRF, lockout, enumeration."""

import re
from collections.abc import Iterator

import httpx
import pytest
from starlette.requests import Request

from idp.authenticators.throttling import CredentialPath, ThrottledError
from idp.identity.citizens import CitizenStatus
from idp.web.throttle import count_credential_attempt
from tests.support.before_doors import Standing, form_of
from tests.support.platform import query_of
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform
from tests.support.ways_in import SESSION, WAYS, Way

pytestmark = pytest.mark.anyio

FROM_ELSEWHERE = [
    {"Origin": "https://attacker.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8000"},
]
BEGINNING = [way for way in WAYS if way.begins_session]
ARRIVING = [way for way in WAYS if way.begins_session or way.lifts_session]
NAMING = [way for way in WAYS if way.names_person]


def session_of(answer: httpx.Response) -> str | None:
    """The session's cookie that an answer sets."""
    for cookie in answer.headers.get_list("set-cookie"):
        name, _, rest = cookie.partition("=")
        if name == SESSION:
            return str(rest.partition(";")[0])
    return None


async def is_signed_in(provider: Provider, cookie: str) -> bool:
    async with provider.http() as http:
        answer = await http.get("/approvals", headers={"Cookie": f"{SESSION}={cookie}"})
    return answer.status_code == 200 or "/second-factor/" in answer.headers["location"]


@pytest.mark.parametrize("way", ARRIVING, ids=lambda way: way.name)
async def test_class_15_whoever_planted_a_cookie_holds_one_that_signs_nobody_in(
    provider: Provider, way: Way
) -> None:
    """Session fixation: the cookie of before is worthless after, whether it was made up or was a session."""
    async with provider.http() as http:
        standing = await way.stand(provider, http)
        if way.begins_session:
            http.cookies.set(SESSION, "planted-by-somebody-else", domain="localhost.local", path="/")
        before = http.cookies.get(SESSION)
        answer = await standing.send(is_right=True)
        after = session_of(answer)
    assert after is not None
    assert before is not None
    assert after != before
    assert len(after) >= 32
    assert await is_signed_in(provider, after)
    assert not await is_signed_in(provider, before)


@pytest.mark.parametrize("way", BEGINNING, ids=lambda way: way.name)
async def test_class_15_somebody_elses_session_ends_and_gives_nothing_to_whoever_comes(
    provider: Provider, way: Way
) -> None:
    """KC CVE-2026-7507: who signs in over another person's session gets no token of theirs, nor they ours."""
    other, platform = await provider.add_person(has_totp=False), await new_platform(provider)
    async with provider.http() as http:
        standing = await way.stand(provider, http)
        await http.post("/sign-in/my", data=form_of(other))
        before = http.cookies.get(SESSION)
        assert before is not None
        answer = await standing.send(is_right=True)
        after = session_of(answer)
        assert after is not None
        assert not await is_signed_in(provider, before)
        own = await platform.tokens_for(http, standing.person, None)
    sector = platform.client.sector
    expected = provider.context.custody.data.pairwise_subject(sector, standing.person.citizen_id)
    async with provider.http() as back_end:
        told = await back_end.get("/userinfo", headers={"Authorization": f"Bearer {own['access_token']}"})
    assert told.json()["sub"] == expected


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_class_15_no_other_site_sends_the_secret(
    provider: Provider, way: Way, headers: dict[str, str]
) -> None:
    """Login CSRF: the attacker's own secret, sent by the victim's browser, changes nothing there."""
    async with provider.http() as http:
        standing = await way.stand(provider, http)
        answer = await standing.send(is_right=True, headers=headers)
        assert answer.status_code == 403, answer.text
        assert session_of(answer) is None
        kept = await standing.send(is_right=True)
        assert kept.status_code < 400, "what was refused used nothing up"


def other_paths(way: Way) -> Iterator[CredentialPath]:
    yield from (path for path in CredentialPath if path is not way.path)


async def guess(provider: Provider, path: CredentialPath, identifier: str | None, address: str) -> None:
    """Try in vain until nothing is looked at any more, or thirty times."""
    http = Request({"type": "http", "client": (address, 40000), "headers": []})
    for _ in range(30):
        uow, now = provider.unit_of_work(), provider.clock.now
        try:
            await count_credential_attempt(provider.context, uow, path, identifier, http, now)
        except ThrottledError:
            return


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_p5_no_guesses_on_other_paths_stop_this_one(provider: Provider, way: Way) -> None:
    """A passkey or a phone works while the password is slowed, even for guesses from the same address."""
    address = f"198.51.100.{100 + WAYS.index(way)}"
    async with provider.http(address=address) as http:
        standing = await way.stand(provider, http)
        names = {standing.person.personal_number, standing.person.citizen_id}
        for path in other_paths(way):
            for name in names:
                await guess(provider, path, name, address)
        answer = await standing.send(is_right=True)
        assert answer.status_code < 400, answer.text


@pytest.mark.parametrize("way", NAMING, ids=lambda way: way.name)
async def test_p5_a_stranger_elsewhere_stops_nobody(provider: Provider, way: Way) -> None:
    async with provider.http(address="198.51.100.140") as http:
        standing = await way.stand(provider, http)
        for number in range(20):
            await guess(provider, way.path, standing.identifier, f"203.0.113.{number}")
        answer = await standing.send(is_right=True)
        assert answer.status_code < 400, answer.text


async def asked(standing: Standing, number: str) -> httpx.Response:
    sent = standing.wrong | {"identifier": number}
    return await standing.http.post(standing.address, data=sent)


@pytest.mark.usefixtures("unrefreshed")
@pytest.mark.parametrize("way", NAMING, ids=lambda way: way.name)
async def test_p6_known_and_unknown_people_read_and_cost_the_same(provider: Provider, way: Way) -> None:
    """Every byte but the number that was typed, and the same statements and commits."""
    statistics = provider.context.database.statistics
    without = await provider.add_person(has_password=False, has_totp=False)
    locked = await provider.add_person(status=CitizenStatus.LOCKED)
    pages, costs = set(), set()
    async with provider.http(address="198.51.100.150") as http:
        standing = await way.stand(provider, http)
        unknown = f"0009999981{NAMING.index(way):02d}"
        numbers = [standing.person.personal_number, unknown, without.personal_number]
        numbers.append(locked.personal_number)
        for number in numbers:
            spent = []
            for _ in range(3):
                before = (statistics.statements, statistics.commits)
                answer = await asked(standing, number)
                spent.append((statistics.statements - before[0], statistics.commits - before[1]))
            # A refresh of the process may have begun before; the cheapest of three has none.
            costs.add(min(spent))
            headers = sorted(answer.headers.multi_items())
            # What a passkey is asked for is drawn anew for every page.
            page = re.sub(r'data-options="[^"]*"', "", answer.text.replace(number, "NUMBER"))
            pages.add((answer.status_code, str(headers), page))
    assert len(pages) == 1
    assert len(costs) == 1, costs


async def test_class_15_a_journey_is_finished_by_the_browser_that_began_it(provider: Provider) -> None:
    """KC #46239: who sends somebody the address of a half-done sign-in gets nobody's code."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as attacker, provider.http() as victim:
        begun = (await attacker.get("/authorize", params=platform.request(None))).headers["location"]
        assert (await victim.get(begun)).status_code == 403
        refused = await victim.post(begun, data=form_of(person))
        assert refused.status_code == 403
        assert session_of(refused) is None
        silent = platform.request(None, prompt="none")
        answer = query_of((await attacker.get("/authorize", params=silent)).headers["location"])
    assert answer["error"] == "login_required"
