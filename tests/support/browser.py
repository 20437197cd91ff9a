"""A real Chromium for the journeys: pages of a phone and of a desktop, screenshots kept as artefacts."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parents[2] / ".artifacts" / "screenshots"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}

QUIET = [
    "--no-sandbox",  # CI runs as root in a container; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

OpenPage = Callable[..., Page]

expect.set_options(timeout=15_000)  # a busy machine is slow; nothing that is right waits this long


def chromium() -> str:
    """Return the Chromium to drive. `make test` finds or installs one."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise RuntimeError("no Chromium found: run `make test`, or name one in CHROMIUM")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one browser to the tests of a module.

    Not to the session: while it is open, the thread counts as inside an event loop, so that no asyncio test
    can run. A module has browser tests or asyncio tests, not both.
    """
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium(), args=QUIET) as running,
    ):
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Give a maker of pages, each in a browser context (cookie jar) of its own.

    It takes any option of Playwright's `new_context`: viewport, locale, color_scheme, java_script_enabled …
    The default is a phone of 360 px in Vietnamese.
    """
    with ExitStack() as contexts:

        def make(**options: Any) -> Page:
            chosen = {"viewport": PHONE, "locale": "vi-VN", "reduced_motion": "reduce", **options}
            return contexts.enter_context(browser.new_context(**chosen)).new_page()

        yield make


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Give a page of a phone, 360 px wide."""
    return open_page()


@pytest.fixture
def desktop_page(open_page: OpenPage) -> Page:
    """Give a page of a desktop, 1280 px wide."""
    return open_page(viewport=DESKTOP)


def screenshot(page: Page, name: str) -> Path:
    """Keep the whole page as `.artifacts/screenshots/<name>.png`."""
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError("a screenshot's name is lower-case words joined by hyphens")
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
