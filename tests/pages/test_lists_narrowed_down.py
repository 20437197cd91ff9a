"""Lists of a person, narrowed down by their forms: what is chosen is shown, and nobody else's. R9."""

from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.account_links import Status
from idp.identity.notices import Notice, NoticeKind
from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.people import Linked, linked
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import move_link, new_platform

pytestmark = pytest.mark.anyio


async def linked_twice(provider: Provider, http: httpx.AsyncClient) -> tuple[Linked, str, str]:
    """Give a person with an active link at one network and an ended one at another."""
    it = await linked(provider, http)
    other = await new_platform(provider)
    tokens = await other.tokens_for(http, it.person)
    link_id = tokens["authorization_details"][0]["link_id"]
    await move_link(provider, link_id, Status.ENDED)
    return it, other.client.client_id, link_id


async def links_in(http: httpx.AsyncClient, **asked: str) -> set[str]:
    page = await http.get(f"/my/accounts?{urlencode(asked)}")
    assert page.status_code == 200
    begin = f"{ISSUER}/my/accounts/"
    return {
        link.removeprefix(begin).partition("/")[0] for link in Html(page.text).links if link.startswith(begin)
    }


async def test_links_by_network_and_state(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as strangers:
        it, other_id, ended_id = await linked_twice(provider, http)
        here = it.platform.client.client_id
        assert await links_in(http) == {it.link_id, ended_id}
        assert await links_in(http, state="active") == {it.link_id}
        assert await links_in(http, state="ended") == {ended_id}
        assert await links_in(http, state="pending") == {it.link_id, ended_id}, "no state to look for"
        assert await links_in(http, network=here) == {it.link_id}
        assert await links_in(http, network=other_id, state="active") == set()
        stranger = await provider.add_person(has_totp=False)
        await arrive(provider, strangers, stranger, "/my/accounts")
        assert await links_in(strangers, network=here) == set()
        form = Html((await http.get("/my/accounts")).text)
        assert "Chỉ xem một phần" in form.text
        page = (await http.get(f"/my/accounts?network={here}&state=active")).text
        assert f'<option value="{here}" selected>' in page
        assert '<option value="active" selected>' in page


async def test_sessions_by_network(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as elsewhere:
        it, other_id, _ = await linked_twice(provider, http)
        await arrive(provider, elsewhere, it.person, "/my/sessions")
        assert (await http.get("/my/sessions")).text.count('class="end-session"') == 2
        assert (await http.get(f"/my/sessions?network={other_id}")).text.count('class="end-session"') == 1
        there = await elsewhere.get(f"/my/sessions?network={other_id}")
        assert there.text.count('class="end-session"') == 1, "this browser used no network"
        assert "Trình duyệt này" not in there.text
        assert (await http.get("/my/sessions?network=nobody")).text.count('class="end-session"') == 0


async def test_notices_by_topic_network_and_time(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        person, now = it.person.citizen_id, provider.clock.now
        uow = provider.unit_of_work()
        for kind, client_id, days in (
            (NoticeKind.FREEZE_ON, None, 1),
            (NoticeKind.LINK_ENDED, it.platform.client.client_id, 20),
            (NoticeKind.CORRECTION_ASKED, None, 300),
        ):
            uow.notices.tell(Notice(kind, person, client_id), now - timedelta(days=days))
        await uow.commit()

        async def count(**asked: str) -> int:
            return (await http.get(f"/my/notices?{urlencode(asked)}")).text.count("<li><strong>")

        assert await count() == 3
        assert await count(kind="security") == 1
        assert await count(kind="links") == 1
        assert await count(kind="cases", period="year") == 1
        assert await count(kind="cases", period="month") == 0
        assert await count(period="week") == 1
        assert await count(period="earlier") == 0
        assert await count(network=it.platform.client.client_id) == 1
        assert await count(kind="x", period="x", network="\0") == 3


async def test_events_by_time_are_all_there_between_now_and_earlier(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    actor, now, uow = Actor(ActorKind.OPERATOR, "minh"), provider.clock.now, provider.unit_of_work()
    for days in (2, 20, 200, 364, 366, 900):
        at = now - timedelta(days=days)
        uow.ledger.append(Event("citizen:looked_up", actor, at, citizen_id=person.citizen_id))
    await uow.commit()
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/activity")
        for period, expected in (("week", 1), ("month", 2), ("year", 4), ("earlier", 2), ("", 6)):
            page = await http.get(f"/my/activity?kind=looks&period={period}")
            entries = [link for link in Html(page.text).links if "/my/activity/" in link]
            assert len(entries) == expected, period
