"""Makes the README's pictures: `python -m tests.support.readme_pictures`, with ports 8000 and 8100 free."""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.browser import PHONE, QUIET, chromium
from tests.support.browser_steps import decide, enter_network, press_link, sign_in
from tests.support.main_job import Scene, main_job
from tests.support.small_png import smaller

PICTURES = Path(__file__).resolve().parents[2] / ".readme"
PORTS = (8000, 8100)
"""Those of `make demo`, for they can be read in the pictures."""


def take_pictures(page: Page, scene: Scene) -> None:
    """Link an account and post, and photograph the consent page and the feed on the way."""
    enter_network(page, scene, "lan")
    press_link(page, scene)
    sign_in(page, scene.person("Nguyễn Thị Lan"))
    keep(page, "consent")
    decide(page, "allow")
    page.fill("#composer textarea", "Chiều nay chè sen còn nóng, ai ghé cô múc cho một bát đầy.")
    page.locator("#composer button").click()
    page.locator("#feed article .badge").wait_for()
    keep(page, "feed")


def keep(page: Page, name: str) -> None:
    """Keep the whole page as a small PNG."""
    page.wait_for_load_state("load")
    page.evaluate("() => document.activeElement.blur()")
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.png").write_bytes(smaller(page.screenshot(full_page=True)))


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as made,
        main_job(Path(made), f"sqlite:///{made}/lienket.sqlite3", ports=PORTS) as scene,
        scene.network.serving(Path(made) / "network"),
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium(), args=QUIET) as browser,
    ):
        take_pictures(browser.new_page(viewport=PHONE, locale="vi-VN"), scene)


if __name__ == "__main__":
    main()
