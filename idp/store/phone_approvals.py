"""Requests that a phone answers, and the short codes that lead to them: each step of theirs is a gate.

A code is kept as a keyed hash alone. The asking side and the number lie sealed, and go with the answer.
"""

from dataclasses import asdict
from datetime import datetime

import orjson
from sqlalchemy import bindparam, desc, null, select

from idp.authenticators.phone_approvals import ApprovalKind, ApprovalStatus, AskedFrom, PhoneApproval
from idp.store.credential_tables import phone_approvals as t
from idp.store.credential_tables import phone_codes as codes
from idp.store.database import Row
from idp.store.encoding import micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Change, Insert

CLAIM_GATE = "phone_approval_claimed"
DECIDE_GATE = "phone_approval_decided"
CONSUME_GATE = "phone_approval_consumed"
CODE_GATE = "phone_code_used"

_INSERT = Insert(
    "phone_approval",
    t,
    (
        "approval_hash",
        "kind",
        "visit_id",
        "browser_hash",
        "asked_from",
        "client_id",
        "citizen_id",
        "status",
        "created_at",
        "expires_at",
    ),
)
_CLAIM = Change(
    CLAIM_GATE,
    t,
    where=lambda bind: (
        (t.c.approval_hash == bind("id")) & (t.c.status == bind("open")) & (t.c.expires_at > bind("now"))
    ),
    values=lambda bind: {
        "status": bind("claimed"),
        "citizen_id": bind("citizen"),
        "device_id": bind("device"),
        "number": bind("digits"),
        "claimed_at": bind("now"),
        "expires_at": bind("until"),
    },
    gate=True,
)
_DECIDE = Change(
    DECIDE_GATE,
    t,
    where=lambda bind: (
        (t.c.approval_hash == bind("id"))
        & (t.c.device_id == bind("device"))
        & (t.c.status == bind("claimed"))
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda bind: {
        "status": bind("decision"),
        "asked_from": null(),
        "number": null(),
        "decided_at": bind("now"),
    },
    gate=True,
)
_CONSUME = Change(
    CONSUME_GATE,
    t,
    where=lambda bind: (
        (t.c.approval_hash == bind("id"))
        & (t.c.browser_hash == bind("browser"))
        & (t.c.status == bind("approved"))
        & (t.c.consumed_at == null())
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda bind: {"consumed_at": bind("now")},
    gate=True,
)
_WITHDRAW = Change(
    "phone_approvals_withdrawn",
    t,
    where=lambda bind: (t.c.browser_hash == bind("browser")) & (t.c.visit_id == bind("visit")),
    values=lambda bind: {
        "visit_id": null(),
        "expires_at": bind("now"),
        "asked_from": null(),
        "number": null(),
    },
)
_INSERT_CODE = Insert(
    "phone_code",
    codes,
    ("code_hash", "purpose", "subject", "created_at", "expires_at"),
    unless_exists=True,
)
_USE_CODE = Change(
    CODE_GATE,
    codes,
    where=lambda bind: (
        (codes.c.code_hash == bind("code")) & (codes.c.used_at == null()) & (codes.c.expires_at > bind("now"))
    ),
    values=lambda bind: {"used_at": bind("now")},
    gate=True,
)
_FIND = select(t).where(t.c.approval_hash == bindparam("approval_hash"))
_ASKED_BY = (
    select(t)
    .where((t.c.browser_hash == bindparam("browser_hash")) & (t.c.visit_id == bindparam("visit_id")))
    .where(t.c.kind == bindparam("kind"))
    .order_by(desc(t.c.created_at))
    .limit(1)
)
_WAITING = (
    select(t)
    .where((t.c.citizen_id == bindparam("citizen_id")) & (t.c.expires_at > bindparam("now")))
    .where(t.c.status.in_((bindparam("open"), bindparam("claimed"))))
    .order_by(desc(t.c.created_at))
    .limit(bindparam("limit"))
)
_FIND_CODE = (
    select(codes.c.subject)
    .where((codes.c.code_hash == bindparam("code_hash")) & (codes.c.purpose == bindparam("purpose")))
    .where((codes.c.used_at == null()) & (codes.c.expires_at > bindparam("now")))
)


class PhoneApprovals:
    """What the program remembers about requests for a phone."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, approval: PhoneApproval) -> None:
        """Record a new request."""
        asked_from = approval.asked_from
        self._recorder.record(
            _INSERT,
            approval_hash=approval.approval_hash,
            kind=approval.kind.value,
            visit_id=approval.visit_id,
            browser_hash=approval.browser_hash,
            asked_from=None
            if asked_from is None
            else self._seal.seal(orjson.dumps(asdict(asked_from)), _context(approval.approval_hash, "asked")),
            client_id=approval.client_id,
            citizen_id=approval.citizen_id,
            status=approval.status.value,
            created_at=micros(approval.created_at),
            expires_at=micros(approval.expires_at),
        )

    def withdraw(self, browser_hash: bytes, visit_id: str, now: datetime) -> None:
        """Record that a browser asks no more what it asked on one visit, answered or not."""
        self._recorder.record(_WITHDRAW, browser=browser_hash, visit=visit_id, now=micros(now))

    async def find(self, approval_hash: bytes) -> PhoneApproval | None:
        """Return a request, answered and expired ones included."""
        row = await self._recorder.fetch_one(_FIND, approval_hash=approval_hash)
        return None if row is None else self._from_row(row)

    async def asked_by(self, browser_hash: bytes, visit_id: str, kind: ApprovalKind) -> PhoneApproval | None:
        """Return what a browser asked last on one visit."""
        row = await self._recorder.fetch_one(
            _ASKED_BY, browser_hash=browser_hash, visit_id=visit_id, kind=kind.value
        )
        return None if row is None else self._from_row(row)

    async def waiting(self, citizen_id: str, now: datetime, limit: int) -> list[PhoneApproval]:
        """Return what a person's phones may answer now, newest first."""
        rows = await self._recorder.fetch_all(
            _WAITING,
            citizen_id=citizen_id,
            now=micros(now),
            open=ApprovalStatus.OPEN.value,
            claimed=ApprovalStatus.CLAIMED.value,
            limit=limit,
        )
        return [self._from_row(row) for row in rows]

    def claim(
        self,
        approval: PhoneApproval,
        *,
        citizen_id: str,
        device_id: str,
        number: str,
        until: datetime,
        now: datetime,
    ) -> None:
        """Record whose phone has a request; CLAIM_GATE closes for every other one from then on."""
        self._recorder.record(
            _CLAIM,
            id=approval.approval_hash,
            open=ApprovalStatus.OPEN.value,
            claimed=ApprovalStatus.CLAIMED.value,
            citizen=citizen_id,
            device=device_id,
            digits=self._seal.seal(number.encode(), _context(approval.approval_hash, "number")),
            until=micros(until),
            now=micros(now),
        )

    def decide(self, approval: PhoneApproval, status: ApprovalStatus, now: datetime) -> None:
        """Record the answer, and forget where it was asked; DECIDE_GATE closes for a second one."""
        self._recorder.record(
            _DECIDE,
            id=approval.approval_hash,
            device=approval.device_id,
            claimed=ApprovalStatus.CLAIMED.value,
            decision=status.value,
            now=micros(now),
        )

    def consume(self, approval: PhoneApproval, browser_hash: bytes, now: datetime) -> None:
        """Record that the asking browser goes on; CONSUME_GATE closes for a second time, and for others."""
        self._recorder.record(
            _CONSUME,
            id=approval.approval_hash,
            browser=browser_hash,
            approved=ApprovalStatus.APPROVED.value,
            now=micros(now),
        )

    def add_code(
        self, purpose: str, code: str, subject: str, *, created_at: datetime, expires_at: datetime
    ) -> None:
        """Record what a code leads to; a code that is there already stays what it is."""
        self._recorder.record(
            _INSERT_CODE,
            code_hash=self._seal.lookup(f"phone_code:{purpose}", code),
            purpose=purpose,
            subject=subject,
            created_at=micros(created_at),
            expires_at=micros(expires_at),
        )

    async def find_code(self, purpose: str, code: str, now: datetime) -> str | None:
        """Return what a code leads to; None for one that was used, is over, or never was."""
        row = await self._recorder.fetch_one(
            _FIND_CODE,
            code_hash=self._seal.lookup(f"phone_code:{purpose}", code),
            purpose=purpose,
            now=micros(now),
        )
        return None if row is None else row["subject"]

    def use_code(self, purpose: str, code: str, now: datetime) -> None:
        """Record the single use of a code; CODE_GATE closes for the second one."""
        self._recorder.record(
            _USE_CODE, code=self._seal.lookup(f"phone_code:{purpose}", code), now=micros(now)
        )

    def _from_row(self, row: Row) -> PhoneApproval:
        approval_hash = bytes(row["approval_hash"])
        asked_from, number = row["asked_from"], row["number"]
        return PhoneApproval(
            approval_hash=approval_hash,
            kind=ApprovalKind(row["kind"]),
            visit_id=row["visit_id"] or "",
            browser_hash=bytes(row["browser_hash"]),
            created_at=moment(row["created_at"]),
            expires_at=moment(row["expires_at"]),
            status=ApprovalStatus(row["status"]),
            asked_from=None
            if asked_from is None
            else AskedFrom(
                **orjson.loads(self._seal.open(bytes(asked_from), _context(approval_hash, "asked")))
            ),
            client_id=row["client_id"],
            citizen_id=row["citizen_id"],
            device_id=row["device_id"],
            number=None
            if number is None
            else self._seal.open(bytes(number), _context(approval_hash, "number")).decode(),
            claimed_at=moment_or_none(row["claimed_at"]),
            decided_at=moment_or_none(row["decided_at"]),
            consumed_at=moment_or_none(row["consumed_at"]),
        )


def _context(approval_hash: bytes, column: str) -> bytes:
    """Bind what is sealed to its row."""
    return f"phone_approvals.{column}:".encode() + approval_hash
