"""From a URL to an engine, or to a clear refusal."""

from pathlib import Path

import pytest

from idp.store.opening import DatabaseURLError, open_database, sqlite_path
from idp.store.writes import StoreUnavailableError


@pytest.mark.parametrize("url", ["", "mysql://x", "sqlite://x", "sqlite:x", "/var/x.sqlite3", "http://x"])
def test_a_url_of_no_engine_is_refused(url: str) -> None:
    with pytest.raises(DatabaseURLError):
        open_database(url)


def test_the_path_of_a_sqlite_url() -> None:
    assert sqlite_path("sqlite:///a/b.sqlite3") == Path("a/b.sqlite3")
    assert sqlite_path("sqlite:////a/b.sqlite3") == Path("/a/b.sqlite3")


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, *, is_folder: bool) -> None:
    path = tmp_path if is_folder else tmp_path / "nowhere" / "x.sqlite3"
    with pytest.raises(StoreUnavailableError, match=str(path)):
        open_database(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        open_database(f"sqlite:///{path}")
