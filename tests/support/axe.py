"""axe-core on a page: what it finds that keeps people out. WCAG 2.2 A and AA, and its own best practices.

It is put into the page through the developer tools, so the page's Content-Security-Policy stays as it is.
"""

import json
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.support.node_party import NODE_PARTIES

AXE = NODE_PARTIES / "node_modules" / "axe-core" / "axe.min.js"

EVERYTHING = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
"""The rules whose outcome depends on light or dark."""


@cache
def _source() -> str:
    return AXE.read_text()


def violations(page: Page, *, only_colours: bool = False) -> list[str]:
    """Return what axe finds on the page as it is now, one line for each element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    options = json.dumps(COLOURS if only_colours else EVERYTHING)
    found: list[dict[str, Any]] = page.evaluate(
        f"() => axe.run(document, {options}).then(results => results.violations)"
    )
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
