"""Clients that register themselves over HTTP: RFC 7591, RFC 7592, one call a method."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from idp.protocol.registration_policy import RegistrationPolicy
from idp.store.registrations import InitialAccessToken
from tests.support.provider import ISSUER, Provider

METADATA: dict[str, Any] = {
    "client_name": "Quán Tự Mở",
    "redirect_uris": ["https://self.example/callback"],
}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Registered:
    """A client that registered itself, with the answer it got."""

    document: dict[str, Any]

    @property
    def client_id(self) -> str:
        return str(self.document["client_id"])

    @property
    def uri(self) -> str:
        return str(self.document["registration_client_uri"])

    @property
    def token(self) -> str:
        return str(self.document["registration_access_token"])

    def metadata(self, **changes: Any) -> dict[str, Any]:
        """What the client sends to change itself; a change to None leaves a member out."""
        described = {"client_id": self.client_id} | METADATA | changes
        return {name: value for name, value in described.items() if value is not None}


async def initial_token(
    provider: Provider,
    *,
    uses: int = 100,
    lifetime: timedelta = timedelta(days=30),
    **policy: Any,
) -> str:
    """Let somebody in, as `idp clients tokens create` does."""
    secret, now = secrets.token_urlsafe(32), provider.clock.now
    token = InitialAccessToken(
        secrets.token_hex(8), "for a test", RegistrationPolicy(**policy), uses, now, now + lifetime
    )
    uow = provider.unit_of_work()
    uow.registrations.add_token(token, secret)
    await uow.commit()
    return secret


async def post(http: httpx.AsyncClient, token: str, metadata: dict[str, Any]) -> httpx.Response:
    return await http.post(f"{ISSUER}/register", json=metadata, headers=bearer(token))


async def register(
    http: httpx.AsyncClient, provider: Provider, metadata: dict[str, Any] | None = None, **policy: Any
) -> Registered:
    token = await initial_token(provider, **policy)
    answer = await post(http, token, METADATA | (metadata or {}))
    assert answer.status_code == 201, answer.text
    return Registered(answer.json())


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]
