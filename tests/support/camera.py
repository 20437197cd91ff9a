"""Photographs a page as everybody may see it, and checks what must hold for each page of ours."""

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.support.axe import violations
from tests.support.browser import DESKTOP, PHONE, screenshot
from tests.support.installed_parts import left_out
from tests.support.legible import too_wide
from tests.support.watched_pages import sideways, weight

HEAVIEST = 30 * 1024
PICTURES = {
    ("vi", 360): ("dark", "light"),
    ("vi", 1280): ("dark", "light"),
    ("en", 360): ("light",),
    ("en", 1280): ("dark",),
}


@dataclass(frozen=True)
class Camera:
    """Takes each page at 360 and 1280 px, light and dark, in the language of the visit.

    Colours do not depend on the language: in English half of the pictures are enough. axe-core looks at
    everything: light and dark, in both languages. How wide a page is follows from the longer one, Vietnamese.
    """

    page: Page
    language: str

    def take(self, name: str, *, names: str = "") -> None:
        """Keep pictures; check language, title and weight, and that everybody can read and use the page.

        `names` is something the title must say.
        """
        page = self.page
        page.wait_for_load_state("load")
        assert page.locator("html").get_attribute("lang") == self.language, f"the language of {name}"
        title = page.title()
        assert names in title, f"the title of {name} is {title}"
        assert title.strip(" ·"), f"{name} has no title"
        assert page.locator("h1").count() == 1, f"{name} has one heading of the first rank"
        assert weight(page) < HEAVIEST, f"{name} weighs {weight(page)} bytes"
        for window in (DESKTOP, PHONE):
            page.set_viewport_size({"width": window["width"], "height": window["height"]})
            assert sideways(page) <= 0, f"{name} is wider than {window['width']} px"
            for scheme in PICTURES[self.language, window["width"]]:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                screenshot(page, f"{name}-{window['width']}-{scheme}-{self.language}")
        wrong = too_wide(page) if self.language == "vi" else []
        if "axe-core" not in left_out():
            page.emulate_media(color_scheme="dark")
            wrong += violations(page, only_colours=True)
            page.emulate_media(color_scheme="light")
            wrong += violations(page)
        assert not wrong, f"{name} keeps people out:\n" + "\n".join(wrong)
