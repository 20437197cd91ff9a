"""The public mark: on when platform and person both want it; otherwise nobody learns why not. R21, P6."""

import json
import re
import secrets
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from idp.authenticators.throttling import MARK_LIMITS
from idp.identity.account_links import Status
from idp.identity.assurance import Proofing
from idp.pages.mark_badge import badge
from idp.protocol.model import ClientStatus
from tests.support.html_forms import Html
from tests.support.platform import LINK, Platform
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import change_client, move_link, new_platform

pytestmark = pytest.mark.anyio

NAME = "Nguyễn Thị Lan"


async def linked(
    provider: Provider,
    http: httpx.AsyncClient,
    platform: Platform,
    *,
    person: Person | None = None,
    **account: Any,
) -> str:
    """Link an account of a person; return the link's id."""
    person = person or await provider.add_person(name=NAME, has_totp=False)
    details = {
        name: value
        for name, value in (LINK | {"account_id": f"acc_{secrets.token_hex(4)}"} | account).items()
        if value is not None
    }
    tokens = await platform.tokens_for(http, person, authorization_details=json.dumps([details]))
    link_id: str = tokens["authorization_details"][0]["link_id"]
    return link_id


async def switch(http: httpx.AsyncClient, link_id: str, *, findable: bool) -> None:
    form = Html((await http.get(f"/my/accounts/{link_id}")).text).forms["mark-switch"]
    assert form.fields["findable"] == ("yes" if findable else "no")
    answer = await http.post(form.action, data=form.fields)
    assert answer.headers["location"] == f"{ISSUER}/my/accounts/{link_id}#mark"


async def mark_of(provider: Provider, link_id: str) -> str | None:
    link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    return link.mark_id


async def search(http: httpx.AsyncClient, platform: Platform, account: str) -> httpx.Response:
    return await http.post("/verify", data={"network": platform.client.client_id, "account": account})


def seen(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Everything that an answer tells."""
    return answer.status_code, answer.content, sorted(answer.headers.items())


@pytest.fixture
async def platform(provider: Provider) -> Platform:
    return await new_platform(provider, public_mark=True)


async def test_a_mark_is_off_until_its_person_turns_it_on_and_then_anybody_may_check(
    provider: Provider, platform: Platform
) -> None:
    async with provider.http() as http, provider.http() as stranger:
        link_id = await linked(provider, http, platform, handle="@lan.on")
        assert await mark_of(provider, link_id) is None
        assert (await search(stranger, platform, "@lan.on")).status_code == 404
        await switch(http, link_id, findable=True)
        mark_id = await mark_of(provider, link_id)
        found = await search(stranger, platform, "lan.on")
        assert (found.status_code, found.headers["location"]) == (303, f"{ISSUER}/verify/{mark_id}")
        page = await stranger.get(found.headers["location"], headers={"Accept-Language": "en"})
        assert page.status_code == 200
        text = Html(page.text).text
        for shown in ("@lan.on", "Quán Cóc", "Level 2", "verified in person", "linked to a verified person"):
            assert shown in text
        await switch(http, link_id, findable=False)
        assert (await stranger.get(f"/verify/{mark_id}")).status_code == 404
        await switch(http, link_id, findable=True)
        assert await mark_of(provider, link_id) not in {None, mark_id}
        assert (await stranger.get(f"/verify/{mark_id}")).status_code == 404, "an old address stays dead"


async def test_a_mark_tells_nothing_about_the_person(provider: Provider, platform: Platform) -> None:
    async with provider.http() as http, provider.http() as stranger:
        person = await provider.add_person(
            name=NAME, proofing=Proofing.VNF, has_totp=False, email="lan@nguyen.example"
        )
        link_id = await linked(provider, http, platform, person=person, handle="@lan.quiet")
        await switch(http, link_id, findable=True)
        mark_id = await mark_of(provider, link_id)
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        page = await stranger.get(f"/verify/{mark_id}", headers={"Accept-Language": "en"})
        badge_text = (await stranger.get(f"/verify/{mark_id}/badge.svg")).text
    for secret in (
        NAME,
        "lan@nguyen.example",
        person.personal_number,
        person.citizen_id,
        link_id,
        link.subject,
        link.account_id,
        "1990",
        "Foreign",
        "vnf",
    ):
        assert secret not in page.text + badge_text, secret
    assert "set-cookie" not in page.headers


async def test_whatever_is_not_to_be_seen_looks_the_same(provider: Provider, platform: Platform) -> None:
    """P6: unknown, not linked, not wanted, suspended, ended, and a network that shows no marks."""
    other = await new_platform(provider)
    async with provider.http() as http, provider.http() as stranger:
        nothing = seen(await stranger.get("/verify/nobody-has-this-mark"))
        hidden = await linked(provider, http, platform, handle="@lan.hidden")
        unwanted = await linked(provider, http, other, handle="@lan.elsewhere")
        assert "mark-switch" not in Html((await http.get(f"/my/accounts/{unwanted}")).text).forms
        answers = [
            await search(stranger, platform, "@lan.hidden"),
            await search(stranger, platform, "@nobody.at.all"),
            await search(stranger, platform, ""),
            await search(stranger, platform, "\u202e"),
            await search(stranger, other, "@lan.elsewhere"),
            await stranger.post("/verify", data={"network": "no-such-network", "account": "@lan.hidden"}),
            await stranger.post("/verify", data={"other": "x"}),
            await stranger.get("/verify/%00"),
            await stranger.get(f"/verify/{hidden}"),
        ]
        await switch(http, hidden, findable=True)
        mark_id = await mark_of(provider, hidden)
        await change_client(provider, platform.client.client_id, public_mark=False)
        answers += [await stranger.get(f"/verify/{mark_id}"), await search(stranger, platform, "@lan.hidden")]
        await change_client(
            provider, platform.client.client_id, public_mark=True, status=ClientStatus.SUSPENDED
        )
        answers.append(await stranger.get(f"/verify/{mark_id}"))
        await change_client(provider, platform.client.client_id, status=ClientStatus.ACTIVE)
        assert (await stranger.get(f"/verify/{mark_id}")).status_code == 200
        for status in (Status.SUSPENDED, Status.ENDED):
            await move_link(provider, hidden, status)
            answers += [
                await stranger.get(f"/verify/{mark_id}"),
                await search(stranger, platform, "@lan.hidden"),
            ]
            badges = [await stranger.get(f"/verify/{each}/badge.svg") for each in (mark_id, "nobody", "%00")]
            assert len({str(seen(each)) for each in badges}) == 1
            assert badges[0].status_code == 404
    assert [seen(answer) for answer in answers] == [nothing] * len(answers)
    assert nothing[0] == 404


async def test_where_two_accounts_have_the_name_neither_is_said_to_be_the_one(
    provider: Provider, platform: Platform
) -> None:
    """A handle passes on when an account is renamed; the network tells us, or forgets to."""
    async with provider.http() as http, provider.http() as stranger:
        person = await provider.add_person(has_totp=False)
        links = [await linked(provider, http, platform, person=person, handle="@lan.twice") for _ in range(2)]
        for link_id in links:
            await switch(http, link_id, findable=True)
        assert (await search(stranger, platform, "@lan.twice")).status_code == 404
        await switch(http, links[0], findable=False)
        assert (await search(stranger, platform, "@lan.twice")).status_code == 303


async def test_a_link_that_ended_does_not_stand_before_the_one_that_followed(
    provider: Provider, platform: Platform
) -> None:
    async with provider.http() as http, provider.http() as stranger:
        person = await provider.add_person(has_totp=False)
        for _ in range(2):
            link_id = await linked(provider, http, platform, person=person, handle="@lan.again")
            await switch(http, link_id, findable=True)
            found = await search(stranger, platform, "@lan.again")
            assert found.headers["location"] == f"{ISSUER}/verify/{await mark_of(provider, link_id)}"
            await move_link(provider, link_id, Status.ENDED)


async def test_an_account_is_found_by_the_address_of_its_profile(
    provider: Provider, platform: Platform
) -> None:
    host = f"{platform.client.client_id}.example"
    async with provider.http() as http, provider.http() as stranger:
        link_id = await linked(provider, http, platform, handle=None, profile_uri=f"https://{host}/@lan")
        await switch(http, link_id, findable=True)
        for typed in (f"https://{host}/@lan", f"{host}/@lan"):
            assert (await search(stranger, platform, typed)).status_code == 303
        assert (await search(stranger, platform, f"https://{host}/@la")).status_code == 404
        page = await stranger.get(f"/verify/{await mark_of(provider, link_id)}")
        assert f"{host}/@lan" in Html(page.text).text


async def test_only_the_holder_turns_it_on_and_only_from_our_page(
    provider: Provider, platform: Platform
) -> None:
    async with provider.http() as http, provider.http() as other:
        link_id = await linked(provider, http, platform, handle="@lan.mine")
        foreign = await linked(provider, other, platform, handle="@minh.mine")
        form = Html((await http.get(f"/my/accounts/{link_id}")).text).forms["mark-switch"]
        for data, headers in (
            ({"findable": "yes"}, {}),
            (form.fields | {"csrf": "0" * 64}, {}),
            (form.fields, {"Origin": "https://attacker.example"}),
        ):
            assert (await http.post(form.action, data=data, headers=headers)).status_code == 403
        stolen = await http.post(f"/my/accounts/{foreign}/mark", data=form.fields)
        assert stolen.status_code == 404
        assert (await provider.http().post(form.action, data=form.fields)).status_code == 303
        assert await mark_of(provider, link_id) is None
        assert await mark_of(provider, foreign) is None
        assert (await http.get(form.action)).status_code == 405


async def test_pressing_twice_changes_nothing_and_the_platform_learns_of_a_change(
    provider: Provider, platform: Platform
) -> None:
    async with provider.http() as http:
        link_id = await linked(provider, http, platform, handle="@lan.press")
        form = Html((await http.get(f"/my/accounts/{link_id}")).text).forms["mark-switch"]
        for _ in range(2):
            assert (await http.post(form.action, data=form.fields)).status_code == 303
        page = Html((await http.get(f"/my/accounts/{link_id}")).text)
    mark_id = await mark_of(provider, link_id)
    assert f"{ISSUER}/verify/{mark_id}" in page.links
    waiting = await provider.unit_of_work().link_changes.unsequenced(1000)
    kinds = [change.kind.value for change in waiting if change.link_id == link_id]
    assert kinds == ["established", "updated"]


@pytest.mark.parametrize(
    "change", [{"status": Status.SUSPENDED}, {"handle": None, "profile_uri": None}], ids=str
)
async def test_a_link_that_can_have_no_mark_is_not_given_one(
    provider: Provider, platform: Platform, change: dict[str, Any]
) -> None:
    async with provider.http() as http:
        link_id = await linked(provider, http, platform, handle="@lan.none")
        form = Html((await http.get(f"/my/accounts/{link_id}")).text).forms["mark-switch"]
        uow = provider.unit_of_work()
        link = await uow.account_links.find(link_id)
        assert link is not None
        if "status" in change:
            await move_link(provider, link_id, Status.SUSPENDED)
        else:
            uow.account_links.change(link, replace(link, **change), None, provider.clock.now)
            await uow.commit()
        assert (await http.post(form.action, data=form.fields)).status_code == 303
        assert await mark_of(provider, link_id) is None
        assert "mark-switch" not in Html((await http.get(f"/my/accounts/{link_id}")).text).forms


async def test_the_form_names_the_networks_that_show_marks_and_no_others(
    provider: Provider, platform: Platform
) -> None:
    silent = await new_platform(provider)
    async with provider.http() as stranger:
        page = await stranger.get("/verify")
    assert page.headers["x-robots-tag"] == "noindex"
    offered = re.findall(r'<option value="([^"]+)"', page.text)
    assert platform.client.client_id in offered
    assert silent.client.client_id not in offered


async def test_looking_is_limited_by_source(provider: Provider, platform: Platform) -> None:
    async with provider.http(address="198.51.100.77") as stranger:
        key = provider.context.custody.data.lookup("marks_of_source", "198.51.100.77")
        for _ in range(MARK_LIMITS.free):
            uow = provider.unit_of_work()
            uow.attempts.count(key, MARK_LIMITS, provider.clock.now)
            await uow.commit()
        answer = await search(stranger, platform, "@anybody")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert '"@anybody"' in answer.text
        form = await stranger.get("/verify")
    assert form.status_code == 200


class TestBadge:
    async def test_a_page_of_another_origin_may_show_it_for_a_minute(
        self, provider: Provider, platform: Platform
    ) -> None:
        async with provider.http() as http, provider.http() as stranger:
            link_id = await linked(provider, http, platform, handle="@lan.badge")
            await switch(http, link_id, findable=True)
            answer = await stranger.get(f"/verify/{await mark_of(provider, link_id)}/badge.svg")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["cache-control"] == "public, max-age=60"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert "set-cookie" not in answer.headers
        assert "Mức 2" in answer.text

    @pytest.mark.parametrize("proofing", Proofing)
    def test_it_is_a_picture_and_nothing_that_runs_or_loads(self, proofing: Proofing) -> None:
        for locale in ("vi", "en"):
            drawn = ET.fromstring(badge(proofing, locale))
            assert {element.tag.rpartition("}")[2] for element in drawn.iter()} == {
                "svg",
                "title",
                "rect",
                "path",
                "text",
            }
            names = {name for element in drawn.iter() for name in element.attrib}
            assert not [name for name in names if name.startswith("on") or "href" in name or name == "style"]
        assert badge(Proofing.VNF, "vi") == badge(Proofing.VN2, "vi")
