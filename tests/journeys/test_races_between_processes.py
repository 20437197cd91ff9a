"""The races that no lock of one process could win: several processes on one PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from idp.store.tables import grants, refresh_tokens
from tests.support.distant import AS_USUAL, Distant, distant
from tests.support.served import served

pytestmark = pytest.mark.anyio

AT_ONCE = 50


@pytest.fixture
async def world(anyio_backend: str, postgresql_url: str, tmp_path: Path) -> AsyncIterator[Distant]:
    with served(tmp_path, postgresql_url, workers=2, settings=AS_USUAL) as provider:
        async with distant(provider, max_links_per_citizen=3) as opened:
            yield opened


async def redeemed_at_once(world: Distant, codes: list[str]) -> list[httpx.Response]:
    """Redeem over connections that are open already, and so spread over the processes."""
    backends = [world.http() for _ in codes]
    await asyncio.gather(*(backend.get("/healthz") for backend in backends))
    responses = await asyncio.gather(
        *(world.platform.redeem(backend, code) for backend, code in zip(backends, codes, strict=True))
    )
    await asyncio.gather(*(backend.aclose() for backend in backends))
    return list(responses)


def counted(responses: list[httpx.Response]) -> Counter[str]:
    return Counter(
        "tokens" if response.status_code == 200 else f"{response.status_code} {response.json()['error']}"
        for response in responses
    )


async def stored(world: Distant) -> tuple[int, int, int]:
    """Count active links, grants and refresh tokens."""
    uow = world.inside.unit_of_work()
    found = [(await uow.account_links.counts()).get("active", 0)]
    for table in (grants, refresh_tokens):
        (row,) = await uow.fetch_all(select(func.count().label("rows")).select_from(table))
        found.append(row["rows"])
    active, granted, tokens = found
    return active, granted, tokens


async def test_one_code_one_account_and_one_cap_hold_between_processes(world: Distant) -> None:
    inside = world.inside
    code = await world.code_for(await inside.add_person(has_totp=False), "acc-code")
    responses = await redeemed_at_once(world, [code] * AT_ONCE)
    assert counted(responses) == {"tokens": 1, "400 invalid_grant": AT_ONCE - 1}
    (tokens,) = [response.json() for response in responses if response.status_code == 200]
    async with world.http() as backend:
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await backend.get("/userinfo", headers=bearer)).status_code == 401
        refresh = await world.platform.refresh(backend, tokens["refresh_token"])
        assert refresh.json()["error"] == "invalid_grant"
    assert await stored(world) == (1, 1, 1)

    people = [await inside.add_person(has_totp=False) for _ in range(10)]
    codes = [await world.code_for(person, "acc-shared") for person in people]
    responses = await redeemed_at_once(world, codes)
    assert counted(responses) == {"tokens": 1, "400 invalid_grant": len(codes) - 1}
    assert await stored(world) == (2, 2, 2)

    person = await inside.add_person(has_totp=False)
    browser = await world.signed_in(person)
    codes = [await world.platform.code_for(browser, person, f"acc-{place}") for place in range(15)]
    await browser.aclose()
    responses = await redeemed_at_once(world, codes)
    assert counted(responses) == {"tokens": 3, "400 invalid_grant": len(codes) - 3}
    assert await stored(world) == (5, 5, 5)
