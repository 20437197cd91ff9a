"""The links that the network keeps, and what it was told of them since. Beside `store`, in the same file.

Two ways lead here from the provider, events and status lists, and either may be late. Each says as of when it
speaks; the later word counts, whichever way it came.
"""

import sqlite3
from datetime import datetime, timedelta

from clients.relying_party import AccountLink, LinkStatus, SecurityEvent, SignIn, Tokens
from clients.social_network.accounts import Link
from clients.social_network.moments import read_moment, written, written_if_any

SCHEMA = """
CREATE TABLE IF NOT EXISTS links (
    account_id TEXT PRIMARY KEY REFERENCES accounts, subject TEXT NOT NULL, link_id TEXT NOT NULL,
    status TEXT NOT NULL, acr TEXT NOT NULL, level TEXT, linked_at TEXT NOT NULL, expires_at TEXT NOT NULL,
    checked_at TEXT NOT NULL, access_token TEXT NOT NULL, access_expires_at TEXT NOT NULL,
    refresh_token TEXT);
CREATE TABLE IF NOT EXISTS told (
    link_id TEXT PRIMARY KEY, receipt TEXT, as_of TEXT NOT NULL, mark_uri TEXT, reverify_requested_at TEXT,
    is_to_be_read INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sign_ins (
    link_id TEXT NOT NULL, acr TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (link_id, acr));
CREATE TABLE IF NOT EXISTS remembered (jti TEXT PRIMARY KEY, until TEXT NOT NULL);
"""
_LINKS = "SELECT links.*, told.* FROM links LEFT JOIN told ON told.link_id = links.link_id"
_LISTED = {
    LinkStatus.VALID: "active",
    LinkStatus.INVALID: "ended",
    LinkStatus.SUSPENDED: "suspended",
    LinkStatus.LAPSED: "lapsed",
}
EVENTS_COME_AGAIN_FOR = timedelta(days=4)
"""The provider sends an event again for three days; a copy of it is known for longer."""


class LinkStore:
    """Links, receipts and what became of them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use the connection of the store."""
        self._connection = connection

    def save(self, link: Link) -> None:
        """Keep a link; a newer one for the same account takes its place."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "DELETE FROM told WHERE link_id IN (SELECT link_id FROM links WHERE account_id = ?)"
                " AND link_id <> ?",
                (link.account_id, link.link_id),
            )
            self._connection.execute(
                "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(link.account_id, link.subject, link.link_id, link.status, link.acr, link.level),
                    *(written(link.linked_at), written(link.expires_at), written(link.checked_at)),
                    *(link.access_token, written(link.access_expires_at), link.refresh_token),
                ),
            )
            self._connection.execute(
                "INSERT INTO told VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (link_id) DO UPDATE SET"
                " receipt = excluded.receipt, as_of = excluded.as_of, is_to_be_read = 1",
                (
                    *(link.link_id, link.receipt, written(link.as_of), link.mark_uri),
                    written_if_any(link.reverify_requested_at),
                ),
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO sign_ins VALUES (?, ?, ?)",
                [(link.link_id, signed_in.acr, written(signed_in.at)) for signed_in in link.sign_ins],
            )

    def keep_tokens(self, link_id: str, tokens: Tokens) -> None:
        """Keep the tokens that took the place of others: at once, for those are over."""
        self._connection.execute(
            "UPDATE links SET access_token = ?, access_expires_at = ?,"
            " refresh_token = coalesce(?, refresh_token) WHERE link_id = ?",
            (tokens.access_token, written(tokens.expires_at), tokens.refresh_token, link_id),
        )

    def note_checked(self, link_id: str, now: datetime) -> None:
        """Note that the provider was asked."""
        self._connection.execute("UPDATE links SET checked_at = ? WHERE link_id = ?", (written(now), link_id))

    def find(self, account_id: str) -> Link | None:
        """Return the link of this account."""
        row = self._connection.execute(f"{_LINKS} WHERE account_id = ?", (account_id,)).fetchone()
        return None if row is None else self._read(row)

    def all(self) -> dict[str, Link]:
        """Return every link by its account."""
        rows = self._connection.execute(_LINKS).fetchall()
        return {row["account_id"]: self._read(row) for row in rows}

    def to_be_read(self) -> list[Link]:
        """Return the links of which something was told that only the platform API says in full."""
        return [self._read(row) for row in self._connection.execute(f"{_LINKS} WHERE told.is_to_be_read")]

    def take_event(self, event: SecurityEvent, now: datetime) -> bool:
        """Do what an event says, once; tell whether it was new. A copy of it changes nothing."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            if not self.remember(event.jti, now + EVENTS_COME_AGAIN_FOR, now):
                return False
            if event.link is not None and event.occurred_at is not None:
                state = event.link
                self._connection.execute(
                    "UPDATE told SET is_to_be_read = 1 WHERE link_id = ?", (state.link_id,)
                )
                if self._stands(state.link_id, state.status, event.occurred_at, is_latest_at=True):
                    self._connection.execute(
                        "UPDATE links SET level = ?, expires_at = coalesce(?, expires_at) WHERE link_id = ?",
                        (state.assurance_level, written_if_any(state.expires_at), state.link_id),
                    )
            return True

    def take_listed(self, link_id: str, listed: LinkStatus, as_of: datetime) -> None:
        """Take what a status list says, unless something later is known."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._stands(link_id, _LISTED[listed], as_of, is_latest_at=False)

    def take_read(self, read: AccountLink, as_of: datetime) -> None:
        """Take what the platform API says of a link."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "UPDATE told SET mark_uri = ?, reverify_requested_at = ?, is_to_be_read = 0"
                " WHERE link_id = ?",
                (read.mark_uri, written_if_any(read.reverify_requested_at), read.link_id),
            )
            self._stands(read.link_id, read.status, as_of, is_latest_at=True)

    def forget(self, link_id: str) -> None:
        """Take a link for ended, of which the provider has no record any more."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("UPDATE told SET is_to_be_read = 0 WHERE link_id = ?", (link_id,))
            self._move(link_id, "ended")

    def remember(self, jti: str, until: datetime, now: datetime) -> bool:
        """Remember a token that serves once; tell whether it is new."""
        self._connection.execute("DELETE FROM remembered WHERE until <= ?", (written(now),))
        added = self._connection.execute(
            "INSERT OR IGNORE INTO remembered VALUES (?, ?)", (jti, written(until))
        )
        return added.rowcount == 1

    def _stands(self, link_id: str, status: str, as_of: datetime, *, is_latest_at: bool) -> bool:
        """Let a link stand as it is told, as of a moment; tell whether that was the latest word.

        Times on the wire are whole seconds. In the second that both speak of an event is later than a list,
        which holds what was so before that second.
        """
        known_before = as_of + timedelta(microseconds=1) if is_latest_at else as_of
        moved = self._connection.execute(
            "UPDATE told SET as_of = ? WHERE link_id = ? AND as_of < ?",
            (written(as_of), link_id, written(known_before)),
        )
        if moved.rowcount:
            self._move(link_id, status)
        return moved.rowcount == 1

    def _move(self, link_id: str, status: str) -> None:
        self._connection.execute(
            "UPDATE links SET status = ?1, refresh_token = iif(?1 = 'ended', NULL, refresh_token)"
            " WHERE link_id = ?2",
            (status, link_id),
        )

    def _read(self, row: sqlite3.Row) -> Link:
        sign_ins = self._connection.execute(
            "SELECT acr, at FROM sign_ins WHERE link_id = ? ORDER BY at", (row["link_id"],)
        ).fetchall()
        reverify_requested_at = row["reverify_requested_at"]
        return Link(
            account_id=row["account_id"],
            subject=row["subject"],
            link_id=row["link_id"],
            status=row["status"],
            acr=row["acr"],
            level=row["level"],
            linked_at=read_moment(row["linked_at"]),
            expires_at=read_moment(row["expires_at"]),
            checked_at=read_moment(row["checked_at"]),
            access_token=row["access_token"],
            access_expires_at=read_moment(row["access_expires_at"]),
            refresh_token=row["refresh_token"],
            receipt=row["receipt"],
            as_of=read_moment(row["as_of"]),
            mark_uri=row["mark_uri"],
            reverify_requested_at=None
            if reverify_requested_at is None
            else read_moment(reverify_requested_at),
            sign_ins=tuple(SignIn(each["acr"], read_moment(each["at"])) for each in sign_ins),
        )
