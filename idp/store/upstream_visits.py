"""Visits to upstreams that are under way: bound to one browser, good once. RFC 6749 §10.12, RFC 9700 §4.7.

The `state` is kept by its hash, what else the answer is checked against is sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, null, select

from idp.store.credential_tables import upstream_visits as t
from idp.store.encoding import dump_mapping, hash_secret, micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.writes import Change, Insert

_INSERT = Insert("upstream_visit", t, tuple(column.name for column in t.columns if column.name != "used_at"))
_USE = Change(
    "upstream_visit_used",
    t,
    where=lambda bind: (t.c.state_hash == bind("state_hash")) & (t.c.used_at == null()),
    values=lambda bind: {"used_at": bind("now")},
    gate=True,
)
_FIND = select(t).where(t.c.state_hash == bindparam("state_hash"))


@dataclass(frozen=True, slots=True)
class UpstreamVisit:
    """One way through an upstream."""

    upstream_id: str
    visit_id: str
    """The visit to our sign-in pages that it belongs to."""
    browser_hash: bytes
    created_at: datetime
    expires_at: datetime
    secrets: Mapping[str, Any] = field(repr=False)
    """What the answer is checked against."""
    used_at: datetime | None = None


class UpstreamVisits:
    """What the program remembers about visits to upstreams."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, state: str, visit: UpstreamVisit) -> None:
        """Record a visit as it leaves."""
        state_hash = hash_secret(state)
        self._recorder.record(
            _INSERT,
            state_hash=state_hash,
            upstream_id=visit.upstream_id,
            visit_id=visit.visit_id,
            browser_hash=visit.browser_hash,
            secrets=self._seal.seal(dump_mapping(visit.secrets).encode(), _context(state_hash)),
            created_at=micros(visit.created_at),
            expires_at=micros(visit.expires_at),
        )

    async def find(self, state: str) -> UpstreamVisit | None:
        """Return a visit, used or not."""
        state_hash = hash_secret(state)
        row = await self._recorder.fetch_one(_FIND, state_hash=state_hash)
        if row is None:
            return None
        return UpstreamVisit(
            upstream_id=row["upstream_id"],
            visit_id=row["visit_id"],
            browser_hash=bytes(row["browser_hash"]),
            created_at=moment(row["created_at"]),
            expires_at=moment(row["expires_at"]),
            secrets=orjson.loads(self._seal.open(bytes(row["secrets"]), _context(state_hash))),
            used_at=moment_or_none(row["used_at"]),
        )

    def use(self, state: str, now: datetime) -> None:
        """Record that an answer came; the gate `upstream_visit_used` closes for the second one."""
        self._recorder.record(_USE, state_hash=hash_secret(state), now=micros(now))


def _context(state_hash: bytes) -> bytes:
    return column_of(state_hash.hex(), "upstream_visit")
