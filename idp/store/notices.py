"""Notices: what people were told, the way to say "this was not me", and how they want to be told.

A notice is recorded in the commit of what it tells of, and with it the work that sends it. The token that
stands in the message is random; here lies its hash, and in the outbox, sealed, itself until it is sent.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, desc, func, literal_column, null, or_, select

from idp.identity.notices import (
    EVERY_CHANNEL,
    KEPT_FOR,
    LINK_NOTICES,
    SECURITY_NOTICES,
    Channel,
    KeptNotice,
    Notice,
    NoticeKind,
    NoticePreferences,
    UILocale,
)
from idp.store.database import Row
from idp.store.encoding import (
    dump_mapping,
    dump_names,
    hash_secret,
    load_mapping,
    load_names,
    micros,
    moment,
    moment_or_none,
)
from idp.store.link_tables import notice_preferences
from idp.store.link_tables import notices as t
from idp.store.outbox import Delivery, Outbox
from idp.store.places import NEWEST, Place
from idp.store.recorder import Recorder
from idp.store.writes import Change, Insert, Merge, Values

CITIZEN_NOTICE = "citizen_notice"
"""The kind of work in the outbox that finds out by which ways a person is told."""
VETOED_GATE = "notice_vetoed"

_INSERT = Insert(
    "notice",
    t,
    tuple(column.name for column in t.columns if column.name != "vetoed_at"),
    unless_exists=True,
)
_VETO = Change(
    VETOED_GATE,
    t,
    where=lambda bind: (t.c.notice_id == bind("id")) & (t.c.vetoed_at == null()),
    values=lambda bind: {"vetoed_at": bind("now"), "case_id": bind("case")},
    gate=True,
)
_PREFER = Insert(
    "notice_preferences",
    notice_preferences,
    tuple(column.name for column in notice_preferences.columns),
    merge=Merge(
        ("citizen_id",),
        lambda proposed, _: {name: proposed[name] for name in ("channels", "ui_locale", "updated_at")},
    ),
)
_BY_ID = select(t).where(t.c.notice_id == bindparam("notice_id"))
_BY_TOKEN = select(t).where(t.c.veto_hash == bindparam("veto_hash"))
_OF_CITIZEN = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(t.c.created_at >= bindparam("since"))
    .where(or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")))
    .where(bindparam("kinds").like(literal_column("'% '") + t.c.kind + literal_column("' %'")))
    .where(
        or_(
            t.c.created_at < bindparam("before_time"),
            and_(t.c.created_at == bindparam("before_time"), t.c.notice_id < bindparam("before_id")),
        )
    )
    .order_by(desc(t.c.created_at), desc(t.c.notice_id))
    .limit(bindparam("limit"))
)
_NETWORKS_OF_CITIZEN = (
    select(t.c.client_id)
    .distinct()
    .where(t.c.citizen_id == bindparam("citizen_id"), t.c.client_id != null())
    .order_by(t.c.client_id)
    .limit(bindparam("limit"))
)
_TOLD_SINCE = select(func.count().label("told")).where(
    t.c.citizen_id == bindparam("citizen_id"),
    t.c.kind == bindparam("kind"),
    t.c.created_at >= bindparam("since"),
)
_PREFERENCES = select(notice_preferences).where(notice_preferences.c.citizen_id == bindparam("citizen_id"))


class Notices:
    """What the program remembers about what people were told."""

    def __init__(self, recorder: Recorder, outbox: Outbox) -> None:
        self._recorder = recorder
        self._outbox = outbox

    def tell(
        self,
        notice: Notice,
        now: datetime,
        *,
        channels: Iterable[Channel] | None = None,
        token: str | None = None,
    ) -> None:
        """Record a notice beside what it tells of; `channels` where not those that the person chose.

        `token` stands in the message of what can be stopped from there (`identity.notices.STOPPABLE`).
        """
        self.tell_many([notice], now, channels=channels, token=token)

    def tell_many(
        self,
        notices: Sequence[Notice],
        now: datetime,
        *,
        channels: Iterable[Channel] | None = None,
        token: str | None = None,
    ) -> None:
        """Record the notices of a batch of changes; security notices go by every way."""
        rows: list[Values] = []
        deliveries: list[Delivery] = []
        chosen = None if channels is None else sorted(channels)
        for notice in notices:
            notice_id = secrets.token_urlsafe(16)
            veto_token = secrets.token_urlsafe(16) if notice.kind in _VETOED_KINDS else None
            ways = sorted(EVERY_CHANNEL) if notice.kind in SECURITY_NOTICES else chosen
            rows.append(_row_from_notice(notice_id, notice, veto_token, now))
            deliveries.append(_delivery(notice_id, notice.citizen_id, veto_token or token, ways, now))
        self._recorder.record_many(_INSERT, rows)
        self._outbox.add_many(deliveries)

    async def find(self, notice_id: str) -> KeptNotice | None:
        """Return one notice."""
        row = await self._recorder.fetch_one(_BY_ID, notice_id=notice_id)
        return None if row is None else _kept(row)

    async def find_by_token(self, token: str) -> KeptNotice | None:
        """Return the notice in whose message this token stands."""
        row = await self._recorder.fetch_one(_BY_TOKEN, veto_hash=hash_secret(token))
        return None if row is None else _kept(row)

    async def of_citizen(
        self,
        citizen_id: str,
        *,
        client_id: str = "",
        kinds: Iterable[NoticeKind] = NoticeKind,
        since: datetime | None = None,
        before: Place = NEWEST,
        limit: int = 20,
    ) -> list[KeptNotice]:
        """Return what a person was told, newest first, from a place on; of one client where one is named."""
        rows = await self._recorder.fetch_all(
            _OF_CITIZEN,
            citizen_id=citizen_id,
            client_id=client_id,
            kinds=f" {' '.join(kinds)} ",
            since=0 if since is None else micros(since),
            before_time=before[0],
            before_id=before[1],
            limit=limit,
        )
        return [_kept(row) for row in rows]

    async def networks_of(self, citizen_id: str, limit: int = 200) -> list[str]:
        """Return the clients of which a person was told something, in order."""
        rows = await self._recorder.fetch_all(_NETWORKS_OF_CITIZEN, citizen_id=citizen_id, limit=limit)
        return [row["client_id"] for row in rows]

    async def was_told_since(self, citizen_id: str, kind: NoticeKind, since: datetime) -> bool:
        """Tell whether a person was told something of this kind since then."""
        row = await self._recorder.fetch_one(
            _TOLD_SINCE, citizen_id=citizen_id, kind=kind.value, since=micros(since)
        )
        return row is not None and row["told"] > 0

    def veto(self, kept: KeptNotice, case_id: str, now: datetime) -> None:
        """Record that "this was not me" was pressed; the gate `notice_vetoed` closes the second time."""
        self._recorder.record(_VETO, id=kept.notice_id, case=case_id, now=micros(now))

    async def preferences(self, citizen_id: str) -> NoticePreferences:
        """Return how a person wants to be told; the defaults where they chose nothing."""
        row = await self._recorder.fetch_one(_PREFERENCES, citizen_id=citizen_id)
        if row is None:
            return NoticePreferences()
        return NoticePreferences(
            frozenset(map(Channel, load_names(row["channels"]))), UILocale(row["ui_locale"])
        )

    def prefer(self, citizen_id: str, preferences: NoticePreferences, now: datetime) -> None:
        """Record how a person wants to be told from now on."""
        self._recorder.record(
            _PREFER,
            citizen_id=citizen_id,
            channels=dump_names(preferences.channels),
            ui_locale=preferences.ui_locale.value,
            updated_at=micros(now),
        )


_VETOED_KINDS = frozenset(LINK_NOTICES.values())
"""What "this was not me" stands under: everything that happened to one link."""


def _row_from_notice(notice_id: str, notice: Notice, token: str | None, now: datetime) -> Values:
    return {
        "notice_id": notice_id,
        "citizen_id": notice.citizen_id,
        "kind": notice.kind.value,
        "client_id": notice.client_id,
        "link_id": notice.link_id,
        "case_id": notice.case_id,
        "details": dump_mapping(notice.details),
        "veto_hash": None if token is None else hash_secret(token),
        "created_at": micros(now),
        "expires_at": micros(now + KEPT_FOR),
    }


def _delivery(
    notice_id: str, citizen_id: str, token: str | None, channels: list[Channel] | None, now: datetime
) -> Delivery:
    return Delivery(
        delivery_id=f"{CITIZEN_NOTICE}:{notice_id}",
        kind=CITIZEN_NOTICE,
        client_id="",
        ordering_key=f"citizen:{citizen_id}",
        content={"notice_id": notice_id, "token": token, "channels": channels},
        created_at=now,
        next_attempt_at=now,
    )


def _kept(row: Row) -> KeptNotice:
    notice = Notice(
        kind=NoticeKind(row["kind"]),
        citizen_id=row["citizen_id"],
        client_id=row["client_id"],
        link_id=row["link_id"],
        case_id=row["case_id"],
        details=load_mapping(row["details"]),
    )
    return KeptNotice(
        row["notice_id"],
        notice,
        moment(row["created_at"]),
        moment(row["expires_at"]),
        moment_or_none(row["vetoed_at"]),
    )
