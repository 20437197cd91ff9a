"""What only some machines allow: without it, a test marked `needs("part")` is left out, and that is said.

In CI nothing is left out: there the test stays, and fails for want of the part.
"""

import os

import pytest

from tests.support.apache import apache_program
from tests.support.node_party import NODE_PARTIES

PARTS = ("axe-core", "mod_auth_openidc", "oauth4webapi", "oidc-client-ts", "openid-client")


def is_installed(part: str) -> bool:
    """Tell whether tests that need the part can run; `tests/interop/install.sh` installs it where it may."""
    if part == "mod_auth_openidc":
        return apache_program() is not None
    return (NODE_PARTIES / "node_modules" / part).is_dir()


def left_out() -> list[str]:
    return [] if os.environ.get("CI") == "true" else [part for part in PARTS if not is_installed(part)]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(part): runs where the part is installed; one of {PARTS}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = set(left_out())
    kept = [
        item
        for item in items
        if missing.isdisjoint(part for mark in item.iter_markers("needs") for part in mark.args)
    ]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for part in left_out():
        terminalreporter.write_line(f"left out: every test that needs {part}, which is not installed")
