"""Cases: opened once, answered once, closed once. What was written into one is sealed."""

import secrets
from datetime import datetime

import orjson
from sqlalchemy import BigInteger, and_, bindparam, case, desc, literal_column, null, or_, select, true

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import Case, CaseKind, CaseStatus, make_reference
from idp.store.database import Row
from idp.store.encoding import micros, micros_or_none, moment, moment_or_none
from idp.store.link_tables import cases as t
from idp.store.places import NEWEST, Place
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Change, Insert

OPENED_GATE = "case_opened"
MOVED_GATE = "case_moved"

_OPEN = Insert(OPENED_GATE, t, tuple(column.name for column in t.columns), gate=True, unless_exists=True)
_MOVED = ("status", "content", "answered_at", "closed_at", "outcome")
"""What an answer or a decision may change."""
_MOVE = Change(
    MOVED_GATE,
    t,
    where=lambda bind: (t.c.case_id == bind("id")) & (t.c.status == bind("from_status")),
    values=lambda bind: {name: bind(name) for name in _MOVED},
    gate=True,
)
_BY_ID = select(t).where(t.c.case_id == bindparam("case_id"))
_BY_REFERENCE = select(t).where(t.c.reference == bindparam("reference"))
_UNDECIDED = (
    select(t)
    .where(t.c.link_id == bindparam("link_id"), t.c.closed_at == null())
    .order_by(t.c.opened_at, t.c.case_id)
    .limit(bindparam("limit"))
)
_OF_CITIZEN = (
    select(t)
    .where(
        or_(t.c.citizen_id == bindparam("citizen_id"), t.c.holder_citizen_id == bindparam("citizen_id")),
    )
    .where(or_(bindparam("kind") == literal_column("''"), t.c.kind == bindparam("kind")))
    .where(
        case(
            (bindparam("is_closed") == literal_column("1"), t.c.closed_at != null()),
            (bindparam("is_closed") == literal_column("0"), t.c.closed_at == null()),
            else_=true(),
        )
    )
    .where(
        or_(
            t.c.opened_at < bindparam("before_time"),
            and_(t.c.opened_at == bindparam("before_time"), t.c.case_id < bindparam("before_id")),
        )
    )
    .order_by(desc(t.c.opened_at), desc(t.c.case_id))
    .limit(bindparam("limit"))
)
_PAGE = (
    select(t)
    .where(t.c.case_id > bindparam("after"))
    .where(or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")))
    .where(or_(bindparam("kind") == literal_column("''"), t.c.kind == bindparam("kind")))
    .where(or_(bindparam("status") == literal_column("''"), t.c.status == bindparam("status")))
    .where(
        case(
            (
                bindparam("overdue_at", type_=BigInteger) > literal_column("0"),
                and_(
                    t.c.closed_at == null(),
                    t.c.answered_at == null(),
                    t.c.due_at <= bindparam("overdue_at", type_=BigInteger),
                ),
            ),
            else_=true(),
        )
    )
    .order_by(t.c.case_id)
    .limit(bindparam("limit"))
)
_OVERDUE = (
    select(t)
    .where(t.c.closed_at == null(), t.c.answered_at == null(), t.c.due_at <= bindparam("now"))
    .where(t.c.kind == bindparam("kind"))
    .order_by(t.c.due_at, t.c.case_id)
    .limit(bindparam("limit"))
)


def new_case(
    kind: CaseKind,
    opened_by: Actor,
    now: datetime,
    *,
    client_id: str,
    link_id: str | None = None,
    account_id: str | None = None,
    citizen_id: str | None = None,
    due_at: datetime | None = None,
) -> Case:
    """Return an open case with a fresh id and reference, to be recorded by `Cases.open`.

    Whoever else holds the link, and what was written, is put in by `dataclasses.replace`.
    """
    return Case(
        case_id=secrets.token_urlsafe(16),
        reference=make_reference(secrets.choice),
        kind=kind,
        status=CaseStatus.OPEN,
        client_id=client_id,
        link_id=link_id,
        account_id=account_id,
        opened_by=opened_by,
        opened_at=now,
        due_at=due_at,
        citizen_id=citizen_id,
    )


class Cases:
    """What the program remembers about cases."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def open(self, case: Case) -> None:
        """Record a new case. The gate `case_opened` closes when another is in its place.

        That is one with this reference, or an undecided one about this link: any for the kinds `not_me` and
        `misuse`, one of the same person for a dispute.
        """
        self._recorder.record(
            _OPEN,
            case_id=case.case_id,
            reference=case.reference,
            kind=case.kind.value,
            client_id=case.client_id,
            link_id=case.link_id,
            account_id=case.account_id,
            citizen_id=case.citizen_id,
            holder_citizen_id=case.holder_citizen_id,
            opened_by_kind=case.opened_by.kind.value,
            opened_by_id=case.opened_by.id,
            opened_at=micros(case.opened_at),
            due_at=micros_or_none(case.due_at),
            **self._moving_columns(case),
        )

    def move(self, before: Case, after: Case) -> None:
        """Record an answer or a decision; the gate `case_moved` closes when somebody was faster."""
        self._recorder.record(
            _MOVE, id=before.case_id, from_status=before.status.value, **self._moving_columns(after)
        )

    def _moving_columns(self, case: Case) -> dict[str, str | int | bytes | None]:
        sealed = self._seal.seal(orjson.dumps(dict(case.content)), _context(case.case_id))
        return {
            "status": case.status.value,
            "content": sealed if case.content else None,
            "answered_at": micros_or_none(case.answered_at),
            "closed_at": micros_or_none(case.closed_at),
            "outcome": case.outcome,
        }

    async def find(self, case_id: str) -> Case | None:
        """Return one case, opened."""
        row = await self._recorder.fetch_one(_BY_ID, case_id=case_id)
        return None if row is None else self._from_row(row)

    async def find_by_reference(self, reference: str) -> Case | None:
        """Return the case that has this reference (see `identity.cases.read_reference`)."""
        row = await self._recorder.fetch_one(_BY_REFERENCE, reference=reference)
        return None if row is None else self._from_row(row)

    async def undecided(self, link_id: str, limit: int = 20) -> list[Case]:
        """Return the cases about a link that are not closed, oldest first."""
        rows = await self._recorder.fetch_all(_UNDECIDED, link_id=link_id, limit=limit)
        return [self._from_row(row) for row in rows]

    async def of_citizen(
        self,
        citizen_id: str,
        limit: int = 20,
        *,
        kind: CaseKind | None = None,
        is_closed: bool | None = None,
        before: Place = NEWEST,
    ) -> list[Case]:
        """Return a person's cases, and those about links that they hold, newest first, from a place on."""
        rows = await self._recorder.fetch_all(
            _OF_CITIZEN,
            citizen_id=citizen_id,
            kind=kind or "",
            is_closed=-1 if is_closed is None else int(is_closed),
            before_time=before[0],
            before_id=before[1],
            limit=limit,
        )
        return [self._from_row(row) for row in rows]

    async def page(
        self,
        *,
        client_id: str = "",
        kind: CaseKind | None = None,
        status: CaseStatus | None = None,
        overdue_at: datetime | None = None,
        after: str = "",
        limit: int = 50,
    ) -> list[Case]:
        """Return cases in pages by id; what is not named lets everything through."""
        rows = await self._recorder.fetch_all(
            _PAGE,
            client_id=client_id,
            kind=kind or "",
            status=status or "",
            overdue_at=0 if overdue_at is None else micros(overdue_at),
            after=after,
            limit=limit,
        )
        return [self._from_row(row) for row in rows]

    async def overdue(self, kind: CaseKind, now: datetime, limit: int = 50) -> list[Case]:
        """Return cases of a kind that nobody answered in time, the oldest first.

        What was answered waits for our staff, for however long, and must not stand in front of these.
        """
        rows = await self._recorder.fetch_all(_OVERDUE, kind=kind.value, now=micros(now), limit=limit)
        return [self._from_row(row) for row in rows]

    def _from_row(self, row: Row) -> Case:
        sealed = row["content"]
        content = (
            {} if sealed is None else orjson.loads(self._seal.open(bytes(sealed), _context(row["case_id"])))
        )
        return Case(
            case_id=row["case_id"],
            reference=row["reference"],
            kind=CaseKind(row["kind"]),
            status=CaseStatus(row["status"]),
            client_id=row["client_id"],
            link_id=row["link_id"],
            account_id=row["account_id"],
            opened_by=Actor(ActorKind(row["opened_by_kind"]), row["opened_by_id"]),
            opened_at=moment(row["opened_at"]),
            due_at=moment_or_none(row["due_at"]),
            citizen_id=row["citizen_id"],
            holder_citizen_id=row["holder_citizen_id"],
            content=content,
            answered_at=moment_or_none(row["answered_at"]),
            closed_at=moment_or_none(row["closed_at"]),
            outcome=row["outcome"],
        )


def _context(case_id: str) -> bytes:
    """Bind sealed content to its row."""
    return f"case:{case_id}".encode()
