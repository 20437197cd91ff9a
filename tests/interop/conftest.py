"""One provider for all relying parties of this folder, served and prepared as an operator would."""

from collections.abc import Iterator

import pytest

from tests.support.main_job import Scene, main_job


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("interop")
    with main_job(folder, f"sqlite:///{folder / 'lienket.sqlite3'}") as scene:
        yield scene
