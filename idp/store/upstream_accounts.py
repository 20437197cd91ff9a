"""Who came from which upstream: the upstream's own `sub`, by its keyed hash, and the citizen it stands for.

A pair that was seen once is never forgotten: a `sub` that later comes with another number is refused, also
after its account was disconnected. A citizen has one connected account at an upstream.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, null, select

from idp.store.credential_tables import upstream_accounts as t
from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Change, Insert, Values

_CONNECT = Insert(
    "upstream_account",
    t,
    ("upstream_id", "subject_lookup", "citizen_id", "first_used_at", "last_used_at"),
    gate=True,
    unless_exists=True,
)
_RECONNECT = Change(
    "upstream_account_reconnected",
    t,
    where=lambda bind: (
        (t.c.upstream_id == bind("upstream"))
        & (t.c.subject_lookup == bind("subject"))
        & (t.c.citizen_id == bind("citizen"))
        & (t.c.disconnected_at != null())
    ),
    values=lambda bind: {"last_used_at": bind("now"), "disconnected_at": null()},
    gate=True,
)
_USED = Change(
    "upstream_account_used",
    t,
    where=lambda bind: (
        (t.c.upstream_id == bind("upstream"))
        & (t.c.subject_lookup == bind("subject"))
        & (t.c.citizen_id == bind("citizen"))
        & (t.c.disconnected_at == null())
    ),
    values=lambda bind: {"last_used_at": bind("now")},
    gate=True,
)
_DISCONNECT = Change(
    "upstream_account_disconnected",
    t,
    where=lambda bind: (
        (t.c.upstream_id == bind("upstream"))
        & (t.c.citizen_id == bind("citizen"))
        & (t.c.disconnected_at == null())
    ),
    values=lambda bind: {"disconnected_at": bind("now")},
    gate=True,
)
_FIND = select(t).where(
    (t.c.upstream_id == bindparam("upstream_id")) & (t.c.subject_lookup == bindparam("subject_lookup"))
)
_OF_CITIZEN = (
    select(t)
    .where((t.c.citizen_id == bindparam("citizen_id")) & (t.c.disconnected_at == null()))
    .order_by(t.c.upstream_id)
)


@dataclass(frozen=True, slots=True)
class UpstreamAccount:
    """A person's account at an upstream, as we know it: that it is theirs, and since when."""

    upstream_id: str
    citizen_id: str
    first_used_at: datetime
    last_used_at: datetime
    disconnected_at: datetime | None = None


class UpstreamAccounts:
    """What the program remembers about accounts at upstreams."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, upstream_id: str, subject: str) -> UpstreamAccount | None:
        """Return whose account a `sub` is, connected or not."""
        row = await self._recorder.fetch_one(
            _FIND, upstream_id=upstream_id, subject_lookup=self._lookup(upstream_id, subject)
        )
        return None if row is None else _account(row)

    async def of_citizen(self, citizen_id: str) -> list[UpstreamAccount]:
        """Return a person's connected accounts, at most one for each upstream."""
        return [_account(row) for row in await self._recorder.fetch_all(_OF_CITIZEN, citizen_id=citizen_id)]

    def connect(self, upstream_id: str, subject: str, citizen_id: str, now: datetime) -> None:
        """Record a first arrival; the gate `upstream_account` closes for a known `sub` or a second one."""
        self._recorder.record(
            _CONNECT,
            upstream_id=upstream_id,
            subject_lookup=self._lookup(upstream_id, subject),
            citizen_id=citizen_id,
            first_used_at=micros(now),
            last_used_at=micros(now),
        )

    def reconnect(self, upstream_id: str, subject: str, citizen_id: str, now: datetime) -> None:
        """Record that a disconnected account is used again; its gate closes for one that is not such."""
        self._recorder.record(_RECONNECT, **self._binds(upstream_id, subject, citizen_id, now))

    def use(self, upstream_id: str, subject: str, citizen_id: str, now: datetime) -> None:
        """Record an arrival; the gate `upstream_account_used` closes unless the pair is connected."""
        self._recorder.record(_USED, **self._binds(upstream_id, subject, citizen_id, now))

    def disconnect(self, upstream_id: str, citizen_id: str, now: datetime) -> None:
        """Record that a person's account counts no more; its gate closes where none is connected."""
        self._recorder.record(_DISCONNECT, upstream=upstream_id, citizen=citizen_id, now=micros(now))

    def _binds(self, upstream_id: str, subject: str, citizen_id: str, now: datetime) -> Values:
        return {
            "upstream": upstream_id,
            "subject": self._lookup(upstream_id, subject),
            "citizen": citizen_id,
            "now": micros(now),
        }

    def _lookup(self, upstream_id: str, subject: str) -> bytes:
        return self._seal.lookup("upstream_subject", f"{upstream_id}\x00{subject}")


def _account(row: Row) -> UpstreamAccount:
    return UpstreamAccount(
        upstream_id=row["upstream_id"],
        citizen_id=row["citizen_id"],
        first_used_at=moment(row["first_used_at"]),
        last_used_at=moment(row["last_used_at"]),
        disconnected_at=moment_or_none(row["disconnected_at"]),
    )
