"""Activations: codes kept as keyed hashes, each good for one use; and what stops them.

A code lies here as a keyed hash alone, and so does the browser in which it was typed; the token that stops a
recovery lies as its SHA-256. None of them can be read back, so a letter that is printed once more gets
another code. The token of what operators gave out is made of its id with our key: it can be told once more,
and the address in the message of before stays good.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, desc, func, literal_column, null, or_, select

from idp.identity.activation_grounds import Ground, Purpose, read_seen_document
from idp.identity.activations import CLAIM_VALIDITY, Activation, ActivationStatus, StopReason
from idp.store.credential_tables import activations as t
from idp.store.database import Row
from idp.store.encoding import hash_secret, micros, micros_or_none, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.writes import Change, Insert, Value

USED_GATE = "activation_used"
"""Closed for a code that was used, stopped, or typed again in another browser."""
APPROVED_GATE = "activation_approved"
CLAIMED_GATE = "activation_claimed"
REPRINTED_GATE = "activation_reprinted"
STOPPED_GATE = "activation_stopped"

_STOP_TOKEN_BYTES = 16

_ISSUED: ColumnElement[str] = literal_column(f"'{ActivationStatus.ISSUED.value}'")
_PROPOSED: ColumnElement[str] = literal_column(f"'{ActivationStatus.PROPOSED.value}'")
_USED: ColumnElement[str] = literal_column(f"'{ActivationStatus.USED.value}'")
_STOPPED: ColumnElement[str] = literal_column(f"'{ActivationStatus.STOPPED.value}'")
_OPEN = (t.c.used_at == null()) & (t.c.stopped_at == null())

_INSERT = Insert("activation", t, tuple(column.name for column in t.columns))
_APPROVE = Change(
    APPROVED_GATE,
    t,
    where=lambda bind: (t.c.activation_id == bind("id")) & (t.c.status == _PROPOSED) & _OPEN,
    values=lambda bind: {
        "status": _ISSUED,
        **{name: bind(name) for name in ("code_hash", "stop_hash", "approved_by")},
        **{name: bind(name) for name in ("usable_from", "expires_at")},
    },
    gate=True,
)
_REPRINT = Change(
    REPRINTED_GATE,
    t,
    where=lambda bind: (t.c.activation_id == bind("id")) & (t.c.status == _ISSUED) & _OPEN,
    values=lambda bind: {
        **{name: bind(name) for name in ("code_hash", "stop_hash")},
        **{name: null() for name in ("browser_hash", "claimed_at")},
    },
    gate=True,
)
_CLAIM = Change(
    CLAIMED_GATE,
    t,
    where=lambda bind: (
        (t.c.code_hash == bind("code"))
        & (t.c.status == _ISSUED)
        & _OPEN
        & (t.c.usable_from <= bind("now"))
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda bind: {"browser_hash": bind("browser"), "claimed_at": bind("now")},
    gate=True,
)
_USE = Change(
    USED_GATE,
    t,
    where=lambda bind: (
        (t.c.activation_id == bind("id"))
        & (t.c.browser_hash == bind("browser"))
        & (t.c.claimed_at > bind("claimed_since"))
        & (t.c.status == _ISSUED)
        & _OPEN
        & (t.c.usable_from <= bind("now"))
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda bind: {"status": _USED, "used_at": bind("now")},
    gate=True,
)
_STOP = Change(
    STOPPED_GATE,
    t,
    where=lambda bind: (t.c.activation_id == bind("id")) & _OPEN,
    values=lambda bind: {"status": _STOPPED, "stopped_at": bind("now"), "stopped_because": bind("because")},
    gate=True,
)
_STOP_OTHERS = Change(
    "activations_superseded",
    t,
    where=lambda bind: (t.c.citizen_id == bind("citizen")) & (t.c.activation_id != bind("but")) & _OPEN,
    values=lambda bind: {"status": _STOPPED, "stopped_at": bind("now"), "stopped_because": bind("because")},
)
_STOP_FIRST_CODES = Change(
    "first_codes_superseded",
    t,
    where=lambda bind: (
        (t.c.citizen_id == bind("citizen"))
        & (t.c.activation_id != bind("but"))
        & (t.c.purpose != bind("recovery"))
        & _OPEN
    ),
    values=lambda bind: {"status": _STOPPED, "stopped_at": bind("now"), "stopped_because": bind("because")},
)
_BY_ID = select(t).where(t.c.activation_id == bindparam("activation_id"))
_BY_CODE = select(t).where(t.c.code_hash == bindparam("code_hash"))
_BY_STOP = select(t).where(t.c.stop_hash == bindparam("stop_hash"))
_OF_BROWSER = _BY_ID.where(t.c.browser_hash == bindparam("browser_hash"))
_OF_CITIZEN = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .order_by(desc(t.c.issued_at), t.c.activation_id)
    .limit(bindparam("limit"))
)
_OPEN_OF_CITIZEN = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(_OPEN & (t.c.expires_at > bindparam("now")))
    .order_by(t.c.issued_at, t.c.activation_id)
    .limit(bindparam("limit"))
)
_OPEN_PAGE = (
    select(t)
    .where(_OPEN & (t.c.expires_at > bindparam("now")))
    .where(or_(bindparam("purpose") == literal_column("''"), t.c.purpose == bindparam("purpose")))
    .order_by(t.c.issued_at, t.c.activation_id)
    .limit(bindparam("limit"))
)
_EVER_USED = select(func.count().label("used")).where(
    t.c.citizen_id == bindparam("citizen_id"), t.c.used_at != null()
)


class Activations:
    """What the program remembers about activations."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(self, activation: Activation, *, code: str | None = None, stop_token: str | None = None) -> None:
        """Record an activation; a proposal has neither code nor token yet."""
        self._recorder.record(_INSERT, **self._row(activation, code, stop_token))

    def approve(self, approved: Activation, code: str, stop_token: str) -> None:
        """Record the second operator's approval; APPROVED_GATE closes the second time."""
        self._recorder.record(
            _APPROVE,
            id=approved.activation_id,
            code_hash=self._code_hash(code),
            stop_hash=hash_secret(stop_token),
            approved_by=approved.approved_by,
            usable_from=micros(approved.usable_from),
            expires_at=micros(approved.expires_at),
        )

    def reprint(self, activation_id: str, code: str) -> None:
        """Record another code in the place of one; REPRINTED_GATE closes when it was used or stopped."""
        self._recorder.record(
            _REPRINT,
            id=activation_id,
            code_hash=self._code_hash(code),
            stop_hash=hash_secret(self.stop_token(activation_id)),
        )

    def stop_token(self, activation_id: str) -> str:
        """Return the token that stops what operators gave out: every message about it holds the same."""
        digest = self._seal.lookup("activation_stop", activation_id)
        return urlsafe_b64encode(digest[:_STOP_TOKEN_BYTES]).decode().rstrip("=")

    def claim(self, code: str, browser: str, now: datetime) -> None:
        """Record in which browser a code was typed; CLAIMED_GATE closes for one that cannot be used now."""
        self._recorder.record(
            _CLAIM, code=self._code_hash(code), browser=self._browser_hash(browser), now=micros(now)
        )

    def use(self, activation_id: str, browser: str, now: datetime) -> None:
        """Record the one use; USED_GATE closes for everybody but the browser that typed the code last."""
        self._recorder.record(
            _USE,
            id=activation_id,
            browser=self._browser_hash(browser),
            claimed_since=micros(now - CLAIM_VALIDITY),
            now=micros(now),
        )

    def stop(self, activation_id: str, because: StopReason, now: datetime) -> None:
        """Record that it comes to nothing; STOPPED_GATE closes when it was used or stopped before."""
        self._recorder.record(_STOP, id=activation_id, because=because.value, now=micros(now))

    def stop_others(self, citizen_id: str, now: datetime, *, but: str = "") -> None:
        """Record that everything else that was open of a person is superseded."""
        self._recorder.record(
            _STOP_OTHERS,
            citizen=citizen_id,
            but=but,
            because=StopReason.SUPERSEDED.value,
            now=micros(now),
        )

    def stop_first_codes(self, citizen_id: str, now: datetime, *, but: str) -> None:
        """Record that codes given out before are superseded; a recovery goes on: its holder waits."""
        self._recorder.record(
            _STOP_FIRST_CODES,
            citizen=citizen_id,
            but=but,
            recovery=Purpose.RECOVERY.value,
            because=StopReason.SUPERSEDED.value,
            now=micros(now),
        )

    async def find(self, activation_id: str) -> Activation | None:
        """Return one activation."""
        return _one(await self._recorder.fetch_one(_BY_ID, activation_id=activation_id))

    async def find_by_code(self, code: str) -> Activation | None:
        """Return what a code opens, used and stopped ones included."""
        return _one(await self._recorder.fetch_one(_BY_CODE, code_hash=self._code_hash(code)))

    async def find_by_stop_token(self, token: str) -> Activation | None:
        """Return what the address in a message stops."""
        return _one(await self._recorder.fetch_one(_BY_STOP, stop_hash=hash_secret(token)))

    async def find_claimed(self, activation_id: str, browser: str) -> Activation | None:
        """Return an activation whose code was typed in this browser last; to any other there is none."""
        row = await self._recorder.fetch_one(
            _OF_BROWSER, activation_id=activation_id, browser_hash=self._browser_hash(browser)
        )
        return _one(row)

    async def of_citizen(self, citizen_id: str, limit: int = 100) -> list[Activation]:
        """Return the activations of a person, newest first."""
        rows = await self._recorder.fetch_all(_OF_CITIZEN, citizen_id=citizen_id, limit=limit)
        return _all(rows)

    async def open_of_citizen(self, citizen_id: str, now: datetime, limit: int = 100) -> list[Activation]:
        """Return what can still be used or approved, oldest first."""
        rows = await self._recorder.fetch_all(
            _OPEN_OF_CITIZEN, citizen_id=citizen_id, now=micros(now), limit=limit
        )
        return _all(rows)

    async def open(self, purpose: Purpose | None, now: datetime, limit: int) -> list[Activation]:
        """Return everybody's that can still be used or approved, oldest first."""
        rows = await self._recorder.fetch_all(
            _OPEN_PAGE, purpose="" if purpose is None else purpose.value, now=micros(now), limit=limit
        )
        return _all(rows)

    async def was_ever_used(self, citizen_id: str) -> bool:
        """Tell whether a person ever chose ways of signing in with a code."""
        row = await self._recorder.fetch_one(_EVER_USED, citizen_id=citizen_id)
        return row is not None and row["used"] > 0

    def _code_hash(self, code: str) -> bytes:
        return self._seal.lookup("activation_code", code)

    def _browser_hash(self, browser: str) -> bytes:
        return self._seal.lookup("activation_browser", browser)

    def _row(self, activation: Activation, code: str | None, stop_token: str | None) -> dict[str, Value]:
        reason = activation.stopped_because
        return {
            "activation_id": activation.activation_id,
            "code_hash": None if code is None else self._code_hash(code),
            "citizen_id": activation.citizen_id,
            "purpose": activation.purpose.value,
            "ground": activation.ground.value,
            "evidence": None if activation.evidence is None else str(activation.evidence),
            "status": activation.status.value,
            "browser_hash": None,
            "stop_hash": None if stop_token is None else hash_secret(stop_token),
            "issued_by": activation.issued_by,
            "approved_by": activation.approved_by,
            "issued_at": micros(activation.issued_at),
            "usable_from": micros(activation.usable_from),
            "expires_at": micros(activation.expires_at),
            "claimed_at": micros_or_none(activation.claimed_at),
            "used_at": micros_or_none(activation.used_at),
            "stopped_at": micros_or_none(activation.stopped_at),
            "stopped_because": None if reason is None else reason.value,
        }


def _one(row: Row | None) -> Activation | None:
    return None if row is None else _activation(row)


def _all(rows: Sequence[Row]) -> list[Activation]:
    return [_activation(row) for row in rows]


def _activation(row: Row) -> Activation:
    reason = row["stopped_because"]
    return Activation(
        activation_id=row["activation_id"],
        citizen_id=row["citizen_id"],
        purpose=Purpose(row["purpose"]),
        ground=Ground(row["ground"]),
        status=ActivationStatus(row["status"]),
        issued_by=row["issued_by"],
        issued_at=moment(row["issued_at"]),
        usable_from=moment(row["usable_from"]),
        expires_at=moment(row["expires_at"]),
        evidence=None if row["evidence"] is None else read_seen_document(row["evidence"]),
        approved_by=row["approved_by"],
        claimed_at=moment_or_none(row["claimed_at"]),
        used_at=moment_or_none(row["used_at"]),
        stopped_at=moment_or_none(row["stopped_at"]),
        stopped_because=None if reason is None else StopReason(reason),
    )
