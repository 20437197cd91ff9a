"""`idp migrate`: from nothing to ready, as often as one likes."""

import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest

from idp.store.migrate import head_revision
from idp.store.schema_revision import newest_revision
from tests.operators.conftest import Installation, settings_of, use_settings
from tests.support.postgresql import create_database, drop_database


def migrate_from_nothing(installation: Installation) -> None:
    assert installation.answer("migrate", "--dry-run")["revision_before"] is None
    first = installation.answer("migrate")
    assert (first["revision_before"], first["revision_after"]) == (None, head_revision())
    assert first["active_signing_keys"] == 3
    second = installation.answer("migrate")
    assert second["revision_before"] == second["revision_after"] == head_revision()
    assert installation.answer("clients", "list")["clients"] == []
    assert "already" in installation.run("migrate").stdout


def test_a_file_and_its_folder_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/data/lienket.sqlite3"
    use_settings(monkeypatch, settings_of(tmp_path, url))
    installation = Installation(tmp_path, url)
    assert "empty" in installation.run("migrate", "--dry-run").stdout
    assert list(tmp_path.iterdir()) == []
    migrate_from_nothing(installation)


def test_an_empty_postgresql_database_is_filled(
    postgresql_server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"test_{uuid4().hex}"
    url = create_database(postgresql_server_url, name)
    use_settings(monkeypatch, settings_of(tmp_path, url))
    assert "Run `idp migrate` first" in Installation(tmp_path, url).refused("clients", "list")
    migrate_from_nothing(Installation(tmp_path, url))
    drop_database(postgresql_server_url, name)


def test_the_newest_revision_is_alembics() -> None:
    assert newest_revision() == head_revision()


def test_a_database_of_a_newer_version_is_left_alone(small_installation: Installation) -> None:
    with sqlite3.connect(small_installation.database_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "a newer one was here" in small_installation.refused("migrate")
    assert "at revision 9999" in small_installation.refused("clients", "list")


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "sqlite:////proc/nowhere/lienket.sqlite3"
    use_settings(monkeypatch, settings_of(tmp_path, url))
    assert "/proc/nowhere" in Installation(tmp_path, url).refused("migrate")
