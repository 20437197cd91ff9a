"""Requests that are answered on another device: polled, claimed, decided and consumed one at a time.

Everything that may happen once is a gate. The id is stored as its hash, the user code as a keyed hash; what a
client is told with (its own token and the id in plain text) lies sealed until it is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import bindparam, desc, null, or_, select

from idp.protocol.decoupled_request import POLL_SLACK, DecoupledRequest, Kind, State
from idp.protocol.grants import Backing
from idp.protocol.model import Grant
from idp.protocol.stored_request import dump_request, load_request
from idp.store.client_tables import backchannel_requests as t
from idp.store.database import Row
from idp.store.encoding import dump_mapping, hash_secret, load_mapping, micros, moment, moment_or_none
from idp.store.grants import BACKING, backing_from_row, dump_grant_content, grant_from_row
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import account_links, citizens, consents, sessions
from idp.store.writes import Change, Insert

CIBA_PING = "ciba_ping"
"""The kind of delivery that tells a client that its request was answered (CIBA Core §10.2)."""
USER_CODE_INDEX = "uq_backchannel_requests_user_code_lookup"
"""Refuses a user code that another device shows at this moment."""
POLL_GATE = "backchannel_request_polled"

_INSERT = Insert(
    "backchannel_request",
    t,
    (
        "request_hash",
        "kind",
        "client_id",
        "citizen_id",
        "user_code_lookup",
        "content",
        "notification",
        "status",
        "poll_seconds",
        "created_at",
        "expires_at",
    ),
)
_POLL = Change(
    POLL_GATE,
    t,
    where=lambda bind: (
        (t.c.request_hash == bind("id"))
        & (t.c.status == bind("pending"))
        & or_(
            t.c.last_polled_at == null(),
            t.c.last_polled_at + t.c.poll_seconds * bind("second") <= bind("latest"),
        )
    ),
    values=lambda bind: {"last_polled_at": bind("now")},
    gate=True,
)
_CLAIM = Change(
    "backchannel_request_claimed",
    t,
    where=lambda bind: (
        (t.c.request_hash == bind("id"))
        & (t.c.status == bind("pending"))
        & (t.c.expires_at > bind("now"))
        & (t.c.citizen_id == null())
    ),
    values=lambda bind: {"citizen_id": bind("citizen")},
    gate=True,
)
_DECIDE = Change(
    "backchannel_request_decided",
    t,
    where=lambda bind: (
        (t.c.request_hash == bind("id"))
        & (t.c.citizen_id == bind("citizen"))
        & (t.c.status == bind("pending"))
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda bind: {
        "status": bind("decision"),
        "outcome": bind("outcome"),
        "notification": null(),
        "decided_at": bind("now"),
    },
    gate=True,
)
_CONSUME = Change(
    "backchannel_request_consumed",
    t,
    where=lambda bind: (
        (t.c.request_hash == bind("id")) & (t.c.status == bind("approved")) & (t.c.consumed_at == null())
    ),
    values=lambda bind: {"consumed_at": bind("now")},
    gate=True,
)
_FIND = select(t).where(t.c.request_hash == bindparam("request_hash"))
_BY_CODE = select(t).where(t.c.user_code_lookup == bindparam("lookup"))
_OPEN_OF = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where((t.c.status == bindparam("pending")) & (t.c.expires_at > bindparam("now")))
    .order_by(desc(t.c.created_at), t.c.request_hash)
    .limit(bindparam("limit"))
)
_BACKING = (
    select(*BACKING)
    .select_from(citizens)
    .outerjoin(account_links, account_links.c.link_id == bindparam("link_id"))
    .outerjoin(sessions, sessions.c.session_id == bindparam("session_id"))
    .outerjoin(consents, consents.c.consent_id == bindparam("consent_id"))
    .where(citizens.c.citizen_id == bindparam("citizen_id"))
)


@dataclass(frozen=True, slots=True)
class Notification:
    """What a client is pinged with: CIBA Core §10.2."""

    auth_req_id: str
    client_notification_token: str


class BackchannelRequests:
    """What the program remembers about requests that are answered elsewhere."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    def add(
        self,
        request: DecoupledRequest,
        *,
        user_code: str | None = None,
        notification: Notification | None = None,
    ) -> None:
        """Record a new request; USER_CODE_INDEX refuses a user code that is in use."""
        self._recorder.record(
            _INSERT,
            request_hash=request.request_hash,
            kind=request.kind.value,
            client_id=request.client_id,
            citizen_id=request.citizen_id,
            user_code_lookup=None if user_code is None else self._seal.lookup("user_code", user_code),
            content=dump_mapping(
                {"asked": dump_request(request.asked), "binding_message": request.binding_message}
            ),
            notification=None if notification is None else self._sealed(request.request_hash, notification),
            status=State.PENDING.value,
            poll_seconds=int(request.interval.total_seconds()),
            created_at=micros(request.created_at),
            expires_at=micros(request.expires_at),
        )

    async def find(self, request_id: str) -> DecoupledRequest | None:
        """Return the request whose client holds this id, expired and consumed ones included."""
        return await self.find_by_hash(hash_secret(request_id))

    async def find_by_hash(self, request_hash: bytes) -> DecoupledRequest | None:
        """Return a request by the hash under which it is kept."""
        row = await self._recorder.fetch_one(_FIND, request_hash=request_hash)
        return None if row is None else _from_row(row)

    async def find_by_user_code(self, user_code: str) -> DecoupledRequest | None:
        """Return the request of the device that shows this code."""
        row = await self._recorder.fetch_one(_BY_CODE, lookup=self._seal.lookup("user_code", user_code))
        return None if row is None else _from_row(row)

    async def open_of(self, citizen_id: str, now: datetime, limit: int) -> list[DecoupledRequest]:
        """Return what a person may answer now, newest first."""
        rows = await self._recorder.fetch_all(
            _OPEN_OF, citizen_id=citizen_id, pending=State.PENDING.value, now=micros(now), limit=limit
        )
        return [_from_row(row) for row in rows]

    async def backing_of(self, grant: Grant, now: datetime) -> Backing | None:
        """Return how everything stands that a grant rests on which no client has fetched yet."""
        row = await self._recorder.fetch_one(
            _BACKING,
            citizen_id=grant.citizen_id,
            session_id=grant.session_id,
            consent_id=grant.consent_id or "",
            link_id=grant.link_id or "",
        )
        return None if row is None else backing_from_row(row, self._seal, now)

    async def notification_of(self, request: DecoupledRequest) -> Notification | None:
        """Return what the client of an open request is to be pinged with; None where it polls."""
        row = await self._recorder.fetch_one(_FIND, request_hash=request.request_hash)
        if row is None or row["notification"] is None:
            return None
        opened = self._seal.open(bytes(row["notification"]), _context(request.request_hash))
        return Notification(**orjson.loads(opened))

    def poll(self, request: DecoupledRequest, now: datetime) -> None:
        """Record that its client asked; POLL_GATE closes when it asked again before the interval was over."""
        self._recorder.record(
            _POLL,
            id=request.request_hash,
            pending=State.PENDING.value,
            second=timedelta(seconds=1) // timedelta(microseconds=1),
            latest=micros(now + POLL_SLACK),
            now=micros(now),
        )

    def claim(self, request: DecoupledRequest, citizen_id: str, now: datetime) -> None:
        """Record whom a device's request is for; the gate closes for everybody else from then on."""
        self._recorder.record(
            _CLAIM,
            id=request.request_hash,
            pending=State.PENDING.value,
            citizen=citizen_id,
            now=micros(now),
        )

    def approve(self, request: DecoupledRequest, grant: Grant, now: datetime) -> None:
        """Record that its person agreed; the gate `backchannel_request_decided` closes afterwards."""
        outcome = {
            "grant_id": grant.grant_id,
            "session_id": grant.session_id,
            "link_id": grant.link_id,
            "issued_at": micros(grant.issued_at),
            "content": dump_grant_content(grant),
        }
        self._decide(request, State.APPROVED, outcome, now)

    def deny(self, request: DecoupledRequest, now: datetime) -> None:
        """Record that its person refused; the gate `backchannel_request_decided` closes afterwards."""
        self._decide(request, State.DENIED, {}, now)

    def consume(self, request: DecoupledRequest, now: datetime) -> None:
        """Record its single use; the gate `backchannel_request_consumed` closes for the second one."""
        self._recorder.record(
            _CONSUME, id=request.request_hash, approved=State.APPROVED.value, now=micros(now)
        )

    def _decide(
        self, request: DecoupledRequest, decision: State, outcome: Mapping[str, object], now: datetime
    ) -> None:
        self._recorder.record(
            _DECIDE,
            id=request.request_hash,
            citizen=request.citizen_id,
            pending=State.PENDING.value,
            decision=decision.value,
            outcome=dump_mapping(outcome),
            now=micros(now),
        )

    def _sealed(self, request_hash: bytes, notification: Notification) -> bytes:
        told = {
            "auth_req_id": notification.auth_req_id,
            "client_notification_token": notification.client_notification_token,
        }
        return self._seal.seal(orjson.dumps(told), _context(request_hash))


def _context(request_hash: bytes) -> bytes:
    """Bind what is sealed to its row."""
    return b"backchannel_requests.notification:" + request_hash


def _from_row(row: Row) -> DecoupledRequest:
    content = load_mapping(row["content"])
    return DecoupledRequest(
        request_hash=bytes(row["request_hash"]),
        kind=Kind(row["kind"]),
        asked=load_request(content["asked"]),
        interval=timedelta(seconds=row["poll_seconds"]),
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        citizen_id=row["citizen_id"],
        binding_message=content["binding_message"],
        state=State(row["status"]),
        grant=_grant_of(row) if row["status"] == State.APPROVED.value else None,
        decided_at=moment_or_none(row["decided_at"]),
        consumed_at=moment_or_none(row["consumed_at"]),
    )


def _grant_of(row: Row) -> Grant:
    outcome = load_mapping(row["outcome"])
    return grant_from_row(
        {
            "grant_grant_id": outcome["grant_id"],
            "grant_client_id": row["client_id"],
            "grant_citizen_id": row["citizen_id"],
            "grant_session_id": outcome["session_id"],
            "grant_link_id": outcome["link_id"],
            "grant_content": outcome["content"],
            "grant_issued_at": outcome["issued_at"],
            "grant_revoked_at": None,
        }
    )
