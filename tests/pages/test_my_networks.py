"""Networks without a linked account: what a person sees of them, and how it ends. On both engines."""

import httpx
import pytest
from sqlalchemy import select

from idp.identity.account_links import Status
from idp.store.tables import audit_events
from tests.support.decoupled import (
    answer_newest,
    arrive,
    ciba_platform,
    device_platform,
    known_person,
    press,
    type_code,
)
from tests.support.html_forms import Html
from tests.support.platform import query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import move_link, new_platform
from tests.support.stores import make_consent

pytestmark = pytest.mark.anyio


def end_links(page: httpx.Response) -> list[str]:
    return [link for link in Html(page.text).links if "/my/networks/" in link]


async def withdraw(http: httpx.AsyncClient, address: str) -> httpx.Response:
    form = Html((await http.get(address)).text).forms["end-network"]
    return await http.post(form.action, data=form.fields)


async def test_a_sign_in_is_listed_with_what_the_network_knows_and_ends_in_two_clicks(
    provider: Provider,
) -> None:
    """Rules R7, R8: tokens and consent follow in the same moment; pressing twice changes nothing."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, None)
        listed = await http.get("/my/accounts")
        for said in ("Những mạng xã hội bạn đã đăng nhập", "Quán Cóc", "chỉ các mức xác thực"):
            assert said in Html(listed.text).text
        (address,) = end_links(listed)
        form = Html((await http.get(address)).text).forms["end-network"]
        for csrf in ({"x": "y"}, {"csrf": ""}, {"csrf": "0" * 64}):
            assert (await http.post(form.action, data=csrf)).status_code == 403
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).status_code == 200, "nothing has ended yet"
        for _ in range(2):
            ended = await http.post(form.action, data=form.fields)
            assert "Bạn đã rút lại sự đồng ý" in ended.text
            provider.clock.advance(seconds=60)
        assert (await platform.refresh(http, tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await http.get("/userinfo", headers=bearer)).status_code == 401
        silent = await http.get("/authorize", params=platform.request(None, prompt="none"))
        assert query_of(silent.headers["location"])["error"] == "consent_required"
        assert end_links(await http.get("/my/accounts")) == []
        assert (await http.get(address)).headers["location"] == f"{ISSUER}/my/accounts"
        await platform.tokens_for(http, person, None)
        assert end_links(await http.get("/my/accounts")) == [address], "agreed to again"
    (event,) = await provider.context.database.fetch_all(
        select(audit_events)
        .where(audit_events.c.client_id == platform.client.client_id)
        .where(audit_events.c.type == "consent:withdrawn"),
        {},
    )
    assert (event["actor_kind"], event["citizen_id"]) == ("citizen", person.citizen_id)


async def test_a_linked_network_ends_with_its_link_and_stands_there_alone(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        assert end_links(await http.get("/my/accounts")) == []
        address = f"/my/networks/{platform.client.client_id}/end"
        own = Html((await http.get("/my/accounts")).text).forms["sign-out"].fields
        for answer in (await http.get(address), await http.post(address, data=own)):
            assert answer.headers["location"] == f"{ISSUER}/my/accounts"
        assert (await platform.refresh(http, tokens["refresh_token"])).status_code == 200
        await move_link(provider, tokens["authorization_details"][0]["link_id"], Status.ENDED)
        assert end_links(await http.get("/my/accounts")) == [ISSUER + address], (
            "the consent outlived the link"
        )


async def test_a_device_and_a_call_are_listed_and_what_was_not_fetched_yet_ends_too(
    provider: Provider,
) -> None:
    device, ciba = await device_platform(provider), await ciba_platform(provider)
    person = await known_person(ciba)
    async with provider.http() as http, provider.http() as phone:
        await arrive(provider, phone, person, "/my/accounts")
        begun = await device.begun(http)
        typed = await type_code(provider, phone, person, begun["user_code"])
        form = Html((await phone.get(typed.headers["location"])).text).forms["approval"]
        assert (await press(phone, form)).status_code == 200
        auth_req_id = await ciba.asked(http, person)
        await answer_newest(provider, phone, person)
        listed = end_links(await phone.get("/my/accounts"))
        for client_id in (device.platform.client.client_id, ciba.client_id):
            address = f"{ISSUER}/my/networks/{client_id}/end"
            assert address in listed
            assert (await withdraw(phone, address)).status_code == 200
        for answer in (
            await device.token(http, begun["device_code"]),
            await ciba.token(http, auth_req_id),
        ):
            assert answer.status_code == 400, answer.text


async def test_whatever_is_not_this_persons_to_end_looks_like_nothing(provider: Provider) -> None:
    """Abuse class 24: an unknown network, one of another person, nonsense; for looking and for ending."""
    platform = await new_platform(provider)
    one, other = [await provider.add_person(has_totp=False) for _ in range(2)]
    async with provider.http() as owner, provider.http() as http:
        tokens = await platform.tokens_for(owner, one, None)
        await (await new_platform(provider)).tokens_for(http, other, None)
        own = Html((await http.get("/my/accounts")).text).forms["sign-out"].fields
        for found in (platform.client.client_id, "no-such-network", "x" * 500, "a%00b", "%C3%A9", "'--"):
            path = f"/my/networks/{found}/end"
            for answer in (await http.get(path), await http.post(path, data=own)):
                assert answer.status_code == 303, path
                assert answer.headers["location"] == f"{ISSUER}/my/accounts"
        assert (await platform.refresh(owner, tokens["refresh_token"])).status_code == 200


async def test_a_long_list_comes_in_pages_and_every_network_once(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        await platform.tokens_for(http, person)
        uow = provider.unit_of_work()
        for number in range(44):
            uow.consents.add(
                make_consent(
                    consent_id=f"{person.citizen_id}-{number}",
                    citizen_id=person.citizen_id,
                    client_id=f"network-{number}",
                    decided_at=provider.clock.now,
                )
            )
        await uow.commit()
        seen: list[str] = []
        pages = 0
        address: str | None = "/my/accounts"
        while address:
            page = await http.get(address)
            assert int(page.headers["content-length"]) < 30_000
            pages += 1
            seen += end_links(page)
            assert ("@lan" in page.text) is (pages == 1)
            assert "Chưa có tài khoản nào" not in page.text
            address = next(
                (link for link in Html(page.text).links if "networks_after=" in link and "lang=" not in link),
                None,
            )
        assert (pages, len(seen), len(set(seen))) == (3, 44, 44)
        for query in ("networks_after=%00", "networks_after=%FF", "networks_after=" + "x" * 900):
            assert (await http.get(f"/my/accounts?{query}")).status_code == 200
