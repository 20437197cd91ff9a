"""A platform at the platform API: a token of its own, bound to its DPoP key, and requests with proofs."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from idp.identity.account_links import AccountLink
from idp.store.link_tables import link_changes
from idp.store.tables import audit_events
from idp.store.unit_of_work import UnitOfWork
from idp.web.sender_constraint import dpop_nonces
from tests.support.dpop_proofs import ProofKey
from tests.support.platform import Platform
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

READ, MANAGE = "account_links.read", "account_links.manage"
METADATA: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": f"openid email {READ} {MANAGE}",
}


@dataclass
class PlatformAPI:
    """One platform's back-end at the API."""

    provider: Provider
    platform: Platform
    http: httpx.AsyncClient
    key: ProofKey = field(default_factory=ProofKey)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def client_id(self) -> str:
        return self.platform.client.client_id

    def proof(self, method: str, url: str, **more: Any) -> str:
        now = self.provider.clock.now
        [nonce, *_] = dpop_nonces(self.provider.context, now)
        return self.key.proof(method, url, at=now, nonce=nonce, **more)

    async def token(self, scope: str) -> str:
        """A token of the platform's own, bound to its key."""
        if scope not in self.tokens:
            url = f"{ISSUER}/token"
            proof = self.proof("POST", url)
            form = {"grant_type": "client_credentials", "scope": scope}
            answer = await self.http.post(url, data=form, auth=self.platform.auth, headers={"DPoP": proof})
            assert answer.status_code == 200, answer.text
            self.tokens[scope] = answer.json()["access_token"]
        return self.tokens[scope]

    async def send(
        self,
        method: str,
        path: str,
        *,
        scope: str = READ,
        headers: dict[str, str] | None = None,
        body: Any = None,
        content: bytes | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        token, url = await self.token(scope), f"{ISSUER}/account-links{path}"
        sent = {"Authorization": f"DPoP {token}", "DPoP": self.proof(method, url, access_token=token)}
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        return await self.http.request(
            method, url, params=params, content=content, headers=sent | (headers or {})
        )

    async def get(self, path: str = "", **params: str) -> httpx.Response:
        return await self.send("GET", path, params=params)

    async def post(
        self, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        named = {"Idempotency-Key": f'"{key or secrets.token_urlsafe(16)}"'}
        return await self.send("POST", path, scope=MANAGE, body=body, headers=named, **more)

    async def patch(self, link_id: str, body: Any, **headers: str) -> httpx.Response:
        return await self.send("PATCH", f"/{link_id}", scope=MANAGE, body=body, headers=headers)

    async def linked(self, person: Person, account_id: str = "acc_lan_1", **changes: Any) -> str:
        """Have a person link an account; return the link's id."""
        self.provider.clock.advance(seconds=1)
        async with self.provider.http() as browser:
            tokens = await self.platform.tokens_for(browser, person, account_id, **changes)
        link_id: str = tokens["authorization_details"][0]["link_id"]
        self.tokens.clear()
        return link_id


async def new_platform_api(
    provider: Provider, http: httpx.AsyncClient, metadata: dict[str, object] | None = None, **policy: Any
) -> PlatformAPI:
    """A platform that no other test knows."""
    return PlatformAPI(provider, await new_platform(provider, METADATA | (metadata or {}), **policy), http)


async def sequence_changes(uow: UnitOfWork) -> None:
    """Give every change its position, as the process of deliveries does."""
    while changes := await uow.link_changes.unsequenced(100):
        uow.link_changes.sequence(changes, await uow.link_changes.head())
        await uow.commit()


async def stored(provider: Provider, link_id: str) -> AccountLink:
    link = await provider.unit_of_work().account_links.find(link_id)
    assert link is not None
    return link


async def kinds(provider: Provider, link_id: str) -> list[str]:
    statement = select(link_changes).where(link_changes.c.link_id == link_id)
    rows = await provider.context.database.fetch_all(statement, {})
    return sorted(row["kind"] for row in rows)


async def acts(provider: Provider, link_id: str) -> list[tuple[str, str, str]]:
    statement = select(audit_events).where(audit_events.c.link_id == link_id)
    rows = await provider.context.database.fetch_all(statement, {})
    return [(row["type"], row["actor_kind"], row["actor_id"]) for row in rows]
