"""A platform in its sandbox: its token, and requests to the sandbox with it."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.platform import Platform
from tests.support.provider import Provider
from tests.support.shared_provider import change_client, new_platform


@dataclass
class SandboxedPlatform:
    """One developer's program."""

    platform: Platform
    http: httpx.AsyncClient
    token: str = ""

    @property
    def client_id(self) -> str:
        return self.platform.client.client_id

    async def open(self) -> None:
        answer = await self.http.post("/sandbox/token", auth=self.platform.auth)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["sandbox_token"]

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.request(method, f"/sandbox{path}", headers=headers, **more)

    async def simulate(self, endpoint: str, error: str | None = None, **more: Any) -> httpx.Response:
        members = {"endpoint": endpoint} | ({} if error is None else {"error": error}) | more
        answer = await self.ask("PUT", "/simulation", json=members)
        assert answer.status_code == 200, answer.text
        return answer


async def in_sandbox(
    provider: Provider, http: httpx.AsyncClient, metadata: dict[str, object] | None = None
) -> SandboxedPlatform:
    """Register a platform that nobody approved, and open its sandbox."""
    platform = await new_platform(provider, metadata)
    await change_client(provider, platform.client.client_id, is_sandbox=True)
    sandboxed = SandboxedPlatform(platform, http)
    await sandboxed.open()
    return sandboxed
