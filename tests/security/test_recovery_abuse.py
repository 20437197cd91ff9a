"""Who wants another's account by activating or recovering it: every step they could take. P1, P5, P6, P9."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from idp.identity.activation_codes import make_activation_code
from idp.identity.activation_grounds import Ground, Purpose
from idp.identity.activations import ActivationStatus, StopReason
from idp.identity.citizens import CitizenStatus
from idp.identity.notices import NoticeKind
from idp.web.activations import new_code
from tests.support.activations import (
    CHOSEN,
    chosen,
    give_sheet,
    issue,
    opened_recovery,
    recover_in_person,
    state_of,
    stop_address,
    typed,
    use,
)
from tests.support.html_forms import Html
from tests.support.provider import ISSUER, PASSWORD, Person, Provider
from tests.support.shared_provider import set_citizen_status

pytestmark = pytest.mark.anyio

NOBODY = "000199999999"


async def lets_in(provider: Provider, person: Person, password: str) -> bool:
    async with provider.http(address="198.51.100.29") as browser:
        data = {"identifier": person.personal_number, "password": password}
        return (await browser.post("/sign-in/my", data=data)).status_code == 303


async def wait(provider: Provider) -> None:
    provider.clock.now += provider.context.recovery_waiting


def told_apart_by_nothing(answers: list[httpx.Response], typed_numbers: list[str]) -> bool:
    """Tell whether answers are the same but for what was typed."""
    texts = set()
    for answer, number in zip(answers, typed_numbers, strict=True):
        text = answer.text.replace(number, "N")
        texts.add((answer.status_code, re.sub(r"\s+", " ", text)))
    return len(texts) == 1


async def test_a_stopped_recovery_opens_nothing_even_to_whoever_typed_its_code_before(
    provider: Provider,
) -> None:
    person = await provider.add_person()
    handed = await opened_recovery(provider, person)
    await wait(provider)
    async with provider.http() as thief, provider.http() as holder:
        address = (await typed(thief, person.personal_number, handed.code)).headers["location"]
        assert (await thief.get(address)).status_code == 200
        stop = await stop_address(provider, person.citizen_id)
        await holder.post(stop, data={"x": "y"})
        for answer in (await thief.get(address), await chosen(thief, address)):
            assert answer.headers["location"] == f"{ISSUER}/activate/my?again=1"
        assert (await typed(thief, person.personal_number, handed.code)).status_code == 400
    assert await lets_in(provider, person, PASSWORD)
    assert not await lets_in(provider, person, CHOSEN)


async def test_nobody_is_early_not_even_by_a_microsecond(provider: Provider) -> None:
    person = await provider.add_person()
    handed = await recover_in_person(provider, person)
    async with provider.http() as thief:
        provider.clock.now = handed.activation.usable_from - timedelta(microseconds=1)
        early = await typed(thief, person.personal_number, handed.code)
        assert early.status_code == 400
        address = f"{ISSUER}/activate/my/{handed.activation.activation_id}"
        assert (await chosen(thief, address)).headers["location"].endswith("?again=1")
        provider.clock.now = handed.activation.usable_from
        assert (await typed(thief, person.personal_number, handed.code)).status_code == 303


async def test_a_code_is_used_once_and_never_again(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser, provider.http() as thief:
        used = await use(browser, person, handed)
        assert (await typed(thief, person.personal_number, handed.code)).status_code == 400
        replay = {"password": "ai đó chọn sau 77", "password_again": "ai đó chọn sau 77"}
        assert (await browser.post(used.address, data=replay)).status_code == 200, "says that it is done"
        assert (await thief.post(used.address, data=replay)).headers["location"].endswith("?again=1")
    assert await lets_in(provider, person, CHOSEN)
    assert not await lets_in(provider, person, "ai đó chọn sau 77")


async def test_twenty_recoveries_with_one_sheet_code_at_once_open_one(provider: Provider) -> None:
    """Keycloak #26106: a recovery code that is used by many at once."""
    person = await provider.add_person()
    sheet = await give_sheet(provider, person)
    data = {"identifier": person.personal_number, "code": sheet[0]}

    async def open_one(place: int) -> httpx.Response:
        async with provider.http(address=f"192.0.2.{place + 1}") as browser:
            return await browser.post("/recovery/code", data=data)

    answers = await asyncio.gather(*map(open_one, range(20)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 400, 429}
    assert len(await provider.unit_of_work().activations.of_citizen(person.citizen_id)) == 1


async def test_anothers_code_opens_nothing_of_mine_or_theirs(provider: Provider) -> None:
    me = await provider.add_person(has_password=False, has_totp=False)
    they = await provider.add_person(has_password=False, has_totp=False)
    theirs = await issue(provider, they)
    async with provider.http() as browser, provider.http() as other:
        for number in (me.personal_number, NOBODY, "x", ""):
            assert (await typed(browser, number, theirs.code)).status_code == 400
        address = (await typed(other, they.personal_number, theirs.code)).headers["location"]
        for answer in (await browser.get(address), await chosen(browser, address)):
            assert answer.headers["location"] == f"{ISSUER}/activate/my?again=1"
    assert (await state_of(provider, theirs)).status is ActivationStatus.ISSUED
    sheet = await give_sheet(provider, they)
    async with provider.http() as browser:
        wrong = await browser.post(
            "/recovery/code", data={"identifier": me.personal_number, "code": sheet[0]}
        )
        assert wrong.status_code == 400
    left = await provider.unit_of_work().recovery_codes.find_set(they.citizen_id)
    assert left is not None
    assert left.remaining == len(sheet), "nobody's code was used up"


async def test_one_kind_of_code_is_never_taken_for_another(provider: Provider) -> None:
    """Abuse class 6: each kind has a page, a form and a keyed hash of its own."""
    person = await provider.add_person(has_password=False, has_totp=False)
    handed, sheet = await issue(provider, person), await give_sheet(provider, person)
    async with provider.http() as browser:
        assert (await typed(browser, person.personal_number, sheet[0])).status_code == 400
        data = {"identifier": person.personal_number, "code": handed.code}
        assert (await browser.post("/recovery/code", data=data)).status_code == 400
        assert (await browser.get(f"/recovery/stop/{handed.code}")).status_code == 404
        stop = (await stop_address(provider, person.citizen_id)).rpartition("/")[2]
        assert (await typed(browser, person.personal_number, stop)).status_code == 400
        assert (await browser.get(f"/not-me/{stop}")).status_code == 404


@pytest.mark.usefixtures("unrefreshed")
@pytest.mark.parametrize("path", ["/activate", "/recovery/code"])
async def test_p6_who_has_an_account_or_a_code_is_told_to_nobody(provider: Provider, path: str) -> None:
    """In words, in status, and in what it costs: statements are counted, for a clock would lie."""
    known = await provider.add_person()
    await give_sheet(provider, known)
    locked = await provider.add_person(status=CitizenStatus.LOCKED)
    bare = await provider.add_person(has_password=False, has_totp=False)
    waiting = await provider.add_person()
    await opened_recovery(provider, waiting)
    sheet = await give_sheet(provider, bare)
    wrong = new_code() if path == "/activate" else sheet[0][::-1]
    people = (known, locked, bare, waiting)
    numbers = [*(person.personal_number for person in people), NOBODY, "+84000999999", "not a number"]
    statistics = provider.context.database.statistics
    answers, costs = [], set()
    for place, number in enumerate(numbers):
        seen: set[tuple[int, int]] = set()
        for again in range(3):
            async with provider.http(address=f"192.0.{again + 2}.{100 + place}") as browser:
                before = (statistics.commits, statistics.statements)
                answers.append(await browser.post(path, data={"identifier": number, "code": wrong}))
                seen.add((statistics.commits - before[0], statistics.statements - before[1]))
        # The process may have been looking whether clients changed: the least is what the answer cost.
        costs.add(min(seen))
    numbers = [number for number in numbers for _ in range(3)]
    assert {answer.status_code for answer in answers} == {400}
    assert told_apart_by_nothing(answers, numbers)
    assert len(costs) == 1, costs


async def test_guessing_is_slowed_and_the_holder_is_not_locked_out(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http(address="192.0.2.201") as thief, provider.http() as holder:
        statuses = [(await typed(thief, person.personal_number, new_code())).status_code for _ in range(7)]
        assert statuses == [400] * 5 + [429] * 2
        assert (await typed(thief, person.personal_number, handed.code)).status_code == 429
        assert (await use(holder, person, handed)).answer.status_code == 303


async def test_what_is_no_code_at_all_is_not_counted(provider: Provider) -> None:
    """A grandmother who misreads a letter is told, and not locked out: it tells nothing about any code."""
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    slip = handed.code[:-1] + ("2" if handed.code[-1] != "2" else "3")
    async with provider.http(address="192.0.2.202") as browser:
        for _ in range(9):
            answer = await typed(browser, person.personal_number, slip)
            assert answer.status_code == 400
            assert "gõ sai" in answer.text
        assert (await use(browser, person, handed)).answer.status_code == 303


async def test_whoever_opens_recoveries_in_bad_faith_keeps_the_holder_from_nothing(
    provider: Provider,
) -> None:
    person = await provider.add_person()
    sheet = await give_sheet(provider, person)
    ours = await recover_in_person(provider, person)
    async with provider.http(address="192.0.2.203") as thief, provider.http() as holder:
        stolen = await thief.post(
            "/recovery/code", data={"identifier": person.personal_number, "code": sheet[0]}
        )
        assert stolen.status_code == 200
        assert (await state_of(provider, ours)).stopped_at is None, "theirs goes on as it was"
        await wait(provider)
        await use(holder, person, ours)
    states = await provider.unit_of_work().activations.of_citizen(person.citizen_id)
    assert {each.stopped_because for each in states} == {None, StopReason.SUPERSEDED}


async def test_stopping_and_using_at_once_is_one_of_both_and_never_half(provider: Provider) -> None:
    for _ in range(3):
        person = await provider.add_person(has_totp=False)
        handed = await opened_recovery(provider, person)
        await wait(provider)
        stop = await stop_address(provider, person.citizen_id)
        async with provider.http() as thief, provider.http() as holder:
            address = (await typed(thief, person.personal_number, handed.code)).headers["location"]
            await asyncio.gather(chosen(thief, address), holder.post(stop, data={"x": "y"}))
        state = await state_of(provider, handed)
        is_used = state.status is ActivationStatus.USED
        assert (state.used_at is None) != (state.stopped_at is None)
        assert await lets_in(provider, person, CHOSEN if is_used else PASSWORD)
        kinds = {
            kept.notice.kind for kept in await provider.unit_of_work().notices.of_citizen(person.citizen_id)
        }
        assert (NoticeKind.RECOVERY_DONE in kinds) is is_used
        assert (NoticeKind.RECOVERY_STOPPED in kinds) is not is_used


async def test_whoever_is_locked_meanwhile_gets_no_further(provider: Provider) -> None:
    person = await provider.add_person()
    handed = await opened_recovery(provider, person)
    await wait(provider)
    async with provider.http() as browser:
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        await set_citizen_status(provider, person, CitizenStatus.LOCKED)
        assert (await chosen(browser, address)).headers["location"].endswith("?again=1")
        assert "Hiện chưa dùng được" in (await typed(browser, person.personal_number, handed.code)).text


async def test_no_other_site_types_a_code_chooses_a_password_or_presses_the_button(
    provider: Provider,
) -> None:
    """Login CSRF: nobody's browser is led into another's account."""
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    stop = await stop_address(provider, person.citizen_id)
    async with provider.http() as browser:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await typed(browser, person.personal_number, handed.code, **headers)).status_code == 403
            assert (await browser.post(stop, data={"x": "y"}, headers=headers)).status_code == 403
            sheet = {"identifier": person.personal_number, "code": "x"}
            assert (await browser.post("/recovery/code", data=sheet, headers=headers)).status_code == 403
        address = (await typed(browser, person.personal_number, handed.code)).headers["location"]
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            data = {"password": CHOSEN, "password_again": CHOSEN}
            assert (await browser.post(address, data=data, headers=headers)).status_code == 403
    assert (await state_of(provider, handed)).status is ActivationStatus.ISSUED


async def test_a_session_that_was_planted_before_is_not_the_one_that_begins(provider: Provider) -> None:
    """Session fixation: the cookie is new; whoever was signed in before in this browser is not any more."""
    planted = await provider.add_person(has_totp=False)
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    async with provider.http() as browser:
        await browser.post("/sign-in/my", data={"identifier": planted.personal_number, "password": PASSWORD})
        before = browser.cookies["lienket-session"]
        used = await use(browser, person, handed)
        assert used.answer.status_code == 303
        assert browser.cookies["lienket-session"] != before
    async with provider.http() as thief:
        thief.cookies.set("lienket-session", before)
        assert (await thief.get("/my/sessions")).status_code == 303


@pytest.mark.parametrize("ground", [Ground.RECOVERY_CODE, Ground.STRONG_SESSION])
async def test_p6_whatever_is_wrong_with_a_stop_token_the_answer_is_the_same(
    provider: Provider, ground: Ground
) -> None:
    person = await provider.add_person()
    handed = await opened_recovery(provider, person, ground)
    token = (await stop_address(provider, person.citizen_id)).rpartition("/")[2]
    pages = set()
    async with provider.http() as stranger:
        for wrong in (token[:-1], token + "A", token.swapcase(), "x", "x" * 900, "a%00b", "%C3%A9"):
            for answer in (
                await stranger.get(f"/recovery/stop/{wrong}"),
                await stranger.post(f"/recovery/stop/{wrong}", data={"x": "y"}),
            ):
                assert answer.status_code == 404, wrong
                pages.add(answer.text.replace(Html(answer.text).ids["error-reference"], ""))
    assert len(pages) == 1
    assert (await state_of(provider, handed)).status is ActivationStatus.ISSUED


async def test_nothing_that_is_typed_breaks_a_page(provider: Provider) -> None:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    weird = ["\x00", "🙂" * 60, "%", "'; DROP TABLE activations; --", "\u202e", "A" * 5000, handed.code[::-1]]
    async with provider.http(address="192.0.2.204") as browser:
        for text in weird:
            for data in ({"identifier": text, "code": handed.code}, {"identifier": "1", "code": text}, {}):
                for path in ("/activate", "/recovery/code"):
                    assert (await browser.post(path, data=data or {"x": "y"})).status_code in {400, 429}, text
        address = (await typed(provider.http(), person.personal_number, handed.code)).headers["location"]
        for path in (address, f"{ISSUER}/activate/my/{'x' * 900}", f"{ISSUER}/activate/my/a%00b"):
            assert (await browser.get(path)).status_code in {303, 404}
        for path in ("/activate/nobody", "/recovery/at/nobody", "/activate/my.x/y"):
            assert (await browser.get(path)).status_code in {303, 400, 403, 404}
    assert make_activation_code(lambda letters: letters[0])


async def test_a_code_beside_the_password_stops_no_recovery_of_its_holder(provider: Provider) -> None:
    """One operator could end, without a word, what the holder waits for; a code given out before ends."""
    person = await provider.add_person(has_totp=False)
    recovery = await opened_recovery(provider, person)
    first = await issue(provider, person, Purpose.ADDITION)
    await issue(provider, person, Purpose.ADDITION)
    assert (await state_of(provider, recovery)).status is ActivationStatus.ISSUED
    assert (await state_of(provider, first)).stopped_because is StopReason.SUPERSEDED
