"""The scripted platform and person against a served provider: real sockets, real processes.

The provider answers under its usual issuer; only the transport knows on which port it really listens.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from tests.support.platform import Platform
from tests.support.provider import ISSUER, Person, Provider, running_provider
from tests.support.served import ServedProvider

AS_USUAL = {"IDP_ISSUER": ISSUER}
"""The settings of a served provider that is spoken to from here."""


class SteeredTransport(httpx.AsyncHTTPTransport):
    """Sends what is meant for the issuer to another port."""

    def __init__(self, port: int) -> None:
        super().__init__(limits=httpx.Limits(max_connections=100))
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # A request of its own: the cookies of the answer belong to the address that was asked for.
        steered = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(steered)


@dataclass
class Distant:
    """A served provider, and a second application on its database that prepares and looks."""

    served: ServedProvider
    inside: Provider
    platform: Platform

    def http(self) -> httpx.AsyncClient:
        """A new browser or back-end of its own connections."""
        transport = SteeredTransport(self.served.port)
        return httpx.AsyncClient(transport=transport, base_url=ISSUER, timeout=30)

    async def signed_in(self, person: Person) -> httpx.AsyncClient:
        """Return a browser in which the person signed in."""
        browser = self.http()
        form = {"identifier": person.personal_number, "password": person.password}
        response = await browser.post("/sign-in/my", data=form)
        assert response.status_code == 303, response.text
        return browser

    async def code_for(self, person: Person, account_id: str) -> str:
        browser = await self.signed_in(person)
        try:
            return await self.platform.code_for(browser, person, account_id)
        finally:
            await browser.aclose()


@asynccontextmanager
async def distant(served: ServedProvider, **policy: object) -> AsyncIterator[Distant]:
    """Prepare a platform whose people need no second factor, at a provider that is already served."""
    async with running_provider(served.database_url, served.folder) as inside:
        inside.clock.now = datetime.now(UTC)
        client = await inside.add_client(**({"min_acr": "vn-1"} | policy))
        yield Distant(served, inside, Platform(inside, client))
