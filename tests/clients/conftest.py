"""What the tests of the platform's side share: one scripted provider and a client that reaches it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from clients.relying_party import Provider, RelyingParty
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, REDIRECT_URI, ScriptedProvider


@pytest.fixture
def op() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
async def http(op: ScriptedProvider) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=op.transport()) as client:
        yield client


@pytest.fixture
async def rp(op: ScriptedProvider, http: httpx.AsyncClient) -> RelyingParty:
    provider = await Provider.discover(ISSUER, http, clock=op.clock)
    return RelyingParty(
        provider, CLIENT_ID, redirect_uri=REDIRECT_URI, key=op.client_key.as_dict(private=True)
    )
