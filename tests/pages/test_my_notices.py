"""The person's own list of what they were told, and how they want to be told."""

import httpx
import pytest

from idp.identity.notices import Channel, Notice, NoticeKind, NoticePreferences, UILocale
from tests.support.html_forms import Html
from tests.support.people import Linked, linked, told
from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio


async def save(http: httpx.AsyncClient, channels: list[str], locale: str = "vi") -> httpx.Response:
    form = Html((await http.get("/my/notice-ways")).text).forms["notice-ways"]
    return await http.post(form.action, data=form.fields | {"channel": channels, "ui_locale": locale})


async def preferences(it: Linked) -> NoticePreferences:
    return await it.platform.provider.unit_of_work().notices.preferences(it.person.citizen_id)


async def test_everything_is_kept_and_leads_to_what_it_tells_of(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        await told(provider)
        page = Html((await http.get("/my/notices")).text)
        assert f"{ISSUER}/my/accounts/{it.link_id}" in page.links
        assert f"{ISSUER}/my/notices" in (await http.get("/my/accounts")).text


async def test_ways_and_language_are_chosen_and_the_ways_of_before_are_told(provider: Provider) -> None:
    """Whoever is about to act in another's name would silence them first."""
    async with provider.http() as http:
        it = await linked(provider, http)
        answer = await save(http, ["sms"], "en")
        assert answer.headers["location"] == f"{ISSUER}/my/notice-ways?saved=1"
        assert await preferences(it) == NoticePreferences(frozenset({Channel.SMS}), UILocale.EN)
        await save(http, ["sms"], "en")
        kept = await provider.unit_of_work().notices.of_citizen(it.person.citizen_id)
        changed = [each for each in kept if each.notice.kind is NoticeKind.PREFERENCES_CHANGED]
        assert len(changed) == 1, "the same choice again is no news"
        delivery = await provider.unit_of_work().outbox.find(f"citizen_notice:{changed[0].notice_id}")
        assert delivery is not None
        assert delivery.content["channels"] == sorted(Channel)


async def test_nonsense_is_no_choice(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        await save(http, ["pigeon", "email"], "xx")
        assert await preferences(it) == NoticePreferences(frozenset({Channel.EMAIL}), UILocale.VI)
        for query in ("before=%00", "before=9.x", f"before={'9' * 17}.a", f"before={'9' * 40}", "before="):
            assert (await http.get(f"/my/notices?{query}")).status_code == 200


async def test_another_site_changes_nothing(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        form = Html((await http.get("/my/notice-ways")).text).forms["notice-ways"]
        fields = form.fields | {"channel": "sms"}
        foreign = {"Origin": "https://evil.example"}
        assert (await http.post(form.action, data=fields, headers=foreign)).status_code == 403
        assert (await http.post(form.action, data=fields | {"csrf": "x"})).status_code == 403
        assert await preferences(it) == NoticePreferences()


async def test_a_long_list_comes_in_pages_and_nobody_sees_anothers(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as other:
        it, theirs = await linked(provider, http), await linked(provider, other)
        uow = provider.unit_of_work()
        for _ in range(45):
            uow.notices.tell(Notice(NoticeKind.FREEZE_ON, it.person.citizen_id), provider.clock.now)
        await uow.commit()
        counts = []
        address: str | None = "/my/notices"
        while address:
            page = (await http.get(address)).text
            counts.append(page.count("<li><strong>"))
            address = next(
                (link for link in Html(page).links if "before=" in link and "lang=" not in link), None
            )
        assert sum(counts) == 45
        assert counts[:2] == [20, 20]
        assert "<li><strong>" not in (await other.get("/my/notices")).text
        assert theirs.person.citizen_id != it.person.citizen_id
