"""A client that receives security events: registered, with a token of its own, and what it asks."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.platform import Platform
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

METADATA: dict[str, object] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid email account_links.read account_links.manage ssf.read ssf.manage",
}
STREAMS, STATUS = "/ssf/streams", "/ssf/status"
ADD, REMOVE, VERIFY = "/ssf/subjects:add", "/ssf/subjects:remove", "/ssf/verification"
POLL_METHOD, PUSH_METHOD = "urn:ietf:rfc:8936", "urn:ietf:rfc:8935"


@dataclass
class ReceiverOfEvents:
    """One receiver's back-end."""

    provider: Provider
    platform: Platform
    http: httpx.AsyncClient
    token: str = field(repr=False)

    @classmethod
    async def registered(
        cls, provider: Provider, http: httpx.AsyncClient, scope: str = "ssf.read ssf.manage", **policy: Any
    ) -> "ReceiverOfEvents":
        platform = await new_platform(provider, METADATA, **policy)
        receiver = cls(provider, platform, http, "")
        receiver.token = await receiver.own_token(scope)
        return receiver

    @property
    def client_id(self) -> str:
        return self.platform.client.client_id

    @property
    def endpoint(self) -> str:
        """An address that events may be pushed to."""
        return self.platform.client.redirect_uris[0].rpartition("/")[0] + "/events"

    async def own_token(self, scope: str) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = await self.http.post("/token", data=form, auth=self.platform.auth)
        token: str = answer.json()["access_token"]
        return token

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **more)

    async def create(self, **members: Any) -> dict[str, Any]:
        """Create its stream; polled for unless `delivery` says otherwise."""
        answer = await self.ask("POST", STREAMS, json=members)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def poll(self, stream_id: str, **members: Any) -> dict[str, Any]:
        """Fetch what waits, at once."""
        asked = {"returnImmediately": True} | members
        answer = await self.ask("POST", f"/ssf/poll/{stream_id}", json=asked)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def subject(self, sub: str) -> dict[str, str]:
        return {"format": "iss_sub", "iss": ISSUER, "sub": sub}
