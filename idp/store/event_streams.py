"""Event streams in memory that lasts: one for each client, and the subjects that its receiver removed.

What authorizes a push is sealed. A subject is removed under the row of its stream, so that a stream that is
deleted in the same moment takes its subjects along.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select

from idp.protocol.event_stream import ChangedBy, DeliveryMethod, EventStream, StreamStatus
from idp.store.database import Row
from idp.store.encoding import dump_mapping, load_mapping, micros, micros_or_none, moment, moment_or_none
from idp.store.link_tables import event_stream_subjects as subjects
from idp.store.link_tables import event_streams as t
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.text_lists import one_of, text_list
from idp.store.writes import Change, Insert, Remove, Value

ADDED_GATE = "event_stream_added"
CHANGED_GATE = "event_stream_changed"
REMOVED_GATE = "event_stream_removed"
VERIFIED_GATE = "event_stream_verified"
TOUCHED_GATE = "event_stream_touched"

MOST_REMOVED_SUBJECTS = 100_000
"""Subjects that one receiver may have removed."""

_COLUMNS = tuple(column.name for column in t.columns)
_CHANGED = ("status", "content", "authorization_header", "revision", "updated_at")

_INSERT = Insert(ADDED_GATE, t, _COLUMNS, gate=True, unless_exists=True)
_CHANGE = Change(
    CHANGED_GATE,
    t,
    where=lambda bind: (t.c.stream_id == bind("id")) & (t.c.revision == bind("from_revision")),
    values=lambda bind: {name: bind(name) for name in _CHANGED},
    gate=True,
)
_REMOVE = Remove(REMOVED_GATE, t, where=lambda bind: t.c.stream_id == bind("id"), gate=True)
_VERIFY = Change(
    VERIFIED_GATE,
    t,
    where=lambda bind: (
        (t.c.stream_id == bind("id")) & or_(t.c.verified_at.is_(None), t.c.verified_at <= bind("not_since"))
    ),
    values=lambda bind: {"verified_at": bind("now")},
    gate=True,
)
_TOUCH = Change(
    TOUCHED_GATE,
    t,
    where=lambda bind: t.c.stream_id == bind("id"),
    values=lambda bind: {"updated_at": bind("now")},
    gate=True,
)
_REMOVE_SUBJECT = Insert(
    "event_stream_subject_removed", subjects, ("stream_id", "subject", "removed_at"), unless_exists=True
)
_ADD_SUBJECT = Remove(
    "event_stream_subject_added",
    subjects,
    where=lambda bind: (subjects.c.stream_id == bind("id")) & (subjects.c.subject == bind("subject")),
)

_FIND = select(t).where(t.c.stream_id == bindparam("stream_id"))
_OF_CLIENT = select(t).where(t.c.client_id == bindparam("client_id"))
_PAGE = select(t).where(t.c.client_id > bindparam("after")).order_by(t.c.client_id).limit(bindparam("limit"))
_REMOVED = select(subjects.c.subject).where(
    subjects.c.stream_id == bindparam("stream_id"), one_of(subjects.c.subject, bindparam("among"))
)
_COUNT_REMOVED = select(func.count().label("removed")).where(subjects.c.stream_id == bindparam("stream_id"))


class EventStreams:
    """What the program remembers of event streams."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, stream_id: str) -> EventStream | None:
        """Return a stream, whoever's it is."""
        row = await self._recorder.fetch_one(_FIND, stream_id=stream_id)
        return None if row is None else self._from_row(row)

    async def of_client(self, client_id: str) -> EventStream | None:
        """Return a client's stream."""
        row = await self._recorder.fetch_one(_OF_CLIENT, client_id=client_id)
        return None if row is None else self._from_row(row)

    async def page(self, *, after: str = "", limit: int = 100) -> list[EventStream]:
        """Return streams by their client's id."""
        rows = await self._recorder.fetch_all(_PAGE, after=after, limit=limit)
        return [self._from_row(row) for row in rows]

    def add(self, stream: EventStream) -> None:
        """Record a stream; gate ADDED_GATE: the client has one already."""
        self._recorder.record(_INSERT, **self._values(stream))

    def change(self, before: EventStream, after: EventStream) -> None:
        """Record what became of a stream; gate CHANGED_GATE: it was changed or deleted meanwhile."""
        values = self._values(after) | {"revision": before.revision + 1}
        changed = {name: values[name] for name in _CHANGED}
        self._recorder.record(_CHANGE, id=before.stream_id, from_revision=before.revision, **changed)

    def remove(self, stream: EventStream) -> None:
        """Record a stream's end, with its list of subjects; gate REMOVED_GATE: it is gone already."""
        self._recorder.record(_REMOVE, id=stream.stream_id)

    def verify(self, stream: EventStream, not_since: datetime, now: datetime) -> None:
        """Record that a verification was asked for; gate VERIFIED_GATE: one was after `not_since`."""
        self._recorder.record(_VERIFY, id=stream.stream_id, not_since=micros(not_since), now=micros(now))

    def remove_subject(self, stream: EventStream, subject: str, now: datetime) -> None:
        """Record that nothing of a subject is wanted; gate TOUCHED_GATE: the stream is gone."""
        self._recorder.record(_TOUCH, id=stream.stream_id, now=micros(now))
        self._recorder.record(
            _REMOVE_SUBJECT, stream_id=stream.stream_id, subject=subject, removed_at=micros(now)
        )

    def add_subject(self, stream: EventStream, subject: str) -> None:
        """Record that a subject is wanted again."""
        self._recorder.record(_ADD_SUBJECT, id=stream.stream_id, subject=subject)

    async def removed(self, stream_id: str, among: Iterable[str]) -> frozenset[str]:
        """Return which of these subjects the receiver removed."""
        rows = await self._recorder.fetch_all(_REMOVED, stream_id=stream_id, among=text_list(among))
        return frozenset(row["subject"] for row in rows)

    async def count_removed(self, stream_id: str) -> int:
        """Return how many subjects the receiver removed."""
        (row,) = await self._recorder.fetch_all(_COUNT_REMOVED, stream_id=stream_id)
        count: int = row["removed"]
        return count

    def _values(self, stream: EventStream) -> dict[str, Value]:
        header = stream.authorization_header
        content = {
            "method": stream.method.value,
            "endpoint_url": stream.endpoint_url,
            "events_requested": None if stream.events_requested is None else list(stream.events_requested),
            "description": stream.description,
            "reason": stream.reason,
            "changed_by": stream.changed_by.value,
        }
        return {
            "stream_id": stream.stream_id,
            "client_id": stream.client_id,
            "status": stream.status.value,
            "content": dump_mapping(content),
            "authorization_header": None
            if header is None
            else self._seal.seal(header.encode(), _context(stream.stream_id)),
            "revision": stream.revision,
            "created_at": micros(stream.created_at),
            "updated_at": micros(stream.updated_at),
            "verified_at": micros_or_none(stream.verified_at),
        }

    def _from_row(self, row: Row) -> EventStream:
        content, sealed = load_mapping(row["content"]), row["authorization_header"]
        events = content["events_requested"]
        return EventStream(
            stream_id=row["stream_id"],
            client_id=row["client_id"],
            method=DeliveryMethod(content["method"]),
            endpoint_url=content["endpoint_url"],
            events_requested=None if events is None else tuple(events),
            created_at=moment(row["created_at"]),
            updated_at=moment(row["updated_at"]),
            authorization_header=None
            if sealed is None
            else self._seal.open(bytes(sealed), _context(row["stream_id"])).decode(),
            description=content["description"],
            status=StreamStatus(row["status"]),
            reason=content["reason"],
            changed_by=ChangedBy(content["changed_by"]),
            revision=row["revision"],
            verified_at=moment_or_none(row["verified_at"]),
        )


def _context(stream_id: str) -> bytes:
    """Bind a sealed header to its row."""
    return f"event_stream:{stream_id}".encode()
