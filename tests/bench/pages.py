"""`make bench-pages`: how soon a page stands on an old phone with a bad connection, and what it weighs.

The real provider and the real sample network, in Chromium whose network and processor are held back as the
developer tools do it: 400 kbit/s with 400 ms for each way there and back, a processor six times slower.
A measurement, not a test: how busy this machine is counts as well.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import CDPSession, Page, ViewportSize, sync_playwright

from tests.support.browser import PHONE, QUIET, chromium
from tests.support.browser_steps import enter_network, give_code, give_password, press_link
from tests.support.main_job import Scene, main_job

ROUND_TRIP_MS = 400
BITS_PER_SECOND = 400_000
SLOWER = 6
PERSON = "Nguyễn Thị Lan"

PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"

TIMES = """() => {
    const [painted] = performance.getEntriesByName('first-contentful-paint');
    const [went] = performance.getEntriesByType('navigation');
    const loaded = performance.getEntriesByType('resource');
    return [painted.startTime, went.domContentLoadedEventEnd,
        [went, ...loaded].reduce((sum, entry) => sum + entry.transferSize, 0)];
}"""


@dataclass(frozen=True)
class Seen:
    """What one visit of a page took."""

    painted_ms: float
    ready_ms: float
    transferred: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-pages ARGS=…", description=__doc__)
    parser.add_argument("--visits", type=int, default=5, help="of each page; the median counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lienket-pages-") as name, sync_playwright() as playwright:
        folder = Path(name)
        database_url = f"sqlite:///{folder / 'lienket.sqlite3'}"
        with (
            main_job(folder, database_url) as scene,
            scene.network.serving(folder / "network"),
            playwright.chromium.launch(executable_path=chromium(), args=QUIET) as browser,
        ):
            window: ViewportSize = {"width": PHONE["width"], "height": PHONE["height"]}
            page = browser.new_context(viewport=window, locale="vi-VN").new_page()
            sys.stdout.write(_heading())
            for title, address in _addresses(scene, page):
                sys.stdout.write(_row(title, _visits(page, address, given.visits)))
                sys.stdout.flush()
    return 0


def _addresses(scene: Scene, page: Page) -> Iterator[tuple[str, str]]:
    """Walk the journey at full speed; give each page's name and address when it can be visited."""
    person = scene.person(PERSON)
    enter_network(page, scene, "lan")
    press_link(page, scene)
    yield "sign-in", page.url
    give_password(page, person.number, person.password)
    page.locator("form#second-factor").wait_for()
    yield "second factor", page.url
    give_code(page, person.code())
    page.locator("form#consent").wait_for()
    yield "consent", page.url
    page.locator("form#consent button[value=allow]").click()
    page.wait_for_url(f"{scene.network.url}/")
    for title, path in (
        ("my pages", "/my"),
        ("linked accounts", "/my/accounts"),
        ("my ways to sign in", "/my/security"),
        ("what was done", "/my/activity"),
        ("an error", "/nowhere"),
    ):
        yield title, f"{scene.provider.url}{path}"


def _visits(page: Page, address: str, count: int) -> tuple[list[Seen], list[Seen]]:
    """Visit a page with nothing kept, and with the stylesheet kept from the page before."""
    tools = page.context.new_cdp_session(page)
    _hold_back(tools, is_slow=True)
    try:
        seen = []
        for is_kept in (False, True):
            tools.send("Network.setCacheDisabled", {"cacheDisabled": not is_kept})
            seen.append([_visit(page, address) for _ in range(count + is_kept)][int(is_kept) :])
    finally:
        _hold_back(tools, is_slow=False)
        tools.detach()
    page.goto(address)
    return seen[0], seen[1]


def _visit(page: Page, address: str) -> Seen:
    page.goto("about:blank")
    page.goto(address, wait_until="load")
    page.wait_for_function(PAINTED)
    painted, ready, transferred = page.evaluate(TIMES)
    return Seen(painted, ready, transferred)


def _hold_back(tools: CDPSession, *, is_slow: bool) -> None:
    speed = BITS_PER_SECOND // 8 if is_slow else -1
    tools.send("Network.enable")
    tools.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP_MS if is_slow else 0,
            "downloadThroughput": speed,
            "uploadThroughput": speed,
        },
    )
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER if is_slow else 1})


def _heading() -> str:
    return (
        "| page | first visit: seen after | ready after | transferred | later: seen after | transferred |\n"
        "|---|--:|--:|--:|--:|--:|\n"
    )


def _row(title: str, seen: tuple[list[Seen], list[Seen]]) -> str:
    first, later = seen
    cells = (
        f"{statistics.median(each.painted_ms for each in first) / 1000:.2f} s",
        f"{statistics.median(each.ready_ms for each in first) / 1000:.2f} s",
        f"{statistics.median(each.transferred for each in first) / 1000:.1f} KB",
        f"{statistics.median(each.painted_ms for each in later) / 1000:.2f} s",
        f"{statistics.median(each.transferred for each in later) / 1000:.1f} KB",
    )
    return f"| {title} | {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main())
