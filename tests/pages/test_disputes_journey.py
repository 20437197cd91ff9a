"""An account that another person has linked: claimed, its holder asked, and what comes of it. P3, P6."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from idp.audit.events import PROVIDER, Actor, ActorKind
from idp.housekeeping.disputes import decide_overdue
from idp.identity.account_links import Status, move
from idp.identity.cases import Case, CaseKind, CaseStatus
from idp.identity.disputes import ANSWER_WITHIN, Outcome
from idp.store.writes import GateClosedError
from idp.web.disputes import decide_dispute
from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio
ACCOUNT = "acc_sold"


async def linked(provider: Provider, http: httpx.AsyncClient) -> tuple[Platform, Person, str]:
    platform = await new_platform(provider)
    holder = await provider.add_person(name="Phạm Người Khác", has_totp=False)
    tokens = await platform.tokens_for(http, holder, ACCOUNT)
    return platform, holder, tokens["authorization_details"][0]["link_id"]


async def refused(platform: Platform, http: httpx.AsyncClient, person: Person) -> Html:
    """Go as a person as far as the page that says that the account is linked already."""
    response = await http.get("/authorize", params=platform.request(ACCOUNT))
    while "/refused/" not in response.headers["location"]:
        location = response.headers["location"]
        form = {"identifier": person.personal_number, "password": person.password}
        response = await (http.post(location, data=form) if "/sign-in/" in location else http.get(location))
    return Html((await http.get(response.headers["location"])).text)


async def claimed(
    provider: Provider, platform: Platform, http: httpx.AsyncClient, claimant: Person
) -> tuple[Html, Case]:
    action = (await refused(platform, http, claimant)).forms["dispute"].action
    page = Html((await http.post(action)).text)
    (case,) = await provider.unit_of_work().cases.of_citizen(claimant.citizen_id)
    return page, case


async def answered(http: httpx.AsyncClient, case: Case, button: str) -> Html:
    form = Html((await http.get(f"/my/cases/{case.reference}")).text).forms["answer"]
    assert ("answer", button) in form.buttons
    answer = await http.post(form.action, data=form.fields | {"answer": button})
    assert answer.status_code == 303
    return Html((await http.get(answer.headers["location"])).text)


async def status_of(provider: Provider, link_id: str) -> Status:
    link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    return link.status


async def told(provider: Provider, person: Person) -> list[str]:
    kept = await provider.unit_of_work().notices.of_citizen(person.citizen_id)
    return [each.notice.kind.value for each in kept]


async def test_a_holder_who_gave_the_account_up_frees_it_for_the_claimant(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, holder, link_id = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        page, case = await claimed(provider, platform, at_claimant, claimant)
        assert case.reference[:4] in page.text
        assert "Phạm" not in page.text
        assert "dispute_opened" in await told(provider, holder)
        listed = (await at_holder.get("/my/cases")).text
        assert case.reference[:4] in listed
        await answered(at_holder, case, "not_mine")
        assert await status_of(provider, link_id) is Status.ENDED
        for person in (holder, claimant):
            assert "dispute_decided" in await told(provider, person)
        again = await platform.tokens_for(at_claimant, claimant, ACCOUNT)
        assert again["authorization_details"][0]["account_id"] == ACCOUNT


async def test_claiming_twice_asks_once_and_each_sees_nothing_of_the_other(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant, provider.http() as at_third:
        platform, holder, _ = await linked(provider, at_holder)
        claimant = await provider.add_person(name="Trần Kẻ Đòi", has_totp=False)
        third = await provider.add_person(has_totp=False)
        _, case = await claimed(provider, platform, at_claimant, claimant)
        await claimed(provider, platform, at_claimant, claimant)
        assert (await told(provider, holder)).count("dispute_opened") == 1
        seen = (await at_holder.get(f"/my/cases/{case.reference}")).text
        assert "Trần" not in seen
        assert claimant.citizen_id not in seen
        own = (await at_claimant.get(f"/my/cases/{case.reference}")).text
        assert "Phạm" not in own
        assert "@lan" not in own, "the handle is what the holder's link says"
        await platform.tokens_for(at_third, third, "acc_third")
        assert (await at_third.get(f"/my/cases/{case.reference}")).status_code == 404
        assert (await at_third.get("/my/cases/ABCDEFGH")).status_code == 404


async def test_two_presses_at_once_are_one_claim(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, holder, _ = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        action = (await refused(platform, at_claimant, claimant)).forms["dispute"].action
        answers = await asyncio.gather(*(at_claimant.post(action) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await provider.unit_of_work().cases.of_citizen(claimant.citizen_id)) == 1
        assert (await told(provider, holder)).count("dispute_opened") == 1


async def test_a_holder_who_objects_keeps_the_link_until_staff_decide(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, _, link_id = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        _, case = await claimed(provider, platform, at_claimant, claimant)
        page = await answered(at_holder, case, "mine")
        assert "answer" not in page.forms
        provider.clock.advance(seconds=ANSWER_WITHIN.total_seconds() + 60)
        await decide_overdue(provider.unit_of_work(), provider.clock.now)
        assert await status_of(provider, link_id) is Status.ACTIVE
        uow = provider.unit_of_work()
        stands = await uow.cases.find(case.case_id)
        assert stands is not None
        await decide_dispute(uow, stands, Outcome.KEPT, Actor(ActorKind.OPERATOR, "nga"), provider.clock.now)
        assert await status_of(provider, link_id) is Status.ACTIVE
        action = (await refused(platform, at_claimant, claimant)).forms["dispute"].action
        assert (await at_claimant.post(action)).status_code == 403, "not again for three months"


async def test_silence_ends_the_link_when_the_time_is_over(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, _, link_id = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        _, case = await claimed(provider, platform, at_claimant, claimant)
        at = case.opened_at + ANSWER_WITHIN
        await decide_overdue(provider.unit_of_work(), at - timedelta(seconds=1))
        assert await status_of(provider, link_id) is Status.ACTIVE
        assert await decide_overdue(provider.unit_of_work(), at) >= 1
        assert await status_of(provider, link_id) is Status.ENDED
        decided = await provider.unit_of_work().cases.find(case.case_id)
        assert decided is not None
        assert (decided.status, decided.outcome) == (CaseStatus.CLOSED, Outcome.UNANSWERED)


async def test_a_claim_is_taken_back_and_a_stranger_answers_nothing(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, _, link_id = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        _, case = await claimed(provider, platform, at_claimant, claimant)
        form = Html((await at_claimant.get(f"/my/cases/{case.reference}")).text).forms["answer"]
        for button in ("not_mine", "mine", "nothing"):
            await at_claimant.post(form.action, data=form.fields | {"answer": button})
        assert (await at_claimant.post(form.action, data={"answer": "take_back"})).status_code == 403
        assert await status_of(provider, link_id) is Status.ACTIVE
        await answered(at_claimant, case, "take_back")
        decided = await provider.unit_of_work().cases.find(case.case_id)
        assert decided is not None
        assert decided.outcome == Outcome.WITHDRAWN


async def test_a_link_that_its_holder_ended_meanwhile_decides_nothing(provider: Provider) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, _, link_id = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        _, case = await claimed(provider, platform, at_claimant, claimant)
        uow = provider.unit_of_work()
        link = await uow.account_links.find(link_id)
        assert link is not None
        ended, event = move(link, Status.ENDED, PROVIDER, "tested", provider.clock.now)
        uow.account_links.move(link, ended, provider.clock.now)
        uow.ledger.append(event)
        await uow.commit()
        await answered(at_holder, case, "not_mine")
        decided = await provider.unit_of_work().cases.find(case.case_id)
        assert decided is not None
        assert decided.outcome == Outcome.VOID


async def test_a_decision_ends_the_link_though_somebody_changes_it_meanwhile(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provider.http() as at_holder, provider.http() as at_claimant:
        platform, _, link_id = await linked(provider, at_holder)
        claimant = await provider.add_person(has_totp=False)
        _, case = await claimed(provider, platform, at_claimant, claimant)
        uow, now = provider.unit_of_work(), provider.clock.now
        commit = uow.commit

        async def overtaken() -> None:
            monkeypatch.undo()
            other = provider.unit_of_work()
            link = await other.account_links.find(link_id)
            assert link is not None
            other.account_links.change(link, replace(link, handle="meanwhile"), None, now)
            await other.commit()
            await commit()

        monkeypatch.setattr(uow, "commit", overtaken)
        await decide_dispute(uow, case, Outcome.UNANSWERED, PROVIDER, now)
        assert await status_of(provider, link_id) is Status.ENDED
        with pytest.raises(GateClosedError, match="case_moved"):
            await decide_dispute(provider.unit_of_work(), case, Outcome.WITHDRAWN, PROVIDER, now)


async def test_only_a_taken_account_can_be_claimed(provider: Provider) -> None:
    """The address of the form, pressed out of turn, opens nothing."""
    async with provider.http() as http:
        platform = await new_platform(provider)
        person = await provider.add_person(has_totp=False)
        response: Any = await http.get("/authorize", params=platform.request("acc_free"))
        interaction = response.headers["location"].rsplit("/", 1)[1]
        answer = await http.post(f"/dispute/{interaction}")
        assert answer.headers["location"] == f"{ISSUER}/authorize/{interaction}"
        await go_on(provider, http, person, await http.get(answer.headers["location"]))
        found = await provider.unit_of_work().cases.of_citizen(person.citizen_id)
        assert [case for case in found if case.kind is CaseKind.DISPUTE] == []
