"""The memory of the network: one SQLite file, so that a restart keeps accounts and links.

Every call is one short statement on a local file, made on the event loop's own thread: at the size
of a sample that is quicker than handing it to another one.
"""

import hashlib
import secrets
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from clients.social_network.accounts import FIRST_POSTS, MEMBERS, Account, Post
from clients.social_network.link_store import SCHEMA as LINKS
from clients.social_network.link_store import LinkStore
from clients.social_network.moments import read_moment, written

SESSION_LIFETIME = timedelta(days=30)
STARTED_LIFETIME = timedelta(hours=1)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    account_id TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    about TEXT NOT NULL, is_demo INTEGER NOT NULL, joined_at TEXT);
CREATE TABLE IF NOT EXISTS posts (
    post_id INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts, text TEXT NOT NULL,
    posted_at TEXT NOT NULL, picture TEXT);
CREATE TABLE IF NOT EXISTS sessions (
    session_hash BLOB PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts,
    expires_at TEXT NOT NULL, notice TEXT);
CREATE TABLE IF NOT EXISTS started (
    state TEXT PRIMARY KEY, session_hash BLOB NOT NULL REFERENCES sessions ON DELETE CASCADE,
    started TEXT NOT NULL, expires_at TEXT NOT NULL, feature TEXT);
CREATE TABLE IF NOT EXISTS begun_with (
    session_hash BLOB PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    subject TEXT NOT NULL, sid TEXT, id_token TEXT);
CREATE INDEX IF NOT EXISTS begun_with_subject ON begun_with (subject);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_LATER_COLUMNS = (("accounts", "joined_at"), ("started", "feature"))
"""What files lack that earlier versions made."""
_Value = str | bytes | int | None


class Store:
    """Accounts, posts, sessions and links."""

    def __init__(self, data_dir: Path, now: datetime) -> None:
        """Open the file, made with its first members when it is new."""
        data_dir.mkdir(parents=True, exist_ok=True)
        # One event loop uses the connection, though not always in the thread that built the application.
        self._connection = sqlite3.connect(
            data_dir / "social_network.sqlite", isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "foreign_keys = ON", "busy_timeout = 5000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_SCHEMA + LINKS)
        self._bring_up_to_date(now)
        self._invite_first_members(now)
        self.links = LinkStore(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _bring_up_to_date(self, now: datetime) -> None:
        for table, column in _LATER_COLUMNS:
            columns = {row["name"] for row in self._all(f"PRAGMA table_info({table})")}
            if column not in columns:
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")
        self._connection.execute("UPDATE accounts SET joined_at = ? WHERE joined_at IS NULL", (written(now),))
        self._connection.execute(
            "INSERT OR IGNORE INTO told SELECT link_id, NULL, checked_at, NULL, NULL, 1 FROM links"
        )

    def _invite_first_members(self, now: datetime) -> None:
        if self._one("SELECT 1 FROM accounts") is not None:
            return
        ids = {handle: f"acc_{secrets.token_hex(10)}" for handle, *_ in MEMBERS}
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (ids[handle], handle, name, about, is_demo, written(now))
                    for handle, name, about, is_demo in MEMBERS
                ],
            )
            self._connection.executemany(
                "INSERT INTO posts (account_id, text, posted_at, picture) VALUES (?, ?, ?, ?)",
                [
                    (ids[handle], text, written(now - ago), picture)
                    for handle, ago, text, picture in reversed(FIRST_POSTS)
                ],
            )

    # Accounts and posts

    def find_account(self, handle: str) -> Account | None:
        """Return the member with this handle."""
        row = self._one("SELECT * FROM accounts WHERE handle = ?", handle)
        return None if row is None else _account(row)

    def demo_accounts(self) -> tuple[Account, ...]:
        """Return the members a visitor may sign in as."""
        rows = self._all("SELECT * FROM accounts WHERE is_demo ORDER BY rowid")
        return tuple(_account(row) for row in rows)

    def add_post(self, account_id: str, text: str, now: datetime, picture: str | None = None) -> None:
        """Keep a post."""
        self._connection.execute(
            "INSERT INTO posts (account_id, text, posted_at, picture) VALUES (?, ?, ?, ?)",
            (account_id, text, written(now), picture),
        )

    def latest_posts(self, count: int, account_id: str | None = None) -> tuple[Post, ...]:
        """Return the newest posts, of one member or of all, each with its author's link."""
        rows = self._all(
            "SELECT posts.text, posts.posted_at, posts.picture, accounts.* FROM posts "
            "JOIN accounts USING (account_id) WHERE ?1 IS NULL OR accounts.account_id = ?1 "
            "ORDER BY posted_at DESC, post_id DESC LIMIT ?2",
            account_id,
            count,
        )
        links = self.links.all()
        return tuple(
            Post(
                _account(row),
                row["text"],
                read_moment(row["posted_at"]),
                row["picture"],
                links.get(row["account_id"]),
            )
            for row in rows
        )

    # Sessions

    def begin_session(self, account_id: str, now: datetime) -> str:
        """Sign a member in; return the id that only the browser keeps."""
        session_id = secrets.token_urlsafe(32)
        self._connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (written(now),))
        self._connection.execute(
            "INSERT INTO sessions (session_hash, account_id, expires_at) VALUES (?, ?, ?)",
            (_hash(session_id), account_id, written(now + SESSION_LIFETIME)),
        )
        return session_id

    def end_session(self, session_id: str) -> None:
        """Sign out, with everything that was started."""
        self._connection.execute("DELETE FROM sessions WHERE session_hash = ?", (_hash(session_id),))

    def keep_provider_session(
        self, session_id: str, subject: str, sid: str | None, id_token: str | None
    ) -> None:
        """Keep which session at the provider this one was linked in."""
        self._connection.execute(
            "INSERT OR REPLACE INTO begun_with SELECT session_hash, ?, ?, ? FROM sessions "
            "WHERE session_hash = ?",
            (subject, sid, id_token, _hash(session_id)),
        )

    def find_id_token(self, session_id: str) -> str | None:
        """Return the ID token of the session at the provider, for signing out there."""
        row = self._one("SELECT id_token FROM begun_with WHERE session_hash = ?", _hash(session_id))
        return None if row is None else row["id_token"]

    def end_sessions_of(self, subject: str, sid: str | None) -> None:
        """End the sessions that were linked in one session at the provider, or in any of this person."""
        self._connection.execute(
            "DELETE FROM sessions WHERE session_hash IN "
            "(SELECT session_hash FROM begun_with WHERE subject = ?1 AND (?2 IS NULL OR sid = ?2))",
            (subject, sid),
        )

    def find_member(self, session_id: str, now: datetime) -> Account | None:
        """Return who is signed in with this session."""
        row = self._one(
            "SELECT accounts.* FROM sessions JOIN accounts USING (account_id) "
            "WHERE session_hash = ? AND sessions.expires_at > ?",
            _hash(session_id),
            written(now),
        )
        return None if row is None else _account(row)

    def leave_notice(self, session_id: str, notice: str) -> None:
        """Leave one message for the next page of this session."""
        self._connection.execute(
            "UPDATE sessions SET notice = ? WHERE session_hash = ?", (notice, _hash(session_id))
        )

    def take_notice(self, session_id: str) -> str | None:
        """Read the message and remove it."""
        row = self._one(
            "SELECT notice FROM sessions WHERE session_hash = ? AND notice IS NOT NULL", _hash(session_id)
        )
        if row is None:
            return None
        self._connection.execute(
            "UPDATE sessions SET notice = NULL WHERE session_hash = ?", (_hash(session_id),)
        )
        return str(row["notice"])

    # Linking

    def keep_started(
        self, session_id: str, state: str, started: str, now: datetime, feature: str | None = None
    ) -> None:
        """Keep a started linking with the session that started it, and what it is for."""
        self._connection.execute("DELETE FROM started WHERE expires_at <= ?", (written(now),))
        self._connection.execute(
            "INSERT INTO started VALUES (?, ?, ?, ?, ?)",
            (state, _hash(session_id), started, written(now + STARTED_LIFETIME), feature),
        )

    def take_started(self, session_id: str, state: str, now: datetime) -> tuple[str, str | None] | None:
        """Read a started linking and remove it in one statement: it serves once, in its own session."""
        row = self._one(
            "DELETE FROM started WHERE state = ? AND session_hash = ? AND expires_at > ? "
            "RETURNING started, feature",
            state,
            _hash(session_id),
            written(now),
        )
        return None if row is None else (row["started"], row["feature"])

    # What is kept for the whole network

    def keep(self, name: str, value: str) -> None:
        """Keep a document of the provider's, in place of the one before."""
        self._connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def find_kept(self, name: str) -> str | None:
        """Return a document that was kept."""
        row = self._one("SELECT value FROM kept WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def _one(self, statement: str, *values: _Value) -> sqlite3.Row | None:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _all(self, statement: str, *values: _Value) -> list[sqlite3.Row]:
        return self._connection.execute(statement, values).fetchall()


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def _account(row: sqlite3.Row) -> Account:
    return Account(
        row["account_id"],
        row["handle"],
        row["name"],
        row["about"],
        bool(row["is_demo"]),
        read_moment(row["joined_at"]),
    )
