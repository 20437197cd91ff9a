"""What I agreed to and refused: each decision as it was made, its end, and nothing of anybody else. R7-R9."""

from datetime import timedelta

import httpx
import pytest

from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.people import linked
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform
from tests.support.stores import make_consent

pytestmark = pytest.mark.anyio


async def texts(http: httpx.AsyncClient, query: str = "") -> Html:
    answer = await http.get(f"/my/consents{query}")
    assert answer.status_code == 200
    return Html(answer.text)


async def test_a_decision_is_shown_with_its_words_and_ends_with_its_link(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as other:
        it = await linked(provider, http)
        page = await texts(http)
        for expected in ("Đã đồng ý", "bản 2026-11", "Tiếng Việt", it.platform.client.client_name):
            assert expected in page.text, expected
        client_id = it.platform.client.client_id
        (way,) = [link for link in page.links if "/my/accounts?network=" in link]
        assert way == f"{ISSUER}/my/accounts?network={client_id}"
        ends = Html((await http.get(way)).text).links
        assert f"{ISSUER}/my/accounts/{it.link_id}/end" in ends
        form = Html((await http.get(f"/my/accounts/{it.link_id}/end")).text).forms["end-link"]
        await http.post(form.action, data=form.fields)
        page = await texts(http)
        assert "Đã rút lại" in page.text
        assert not [link for link in page.links if "/my/accounts?network=" in link], "it is withdrawn"
        stranger = await provider.add_person(has_totp=False)
        await arrive(provider, other, stranger, "/my/consents")
        theirs = await texts(other, f"?network={client_id}")
        assert "bản 2026-11" not in theirs.text


async def test_what_links_nothing_is_withdrawn_by_itself(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    uow = provider.unit_of_work()
    consent = make_consent(
        consent_id=f"c-{person.citizen_id}",
        citizen_id=person.citizen_id,
        client_id=platform.client.client_id,
        decided_at=provider.clock.now - timedelta(days=3),
    )
    uow.consents.add(consent)
    await uow.commit()
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/consents")
        page = await texts(http)
        way = f"{ISSUER}/my/networks/{platform.client.client_id}/end"
        assert way in page.links
        assert "Địa chỉ thư điện tử" in page.text or "Không cho biết" in page.text, "what was not given"
        form = Html((await http.get(way)).text).forms["end-network"]
        await http.post(form.action, data=form.fields)
        assert way not in (await texts(http)).links


async def test_decisions_come_in_pages_each_once_and_by_network_and_state(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    networks = [await new_platform(provider) for _ in range(2)]
    uow = provider.unit_of_work()
    for number in range(25):
        uow.consents.add(
            make_consent(
                consent_id=f"{person.citizen_id[:8]}-{number:02d}",
                citizen_id=person.citizen_id,
                client_id=networks[number % 2].client.client_id,
                decision="deny" if number % 5 == 0 else "allow",
                text_version=f"v{number:02d}",
                decided_at=provider.clock.now - timedelta(days=number // 3),
            )
        )
    await uow.commit()
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/consents")

        async def all_of(query: str) -> list[str]:
            seen: list[str] = []
            address: str | None = f"/my/consents{query}"
            while address:
                answer = await http.get(address)
                assert int(answer.headers["content-length"]) < 30_000
                page = Html(answer.text)
                seen += [
                    word
                    for word in page.text.replace(",", " ").split()
                    if word[:1] == "v" and word[1:].isdigit()
                ]
                address = next(
                    (link for link in page.links if "before=" in link and "lang=" not in link), None
                )
            return seen

        everything = await all_of("")
        assert sorted(everything) == [f"v{number:02d}" for number in range(25)]
        assert sorted(await all_of("?state=refused")) == [f"v{number:02d}" for number in range(0, 25, 5)]
        named = networks[1].client.client_id
        assert sorted(await all_of(f"?network={named}&state=agreed")) == [
            f"v{number:02d}" for number in range(25) if number % 2 and number % 5
        ]
        for nonsense in ("state=x", "network=%00", "before=9.%FF", "before=x", "state=refused&state=agreed"):
            assert (await http.get(f"/my/consents?{nonsense}")).status_code == 200


async def test_nobody_sees_them_without_signing_in(provider: Provider) -> None:
    async with provider.http() as http:
        assert (await http.get("/my/consents")).headers["location"] == f"{ISSUER}/sign-in/consents"
