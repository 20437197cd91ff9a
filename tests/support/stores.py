"""The stores over a real database, without the application, and eyes that see every table."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import select

from idp.identity.assurance import Acr, AuthenticationContext, Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.identity.consents import AskReason, Consent, Decision
from idp.identity.sessions import Session
from idp.protocol.model import AuthorizationRequest
from idp.store.citizens import RegisteredCitizen
from idp.store.database import Database
from idp.store.opening import open_database
from idp.store.schema import metadata
from idp.store.unit_of_work import UnitOfWork
from keys.data_keys import DataKeys, begin_ring
from keys.policy import read_policy

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)

REQUEST = AuthorizationRequest(
    client_id="network",
    redirect_uri="https://network.example/callback",
    scope=frozenset({"openid"}),
    code_challenge="challenge",
    state="tình trạng",
)

Snapshot = dict[str, list[dict[str, Any]]]


@cache
def data_keys() -> DataKeys:
    return DataKeys(begin_ring(NOW), read_policy().encryption, change=lambda _: None, refresh=lambda: False)


def make_person(citizen_id: str = "citizen-1", **changes: Any) -> RegisteredCitizen:
    """A person of the register; what is not told is invented."""
    data = {"name": "Nguyễn Thị Lan", "birthdate": "1990-01-02"} | changes.pop("personal_data", {})
    citizen = Citizen(citizen_id, CitizenStatus.ACTIVE, Proofing.VN2, NOW, PersonalData(**data))
    number = changes.pop("personal_number", f"000{secrets.randbelow(10**9):09d}")
    return RegisteredCitizen(citizen, number, **changes)


def make_session(session_id: str = "session-1", **changes: Any) -> Session:
    context = AuthenticationContext(Acr.VN_2, ("pwd", "otp", "mfa"), NOW)
    facts = {"citizen_id": "citizen-1", "context": context, "created_at": NOW, "last_seen_at": NOW}
    return Session(session_id, **(facts | changes))


def make_consent(**changes: Any) -> Consent:
    facts: dict[str, Any] = {
        "consent_id": "consent-1",
        "citizen_id": "citizen-1",
        "client_id": "network",
        "decision": Decision.ALLOW,
        "reason": AskReason.NEW_ACCOUNT,
        "purpose": "post",
        "scope": frozenset({"openid", "profile"}),
        "claims": frozenset({"name"}),
        "offered": frozenset({"name", "email"}),
        "text_version": "2026-11",
        "ui_locale": "vi",
        "decided_at": NOW,
    }
    return Consent(**(facts | changes | {"decision": Decision(changes.get("decision", "allow"))}))


@dataclass(frozen=True)
class Memory:
    """One open database with a unit of work on demand."""

    database: Database

    def unit_of_work(self) -> UnitOfWork:
        return UnitOfWork(self.database, data_keys())

    async def add_people(self, *people: RegisteredCitizen) -> None:
        uow = self.unit_of_work()
        uow.citizens.add_many(people, NOW)
        await uow.commit()

    async def everything(self) -> Snapshot:
        """Return every row of every table."""
        return {
            table.name: [dict(row) for row in await self.database.fetch_all(select(table), {})]
            for table in metadata.sorted_tables
        }

    async def contains(self, secret: str) -> Sequence[str]:
        """Return the columns in which a text can be read, plainly or within something longer."""
        return [
            f"{table}.{column}"
            for table, rows in (await self.everything()).items()
            for row in rows
            for column, value in row.items()
            if secret.encode() in (bytes(value) if isinstance(value, bytes) else str(value).encode())
        ]


@asynccontextmanager
async def opened_memory(database_url: str, *, connections: int = 8) -> AsyncIterator[Memory]:
    database = open_database(database_url, connections=connections)
    try:
        yield Memory(database)
    finally:
        await database.close()


@contextmanager
def memory_and_loop(database_url: str) -> Iterator[tuple[Memory, asyncio.Runner]]:
    """Give one memory on one connection, and the loop it lives on, to all examples of a property."""
    with asyncio.Runner() as runner:
        database = open_database(database_url, connections=1)
        try:
            yield Memory(database), runner
        finally:
            runner.run(database.close())
