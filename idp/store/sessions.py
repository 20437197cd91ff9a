"""Sessions: looked up by the hash of the cookie, joined with the person, and with their consent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import bindparam, case, desc, literal_column, null, select

from idp.identity.assurance import Acr, AuthenticationContext
from idp.identity.citizens import Citizen
from idp.identity.consents import Consent
from idp.identity.sessions import Session
from idp.store.citizens import PERSON, citizen_from_row
from idp.store.consents import consent_from_row
from idp.store.database import Row
from idp.store.encoding import hash_secret, micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal
from idp.store.tables import citizens, consents
from idp.store.tables import sessions as t
from idp.store.writes import Change, Insert

SEEN_EVERY = timedelta(minutes=1)
"""How often a session in use is written down as such."""

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
    where=lambda bind: (t.c.citizen_id == bind("citizen")) & (t.c.ended_at == null()),
    values=lambda bind: {"ended_at": bind("now")},
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

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

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
        """Record the end of one session."""
        self._recorder.record(_END, id=session_id, now=micros(now))

    def end_of_citizen(self, citizen_id: str, now: datetime) -> None:
        """Record the end of all sessions of a person."""
        self._recorder.record(_END_OF_CITIZEN, citizen=citizen_id, now=micros(now))


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
