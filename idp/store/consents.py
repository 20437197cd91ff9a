"""Consents: every decision as it was made, never changed but for its withdrawal."""

from datetime import datetime

from sqlalchemy import bindparam, desc, null, select

from idp.identity.consents import AskReason, Consent, Decision
from idp.store.database import Row
from idp.store.encoding import dump_names, load_names, micros, moment, moment_or_none
from idp.store.recorder import Recorder
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
_BY_ID = select(t).where(t.c.consent_id == bindparam("consent_id"))
_OF_CITIZEN = (
    select(t)
    .where(t.c.citizen_id == bindparam("citizen_id"))
    .order_by(desc(t.c.decided_at))
    .limit(bindparam("limit"))
)


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
