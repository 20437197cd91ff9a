"""A minor asks, a guardian answers, a link is made or not; on both engines. R10."""

import json

import jwt
import pytest

from idp.identity.account_links import Status
from idp.identity.guardian_requests import ANSWER_WITHIN, APPROVAL_VALIDITY, MAX_WAITING
from idp.web.vetoes import Pressed, veto
from tests.support.families import (
    ADULT,
    AT_14,
    UNDER_14,
    Family,
    entrust,
    family,
    own_page,
    press,
    question_form,
    questions,
    walk,
)
from tests.support.html_forms import Html
from tests.support.platform import query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def test_under_14_nothing_is_asked_of_the_child_before_a_guardian_approved(provider: Provider) -> None:
    """The whole way: ask, back to the network, approved elsewhere, come back, agree, linked."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        address = await home.asks(phone, platform)
        uow = provider.unit_of_work()
        assert await uow.consents.of_citizen(home.child.citizen_id, 9) == []
        page = Html((await phone.get(address)).text)
        assert "Đã hỏi người giám hộ của bạn" in page.text
        form = page.forms["back-to-network"]
        told = query_of((await phone.post(form.action, data=form.fields)).headers["location"])
        assert told["error"] == "access_denied"
        assert "guardian" not in told["error_description"]
        assert (await home.answers(mothers)).status_code == 200
        tokens = await home.links(phone, platform)
    (consent,) = await uow.consents.of_citizen(home.child.citizen_id, 9)
    assert consent.decision == "allow", "the child decides, too"
    link = await uow.account_links.find(tokens["authorization_details"][0]["link_id"])
    assert link is not None
    assert (link.status, link.guardianship_id) == (Status.ACTIVE, home.guardianship_id)
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["account_link"]["guardian_consented"] is True


async def test_at_14_the_young_person_agrees_first_and_is_not_asked_twice(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider, born=AT_14)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        uow = provider.unit_of_work()
        (consent,) = await uow.consents.of_citizen(home.child.citizen_id, 9)
        (address,) = await questions(provider, mothers, home.guardian)
        page = await own_page(provider, mothers, home.guardian, address)
        assert "đã đồng ý; có bạn đồng ý mới xong" in page.text
        await press(mothers, Html(page.text).forms["child-question"], "approve")
        silent = await phone.get("/authorize", params=platform.request(home.account_id))
        code = query_of(silent.headers["location"])["code"]
        tokens = (await platform.redeem(phone, code)).json()
    assert await uow.consents.of_citizen(home.child.citizen_id, 9) == [consent]
    link = await uow.account_links.find(tokens["authorization_details"][0]["link_id"])
    assert link is not None
    assert link.guardianship_id == home.guardianship_id


async def test_from_16_on_nobody_else_is_asked(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider, born="2010-11-01")
    async with provider.http() as phone:
        tokens = await home.links(phone, platform)
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert "guardian_consented" not in claims["account_link"]


async def test_the_guardian_sees_child_network_account_and_level_and_no_more(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    claims = {"userinfo": {"name": {"essential": True}, "birthdate": None, "age_over_14": None}}
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform, claims=json.dumps(claims))
        listed = await own_page(provider, mothers, home.guardian, "/my/children")
        (address,) = await questions(provider, mothers, home.guardian)
        page = await own_page(provider, mothers, home.guardian, address)
        for said in ("Trần Bảo An (giả lập)", "Quán Cóc", f"{platform.client.client_id}.example", "@lan"):
            assert said in listed.text, said
            assert said in page.text, said
        assert home.account_id in page.text
        form = Html(page.text).forms["child-question"]
        assert form.buttons == [("decision", "refuse"), ("decision", "approve")], "of equal weight"
        assert "Họ và tên" in page.text, "what the network calls essential"
        assert UNDER_14 not in page.text
        assert "04/03/2015" not in page.text, "names of items, never values"
        assert page.headers["cache-control"] == "no-store"
        english = await mothers.get(address, params={"lang": "en"})
        assert "May " in english.text
        await press(mothers, form, "approve")
        asked = await phone.get(
            "/authorize", params=platform.request(home.account_id, claims=json.dumps(claims))
        )
        while "/consent/" not in asked.headers["location"]:
            asked = await phone.get(asked.headers["location"])
        consent = Html((await phone.get(asked.headers["location"])).text)
        assert consent.forms["consent"].checkboxes == {}, "a child is offered no choices of this kind"
        assert "Trần Bảo An (giả lập)" in consent.text


async def test_a_refusal_ends_it_and_may_be_repeated_a_week_later(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        address = await home.asks(phone, platform)
        done = await home.answers(mothers, "refuse")
        assert "Xong: không có gì được chuyển đi" in done.text
        page = Html((await phone.get(address)).text)
        assert "Người giám hộ của bạn không đồng ý" in page.text
        assert "ask-guardian" not in page.forms
        form = Html((await phone.get(address)).text).forms["back-to-network"]
        assert (await phone.post(f"{ISSUER}{address.removeprefix(ISSUER)}", data=form.fields)).headers[
            "location"
        ] == address
        assert await questions(provider, mothers, home.guardian) == []
        provider.clock.advance(seconds=int(ANSWER_WITHIN.total_seconds()))
        await home.asks(phone, platform)
        assert len(await questions(provider, mothers, home.guardian)) == 1


async def test_a_child_without_a_known_guardian_is_told_the_ways(provider: Provider) -> None:
    """No self-assertion: there is nothing to press, and pressing it all the same asks nobody."""
    platform = await new_platform(provider)
    child = await provider.add_person(birthdate=UNDER_14, has_totp=False)
    alone = Family(provider, child, child, "none")
    async with provider.http() as phone:
        address = await alone.arrives(phone, platform)
        page = Html((await phone.get(address)).text)
        assert "ask-guardian" not in page.forms
        assert "giấy khai sinh" in page.text
        assert (await phone.post(address)).headers["location"] == address
    assert (
        await provider.unit_of_work().guardian_requests.waiting_of(child.citizen_id, provider.clock.now) == 0
    )


async def test_what_nobody_answers_runs_out_and_can_be_asked_again(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        (address,) = await questions(provider, mothers, home.guardian)
        form = await question_form(provider, mothers, home.guardian, address)
        provider.clock.advance(seconds=int(ANSWER_WITHIN.total_seconds()))
        assert await questions(provider, mothers, home.guardian) == []
        late = await own_page(provider, mothers, home.guardian, address)
        assert (late.status_code, "error-reference" in Html(late.text).ids) == (400, True)
        assert (await press(mothers, form, "approve")).status_code in {400, 403}
        await home.asks(phone, platform)
        assert len(await questions(provider, mothers, home.guardian)) == 1


async def test_an_approval_is_good_for_thirty_days_and_one_link(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        provider.clock.advance(seconds=int(APPROVAL_VALIDITY.total_seconds()))
        await home.asks(phone, platform)
        await home.answers(mothers)
        provider.clock.advance(seconds=3600)
        tokens = await home.links(phone, platform)
        link_id = tokens["authorization_details"][0]["link_id"]
        links = f"/my/children/{home.guardianship_id}"
        await own_page(provider, mothers, home.guardian, links)
        form = Html((await mothers.get(f"{links}/links/{link_id}/end")).text).forms["end-link"]
        assert (await mothers.post(form.action, data=form.fields)).status_code == 200
        await home.arrives(phone, platform)


async def test_a_child_asks_so_many_things_at_once_and_no_more(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone:
        for place in range(MAX_WAITING):
            await home.asks(phone, platform, account_id=f"{home.account_id}-{place}")
        address = await home.arrives(phone, platform)
        page = Html((await phone.get(address)).text)
        assert "ask-guardian" not in page.forms
        await phone.post(address)
    waiting = await provider.unit_of_work().guardian_requests.waiting_of(
        home.child.citizen_id, provider.clock.now
    )
    assert waiting == MAX_WAITING


async def test_the_guardian_sees_and_ends_the_childs_links(provider: Provider) -> None:
    """And the child's history says who it was."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        tokens = await home.links(phone, platform)
        link_id = tokens["authorization_details"][0]["link_id"]
        start = await own_page(provider, mothers, home.guardian, "/my")
        assert f"{ISSUER}/my/children" in Html(start.text).links
        mine = await mothers.get("/my/accounts")
        assert link_id not in mine.text, "the child's link is the child's"
        children = await mothers.get("/my/children")
        (links,) = [link for link in Html(children.text).links if home.guardianship_id in link]
        page = await mothers.get(links)
        assert "@lan" in page.text
        form = Html((await mothers.get(f"{links}/links/{link_id}/end")).text).forms["end-link"]
        assert (await mothers.post(form.action, data={**form.fields, "csrf": "x"})).status_code == 403
        for _ in range(2):
            done = await mothers.post(form.action, data=form.fields)
            assert done.status_code == 200
        assert "Trần Bảo An" in done.text
        assert (await platform.refresh(phone, tokens["refresh_token"])).status_code == 400
        history = await own_page(provider, phone, home.child, f"/my/accounts/{link_id}")
        assert "do người giám hộ của bạn" in history.text
    link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    assert (link.status, link.ended_because) == (Status.ENDED, "ended_by_guardian")


async def test_a_link_that_the_child_disowned_is_no_guardians_to_free(provider: Provider) -> None:
    """Ended, its account could be linked anew before our staff have looked (P1)."""
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        tokens = await home.links(phone, platform)
        link_id = tokens["authorization_details"][0]["link_id"]
        links = f"/my/children/{home.guardianship_id}"
        form = Html((await mothers.get(f"{links}/links/{link_id}/end")).text).forms["end-link"]
        await veto(provider.context, Pressed(link_id), provider.clock.now)
        assert (await mothers.get(f"{links}/links/{link_id}/end")).status_code == 303
        assert (await mothers.post(form.action, data=form.fields)).status_code == 303
    link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    assert (link.status, link.suspended_because) == (Status.SUSPENDED, "not_me")


async def test_two_guardians_are_asked_and_the_first_answer_counts(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    father = await provider.add_person(name="Trần Văn Ba", birthdate=ADULT, has_totp=False)
    await entrust(provider, father, home.child, UNDER_14)
    async with provider.http() as phone, provider.http() as mothers, provider.http() as fathers:
        await home.asks(phone, platform)
        forms = [
            await question_form(
                provider, browser, guardian, (await questions(provider, browser, guardian))[0]
            )
            for browser, guardian in ((mothers, home.guardian), (fathers, father))
        ]
        assert (await press(mothers, forms[0], "refuse")).status_code == 200
        assert (await press(fathers, forms[1], "approve")).status_code == 400
        assert await questions(provider, fathers, father) == []
        address = await home.arrives(phone, platform)
        assert "không đồng ý" in (await phone.get(address)).text


async def test_children_and_their_links_come_in_pages(provider: Provider) -> None:
    home = await family(provider)
    for _ in range(21):
        await family(provider, guardian=home.guardian)
    async with provider.http() as mothers:
        first = Html((await own_page(provider, mothers, home.guardian, "/my/children")).text)
        (onward,) = [link for link in first.links if "after=" in link and "lang=" not in link]
        second = Html((await mothers.get(onward)).text)
    cards = [
        link for page in (first, second) for link in page.links if link.startswith(f"{ISSUER}/my/children/")
    ]
    assert len(set(cards)) == 22
    assert f"{ISSUER}/my/children" in second.links


async def test_a_link_that_lapsed_needs_a_guardian_again(provider: Provider) -> None:
    platform, home = await new_platform(provider, link_validity=1), await family(provider)
    async with provider.http() as phone, provider.http() as mothers:
        await home.asks(phone, platform)
        await home.answers(mothers)
        tokens = await home.links(phone, platform)
        link_id = tokens["authorization_details"][0]["link_id"]
        provider.clock.advance(days=1)
        await home.asks(phone, platform)
        await home.answers(mothers)
        again = await home.links(phone, platform)
    assert again["authorization_details"][0]["link_id"] == link_id


async def test_prompt_none_tells_nothing_of_guardians(provider: Provider) -> None:
    platform, home = await new_platform(provider), await family(provider)
    async with provider.http() as phone:
        await own_page(provider, phone, home.child, "/my/accounts")
        answer = await phone.get("/authorize", params=platform.request(home.account_id, prompt="none"))
    told = query_of(answer.headers["location"])
    assert told["error"] == "interaction_required"
    assert "guardian" not in told["error_description"]


async def test_a_clients_own_age_limit_holds_whatever_a_guardian_says(provider: Provider) -> None:
    platform, home = await new_platform(provider, min_age=16), await family(provider)
    async with provider.http() as phone:
        begun = await phone.get("/authorize", params=platform.request(home.account_id))
        assert "/refused/" in await walk(provider, phone, home.child, begun)
