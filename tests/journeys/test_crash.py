"""`kill -9` at any moment loses no acknowledged link and leaves no half-made one. Domain rule R1."""

import asyncio
import random
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, select

from idp.housekeeping.expiry import let_time_pass
from idp.store.tables import account_links, audit_events, codes, grants, refresh_tokens
from tests.support.distant import AS_USUAL, Distant, distant
from tests.support.provider import Person
from tests.support.served import served

pytestmark = pytest.mark.anyio

KILLS = 4
PEOPLE = 4


@dataclass
class Promises:
    """What a platform was told: link ids, with the refresh token that came along."""

    kept: dict[str, str] = field(default_factory=dict)
    accounts: int = 0
    one_more: asyncio.Event = field(default_factory=asyncio.Event)


async def link_until_the_end(
    world: Distant, person: Person, browser: httpx.AsyncClient, promised: Promises
) -> None:
    """Link account after account until the provider is gone; note each that was acknowledged."""
    while True:
        promised.accounts += 1
        account_id = f"account-{promised.accounts}"
        try:
            code = await world.platform.code_for(browser, person, account_id)
            response = await world.platform.redeem(browser, code)
        except httpx.TransportError:
            return
        assert response.status_code == 200, response.text
        tokens = response.json()
        promised.kept[tokens["authorization_details"][0]["link_id"]] = tokens["refresh_token"]
        promised.one_more.set()


async def rows(world: Distant, table: Table) -> list[Mapping[str, Any]]:
    return [dict(row) for row in await world.inside.unit_of_work().fetch_all(select(table))]


async def check_nothing_is_lost_or_half_made(world: Distant, promised: Promises) -> None:
    links = {row["link_id"]: row for row in await rows(world, account_links)}
    active = {link_id for link_id, row in links.items() if row["status"] == "active"}
    assert promised.kept.keys() <= active, "an acknowledged link is lost"

    consumed = {row["link_id"]: row for row in await rows(world, codes) if row["consumed_at"] is not None}
    granted = {row["link_id"]: row for row in await rows(world, grants)}
    families = {row["grant_id"] for row in await rows(world, refresh_tokens)}
    told: dict[str, set[str]] = {}
    for event in await rows(world, audit_events):
        if event["link_id"] is not None:
            told.setdefault(event["link_id"], set()).add(event["type"])
    assert active == consumed.keys() == granted.keys(), "link, code and grant come together or not at all"
    for link_id in active:
        grant = granted[link_id]
        assert grant["grant_id"] == consumed[link_id]["grant_id"]
        assert grant["revoked_at"] is None
        assert grant["grant_id"] in families
        assert {"authorization:granted", "account_link:activated", "grant:redeemed"} <= told[link_id]
    for link_id in links.keys() - active:
        assert links[link_id]["status"] == "pending"
        assert told[link_id] == {"authorization:granted"}


async def killed_again_and_again(world: Distant, promised: Promises, seed: int) -> None:
    chance = random.Random(seed)
    people = [await world.inside.add_person(has_totp=False) for _ in range(PEOPLE)]
    browsers = [await world.signed_in(person) for person in people]
    for _ in range(KILLS):
        promised.one_more.clear()
        linking = [
            asyncio.create_task(link_until_the_end(world, person, browser, promised))
            for person, browser in zip(people, browsers, strict=True)
        ]
        async with asyncio.timeout(30):
            await promised.one_more.wait()
        await asyncio.sleep(chance.random() * 0.5)
        await asyncio.to_thread(world.served.kill)
        await asyncio.gather(*linking)
        await check_nothing_is_lost_or_half_made(world, promised)
        await asyncio.to_thread(world.served.start)
    await check_nothing_is_lost_or_half_made(world, promised)
    link_id, token = next(reversed(promised.kept.items()))
    refreshed = await world.platform.refresh(browsers[0], token)
    assert refreshed.json()["authorization_details"][0]["link_id"] == link_id
    for browser in browsers:
        await browser.aclose()


async def test_a_kill_at_any_moment_loses_no_acknowledged_link_and_leaves_no_half_made_one(
    database_url: str, tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")  # shown with a failure, to kill at the same moments again
    promised = Promises()
    with served(tmp_path, database_url, settings=AS_USUAL) as provider:
        async with distant(provider, max_links_per_citizen=1000) as world:
            await killed_again_and_again(world, promised, seed)
            later = datetime.now(UTC) + timedelta(minutes=10)
            await let_time_pass(world.inside.unit_of_work(), later)
            statuses = {row["status"] for row in await rows(world, account_links)}
            assert statuses == {"active"}, "what was never redeemed vanishes"
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
