"""Browsers that are remembered: found by their cookie while they last, forgotten by their person alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.store.trusted_browsers import TRUSTED_BROWSER_GATE, TrustedBrowser
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

BROWSER = TrustedBrowser("browser-1", "citizen-1", "Chrome, Android", NOW, NOW, NOW + timedelta(days=30))


async def remember(memory: Memory, *browsers: TrustedBrowser) -> None:
    uow = memory.unit_of_work()
    for browser in browsers:
        uow.trusted_browsers.add(browser, f"cookie of {browser.browser_id}")
    await uow.commit()


async def test_a_browser_is_found_by_its_cookie_until_it_expires(memory: Memory) -> None:
    await memory.add_people(make_person())
    await remember(memory, BROWSER)
    browsers = memory.unit_of_work().trusted_browsers
    assert await browsers.find("cookie of browser-1", NOW) == BROWSER
    assert await browsers.find("cookie of browser-2", NOW) is None
    assert await browsers.find("cookie of browser-1", BROWSER.expires_at) is None
    assert await memory.contains("cookie of browser-1") == []
    assert await memory.contains("Chrome, Android") == []


async def test_browsers_are_listed_as_they_were_used(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    others = [replace(BROWSER, browser_id=f"browser-{number}") for number in (2, 3)]
    await remember(memory, BROWSER, *others, replace(BROWSER, browser_id="x", citizen_id="citizen-2"))
    uow = memory.unit_of_work()
    uow.trusted_browsers.seen("browser-3", NOW + timedelta(minutes=1))
    await uow.commit()
    browsers = uow.trusted_browsers
    listed = await browsers.of_citizen("citizen-1", NOW, limit=2)
    rest = await browsers.of_citizen("citizen-1", NOW, limit=2, skipped=2)
    assert [browser.browser_id for browser in (*listed, *rest)] == ["browser-3", "browser-1", "browser-2"]
    assert await browsers.of_citizen("citizen-1", BROWSER.expires_at, limit=9) == []


async def test_nobody_forgets_the_browser_of_another(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    await remember(memory, BROWSER)
    outcomes = []
    for citizen_id in ("citizen-2", "citizen-1", "citizen-1"):
        uow = memory.unit_of_work()
        uow.trusted_browsers.forget(citizen_id, "browser-1", NOW)
        try:
            await uow.commit()
            outcomes.append("forgotten")
        except GateClosedError as closed:
            outcomes.append(closed.gate)
    assert outcomes == [TRUSTED_BROWSER_GATE, "forgotten", TRUSTED_BROWSER_GATE]
    assert await memory.unit_of_work().trusted_browsers.find("cookie of browser-1", NOW) is None


async def test_all_are_forgotten_at_once(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    await remember(
        memory,
        BROWSER,
        replace(BROWSER, browser_id="2"),
        replace(BROWSER, browser_id="3", citizen_id="citizen-2"),
    )
    uow = memory.unit_of_work()
    uow.trusted_browsers.forget_all("citizen-1", NOW)
    await uow.commit()
    assert await uow.trusted_browsers.of_citizen("citizen-1", NOW, limit=9) == []
    assert len(await uow.trusted_browsers.of_citizen("citizen-2", NOW, limit=9)) == 1
