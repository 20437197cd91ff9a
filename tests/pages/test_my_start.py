"""The start page: what needs a person now, and a way to each of their pages that leads there."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import CaseKind
from idp.store.cases import new_case
from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.people import linked
from tests.support.provider import ISSUER, Person, Provider

pytestmark = pytest.mark.anyio


async def own_start(provider: Provider, http: httpx.AsyncClient, **person: Any) -> tuple[Person, Html]:
    known = await provider.add_person(**({"has_totp": False} | person))
    return known, Html((await arrive(provider, http, known, "/my")).text)


async def test_every_way_on_it_leads_to_a_page(provider: Provider) -> None:
    async with provider.http() as http:
        _, page = await own_start(provider, http)
        ways = [link for link in page.links if link.startswith(f"{ISSUER}/")]
        assert len(ways) > 12
        for way in ways:
            answer = await http.get(way)
            assert answer.status_code in {200, 303}, way
            assert "/sign-in/" not in answer.headers.get("location", ""), way


async def test_somebody_for_whom_nothing_waits_reads_so(provider: Provider) -> None:
    async with provider.http() as http:
        person, page = await own_start(provider, http, has_totp=True)
        uow = provider.unit_of_work()
        uow.recovery_codes.replace(person.citizen_id, ["2" * 15], provider.clock.now)
        await uow.commit()
        page = Html((await http.get("/my")).text)
        assert page.ids["attention"] == "Hiện không có việc gì cần bạn."


@pytest.mark.parametrize(
    ("has_totp", "expected"), [(False, "Chỉ có mật khẩu cho bạn vào"), (True, "Nếu mất thiết bị duy nhất")]
)
async def test_what_is_amiss_with_signing_in_is_said(
    provider: Provider, expected: str, *, has_totp: bool
) -> None:
    async with provider.http() as http:
        _, page = await own_start(provider, http, has_totp=has_totp)
        assert expected in page.text


async def test_what_waits_is_said_with_its_end_and_of_nobody_else(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as other:
        it = await linked(provider, http)
        now, uow = provider.clock.now, provider.unit_of_work()
        link = await it.link()
        due = now + timedelta(days=30)
        uow.account_links.change(link, replace(link, own_consent_due_at=due), None, now)
        case = new_case(
            CaseKind.DISPUTE,
            Actor(ActorKind.CITIZEN, "somebody-else"),
            now,
            client_id=link.client_id,
            link_id=link.link_id,
            due_at=now + timedelta(days=14),
        )
        uow.cases.open(replace(case, holder_citizen_id=it.person.citizen_id))
        uow.citizens.freeze_links(it.person.citizen_id, now)
        await uow.commit()
        page = Html((await http.get("/my")).text)
        for expected in ("Bạn đã 16 tuổi", "là của họ", "Liên kết mới đang bị chặn"):
            assert expected in page.text, expected
        assert f"{ISSUER}/my/accounts/{it.link_id}/own-consent" in page.links
        assert f"{ISSUER}/my/cases/{case.reference}" in page.links
        assert page.text.index("là của họ") < page.text.index("Bạn đã 16 tuổi"), "the most urgent first"
        _, theirs = await own_start(provider, other)
        for hidden in ("Bạn đã 16 tuổi", "là của họ", it.link_id):
            assert hidden not in theirs.text
            assert not [each for each in theirs.links if hidden in each]


async def test_nobody_sees_it_without_signing_in(provider: Provider) -> None:
    async with provider.http() as http:
        assert (await http.get("/my")).headers["location"] == f"{ISSUER}/sign-in/my"
        assert (await http.get("/")).headers["location"] == f"{ISSUER}/my"
