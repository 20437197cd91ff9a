"""From a database URL to an engine."""

from pathlib import Path
from urllib.parse import urlsplit

from idp.store.database import Database
from idp.store.postgresql import PostgreSQL
from idp.store.sqlite import SQLite


class DatabaseURLError(ValueError):
    """The URL names no engine we know."""


def sqlite_path(url: str) -> Path:
    """Return the file of a `sqlite:///relative` or `sqlite:////absolute` URL."""
    return Path(url.removeprefix("sqlite:///"))


def open_database(url: str, *, connections: int = 8, is_replanning: bool = False) -> Database:
    """Open `sqlite:///file` or `postgresql://…` inside the running event loop.

    `is_replanning`: for processes that read queues (see `PostgreSQL`).

    Raises DatabaseURLError, and StoreUnavailableError when a SQLite file cannot be opened.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite" and url.startswith("sqlite:///"):
        return SQLite(path=sqlite_path(url))
    if scheme in {"postgresql", "postgres"}:
        return PostgreSQL(url=url, size=connections, is_replanning=is_replanning)
    raise DatabaseURLError("the database URL begins with sqlite:/// or postgresql://")
