import re
from pathlib import Path

import httpx
import pytest

from idp.authenticators.throttling import CredentialPath
from idp.web.stylesheet import STYLE_SOURCE, STYLESHEET
from idp.web.throttle import attempt_keys
from tests.support.html_forms import Html
from tests.support.passkeys import OPTIONS
from tests.support.provider import ISSUER, Person, Provider, running_provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def try_password(http: httpx.AsyncClient, page: str, identifier: str, password: str) -> httpx.Response:
    return await http.post(page, data={"identifier": identifier, "password": password})


async def first_page(provider: Provider, http: httpx.AsyncClient, **changes: str) -> str:
    platform = await new_platform(provider)
    return (await http.get("/authorize", params=platform.request(**changes))).headers["location"]


async def test_the_form_is_the_one_that_others_script_against(provider: Provider) -> None:
    async with provider.http() as http:
        address = await first_page(provider, http)
        page = await http.get(address)
    form = Html(page.text).forms["sign-in"]
    assert (form.method, form.action) == ("post", address)
    assert set(form.fields) == {"identifier", "password"}
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    assert "back-to-network" in Html(page.text).forms


async def test_known_and_unknown_people_read_the_same(provider: Provider) -> None:
    """Abuse case P6: status, headers and every byte, but for the number that was typed.

    The challenge for a passkey is another on every page, for everybody alike.
    """
    person, unknown = await provider.add_person(), "000999999999"
    without = await provider.add_person(has_password=False)
    async with provider.http() as http:
        address = await first_page(provider, http)
        answers = {
            number: await try_password(http, address, number, "not my password")
            for number in (person.personal_number, unknown, without.personal_number)
        }
    bodies = {
        OPTIONS.sub("CHALLENGE", answer.text).replace(number, "NUMBER") for number, answer in answers.items()
    }
    headers = {str(sorted(answer.headers.multi_items())) for answer in answers.values()}
    assert len(bodies) == len(headers) == 1
    assert {answer.status_code for answer in answers.values()} == {400}


@pytest.mark.usefixtures("unrefreshed")
async def test_known_and_unknown_people_cost_the_same_statements(provider: Provider) -> None:
    """Abuse case P6: what cannot be timed here is counted, down to the statement."""
    person, without = await provider.add_person(), await provider.add_person(has_password=False)
    database = provider.context.database
    counts = set()
    async with provider.http() as http:
        address = await first_page(provider, http)
        for number in (person.personal_number, "000999999998", without.personal_number):
            tries = []
            for _ in range(3):
                before = (database.statistics.statements, database.statistics.commits)
                await try_password(http, address, number, "not my password")
                after = (database.statistics.statements, database.statistics.commits)
                tries.append((after[0] - before[0], after[1] - before[1]))
            # A refresh of the process may have begun before; the cheapest of three has none.
            counts.add(min(tries))
    assert len(counts) == 1


@pytest.mark.parametrize("number", ["000999999997", "+84000777777", "no number at all"])
async def test_guessing_is_slowed_for_everybody_alike(provider: Provider, number: str) -> None:
    """Abuse class 18: five tries, then a pause that is named; a refused try does not lengthen it."""
    async with provider.http(address="203.0.113.99") as http:
        address = await first_page(provider, http)
        for _ in range(5):
            assert (await try_password(http, address, number, "guess")).status_code == 400
        refused = await try_password(http, address, number, "guess")
        again = await try_password(http, address, number, "guess")
        assert (refused.status_code, again.status_code) == (429, 429)
        assert refused.headers["retry-after"] == again.headers["retry-after"] == "30"
        assert "sign-in" in Html(refused.text).forms
        provider.clock.advance(seconds=30)
        assert (await try_password(http, address, number, "guess")).status_code == 400


async def test_a_strangers_guesses_do_not_lock_the_person_out(provider: Provider) -> None:
    """Abuse case P5: the pause belongs to the pair of number and source."""
    person = await provider.add_person()
    async with provider.http(address="198.51.100.66") as stranger, provider.http() as http:
        address = await first_page(provider, stranger)
        for _ in range(7):
            answer = await try_password(stranger, address, person.personal_number, "guess")
        assert answer.status_code == 429
        right = await try_password(stranger, address, person.personal_number, person.password)
        assert right.status_code == 429, "the right password does not tell itself apart either"
        mine = await try_password(http, "/sign-in/my", person.personal_number, person.password)
        assert mine.status_code == 303


async def test_a_pause_for_the_address_costs_nobody_their_own_attempts(
    database_url: str, tmp_path: Path
) -> None:
    """Abuse class 18: many people stand behind one address; pressing again while it waits counts nowhere."""
    async with running_provider(database_url, tmp_path, source_attempts=3) as small, small.http() as http:
        person = await small.add_person(has_totp=False)
        for number in ("000999999991", "000999999992", "000999999993"):
            assert (await try_password(http, "/sign-in/my", number, "guess")).status_code == 400
        for _ in range(9):
            answer = await try_password(http, "/sign-in/my", person.personal_number, person.password)
            assert answer.status_code == 429
        keys = attempt_keys(
            small.context, CredentialPath.PASSWORD, person.personal_number, "203.0.113.7", None
        )
        four = (keys.pair, keys.source, keys.identifier, keys.known_source)
        counted = await small.unit_of_work().attempts.find(four, small.clock.now)
        assert {key: attempts.failures for key, attempts in counted.items()} == {keys.source: 3}
        small.clock.advance(seconds=30)
        answer = await try_password(http, "/sign-in/my", person.personal_number, person.password)
        assert answer.status_code == 303


@pytest.mark.parametrize("written", ["{}", " {} ", "000 190 {tail}", "000.190-{tail}"])
async def test_a_number_is_understood_as_people_write_it(provider: Provider, written: str) -> None:
    person = await provider.add_person()
    typed = written.format(person.personal_number, tail=person.personal_number[6:])
    async with provider.http() as http:
        answer = await try_password(http, "/sign-in/my", typed, person.password)
    assert answer.status_code == 303


async def test_the_phone_number_does_as_well(provider: Provider) -> None:
    person = await provider.add_person(phone_number="+84000222333")
    async with provider.http() as http:
        answer = await try_password(http, "/sign-in/my", "0000 222 333", person.password)
    assert answer.status_code == 303


async def step_up_page(http: httpx.AsyncClient, person: Person) -> None:
    assert (
        await try_password(http, "/sign-in/my", person.personal_number, person.password)
    ).status_code == 303


async def test_the_code_form_and_its_words(provider: Provider) -> None:
    person = await provider.add_person(phone_number="+84000444555")
    async with provider.http() as http:
        await step_up_page(http, person)
        page = await http.get("/second-factor/my")
        wrong = await http.post("/second-factor/my", data={"code": "000000"})
    form = Html(page.text).forms["second-factor"]
    assert (form.action, set(form.fields)) == (f"{ISSUER}/second-factor/my", {"code"})
    assert "84000444555" not in page.text
    assert person.personal_number not in page.text
    assert wrong.status_code == 400
    assert "4" in Html(wrong.text).ids["code-problem"], "how many tries are left"


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "0" * 5000]
)
async def test_what_is_no_code_is_a_wrong_one(provider: Provider, code: str) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        await step_up_page(http, person)
        answer = await http.post("/second-factor/my", data={"code": code})
    assert answer.status_code == 400


async def test_a_code_is_good_for_one_use(provider: Provider) -> None:
    """Abuse class 19 (TOTP replay): not in the same session, and not in another within its minute."""
    person = await provider.add_person()
    provider.clock.advance(seconds=60)
    code = person.code(provider.clock.now)
    async with provider.http() as http, provider.http() as other:
        await step_up_page(http, person)
        await step_up_page(other, person)
        assert (await http.post("/second-factor/my", data={"code": code})).status_code == 303
        assert (await other.post("/second-factor/my", data={"code": code})).status_code == 400
        provider.clock.advance(seconds=29)
        assert (await other.post("/second-factor/my", data={"code": code})).status_code == 400


async def test_codes_cannot_be_guessed_at_leisure(provider: Provider) -> None:
    """Abuse class 18 (CVE-2025-64102): counted per person, wherever the guess comes from."""
    person = await provider.add_person()
    for attempt in range(6):
        async with provider.http(address=f"203.0.113.{attempt}") as http:
            await step_up_page(http, person)
            answer = await http.post("/second-factor/my", data={"code": "000000"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 30


async def test_nobody_skips_a_factor_by_posting_elsewhere(provider: Provider) -> None:
    """Abuse class 19 (CVE-2026-49443): an empty form, a foreign page, no session."""
    platform, person = await new_platform(provider, min_acr="vn-2"), await provider.add_person()
    async with provider.http() as http:
        start = (await http.get("/authorize", params=platform.request())).headers["location"]
        visit = start.rpartition("/")[2]
        for page in ("second-factor", "consent", "account-choice", "refused"):
            for answer in (
                await http.get(f"/{page}/{visit}"),
                await http.post(f"/{page}/{visit}", data={"decision": "allow", "choice": "continue"}),
            ):
                assert answer.status_code in {303, 405}, page
                assert re.search(r"/(authorize|sign-in)/", answer.headers.get("location", "/sign-in/"))
        await try_password(http, start, person.personal_number, person.password)
        for page in ("consent", "account-choice"):
            await http.post(f"/{page}/{visit}", data={"decision": "allow", "choice": "continue"})
        onward = await http.get(f"/authorize/{visit}")
        assert "/second-factor/" in onward.headers["location"]


async def test_a_page_is_the_same_for_who_takes_gzip_and_lighter(provider: Provider) -> None:
    async with provider.http() as browser:
        plain = await browser.get("/sign-in/my", headers={"Accept-Encoding": "identity"})
        light = await browser.get("/sign-in/my", headers={"Accept-Encoding": "br, gzip"})
        assert "content-encoding" not in plain.headers
        assert light.headers["content-encoding"] == "gzip"
        assert plain.headers["vary"] == light.headers["vary"] == "Accept-Encoding"
        assert STYLESHEET in plain.text
        assert STYLESHEET in light.text
        assert int(light.headers["content-length"]) < int(plain.headers["content-length"]) - 10_000
        assert f"style-src {STYLE_SOURCE};" in light.headers["content-security-policy"]
