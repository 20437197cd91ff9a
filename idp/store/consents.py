"""Consents: every decision as it was made, never changed but for its withdrawal."""

from datetime import datetime

from sqlalchemy import and_, bindparam, case, desc, exists, func, literal_column, null, or_, select

from idp.identity.account_links import LIVE
from idp.identity.consents import VALIDITY, AskReason, Consent, ConsentState, Decision
from idp.store.database import Row
from idp.store.encoding import dump_names, load_names, micros, moment, moment_or_none
from idp.store.places import NEWEST, Place
from idp.store.recorder import Recorder
from idp.store.tables import account_links, grants
from idp.store.tables import consents as t
from idp.store.writes import Change, Insert

_INSERT = Insert("consent", t, tuple(column.name for column in t.columns if column.name != "withdrawn_at"))
_WITHDRAW = Change(
    "consents_withdrawn",
    t,
    where=lambda bind: (
        (t.c.citizen_id == bind("citizen")) & (t.c.client_id == bind("client")) & (t.c.withdrawn_at == null())
    ),
    values=lambda bind: {"withdrawn_at": bind("now")},
)
_REVOKE_GRANTS = Change(
    "grants_of_consent_revoked",
    grants,
    where=lambda bind: (
        (grants.c.citizen_id == bind("citizen"))
        & (grants.c.client_id == bind("client"))
        & (grants.c.revoked_at == null())
    ),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
)
_BY_ID = select(t).where(t.c.consent_id == bindparam("consent_id"))
_OF_CITIZEN = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .order_by(desc(t.c.decided_at))
    .limit(bindparam("limit"))
)
_STATE = case(
    (t.c.decision != literal_column("'allow'"), literal_column("'refused'")),
    (t.c.withdrawn_at == null(), literal_column("'agreed'")),
    else_=literal_column("'withdrawn'"),
)
_HISTORY = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where(or_(bindparam("client_id") == literal_column("''"), t.c.client_id == bindparam("client_id")))
    .where(or_(bindparam("state") == literal_column("''"), bindparam("state") == _STATE))
    .where(
        or_(
            t.c.decided_at < bindparam("before_time"),
            and_(t.c.decided_at == bindparam("before_time"), t.c.consent_id < bindparam("before_id")),
        )
    )
    .order_by(desc(t.c.decided_at), desc(t.c.consent_id))
    .limit(bindparam("limit"))
)
_NETWORKS_OF_CITIZEN = (
    select(t.c.client_id)
    .distinct()
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .order_by(t.c.client_id)
    .limit(bindparam("limit"))
)
_HAS_LIVING_GRANT = exists().where(
    (grants.c.citizen_id == bindparam("citizen_id"))
    & (grants.c.consent_id == t.c.consent_id)
    & (grants.c.revoked_at == null())
    & (grants.c.expires_at > bindparam("now"))
)
_LINKED_AT = select(account_links.c.client_id).where(
    (account_links.c.citizen_id == bindparam("citizen_id"))
    & account_links.c.status.in_([literal_column(f"'{status.value}'") for status in sorted(LIVE)])
)
_WITHOUT_LINK = (
    select(t.c.client_id, func.max(t.c.decided_at).label("agreed_at"))
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .where((t.c.decision == literal_column("'allow'")) & (t.c.withdrawn_at == null()))
    .where(or_(t.c.decided_at > bindparam("since"), _HAS_LIVING_GRANT))
    .where(t.c.client_id.not_in(_LINKED_AT))
    .where(t.c.client_id > bindparam("after"))
    .group_by(t.c.client_id)
    .order_by(t.c.client_id)
    .limit(bindparam("limit"))
)
_WITHOUT_LINK_AT = _WITHOUT_LINK.where(t.c.client_id == bindparam("client_id"))


class Consents:
    """What the program remembers about consent."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, consent_id: str) -> Consent | None:
        """Return one decision."""
        row = await self._recorder.fetch_one(_BY_ID, consent_id=consent_id)
        return None if row is None else consent_from_row(row)

    async def of_citizen(self, citizen_id: str, limit: int) -> list[Consent]:
        """Return a person's decisions, newest first."""
        rows = await self._recorder.fetch_all(_OF_CITIZEN, citizen_id=citizen_id, limit=limit)
        return [consent_from_row(row) for row in rows]

    async def history(
        self,
        citizen_id: str,
        *,
        client_id: str = "",
        state: ConsentState | None = None,
        before: Place = NEWEST,
        limit: int,
    ) -> list[Consent]:
        """Return all that a person ever decided, newest first, from a place on; of one client if named."""
        rows = await self._recorder.fetch_all(
            _HISTORY,
            citizen_id=citizen_id,
            client_id=client_id,
            state=state or "",
            before_time=before[0],
            before_id=before[1],
            limit=limit,
        )
        return [consent_from_row(row) for row in rows]

    async def networks_of(self, citizen_id: str, limit: int = 200) -> list[str]:
        """Return the clients about which a person ever decided, in order."""
        rows = await self._recorder.fetch_all(_NETWORKS_OF_CITIZEN, citizen_id=citizen_id, limit=limit)
        return [row["client_id"] for row in rows]

    async def without_link(
        self, citizen_id: str, now: datetime, *, after: str = "", limit: int
    ) -> list[tuple[str, datetime]]:
        """Return the clients with a consent in force and no live link, in order, and when it was given last.

        In force is what still answers for the person, or stands behind a grant that lives.
        """
        rows = await self._recorder.fetch_all(
            _WITHOUT_LINK,
            citizen_id=citizen_id,
            now=micros(now),
            since=micros(now - VALIDITY),
            after=after,
            limit=limit,
        )
        return [(row["client_id"], moment(row["agreed_at"])) for row in rows]

    async def find_without_link(self, citizen_id: str, client_id: str, now: datetime) -> datetime | None:
        """Return when the consent for one client was given, if it is one of `without_link`."""
        row = await self._recorder.fetch_one(
            _WITHOUT_LINK_AT,
            citizen_id=citizen_id,
            client_id=client_id,
            now=micros(now),
            since=micros(now - VALIDITY),
            after="",
            limit=1,
        )
        return None if row is None else moment(row["agreed_at"])

    def add(self, consent: Consent) -> None:
        """Record a decision."""
        self._recorder.record(
            _INSERT,
            consent_id=consent.consent_id,
            citizen_id=consent.citizen_id,
            client_id=consent.client_id,
            decision=consent.decision.value,
            reason=consent.reason.value,
            purpose=consent.purpose,
            scope=dump_names(consent.scope),
            claims=dump_names(consent.claims),
            offered=dump_names(consent.offered),
            text_version=consent.text_version,
            ui_locale=consent.ui_locale,
            decided_at=micros(consent.decided_at),
        )

    def withdraw(self, citizen_id: str, client_id: str, now: datetime) -> None:
        """Record that nothing this person agreed to with this client answers for them any longer."""
        self._recorder.record(_WITHDRAW, citizen=citizen_id, client=client_id, now=micros(now))

    def revoke_grants(self, citizen_id: str, client_id: str, because: str, now: datetime) -> None:
        """Record the end of every grant of this person to this client, and with it of all their tokens."""
        self._recorder.record(
            _REVOKE_GRANTS, citizen=citizen_id, client=client_id, because=because, now=micros(now)
        )


def consent_from_row(row: Row, prefix: str = "") -> Consent:
    """Read a row; `prefix` stands before the column names where the row is a join."""
    return Consent(
        consent_id=row[prefix + "consent_id"],
        citizen_id=row[prefix + "citizen_id"],
        client_id=row[prefix + "client_id"],
        decision=Decision(row[prefix + "decision"]),
        reason=AskReason(row[prefix + "reason"]),
        purpose=row[prefix + "purpose"],
        scope=load_names(row[prefix + "scope"]),
        claims=load_names(row[prefix + "claims"]),
        offered=load_names(row[prefix + "offered"]),
        text_version=row[prefix + "text_version"],
        ui_locale=row[prefix + "ui_locale"],
        decided_at=moment(row[prefix + "decided_at"]),
        withdrawn_at=moment_or_none(row[prefix + "withdrawn_at"]),
    )
