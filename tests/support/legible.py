"""What must hold for whoever reads large text, has a small screen, or goes from stop to stop by keyboard."""

from itertools import pairwise

from playwright.sync_api import Page

from tests.support.watched_pages import sideways

SMALLEST = {"width": 320, "height": 640}
"""To this width everything reflows: WCAG 2.2 §1.4.10."""

WIDER = """() => [...document.querySelectorAll('body *')]
    .filter(element => !element.closest('svg svg, .skip')
        && element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(element => element.outerHTML.slice(0, 200)).slice(-2)"""

TWICE_AS_LARGE = "size => { document.documentElement.style.fontSize = size }"

CUT_OFF = """() => [...document.querySelectorAll('body *')]
    .filter(element => !element.matches('.unseen, .skip, input, select, textarea, svg *'))
    .filter(element => getComputedStyle(element).overflowX !== 'visible'
        && element.scrollWidth > element.clientWidth + 1)
    .map(element => element.outerHTML.slice(0, 200))"""

STOPS = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(element => !element.matches('.skip, [type=hidden], :disabled') && element.checkVisibility())
    .map(element => {
        element.focus();
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return { html: element.outerHTML.slice(0, 200), top: element.getBoundingClientRect().top + scrollY,
                 bottom: element.getBoundingClientRect().bottom + scrollY,
                 seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
    })"""


def too_wide(page: Page) -> list[str]:
    """Return what does not fit on a screen of 320 px, or where text is twice as large; then undo both."""
    window = page.viewport_size
    assert window is not None
    found = []
    page.set_viewport_size({"width": SMALLEST["width"], "height": SMALLEST["height"]})
    if sideways(page) > 0:
        found += [f"wider than 320 px: {element}" for element in page.evaluate(WIDER)]
    page.set_viewport_size(window)
    # The base is 106.25 % of what the person chose in the browser: this is as if they chose twice as much.
    page.evaluate(TWICE_AS_LARGE, "212.5%")
    if sideways(page) > 0:
        found += [f"too wide where text is twice as large: {element}" for element in page.evaluate(WIDER)]
    found += [f"cut off: {element}" for element in page.evaluate(CUT_OFF)]
    page.evaluate(TWICE_AS_LARGE, "")
    return found


def wrong_stops(page: Page) -> list[str]:
    """Return the stops of the Tab key that are not seen, or that come before one above them."""
    stops = page.evaluate(STOPS)
    unseen = [f"no sign of focus: {stop['html']}" for stop in stops if not stop["seen"]]
    backwards = [
        f"focus goes up from {before['html']} to {after['html']}"
        for before, after in pairwise(stops)
        if after["bottom"] <= before["top"]
    ]
    return unseen + backwards
