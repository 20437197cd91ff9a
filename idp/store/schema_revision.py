"""Which revision a database stands at, without Alembic: loading that takes longer than most commands do."""

import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import column, func, literal_column, null, select, table
from sqlalchemy.sql.expression import ClauseElement

from idp.store.database import Database

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"

_VERSION: ClauseElement = select(column("version_num")).select_from(table("alembic_version"))
_EXISTS: Mapping[str, ClauseElement] = {
    "sqlite": select(func.count().label("found"))
    .select_from(table("sqlite_master"))
    .where(column("name") == literal_column("'alembic_version'")),
    "postgresql": select(func.count().label("found")).where(
        func.to_regclass(literal_column("'alembic_version'")).is_not(null())
    ),
}
_REVISION = re.compile(r'^(down_)?revision(?:: [^=]+)? = (?:"(.+)"|None)$', re.MULTILINE)


async def revision_of(database: Database) -> str | None:
    """Return the revision of a database; None for one without our tables. Raises StoreUnavailableError."""
    row = await database.fetch_one(_EXISTS[database.dialect.name], {})
    if row is None or not row["found"]:
        return None
    row = await database.fetch_one(_VERSION, {})
    return None if row is None else row["version_num"]


def newest_revision() -> str:
    """Return the revision that no other one follows."""
    names: set[str] = set()
    followed: set[str] = set()
    for path in VERSIONS.glob("*.py"):
        for is_down, name in _REVISION.findall(path.read_text(encoding="utf-8")):
            (followed if is_down else names).add(name)
    (newest,) = names - followed
    return newest
