"""Sessions: looked up by the hash of the cookie, joined with the person, and with their consent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
from sqlalchemy import and_, bindparam, case, desc, exists, literal_column, null, or_, select

from idp.identity.assurance import Acr, AuthenticationContext
from idp.identity.citizens import Citizen
from idp.identity.consents import Consent
from idp.identity.sessions import Session, SessionLimits
from idp.store.citizens import PERSON, citizen_from_row
from idp.store.consents import consent_from_row
from idp.store.database import Row
from idp.store.encoding import hash_secret, load_mapping, micros, moment, moment_or_none
from idp.store.outbox import Delivery, Outbox
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import citizens, consents, grants
from idp.store.tables import sessions as t
from idp.store.writes import Change, Insert

SEEN_EVERY = timedelta(minutes=1)
"""How often a session in use is written down as such."""
SESSION_ENDED = "session_ended"
"""The kind of work in the outbox that finds out whom to tell."""
LOOK_AFTER = (timedelta(0), timedelta(seconds=10))
"""When after the end of a session it is looked up who was given tokens in it."""

_COLUMNS = tuple(column.name for column in t.columns if column.name != "ended_at")
_INSERT = Insert("session", t, _COLUMNS)
_LIFT = Change(
    "session_lifted",
    t,
    where=lambda bind: (
        (t.c.session_id == bind("id")) & (t.c.cookie_hash == bind("cookie_before")) & (t.c.ended_at == null())
    ),
    values=lambda bind: {
        name: bind(name) for name in ("cookie_hash", "acr", "amr", "auth_time", "last_seen_at")
    },
    gate=True,
)
_SEEN = Change(
    "session_seen",
    t,
    where=lambda bind: t.c.session_id == bind("id"),
    values=lambda bind: {"last_seen_at": bind("now")},
)
_END = Change(
    "session_ended",
    t,
    where=lambda bind: (t.c.session_id == bind("id")) & (t.c.ended_at == null()),
    values=lambda bind: {"ended_at": bind("now")},
)
_END_OF_CITIZEN = Change(
    "sessions_ended",
    t,
    where=lambda bind: (
        (t.c.citizen_id == bind("citizen")) & (t.c.session_id != bind("but")) & (t.c.ended_at == null())
    ),
    values=lambda bind: {"ended_at": bind("now")},
)
_ALIVE = (
    (t.c.ended_at == null())
    & (t.c.expires_at > bindparam("now"))
    & (t.c.last_seen_at > bindparam("seen_since"))
)
_USED_AT_CLIENT = exists().where(
    (grants.c.session_id == t.c.session_id) & (grants.c.client_id == bindparam("client_id"))
)
_LIVING = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(_ALIVE)
    .where(or_(bindparam("client_id") == literal_column("''"), _USED_AT_CLIENT))
    .where(
        or_(
            t.c.created_at < bindparam("before"),
            and_(t.c.created_at == bindparam("before"), t.c.session_id > bindparam("before_id")),
        )
    )
    .order_by(desc(t.c.created_at), t.c.session_id)
    .limit(bindparam("limit"))
)
_NETWORKS = (
    select(t.c.session_id, grants.c.client_id)
    .distinct()
    .join(grants, grants.c.session_id == t.c.session_id)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(_ALIVE)
    .limit(bindparam("limit"))
)
_ENDED_TOGETHER = (
    select(t.c.session_id)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(t.c.ended_at == bindparam("ended_at"))
)
_OWNER = select(t.c.citizen_id).where(t.c.session_id == bindparam("session_id"))
_GRANTS = (
    select(grants.c.client_id, grants.c.content)
    .where(grants.c.session_id == bindparam("session_id"))
    .order_by(grants.c.issued_at)
)
_BY_COOKIE = (
    select(t, *PERSON)
    .join(citizens, citizens.c.citizen_id == t.c.citizen_id)
    .where(t.c.cookie_hash == bindparam("cookie_hash"))
)
_CONSENT = tuple(column.label(f"consent_{column.name}") for column in consents.columns)
_WITH_CONSENT = (
    select(t, *PERSON, *_CONSENT)
    .join(citizens, citizens.c.citizen_id == t.c.citizen_id)
    .outerjoin(
        consents,
        (consents.c.citizen_id == t.c.citizen_id)
        & (consents.c.client_id == bindparam("client_id"))
        & (consents.c.decision == literal_column("'allow'")),
    )
    .where(t.c.cookie_hash == bindparam("cookie_hash"))
    .order_by(case((consents.c.purpose == bindparam("purpose"), 0), else_=1), desc(consents.c.decided_at))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its person and, where asked for, their latest consent for one client."""

    session: Session
    citizen: Citizen
    consent: Consent | None = None


class Sessions:
    """What the program remembers about signed-in browsers."""

    def __init__(self, recorder: Recorder, seal: DataSeal, outbox: Outbox) -> None:
        self._recorder = recorder
        self._seal = seal
        self._outbox = outbox

    async def find(self, cookie: str) -> SignedIn | None:
        """Return the session of a cookie, ended or expired ones included."""
        row = await self._recorder.fetch_one(_BY_COOKIE, cookie_hash=hash_secret(cookie))
        return None if row is None else SignedIn(_session_from_row(row), citizen_from_row(row, self._seal))

    async def find_with_consent(self, cookie: str, client_id: str, purpose: str | None) -> SignedIn | None:
        """Return the session of a cookie and the consent that answers for a client: one statement.

        Of several consents the latest for the same purpose counts, then the latest of all.
        """
        row = await self._recorder.fetch_one(
            _WITH_CONSENT, cookie_hash=hash_secret(cookie), client_id=client_id, purpose=purpose
        )
        if row is None:
            return None
        consent = None if row["consent_consent_id"] is None else consent_from_row(row, "consent_")
        return SignedIn(_session_from_row(row), citizen_from_row(row, self._seal), consent)

    def add(self, session: Session, cookie: str, expires_at: datetime) -> None:
        """Record a new session; the cookie is stored only as its hash."""
        self._recorder.record(
            _INSERT,
            session_id=session.session_id,
            cookie_hash=hash_secret(cookie),
            citizen_id=session.citizen_id,
            acr=session.context.acr.value,
            amr=orjson.dumps(session.context.amr).decode(),
            auth_time=micros(session.context.auth_time),
            created_at=micros(session.created_at),
            last_seen_at=micros(session.last_seen_at),
            expires_at=micros(expires_at),
        )

    def lift(self, session: Session, cookie_before: str, cookie: str) -> None:
        """Record a new context and a new cookie for a session (step-up, re-authentication).

        The gate `session_lifted` closes when the cookie was rotated or the session ended meanwhile.
        """
        self._recorder.record(
            _LIFT,
            id=session.session_id,
            cookie_before=hash_secret(cookie_before),
            cookie_hash=hash_secret(cookie),
            acr=session.context.acr.value,
            amr=orjson.dumps(session.context.amr).decode(),
            auth_time=micros(session.context.auth_time),
            last_seen_at=micros(session.last_seen_at),
        )

    def seen(self, session: Session, now: datetime) -> None:
        """Record that the session is in use, if that was not done within the last minute."""
        if now >= session.last_seen_at + SEEN_EVERY:
            self._recorder.record(_SEEN, id=session.session_id, now=micros(now))

    def end(self, session_id: str, now: datetime) -> None:
        """Record the end of one session, and that the networks used in it are to be told."""
        self._recorder.record(_END, id=session_id, now=micros(now))
        self._tell(session_id, {"session_id": session_id}, now)

    def end_of_citizen(self, citizen_id: str, now: datetime, *, but: str = "") -> None:
        """Record the end of all sessions of a person, except one where it is named; the networks are told."""
        self._recorder.record(_END_OF_CITIZEN, citizen=citizen_id, but=but, now=micros(now))
        self._tell(f"{citizen_id}:{micros(now)}", {"citizen_id": citizen_id, "ended_at": micros(now)}, now)

    def _tell(self, what: str, content: Mapping[str, str | int], now: datetime) -> None:
        """Record work for the outbox: who was given tokens is looked up there, and not while a person waits.

        Twice, for a code may be redeemed at the very moment of the end: what it gave is seen the second time.
        """
        for wait in LOOK_AFTER:
            delivery_id = sha256(f"{SESSION_ENDED}:{what}:{wait}".encode()).hexdigest()
            delivery = Delivery(
                delivery_id=delivery_id,
                kind=SESSION_ENDED,
                client_id="",
                ordering_key=delivery_id,
                content=content,
                created_at=now,
                next_attempt_at=now + wait,
            )
            self._outbox.add(delivery)

    async def ended_together(self, citizen_id: str, ended_at: datetime) -> list[str]:
        """Return the sessions of a person that ended at one moment."""
        rows = await self._recorder.fetch_all(
            _ENDED_TOGETHER, citizen_id=citizen_id, ended_at=micros(ended_at)
        )
        return [row["session_id"] for row in rows]

    async def told_who(self, session_id: str) -> dict[str, str]:
        """Return the clients that were told who the person is, each with the subject that it knows."""
        rows = await self._recorder.fetch_all(_GRANTS, session_id=session_id)
        contents = [(row["client_id"], load_mapping(row["content"])) for row in rows]
        return {client_id: grant["subject"] for client_id, grant in contents if "openid" in grant["scope"]}

    async def living(
        self,
        citizen_id: str,
        limits: SessionLimits,
        now: datetime,
        *,
        client_id: str = "",
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Session]:
        """Return the sessions of a person that may still be used, newest first, from a place on.

        Where a client is named, those in which it was used.
        """
        begin, begin_id = before or (now + timedelta(days=1), "")
        rows = await self._recorder.fetch_all(
            _LIVING,
            citizen_id=citizen_id,
            client_id=client_id,
            now=micros(now),
            seen_since=micros(now - limits.idle),
            before=micros(begin),
            before_id=begin_id,
            limit=limit,
        )
        return [_session_from_row(row) for row in rows]

    async def find_owner(self, session_id: str) -> str | None:
        """Return whose session an id is."""
        row = await self._recorder.fetch_one(_OWNER, session_id=session_id)
        return None if row is None else row["citizen_id"]

    async def networks(
        self, citizen_id: str, limits: SessionLimits, now: datetime, limit: int = 1000
    ) -> dict[str, set[str]]:
        """Return, for each session of a person that may still be used, the clients that were used in it."""
        rows = await self._recorder.fetch_all(
            _NETWORKS,
            citizen_id=citizen_id,
            now=micros(now),
            seen_since=micros(now - limits.idle),
            limit=limit,
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["session_id"], set()).add(row["client_id"])
        return found


def _session_from_row(row: Row) -> Session:
    return Session(
        session_id=row["session_id"],
        citizen_id=row["citizen_id"],
        context=AuthenticationContext(
            Acr(row["acr"]), tuple(orjson.loads(row["amr"])), moment(row["auth_time"])
        ),
        created_at=moment(row["created_at"]),
        last_seen_at=moment(row["last_seen_at"]),
        ended_at=moment_or_none(row["ended_at"]),
    )
