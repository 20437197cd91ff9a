"""Browsers that a person told us to remember: found by the hash of their cookie, ended one by one.

A remembered browser lowers friction and never lifts a level (NIST SP 800-63B §5.1): it is a known source of
its person, and may read their own pages after one factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, null, select

from idp.store.credential_tables import trusted_browsers as t
from idp.store.database import Row
from idp.store.encoding import hash_secret, micros, moment
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.writes import Change, Insert

TRUSTED_BROWSER_GATE = "trusted_browser_forgotten"
"""Closed for a browser that is not this person's, or is forgotten already."""

_NAME_COLUMN = "trusted_browser"
_COLUMNS = (
    "cookie_hash",
    "browser_id",
    "citizen_id",
    "name",
    "created_at",
    "last_used_at",
    "expires_at",
)
_ADD = Insert("trusted_browser", t, _COLUMNS)
_SEEN = Change(
    "trusted_browser_seen",
    t,
    where=lambda bind: t.c.browser_id == bind("browser"),
    values=lambda bind: {"last_used_at": bind("now")},
)
_FORGET = Change(
    TRUSTED_BROWSER_GATE,
    t,
    where=lambda bind: (
        (t.c.browser_id == bind("browser")) & (t.c.citizen_id == bind("citizen")) & (t.c.revoked_at == null())
    ),
    values=lambda bind: {"revoked_at": bind("now")},
    gate=True,
)
_FORGET_ALL = Change(
    "trusted_browsers_forgotten",
    t,
    where=lambda bind: (t.c.citizen_id == bind("citizen")) & (t.c.revoked_at == null()),
    values=lambda bind: {"revoked_at": bind("now")},
)
_LIVING = (t.c.revoked_at == null()) & (t.c.expires_at > bindparam("now"))
_FIND = select(t).where((t.c.cookie_hash == bindparam("cookie")) & _LIVING)
_OF_CITIZEN = (
    select(t)
    .where((t.c.citizen_id == bindparam("citizen")) & _LIVING)
    .order_by(t.c.last_used_at.desc(), t.c.browser_id)
    .limit(bindparam("limit"))
    .offset(bindparam("skipped"))
)


@dataclass(frozen=True, slots=True)
class TrustedBrowser:
    """A browser that is remembered, and by which name."""

    browser_id: str
    citizen_id: str
    name: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class TrustedBrowsers:
    """What the program remembers of browsers; the cookie itself is never kept."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, cookie: str, now: datetime) -> TrustedBrowser | None:
        """Return the browser that holds a cookie; None when it is unknown, forgotten or too old."""
        row = await self._recorder.fetch_one(_FIND, cookie=hash_secret(cookie), now=micros(now))
        return None if row is None else self._browser(row)

    async def of_citizen(
        self, citizen_id: str, now: datetime, *, limit: int, skipped: int = 0
    ) -> Sequence[TrustedBrowser]:
        """Return a person's remembered browsers, the one used last first."""
        rows = await self._recorder.fetch_all(
            _OF_CITIZEN, citizen=citizen_id, now=micros(now), limit=limit, skipped=skipped
        )
        return [self._browser(row) for row in rows]

    def add(self, browser: TrustedBrowser, cookie: str) -> None:
        """Record a browser under a new cookie."""
        self._recorder.record(
            _ADD,
            cookie_hash=hash_secret(cookie),
            browser_id=browser.browser_id,
            citizen_id=browser.citizen_id,
            name=self._seal.seal(browser.name.encode(), column_of(browser.browser_id, _NAME_COLUMN)),
            created_at=micros(browser.created_at),
            last_used_at=micros(browser.last_used_at),
            expires_at=micros(browser.expires_at),
        )

    def seen(self, browser_id: str, now: datetime) -> None:
        """Record that a browser was used."""
        self._recorder.record(_SEEN, browser=browser_id, now=micros(now))

    def forget(self, citizen_id: str, browser_id: str, now: datetime) -> None:
        """Record that a person's browser is trusted no more; the gate `trusted_browser_forgotten`."""
        self._recorder.record(_FORGET, browser=browser_id, citizen=citizen_id, now=micros(now))

    def forget_all(self, citizen_id: str, now: datetime) -> None:
        """Record that no browser of a person is trusted any more."""
        self._recorder.record(_FORGET_ALL, citizen=citizen_id, now=micros(now))

    def _browser(self, row: Row) -> TrustedBrowser:
        browser_id = row["browser_id"]
        name = self._seal.open(bytes(row["name"]), column_of(browser_id, _NAME_COLUMN))
        return TrustedBrowser(
            browser_id=browser_id,
            citizen_id=row["citizen_id"],
            name=name.decode(),
            created_at=moment(row["created_at"]),
            last_used_at=moment(row["last_used_at"]),
            expires_at=moment(row["expires_at"]),
        )
