"""Key directories for tests. RSA keys are slow to make, so the full ring is made once and copied."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import Custody
from keys.policy import KeyPolicy, read_policy

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def quick_policy() -> KeyPolicy:
    """The reviewed policy without RSA, for tests that make many rings."""
    policy = read_policy()
    return replace(policy, signing=replace(policy.signing, algorithms=("ES256", "EdDSA")))


@pytest.fixture(scope="session")
def full_ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("custody") / "full"
    Custody.open(directory, None, NOW)
    return directory


@pytest.fixture
def full_directory(full_ring: Path, tmp_path: Path) -> Path:
    """A copy of a directory that the reviewed policy made, RSA included."""
    return Path(shutil.copytree(full_ring, tmp_path / "full"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def open_custody(directory: Path, quick_policy: KeyPolicy) -> Callable[..., Custody]:
    """Open the test's key directory, as one more process would."""

    def opened(seal_file: Path | None = None, at: datetime = NOW) -> Custody:
        return Custody.open(directory, seal_file, at, policy=quick_policy)

    return opened


@pytest.fixture
def custody(open_custody: Callable[..., Custody]) -> Custody:
    return open_custody()
