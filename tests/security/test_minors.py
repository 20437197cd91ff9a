"""Case P10: a minor's account is linked with their own guardian's approval of just that account, or not."""

import asyncio
import json
from dataclasses import replace

import pytest

from idp.identity.citizens import CitizenStatus
from idp.identity.guardian_requests import Verdict
from idp.store.writes import GateClosedError
from tests.support.families import (
    ADULT,
    AT_14,
    UNDER_14,
    entrust,
    family,
    own_page,
    press,
    question_form,
    questions,
    walk,
)
from tests.support.html_forms import Html
from tests.support.platform import LINK, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform, set_citizen_status

pytestmark = pytest.mark.anyio


async def test_p10_nobody_answers_for_a_child_that_is_not_theirs(provider: Provider) -> None:
    """Abuse cases P6, 24: another's question, links and relation look exactly like none."""
    platform, home, others = await new_platform(provider), await family(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers, provider.http() as strangers:
        await home.asks(phone, platform)
        (address,) = await questions(provider, mothers, home.guardian)
        form = await question_form(provider, mothers, home.guardian, address)
        listed = await own_page(provider, strangers, others.guardian, "/my/children")
        csrf = Html(listed.text).forms["sign-out"].fields
        pages = set()
        relation = home.guardianship_id
        for path in (
            address.removeprefix(ISSUER),
            "/my/children/requests/unknown",
            f"/my/children/{relation}",
            "/my/children/unknown",
            f"/my/children/{relation}/links/unknown/end",
            f"/my/children/{others.guardianship_id}/links/unknown/end",
            f"/my/children/requests/{'x' * 500}",
            "/my/children/requests/a%00b",
            "/my/children/%C3%A9",
        ):
            answers = [await strangers.get(path)]
            if path.endswith("/end") or "/requests/" in path:
                answers.append(await strangers.post(path, data={**csrf, "decision": "approve"}))
            for answer in answers:
                assert answer.status_code == 404, path
                pages.add(answer.text.replace(Html(answer.text).ids["error-reference"], ""))
        assert len(pages) == 1
        assert (await strangers.post(form.action, data=form.fields)).status_code in {403, 404}
        assert len(await questions(provider, mothers, home.guardian)) == 1, "still open"


async def test_p10_a_child_answers_neither_for_themselves_nor_as_somebody_elses_guardian(
    provider: Provider,
) -> None:
    platform, home = await new_platform(provider), await family(provider)
    brother = await provider.add_person(name="Trần Văn Anh", birthdate="2009-02-03", has_totp=False)
    relation = await entrust(provider, brother, home.child, UNDER_14)
    async with provider.http() as phone, provider.http() as mothers, provider.http() as brothers:
        await home.asks(phone, platform)
        (address,) = await questions(provider, mothers, home.guardian)
        assert await questions(provider, brothers, brother) == [], "seventeen, whatever the register says"
        for path in (address, f"/my/children/{relation}"):
            assert (await own_page(provider, brothers, brother, path)).status_code == 404
        assert await questions(provider, phone, home.child) == []
        assert (await own_page(provider, phone, home.child, address)).status_code == 404


async def test_p10_a_question_asked_by_a_guardian_under_age_alone_reaches_nobody(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider, birthdate="2009-02-03")
    async with provider.http() as phone:
        address = await home.arrives(phone, platform)
        assert "ask-guardian" not in Html((await phone.get(address)).text).forms


async def test_p10_an_open_session_of_the_mothers_decides_nothing(provider: Provider) -> None:
    """The child sits at her phone ten minutes later: who decides is asked for the password again."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        (address,) = await questions(provider, mothers, home.guardian)
        form = await question_form(provider, mothers, home.guardian, address)
        provider.clock.advance(seconds=601)
        for answer in (await mothers.get(address), await press(mothers, form, "approve")):
            assert "/sign-in/children." in answer.headers["location"]
        assert (await mothers.get("/my/children")).status_code == 200, "looking is not deciding"
        assert (await home.answers(mothers)).status_code == 200, "after signing in again"


async def test_p10_another_site_and_another_session_cannot_press_the_button(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        (address,) = await questions(provider, mothers, home.guardian)
        form = await question_form(provider, mothers, home.guardian, address)
        good = {**form.fields, "decision": "approve"}
        for data, headers in (
            (good, {"Origin": "https://attacker.example"}),
            (good | {"csrf": "0" * 64}, {}),
            ({"decision": "approve"}, {}),
        ):
            answer = await mothers.post(form.action, data=data, headers=headers)
            assert answer.status_code == 403
        assert (await press(mothers, form, "maybe")).headers["location"] == address
        assert len(await questions(provider, mothers, home.guardian)) == 1


async def test_p10_an_approval_is_of_no_use_for_another_account_network_or_child(provider: Provider) -> None:
    platform, elsewhere = await new_platform(provider), await new_platform(provider)
    home = await family(provider)
    sister = await family(provider, guardian=home.guardian)
    async with provider.http() as phone, provider.http() as mothers, provider.http() as sisters:
        await home.asks(phone, platform)
        await home.answers(mothers)
        await home.arrives(phone, platform, account_id=f"{home.account_id}-2")
        await home.arrives(phone, elsewhere)
        await sister.arrives(sisters, platform, account_id=home.account_id)
        await home.links(phone, platform)


async def test_p10_an_approval_falls_with_the_guardian(provider: Provider) -> None:
    """The relation ended, or the guardian was locked, between the approval and the child's return."""
    platform = await new_platform(provider)
    for what in ("relation", "guardian"):
        home = await family(provider)
        async with provider.http() as phone, provider.http() as mothers:
            await home.asks(phone, platform)
            await home.answers(mothers)
            if what == "relation":
                uow = provider.unit_of_work()
                uow.guardianships.end(home.guardianship_id, provider.clock.now)
                await uow.commit()
            else:
                await set_citizen_status(provider, home.guardian, CitizenStatus.LOCKED)
            await home.arrives(phone, platform)


async def test_p10_an_ex_guardian_decides_and_ends_nothing(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        tokens = await home.links(phone, platform)
        link_id = tokens["authorization_details"][0]["link_id"]
        await home.asks(phone, platform, account_id=f"{home.account_id}-2")
        (address,) = await questions(provider, mothers, home.guardian)
        form = await question_form(provider, mothers, home.guardian, address)
        end = f"/my/children/{home.guardianship_id}/links/{link_id}/end"
        end_form = Html((await mothers.get(end)).text).forms["end-link"]
        uow = provider.unit_of_work()
        uow.guardianships.end(home.guardianship_id, provider.clock.now)
        await uow.commit()
        assert (await press(mothers, form, "approve")).status_code == 404
        assert (await mothers.post(end, data=end_form.fields)).status_code == 404
        tokens = (await platform.refresh(phone, tokens["refresh_token"])).json()
        assert "access_token" in tokens, "what was approved then stays"


async def test_p10_the_choke_point_asks_once_more_though_every_page_was_passed(provider: Provider) -> None:
    """The code was issued with an approval that fell, or was used, before it is redeemed."""
    platform = await new_platform(provider)
    for born in (UNDER_14, AT_14):
        home = await family(provider, born=born)
        async with provider.http() as phone, provider.http() as mothers:
            await home.asks(phone, platform)
            await home.answers(mothers)
            begun = await phone.get("/authorize", params=platform.request(home.account_id))
            code = query_of(await walk(provider, phone, home.child, begun))["code"]
            uow = provider.unit_of_work()
            uow.guardianships.end(home.guardianship_id, provider.clock.now)
            await uow.commit()
            answer = await platform.redeem(phone, code)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
            assert "guardian" not in answer.text
        links = await provider.unit_of_work().account_links.of_citizen(home.child.citizen_id, limit=9)
        assert links == []


async def test_p10_a_code_of_a_child_is_redeemed_for_one_link_though_asked_for_twice_at_once(
    provider: Provider,
) -> None:
    """Two journeys over one approval: it is used up by the first, atomically."""
    platform, home = await new_platform(provider), await family(provider, born=AT_14)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        codes = []
        for _ in range(2):
            begun = await phone.get("/authorize", params=platform.request(home.account_id))
            codes.append(query_of(await walk(provider, phone, home.child, begun))["code"])
        answers = await asyncio.gather(*(platform.redeem(phone, code) for code in codes))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


async def test_p10_two_guardians_at_the_same_moment_make_one_decision(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    father = await provider.add_person(name="Trần Văn Ba", birthdate=ADULT, has_totp=False)
    relation = await entrust(provider, father, home.child, UNDER_14)
    async with provider.http() as phone:
        await home.asks(phone, platform)
    now = provider.clock.now
    (asked,) = await provider.unit_of_work().guardian_requests.of_account(
        home.child.citizen_id, platform.client.client_id, home.account_id, now
    )

    async def decide(guardianship_id: str, verdict: Verdict) -> bool:
        uow = provider.unit_of_work()
        uow.guardian_requests.decide(asked.request_id, guardianship_id, verdict, now)
        try:
            await uow.commit()
        except GateClosedError:
            return False
        return True

    both = ((home.guardianship_id, Verdict.APPROVE), (relation, Verdict.REFUSE))
    won = await asyncio.gather(*(decide(*each) for each in both for _ in range(4)))
    assert sum(won) == 1


async def test_p10_a_child_who_goes_on_in_an_adults_session_links_the_adult_or_nobody(
    provider: Provider,
) -> None:
    """An approval is the child's: whoever else is signed in is asked for themselves."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        address = await home.asks(phone, platform)
        await home.answers(mothers)
        visit = address.rpartition("/")[2]
        form = {"identifier": home.guardian.personal_number, "password": home.guardian.password}
        await phone.post("/sign-in/my", data=form)
        onward = await phone.get(f"/authorize/{visit}")
        assert "/consent/" in onward.headers["location"], "she is asked herself"
        page = await phone.get(onward.headers["location"])
        assert home.account_id in page.text
        decided = await phone.post(onward.headers["location"], data={"decision": "deny"})
        answer = await phone.get(decided.headers["location"])
        assert query_of(answer.headers["location"])["error"] == "access_denied"
        asked = await provider.unit_of_work().guardian_requests.of_account(
            home.child.citizen_id, platform.client.client_id, home.account_id, provider.clock.now
        )
        assert [each.used_at for each in asked] == [None]


async def test_p10_the_page_before_which_a_child_stands_names_nobody(provider: Provider) -> None:
    """Neither who the guardians are nor how many: nobody reads that over a child's shoulder."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone:
        for address in (await home.arrives(phone, platform), await home.asks(phone, platform)):
            text = (await phone.get(address)).text
            assert "Trần Thị Mai" not in text
            assert home.guardianship_id not in text


async def test_p10_the_platform_learns_nothing_of_the_guardian(provider: Provider) -> None:
    """R10, P7: two children of one mother look like two strangers."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        tokens = await home.links(phone, platform)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        told = tokens["id_token"] + str(tokens) + (await phone.get("/userinfo", headers=bearer)).text
    link = await provider.unit_of_work().account_links.find(tokens["authorization_details"][0]["link_id"])
    assert link is not None
    assert replace(link, guardianship_id=None) != link
    for secret in (home.guardianship_id, home.guardian.citizen_id, "Trần Thị Mai"):
        assert secret not in told


async def test_p11_what_a_network_calls_an_account_is_text_before_a_guardian(provider: Provider) -> None:
    platform = await new_platform(provider, {"client_name": "<b>Quán</b> Cóc"})
    home = await family(provider)
    hostile = "<script>alert(1)</script>"
    details = json.dumps([LINK | {"account_id": home.account_id, "handle": hostile}])
    async with provider.http() as phone, provider.http() as mothers:
        address = await home.asks(phone, platform, authorization_details=details)
        listed = await own_page(provider, mothers, home.guardian, "/my/children")
        (question,) = await questions(provider, mothers, home.guardian)
        asked = await own_page(provider, mothers, home.guardian, question)
        answered = await home.answers(mothers)
        for page in (await phone.get(address), listed, asked, answered):
            assert "<script>" not in page.text
            assert "<b>" not in page.text
        assert hostile in Html(asked.text).text
