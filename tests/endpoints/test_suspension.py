import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from idp.identity.account_links import Status
from idp.identity.citizens import CitizenStatus
from idp.protocol.model import ClientStatus
from tests.support.platform import Platform, query_of
from tests.support.provider import Provider
from tests.support.shared_provider import move_link, new_platform, set_citizen_status, suspend_client

pytestmark = pytest.mark.anyio


async def outcome(
    http: httpx.AsyncClient, platform: Platform, tokens: dict[str, Any]
) -> list[tuple[int, str]]:
    """What the platform gets of a code and tokens it holds: redemption is tried with `code`."""
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answers = [
        await platform.redeem(http, tokens["code"]),
        await platform.refresh(http, tokens["refresh_token"]),
        await http.get("/userinfo", headers=bearer),
    ]
    return [(answer.status_code, answer.json().get("error", "")) for answer in answers]


async def held(platform: Platform, http: httpx.AsyncClient, person: Any) -> dict[str, Any]:
    """Tokens of a linked account, and a code for it that is not redeemed yet."""
    tokens = await platform.tokens_for(http, person)
    platform.provider.clock.advance(seconds=1)
    return tokens | {"code": await platform.code_for(http, person)}


@pytest.mark.parametrize("status", [CitizenStatus.LOCKED, CitizenStatus.REVOKED, CitizenStatus.DECEASED])
async def test_a_citizen_who_is_not_active_is_refused_everywhere(
    provider: Provider, status: CitizenStatus
) -> None:
    """Abuse class 17 (CVE-2023-22492), P8: tokens, session and sign-in, in the very next request."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        tokens = await held(platform, browser, person)
        await set_citizen_status(provider, person, status)
        assert await outcome(browser, platform, tokens) == [
            (400, "invalid_grant"),
            (400, "invalid_grant"),
            (401, "invalid_token"),
        ]
        silent = await browser.get("/authorize", params=platform.request(prompt="none"))
        assert query_of(silent.headers["location"])["error"] == "login_required"
        mine = await browser.get("/my/accounts")
        assert "/sign-in/" in mine.headers["location"]
        form = {"identifier": person.personal_number, "password": person.password}
        again = await browser.post("/sign-in/my", data=form)
        assert again.status_code == 403
        assert "lienket-session" not in again.headers.get("set-cookie", "")


async def test_a_suspended_client_is_refused_everywhere(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        tokens = await held(platform, browser, person)
        underway = await browser.get("/authorize", params=platform.request("acc_2", prompt="login"))
        pushed = (await platform.push(browser)).json()
        await suspend_client(provider, platform.client.client_id)
        assert await outcome(browser, platform, tokens) == [
            (401, "invalid_client"),
            (401, "invalid_client"),
            (401, "invalid_token"),
        ]
        assert (await platform.push(browser)).status_code == 401
        by_name = {"client_id": platform.client.client_id, "request_uri": pushed["request_uri"]}
        for answer in (
            await browser.get("/authorize", params=platform.request()),
            await browser.get("/authorize", params=by_name),
            await browser.get(underway.headers["location"]),
            await browser.post(underway.headers["location"], data={"identifier": "x", "password": "y"}),
        ):
            assert (answer.status_code, answer.headers.get("location")) == (403, None)


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.ENDED])
async def test_a_link_that_does_not_stand_gives_nothing(provider: Provider, status: Status) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        tokens = await held(platform, browser, person)
        await move_link(provider, tokens["authorization_details"][0]["link_id"], status)
        assert await outcome(browser, platform, tokens) == [
            (400, "invalid_grant"),
            (400, "invalid_grant"),
            (401, "invalid_token"),
        ]


async def test_a_running_process_takes_a_suspension_over_by_itself(provider: Provider) -> None:
    """Within five seconds, although nobody tells the process."""
    platform = await new_platform(provider)
    uow = provider.unit_of_work()
    stored = await uow.clients.find(platform.client.client_id)
    assert stored is not None
    suspended = replace(stored.client, status=ClientStatus.SUSPENDED)
    uow.clients.update(stored, suspended, provider.clock.now)
    await uow.commit()
    async with provider.http() as http:
        for _ in range(50):
            answer = await platform.push(http)
            if answer.status_code == 401:
                break
            await asyncio.sleep(0.1)
    assert answer.status_code == 401
