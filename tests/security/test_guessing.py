"""Abuse classes 15, 18, 19, case P5: every guess is counted, and no stranger's guesses lock anybody out."""

import httpx
import pytest

from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.provider import Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

FREE = 5
WRONG = "không phải mật khẩu"


async def guess(http: httpx.AsyncClient, address: str, person: Person, **form: str) -> int:
    sent = {"identifier": person.personal_number, "password": WRONG} | form
    return (await http.post(address, data=sent)).status_code


async def ways(provider: Provider, http: httpx.AsyncClient) -> list[str]:
    """Every address at which a password is taken."""
    platform = await new_platform(provider)
    begun = [await http.get("/authorize", params=platform.request(None)) for _ in range(2)]
    own = ("/sign-in/my", "/sign-in/approvals", "/sign-in/device", "/sign-in/device.BCDF-GHJK")
    return [*own, *(answer.headers["location"] for answer in begun)]


async def test_no_way_round_the_count_of_guesses(provider: Provider) -> None:
    """KC CVE-2026-19607, GHSA-cq42-vhv7-xr7p: pages, requests and browsers are counted together."""
    person = await provider.add_person(has_totp=False)
    async with provider.http(address="198.51.100.20") as http:
        places = await ways(provider, http)
        tried = [await guess(http, places[number % len(places)], person) for number in range(FREE + 4)]
        assert 429 not in tried[:FREE]
        assert tried[FREE:] == [429] * 4
        right = await http.post(
            places[0], data={"identifier": person.personal_number, "password": person.password}
        )
        assert right.status_code == 429, "the right password is not looked at either"
    async with provider.http(address="198.51.100.20") as other_browser:
        assert await guess(other_browser, "/sign-in/my", person) == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.{}"},
        {"X-Real-IP": "192.0.2.{}"},
        {"Forwarded": "for=192.0.2.{}"},
        {"CF-Connecting-IP": "192.0.2.{}"},
        {"True-Client-IP": "192.0.2.{}"},
        {"X-Client-IP": "192.0.2.{}"},
        {"Cookie": "lienket-browser={}"},
        {"User-Agent": "{}"},
        {"Accept-Language": "en-{}"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_no_header_makes_a_new_guesser(provider: Provider, headers: dict[str, str]) -> None:
    """KC CVE-2026-9798: the connection says where somebody is, or a proxy that was configured."""
    person = await provider.add_person(has_totp=False)
    async with provider.http(address="198.51.100.21") as http:
        tried = []
        for number in range(FREE + 2):
            claimed = {name: value.format(number) for name, value in headers.items()}
            form = {"identifier": person.personal_number, "password": WRONG}
            tried.append((await http.post("/sign-in/my", data=form, headers=claimed)).status_code)
    assert tried[FREE:] == [429] * 2


async def test_no_spelling_of_a_number_is_another_person(provider: Provider) -> None:
    """Class 18: it is counted as it is looked up."""
    person = await provider.add_person(has_totp=False)
    async with provider.http(address="198.51.100.22") as http:
        for _ in range(FREE):
            await guess(http, "/sign-in/my", person)
        number = person.personal_number
        for spelt in (
            f" {number} ",
            f"{number[:3]} {number[3:6]} {number[6:]}",
            f"{number[:6]}-{number[6:]}",
        ):
            assert await guess(http, "/sign-in/my", person, identifier=spelt) == 429, spelt


async def test_a_strangers_guesses_lock_nobody_out(provider: Provider) -> None:
    """Case P5: neither the person's own network, nor the browser in which they are signed in."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with (
        provider.http(address="198.51.100.23") as own,
        provider.http(address="203.0.113.99") as stranger,
    ):
        await platform.tokens_for(own, person, None)
        for number in range(40):
            await guess(stranger, "/sign-in/my", person, password=f"{WRONG}{number}")
        assert "code=" in (await own.get("/authorize", params=platform.request(None))).headers["location"]
        own.cookies.delete("lienket-session")
        assert await guess(own, "/sign-in/my", person, password=person.password) == 303


async def test_one_time_codes_are_counted_wherever_they_are_typed(provider: Provider) -> None:
    """ZIT CVE-2025-64102, class 19: another page, another session, another address count together."""
    person = await provider.add_person()
    platform = await new_platform(provider)
    tried: list[int] = []
    for number in range(FREE + 3):
        async with provider.http(address=f"198.51.100.{30 + number}") as http:
            form = {"identifier": person.personal_number, "password": person.password}
            if number % 2:
                begun = await http.get("/authorize", params=platform.request(None, acr_values="vn-2"))
                address = begun.headers["location"].replace("/sign-in/", "/second-factor/")
                await http.post(begun.headers["location"], data=form)
            else:
                address = "/second-factor/my"
                await http.post("/sign-in/my", data=form)
            tried.append((await http.post(address, data={"code": "000000"})).status_code)
    assert tried[FREE:] == [429] * 3


async def test_a_step_that_is_left_empty_is_not_taken(provider: Provider) -> None:
    """AK CVE-2026-49443: an empty form, no form, another method, the page after it."""
    person = await provider.add_person()
    async with provider.http() as http:
        form = {"identifier": person.personal_number, "password": person.password}
        await http.post("/sign-in/my", data=form)
        for sent in ({}, {"code": ""}, {"code": " "}, {"code": "\x00"}, {"step": "done"}):
            await http.post("/second-factor/my", data=sent)
        for path in ("/my/accounts", "/my/sessions", "/approvals", "/device"):
            assert "/second-factor/" in (await http.get(path)).headers["location"], path


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8000.attacker.example"},
        {"Origin": "https://localhost:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8000"},
    ],
    ids=str,
)
async def test_nobody_is_signed_in_as_somebody_else_by_another_site(
    provider: Provider, headers: dict[str, str]
) -> None:
    """Class 15, login CSRF: the attacker's own password, sent by the victim's browser, begins no session."""
    attacker = await provider.add_person(has_totp=False)
    platform = await new_platform(provider)
    form = {"identifier": attacker.personal_number, "password": attacker.password}
    async with provider.http() as victim:
        begun = (await victim.get("/authorize", params=platform.request(None))).headers["location"]
        for address in ("/sign-in/my", "/sign-in/approvals", begun):
            answer = await victim.post(address, data=form, headers=headers)
            assert answer.status_code == 403, address
            assert "lienket-session" not in answer.headers.get("set-cookie", "")


async def test_no_page_of_somebody_signed_in_takes_a_form_of_another_site(provider: Provider) -> None:
    """Class 15: every form there is, without its token and with another's."""
    person, other = await provider.add_person(has_totp=False), await provider.add_person(has_totp=False)
    async with provider.http() as http, provider.http() as attacker:
        await arrive(provider, http, person, "/my/accounts")
        await arrive(provider, attacker, other, "/my/accounts")
        page = Html((await attacker.get("/my/accounts")).text)
        foreign = next(form.fields["csrf"] for form in page.forms.values() if "csrf" in form.fields)
        for path in ("/my/sign-out", "/my/sessions/end", "/my/sessions/end-others", "/device"):
            for csrf in ("", "0" * 64, foreign):
                answer = await http.post(path, data={"csrf": csrf, "session": "x", "user_code": "BCDF-GHJK"})
                assert answer.status_code == 403, path
        assert (await http.get("/my/accounts")).status_code == 200


async def test_p5_a_neighbour_behind_the_same_address_stops_nobody_in_their_own_browser(
    provider: Provider,
) -> None:
    """OWASP "device cookies": a carrier's address is shared, the browser is not."""
    person = await provider.add_person(has_totp=False)
    address = "198.51.100.24"
    async with provider.http(address=address) as own, provider.http(address=address) as neighbour:
        await own.get("/sign-in/my")
        assert await guess(own, "/sign-in/my", person, password=person.password) == 303
        tried = [await guess(neighbour, "/sign-in/my", person) for _ in range(FREE + 2)]
        assert tried[FREE:] == [429, 429]
        assert await guess(neighbour, "/sign-in/my", person, password=person.password) == 429
        own.cookies.delete("lienket-session")
        assert await guess(own, "/sign-in/my", person, password=person.password) == 303
        wrong = [await guess(own, "/sign-in/my", person) for _ in range(FREE + 1)]
        assert wrong == [400] * FREE + [429], "a known browser has a brake of its own"


async def test_p5_a_thief_of_the_password_uses_up_no_codes_of_the_holder(provider: Provider) -> None:
    """ZIT CVE-2025-64102 the other way round: what is counted per person is no lock in a known browser."""
    person = await provider.add_person()
    form = {"identifier": person.personal_number, "password": person.password}
    async with provider.http(address="198.51.100.25") as own, provider.http(address="203.0.113.25") as thief:
        await own.post("/sign-in/my", data=form)
        provider.clock.advance(seconds=30)
        right = {"code": person.code(provider.clock.now)}
        assert (await own.post("/second-factor/my", data=right)).status_code == 303
        await thief.post("/sign-in/my", data=form)
        for _ in range(FREE):
            assert (await thief.post("/second-factor/my", data={"code": "000000"})).status_code == 400
        provider.clock.advance(seconds=29)
        right = {"code": person.code(provider.clock.now)}
        assert (await thief.post("/second-factor/my", data=right)).status_code == 429
        own.cookies.delete("lienket-session")
        await own.post("/sign-in/my", data=form)
        provider.clock.advance(seconds=30)
        right = {"code": person.code(provider.clock.now)}
        assert (await own.post("/second-factor/my", data=right)).status_code == 303
