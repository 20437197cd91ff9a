"""The platform API, reading and following: all of a platform's links, the one of an account, every change."""

from datetime import UTC, datetime

import pytest

from idp.identity.account_links import Status
from tests.support.platform_api import PlatformAPI, new_platform_api, sequence_changes
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import move_link

pytestmark = pytest.mark.anyio


async def with_links(api: PlatformAPI, provider: Provider, count: int) -> list[str]:
    person = await provider.add_person()
    return [await api.linked(person, f"acc_{number}") for number in range(count)]


async def test_a_platform_lists_all_of_its_links_page_by_page(provider: Provider) -> None:
    """Every link once, never one that was not redeemed, never another platform's."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http, max_links_per_citizen=5)
        other = await new_platform_api(provider, http, max_links_per_citizen=5)
        links, foreign = await with_links(api, provider, 5), await with_links(other, provider, 1)
        async with provider.http() as browser:
            assert await api.platform.code_for(browser, await provider.add_person(), "acc_pending")
        api.tokens.clear()
        found, cursor, pages = [], None, 0
        while True:
            page = (await api.get(limit="2", **({"cursor": cursor} if cursor else {}))).json()
            found += [link["link_id"] for link in page["account_links"]]
            pages += 1
            if "cursor" not in page:
                break
            cursor = page["cursor"]
        assert (sorted(found), pages) == (sorted(links), 3)
        assert foreign[0] not in found
        refused = await other.get(cursor=str(cursor))
    assert (refused.status_code, refused.json()["type"]) == (400, f"{ISSUER}/problems/invalid_cursor")


async def test_links_are_found_by_how_they_count(provider: Provider) -> None:
    """One whose validity is over has lapsed, whether housekeeping was here or not."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http, max_links_per_citizen=5)
        lapsed = await api.linked(await provider.add_person(), "acc_old")
        provider.clock.advance(days=731)
        active, suspended, ended = await with_links(api, provider, 3)
        await move_link(provider, suspended, Status.SUSPENDED)
        await move_link(provider, ended, Status.ENDED)
        for status, expected in (
            ("active", active),
            ("suspended", suspended),
            ("ended", ended),
            ("lapsed", lapsed),
        ):
            links = (await api.get(status=status)).json()["account_links"]
            assert [(link["link_id"], link["status"]) for link in links] == [(expected, status)]


async def test_the_link_of_an_account_is_found_while_it_lives(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        other = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person(), "tài khoản 1")
        [found] = (await api.get(account_id="tài khoản 1")).json()["account_links"]
        assert found["link_id"] == link_id
        assert (await other.get(account_id="tài khoản 1")).json() == {"account_links": []}
        await move_link(provider, link_id, Status.ENDED)
        for account_id in ("tài khoản 1", "nobody", "x" * 300):
            assert (await api.get(account_id=account_id)).json() == {"account_links": []}


@pytest.mark.parametrize(
    "query",
    [
        "?accountid=x",
        "?account_id=",
        "?account_id=a&account_id=b",
        "?account_id=a&limit=5",
        "?limit=0",
        "?limit=201",
        "?limit=-1",
        "?limit=1e2",
        "?limit=%D9%A3",
        "?status=pending",
        "?status=x",
        "?cursor=x",
        "?cursor=" + "A" * 600,
        "?cursor=%00",
        "?cursor=é",
        "/changes?from=yesterday",
        "/changes?cursor=AAAA",
        "/changes?after=x",
        "/changes?limit=999",
    ],
)
async def test_a_query_that_would_be_misunderstood_is_refused(provider: Provider, query: str) -> None:
    """Abuse class 25 (Rauthy page_size=0): a filter that is misspelt must not return everything."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        path, _, parameters = query.partition("?")
        token = await api.token("account_links.read")
        url = f"{ISSUER}/account-links{path}"
        sent = {"Authorization": f"DPoP {token}", "DPoP": api.proof("GET", url, access_token=token)}
        answer = await http.get(f"{url}?{parameters}", headers=sent)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].startswith(f"{ISSUER}/problems/invalid_")


async def test_changes_come_in_order_and_none_twice(provider: Provider) -> None:
    """Rule R12: what became of a link, and never why."""
    async with provider.http() as http:
        api, other = await new_platform_api(provider, http), await new_platform_api(provider, http)
        empty = (await api.get("/changes")).json()
        assert (empty["changes"], empty["has_more"]) == ([], False)
        await other.linked(await provider.add_person())
        link_id = await api.linked(await provider.add_person())
        linked_at = int(provider.clock.now.timestamp())
        provider.clock.advance(seconds=5)
        await move_link(provider, link_id, Status.SUSPENDED)
        provider.clock.advance(seconds=5)
        await move_link(provider, link_id, Status.ACTIVE)
        assert (await api.get("/changes", cursor=empty["cursor"])).json()["changes"] == [], "no place yet"
        await sequence_changes(provider.unit_of_work())
        first = (await api.get("/changes", cursor=empty["cursor"], limit="2")).json()
        second = (await api.get("/changes", cursor=first["cursor"], limit="2")).json()
        assert (first["has_more"], second["has_more"]) == (True, False)
        changes = first["changes"] + second["changes"]
        assert [change["kind"] for change in changes] == ["established", "suspended", "reinstated"]
        assert [change["occurred_at"] - linked_at for change in changes] == [0, 5, 10]
        assert {change["link"]["status"] for change in changes} == {"active"}, "as it stands now"
        assert {change["link_id"] for change in changes} == {link_id}
        assert "test" not in str(changes), "the reason that the operator gave"
        again = (await api.get("/changes", cursor=second["cursor"])).json()
        assert again["changes"] == []
        assert again["cursor"] != second["cursor"], "the same place looks different every time"
        now = (await api.get("/changes", **{"from": "now"})).json()
        assert now["changes"] == []
        provider.clock.advance(seconds=1)
        await move_link(provider, link_id, Status.ENDED)
        await sequence_changes(provider.unit_of_work())
        for cursor in (now["cursor"], again["cursor"]):
            [ended] = (await api.get("/changes", cursor=cursor)).json()["changes"]
            assert ended["kind"] == ended["link"]["status"] == "ended"


async def test_a_cursor_tells_nothing_and_serves_nobody_else(provider: Provider) -> None:
    """Abuse case P7: no number of ours, not even how long it is; another client's or list's does not open."""
    async with provider.http() as http:
        api, other = await new_platform_api(provider, http), await new_platform_api(provider, http)
        early = (await api.get("/changes")).json()["cursor"]
        await api.linked(await provider.add_person())
        await sequence_changes(provider.unit_of_work())
        late = (await api.get("/changes")).json()["cursor"]
        assert len(early) == len(late)
        for client, path in ((other, "/changes"), (api, "")):
            answer = await client.get(path, cursor=late)
            assert (answer.status_code, answer.json()["detail"]) == (
                400,
                "the cursor is not one that this list gave you",
            )


async def test_the_times_are_those_of_the_link(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        link = (await api.get(f"/{link_id}")).json()
    assert datetime.fromtimestamp(link["linked_at"], UTC) == provider.clock.now.replace(microsecond=0)
