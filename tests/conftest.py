"""What every test may ask for: a database on each engine, a browser, an asyncio loop. Nothing else."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests.support.databases import (
    joined_test_run,
    migrated_database,
    postgresql_database,
    postgresql_server,
    shared_test_run,
    sqlite_database,
)

pytest_plugins = [
    "tests.support.browser",
    "tests.support.conformance_matrix",
    "tests.support.counted",
    "tests.support.installed_parts",
]

hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
"""How long an example takes says nothing where two workers, a database and a browser share two cores."""

PURE = {"protocol", "identity", "authenticators", "audit", "keys"}
"""Folders of tests that need no network; `tests/keys` alone touches files."""

TESTS = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Open the shared run in the process that starts it; workers join it through the environment."""
    if not hasattr(config, "workerinput"):
        stack = ExitStack()
        stack.enter_context(shared_test_run())
        config.add_cleanup(stack.close)


@pytest.fixture(autouse=True)
def _no_network_in_pure_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = request.path.relative_to(TESTS).parts[0]
    if folder in PURE:

        def refuse(*_: object) -> None:
            raise AssertionError(f"tests/{folder} is pure: rules open no connection")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture
def anyio_backend() -> str:
    """Run `@pytest.mark.anyio` tests on asyncio, as the server runs."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give an empty, migrated database of the test's own, once per engine."""
    with migrated_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """Give an empty, migrated PostgreSQL database, for what only makes sense there."""
    with postgresql_database(joined_test_run()) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    """Give an empty, migrated SQLite file, for what only makes sense there."""
    with sqlite_database(joined_test_run(), tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_server_url() -> str:
    """Give the run's server itself, for tests of migrations that begin without a schema."""
    return postgresql_server(joined_test_run())
