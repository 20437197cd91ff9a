import secrets
from dataclasses import replace
from typing import Any

import httpx
import pytest

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Acr, Proofing
from tests.support.html_forms import Html
from tests.support.platform import Platform, query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def linked(
    provider: Provider, http: httpx.AsyncClient, **person: Any
) -> tuple[Platform, Person, str, Any]:
    """A platform, a person without second factor, their link's id and the platform's tokens."""
    platform, citizen = await new_platform(provider), await provider.add_person(has_totp=False, **person)
    tokens = await platform.tokens_for(http, citizen)
    return platform, citizen, tokens["authorization_details"][0]["link_id"], tokens


async def test_signing_in_comes_first_and_leads_on(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        for path in ("/my/accounts", "/my/accounts/x", "/my/accounts/x/end"):
            assert (await http.get(path)).headers["location"] == f"{ISSUER}/sign-in/accounts"
        assert (await http.get("/")).headers["location"] == f"{ISSUER}/my"
        assert (await http.get("/my")).headers["location"] == f"{ISSUER}/sign-in/my"
        form = Html((await http.get("/sign-in/my")).text).forms["sign-in"]
        answer = await http.post(
            form.action, data={"identifier": person.personal_number, "password": person.password}
        )
        second = await http.get(answer.headers["location"])
        assert second.headers["location"] == f"{ISSUER}/second-factor/my", "the strongest they can reach"
        provider.clock.advance(seconds=30)
        code = person.code(provider.clock.now)
        answer = await http.post(second.headers["location"], data={"code": code})
        page = await http.get(answer.headers["location"])
        assert page.status_code == 200


async def test_every_link_is_shown_and_ends_in_two_clicks_at_once(provider: Provider) -> None:
    """Rules R8, R9: tokens, consent and list follow in the same moment; pressing twice changes nothing."""
    async with provider.http() as http:
        platform, _, link_id, tokens = await linked(provider, http)
        cards = await http.get("/my/accounts")
        assert "Quán Cóc" in cards.text
        assert "@lan" in cards.text
        detail = await http.get(f"/my/accounts/{link_id}")
        assert "acc_lan_1" in detail.text
        assert f"{ISSUER}/my/accounts/{link_id}/end" in Html(cards.text).links
        form = Html((await http.get(f"/my/accounts/{link_id}/end")).text).forms["end-link"]
        for csrf in ({"x": "y"}, {"csrf": ""}, {"csrf": "0" * 64}):
            assert (await http.post(form.action, data=csrf)).status_code == 403
        foreign = await http.post(
            form.action, data=form.fields, headers={"Origin": "https://attacker.example"}
        )
        assert foreign.status_code == 403
        assert (await http.get(form.action)).status_code == 200, "nothing has ended yet"
        for _ in range(2):
            assert (await http.post(form.action, data=form.fields)).status_code == 200
        assert (await platform.refresh(http, tokens["refresh_token"])).json()["error"] == "invalid_grant"
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).status_code == 401
        silent = await http.get("/authorize", params=platform.request(None, prompt="none"))
        assert query_of(silent.headers["location"])["error"] == "consent_required"
        gone = await http.get(f"/my/accounts/{link_id}/end")
        assert gone.headers["location"] == f"{ISSUER}/my/accounts/{link_id}"
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        assert link.status is Status.ENDED


async def test_ending_one_of_two_links_leaves_the_other_alone(provider: Provider) -> None:
    """Rule R8: the consent answers for the other account still; with the last link it goes."""
    async with provider.http() as http:
        platform, person, link_id, tokens = await linked(provider, http)
        provider.clock.advance(seconds=1)
        others = await platform.tokens_for(http, person, "acc_lan_2")
        other_id = others["authorization_details"][0]["link_id"]
        form = Html((await http.get(f"/my/accounts/{link_id}/end")).text).forms["end-link"]
        assert (await http.post(form.action, data=form.fields)).status_code == 200
        assert (await platform.refresh(http, tokens["refresh_token"])).status_code == 400
        others = (await platform.refresh(http, others["refresh_token"])).json()
        bearer = {"Authorization": f"Bearer {others['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).status_code == 200
        assert "code" in query_of(
            (await http.get("/authorize", params=platform.request(None))).headers["location"]
        )
        signed_in = await platform.tokens_for(http, person, None)
        form = Html((await http.get(f"/my/accounts/{other_id}/end")).text).forms["end-link"]
        assert (await http.post(form.action, data=form.fields)).status_code == 200
        assert (await http.get("/userinfo", headers=bearer)).status_code == 401
        assert (await platform.refresh(http, signed_in["refresh_token"])).status_code == 400


async def test_another_persons_link_looks_exactly_like_none(provider: Provider) -> None:
    """Abuse class 24: same status, same page but for the reference, for reading and for ending."""
    async with provider.http() as owner, provider.http() as http:
        _, _, link_id, _ = await linked(provider, owner)
        await linked(provider, http)
        own = Html((await http.get("/my/accounts")).text).forms["sign-out"].fields
        pages = set()
        for found in (link_id, "no-such-link", "x" * 500, "a%00b", "%C3%A9"):
            for path in (f"/my/accounts/{found}", f"/my/accounts/{found}/end"):
                answers = [await http.get(path)]
                if path.endswith("/end"):
                    answers.append(await http.post(path, data=own))
                for answer in answers:
                    assert answer.status_code == 404, path
                    reference = Html(answer.text).ids["error-reference"]
                    pages.add(answer.text.replace(reference, ""))
        assert len(pages) == 1
        still = await provider.unit_of_work().account_links.find(link_id)
        assert still is not None
        assert still.status is Status.ACTIVE


def many_links(platform: Platform, person: Person, count: int) -> list[AccountLink]:
    now = platform.provider.clock.now
    link = AccountLink(
        link_id="",
        client_id=platform.client.client_id,
        account_id="",
        citizen_id=person.citizen_id,
        subject="s",
        status=Status.ENDED,
        proofing=Proofing.VN2,
        acr=Acr.VN_1,
        requested_at=now,
        linked_at=now,
        ended_at=now,
    )
    return [
        replace(link, link_id=secrets.token_urlsafe(16), account_id=f"acc_{number}")
        for number in range(count)
    ]


async def test_a_long_list_comes_in_pages_and_every_link_once(provider: Provider) -> None:
    async with provider.http() as http:
        platform, person, _, _ = await linked(provider, http)
        uow = provider.unit_of_work()
        for link in many_links(platform, person, 44):
            uow.account_links.add(link, provider.clock.now)
        await uow.commit()
        seen: list[str] = []
        address: str | None = "/my/accounts"
        pages = 0
        while address:
            page = Html((await http.get(address)).text)
            pages += 1
            details = {link for link in page.links if "/my/accounts/" in link and not link.endswith("/end")}
            seen += sorted(details)
            address = next((link for link in page.links if "after=" in link and "lang=" not in link), None)
        assert (pages, len(seen), len(set(seen))) == (3, 45, 45)


async def test_a_long_history_comes_in_pages_and_every_step_once(provider: Provider) -> None:
    """Also where many steps were recorded in one microsecond, as those of one transaction are."""
    async with provider.http() as http:
        platform, person, link_id, _ = await linked(provider, http)
        address = f"/my/accounts/{link_id}"
        begun = (await http.get(address)).text.count("<li><span>")
        step = Event(
            "account_link:looked_up",
            Actor(ActorKind.OPERATOR, "minh"),
            provider.clock.now,
            client_id=platform.client.client_id,
            citizen_id=person.citizen_id,
            link_id=link_id,
        )
        uow = provider.unit_of_work()
        uow.ledger.append_many([step] * 70)
        await uow.commit()
        shown: list[int] = []
        older: str | None = address
        while older:
            page = (await http.get(older)).text
            shown.append(page.count("<li><span>"))
            older = next(
                (link for link in Html(page).links if "before=" in link and "lang=" not in link), None
            )
        assert shown == [30, 30, 10 + begun]


@pytest.mark.parametrize(
    "query", ["after=%00", "after=%FF", "after=" + "x" * 900, "after='--", "after=&after="]
)
async def test_a_page_that_does_not_exist_is_no_trouble(provider: Provider, query: str) -> None:
    async with provider.http() as http:
        _, _, link_id, _ = await linked(provider, http)
        assert (await http.get(f"/my/accounts?{query}")).status_code == 200
        before = query.replace("after", "before")
        assert (await http.get(f"/my/accounts/{link_id}?{before}")).status_code == 200
        assert (await http.get(f"/my/accounts/{link_id}?before={'9' * 17}")).status_code == 200
        assert (await http.get(f"/my/accounts/{link_id}?before={'9' * 40}")).status_code == 200
        assert (await http.get(f"/my/accounts/{link_id}?{before}&before=9.%00")).status_code == 200


async def test_nobody_else_reads_over_the_shoulder(provider: Provider) -> None:
    """No cache, no frame, no third party; the session's public id and the cookie stay out of the page."""
    async with provider.http() as http:
        await linked(provider, http)
        page = await http.get("/my/accounts")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["content-security-policy"].endswith("form-action 'self'")
        assert http.cookies["lienket-session"] not in page.text
        assert int(page.headers["content-length"]) < 30_000
