"""What the tests of the platform's side share: one scripted provider and a client that reaches it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from clients.relying_party import Provider, RelyingParty
from clients.social_network import Settings, create_app
from tests.clients.fake_party import ADDRESS, FakeRelyingParty
from tests.clients.fake_party import ISSUER as PARTY_ISSUER
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


@pytest.fixture
def party() -> FakeRelyingParty:
    return FakeRelyingParty()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(ADDRESS, PARTY_ISSUER, "quan-coc", tmp_path / "key.json", tmp_path / "data")


@pytest.fixture
async def browser(settings: Settings, party: FakeRelyingParty) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, connect=party.connect, clock=lambda: party.now)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS) as client,
    ):
        yield client
