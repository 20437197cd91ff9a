"""An installation that commands are run on, as an operator runs them, on each engine."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from idp.audit.chain import seal
from idp.identity.account_links import AccountLink
from idp.operators.cli import main
from idp.store.encoding import load_mapping
from idp.store.opening import open_database
from idp.store.tables import audit_events, metadata
from idp.store.unit_of_work import UnitOfWork
from keys import Custody

T = TypeVar("T")
OPERATOR = "nga"


@dataclass(frozen=True)
class Installation:
    """A migrated database and its keys, reached through the commands and, to look inside, directly."""

    folder: Path
    database_url: str

    def run(self, *words: object, stdin: str | bytes | None = None) -> Result:
        """Run a command; whatever it does, there is no traceback."""
        result = CliRunner().invoke(main, ["--operator", OPERATOR, *map(str, words)], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def answer(self, *words: object, status: int = 0, **options: Any) -> Any:
        """Run a command with --json and return its one document."""
        result = self.run(*words, "--json", **options)
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    def refused(self, *words: object, **options: Any) -> str:
        """Run a command that fails as expected, for a person and for a program; return what it says."""
        said = self.run(*words, **options)
        assert said.exit_code == 1, said.output
        error = self.answer(*words, status=1, **options)["error"]
        text = "\n".join([error["message"], *error.get("reasons", [])])
        assert error["message"] in said.stderr
        return text

    def with_store(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Read and write the store past the commands."""

        async def opened() -> T:
            database = open_database(self.database_url)
            try:
                return await work(UnitOfWork(database, self.custody().data))
            finally:
                await database.close()

        return asyncio.run(opened())

    def custody(self) -> Custody:
        return Custody.open(self.folder / "keys", None, datetime.now(UTC))

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self._read([table])[table]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        read = self._read([name for name in metadata.tables if name != "leases"])
        return {table: sorted(rows, key=str) for table, rows in read.items()}

    def _read(self, tables: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        async def read(uow: UnitOfWork) -> dict[str, list[dict[str, Any]]]:
            return {
                table: [dict(row) for row in await uow.fetch_all(select(metadata.tables[table]))]
                for table in tables
            }

        return self.with_store(read)

    def events(self, event_type: str = "") -> list[dict[str, Any]]:
        """Return the audit events, oldest first, with their details read."""
        rows = sorted(self.rows(audit_events.name), key=lambda row: row["occurred_at"])
        assert {row["actor_id"] for row in rows if row["actor_kind"] == "operator"} <= {OPERATOR}
        return [
            row | {"details": load_mapping(row["details"])} for row in rows if event_type in ("", row["type"])
        ]

    def add_links(self, *links: AccountLink) -> None:
        async def add(uow: UnitOfWork) -> None:
            for link in links:
                uow.account_links.add(link, datetime.now(UTC))
            await uow.commit()

        self.with_store(add)

    def links(self) -> dict[str, tuple[str, str | None]]:
        return {
            row["link_id"]: (row["status"], row["suspended_because"]) for row in self.rows("account_links")
        }

    def seal(self) -> None:
        """Seal everything that waits, as the sequencer does."""

        async def seal_all(uow: UnitOfWork) -> None:
            waiting = await uow.ledger.unsealed(100_000)
            head = await uow.ledger.head()
            if waiting:
                uow.ledger.seal(seal(waiting, head), head, datetime.now(UTC))
                await uow.commit()

        self.with_store(seal_all)

    def citizen_id(self, number: str) -> str:
        async def find(uow: UnitOfWork) -> str:
            found = await uow.citizens.find_by_number(number)
            assert found is not None
            return found.citizen_id

        return self.with_store(find)


def settings_of(folder: Path, database_url: str) -> dict[str, str]:
    return {
        "IDP_DATABASE_URL": database_url,
        "IDP_KEYS_DIR": str(folder / "keys"),
        "IDP_ISSUER": "http://localhost:8000",
        "IDP_MODE": "demo",
    }


def use_settings(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def installation(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    use_settings(monkeypatch, settings_of(tmp_path, database_url))
    return Installation(tmp_path, database_url)


@pytest.fixture
def small_installation(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """For what has nothing to do with the engine."""
    use_settings(monkeypatch, settings_of(tmp_path, sqlite_url))
    return Installation(tmp_path, sqlite_url)


def register_line(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One line of a register file; a change to None leaves the member out."""
    line = {
        "personal_number": f"000190{number:06d}",
        "name": "Nguyễn Thị Lan",
        "birthdate": "1990-01-02",
        "proofing": "vn2",
        "proofed_at": "2025-02-17T09:30:00+07:00",
        "status": "active",
        "phone_number": f"+84000{number:06d}",
        "email": "lan@nguyen.example",
    } | changes
    return {name: value for name, value in line.items() if value is not None}


def write_register(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return path
