"""The main job's cast, for journeys in a browser: one provider per engine, the network anew for each test."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.browser import OpenPage
from tests.support.databases import joined_test_run, postgresql_server
from tests.support.main_job import Scene, main_job
from tests.support.postgresql import create_database, drop_database
from tests.support.watched_pages import Watched


@contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[str]:
    """Give a database without tables: `idp migrate` makes them."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'lienket.sqlite3'}"
        return
    server, name = postgresql_server(joined_test_run()), f"journey_{uuid4().hex}"
    try:
        yield create_database(server, name)
    finally:
        drop_database(server, name)


@contextmanager
def prepared_provider(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give a provider, prepared and served as an operator would."""
    folder = tmp_path_factory.mktemp(f"main-job-{engine}")
    with empty_database(engine, folder) as database_url, main_job(folder, database_url) as scene:
        yield scene


class SharedProviders:
    """A provider for each engine, made when the first test wants it and kept until the last is over.

    A session's fixture with parameters would be made anew each time a test wants the other engine.
    """

    def __init__(self, stack: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._stack = stack
        self._tmp_path_factory = tmp_path_factory
        self._scenes: dict[str, Scene] = {}

    def on(self, engine: str) -> Scene:
        """Return the provider of an engine."""
        if engine not in self._scenes:
            opened = prepared_provider(engine, self._tmp_path_factory)
            self._scenes[engine] = self._stack.enter_context(opened)
        return self._scenes[engine]


@pytest.fixture(scope="session")
def shared_providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedProviders]:
    """Give the providers that most journeys of this process share."""
    with ExitStack() as stack:
        yield SharedProviders(stack, tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared(request: pytest.FixtureRequest, shared_providers: SharedProviders) -> Scene:
    """Give the provider that most journeys share, once per engine."""
    engine: str = request.param
    return shared_providers.on(engine)


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Iterator[Scene]:
    """Give the provider and a network in which everybody is new."""
    with prepared.network.serving(tmp_path / "network"):
        yield prepared


@pytest.fixture
def watched(scene: Scene, open_page: OpenPage) -> Iterator[Watched]:
    """Give a phone's page; afterwards nothing may have been complained about, nobody else talked to."""
    watched = Watched(open_page(), scene.origins)
    yield watched
    watched.check()
