"""Every page in every state, as a browser shows it: read by axe-core in both languages, light and dark.

The states come from views, not from a walk: a walk meets each page once, and a refusal may wait years for its
day. What the walks meet is read by axe-core too, where it is photographed (tests/journeys).
"""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from idp.pages.rendering import LOCALES, STATIC, Locale, Pages
from tests.support.axe import violations
from tests.support.browser import OpenPage
from tests.support.legible import too_wide, wrong_stops
from tests.support.sample_views import VIEWS
from tests.support.static_site import static_site

pytestmark = [pytest.mark.browser, pytest.mark.needs("axe-core")]

SHOW = """html => {
    const read = new DOMParser().parseFromString(html, 'text/html');
    document.documentElement.lang = read.documentElement.lang;
    document.title = read.title;
    document.body.replaceWith(read.body);
}"""
"""As arriving there, without loading the stylesheet and axe-core anew; scripts of the page do not run."""

PARTS = 6
"""Into so many tests the views are divided, so that they run beside each other."""


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages("https://id.lienket.example")


@pytest.fixture
def shown(open_page: OpenPage, pages: Pages) -> Iterator[Page]:
    """Give a phone's page that has our stylesheet."""
    contents = {f"/static/{path.name}": path.read_bytes() for path in STATIC.iterdir()}
    with static_site({**contents, "/": pages.render(VIEWS["sign_in"], "vi")}) as address:
        page = open_page()
        page.goto(address)
        yield page


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_can_be_read_and_used_by_everybody(
    shown: Page, pages: Pages, locale: Locale, part: int
) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for name, view in [*VIEWS.items()][part::PARTS]:
        shown.evaluate(SHOW, pages.render(view, locale).decode())
        shown.emulate_media(color_scheme="light")
        wrong = violations(shown)
        shown.emulate_media(color_scheme="dark")
        wrong += violations(shown, only_colours=True)
        if locale == LOCALES[0]:
            # Vietnamese is the longer of the two, and the order of the stops has no language.
            wrong += too_wide(shown) + wrong_stops(shown)
        for each in wrong:
            found[each].append(name)
    assert not found, "\n".join(f"{wrong}\n  in {', '.join(names)}" for wrong, names in found.items())
