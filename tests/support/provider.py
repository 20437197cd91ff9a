"""The real application in this process, on a real database, with a clock that tests move.

Requests go through ASGI exactly as a server would pass them; only sockets are left out.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pyotp
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from idp.app import create_app
from idp.authenticators.password import hash_password
from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.protocol.client_metadata import read_client
from idp.protocol.model import Client
from idp.settings import Settings
from idp.store.citizens import RegisteredCitizen
from idp.store.client_secrets import new_client_secret
from idp.store.unit_of_work import UnitOfWork
from idp.web.state import Context
from tests.support.clock import FrozenClock

ISSUER = "http://localhost:8000"
PASSWORD = "mưa rào tháng bảy"
PASSWORD_HASH = hash_password(PASSWORD)


@dataclass(frozen=True)
class Person:
    """A fictitious person, with what they know."""

    citizen_id: str
    personal_number: str
    totp_secret: str | None
    password: str = PASSWORD

    def code(self, at: datetime) -> str:
        assert self.totp_secret is not None
        return pyotp.TOTP(self.totp_secret).at(at)


@dataclass
class Provider:
    """The application and the hands to prepare its world."""

    app: FastAPI
    state: dict[str, Any]
    clock: FrozenClock
    settings: Settings
    _numbers: int = field(default=0)

    @property
    def context(self) -> Context:
        context: Context = self.state["context"]
        return context

    def unit_of_work(self) -> UnitOfWork:
        return self.context.unit_of_work()

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {}).update(self.state)
        await self.app(scope, receive, send)

    def http(self, *, address: str = "203.0.113.7") -> httpx.AsyncClient:
        """A new browser or back-end: no redirects followed, cookies of its own."""
        transport = httpx.ASGITransport(app=self.asgi, client=(address, 40000))
        return httpx.AsyncClient(transport=transport, base_url=ISSUER)

    async def add_person(
        self,
        *,
        name: str = "Nguyễn Thị Lan",
        birthdate: str = "1990-01-02",
        proofing: Proofing = Proofing.VN2,
        status: CitizenStatus = CitizenStatus.ACTIVE,
        has_totp: bool = True,
        has_password: bool = True,
        **personal_data: Any,
    ) -> Person:
        self._numbers += 1
        person = Person(
            secrets.token_urlsafe(16),
            f"000190{self._numbers:06d}",
            pyotp.random_base32() if has_totp else None,
        )
        data = PersonalData(name=name, birthdate=birthdate, **personal_data)
        citizen = Citizen(person.citizen_id, status, proofing, self.clock.now, data)
        uow = self.unit_of_work()
        uow.citizens.add_many(
            [
                RegisteredCitizen(
                    citizen,
                    person.personal_number,
                    PASSWORD_HASH if has_password else None,
                    person.totp_secret,
                )
            ],
            self.clock.now,
        )
        await uow.commit()
        return person

    async def add_client(
        self, metadata: dict[str, object] | None = None, *, client_id: str = "quan-coc", **policy: object
    ) -> Client:
        """Register a client; with a secret method its secret is `SECRET`."""
        described: dict[str, object] = {
            "client_name": "Quán Cóc",
            "redirect_uris": [f"https://{client_id}.example/callback"],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile email phone address offline_access",
            "client_uri": f"https://{client_id}.example",
        } | (metadata or {})
        client = read_client(described, {"max_links_per_citizen": 2} | policy, client_id)
        if client.token_endpoint_auth_method.startswith("client_secret"):
            secret = new_client_secret(self.context.custody.data, client, SECRET, self.clock.now)
            client = replace(client, secrets=(secret,))
        uow = self.unit_of_work()
        uow.clients.add(client, self.clock.now)
        await uow.commit()
        await self.context.clients.refresh()
        return client


SECRET = "a-secret-of-full-entropy-in-production-0123456789"


@contextlib.asynccontextmanager
async def running_provider(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Provider]:
    """Open the application on a migrated database; keys are made in `folder`."""
    clock = FrozenClock()
    chosen = Settings(
        **({"database_url": database_url, "keys_dir": folder / "keys", "issuer": ISSUER} | settings)
    )
    chosen = chosen.model_copy(update={"log_file": folder / "log.jsonl"})
    app = create_app(chosen, clock)
    async with app.router.lifespan_context(app) as state:
        yield Provider(app, dict(state), clock, chosen)
