"""One provider for all tests of a module, once on each engine; tests bring their own people and platforms.

A conftest.py takes both fixtures over; `anyio_backend` must live as long as the provider does.
"""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import Status, move
from idp.identity.citizens import CitizenStatus
from idp.protocol.model import ClientStatus
from tests.support.databases import migrated_database
from tests.support.platform import Platform
from tests.support.provider import Person, Provider, running_provider

OPERATOR = Actor(ActorKind.OPERATOR, "test")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Provider]:
    folder = tmp_path_factory.mktemp("provider")
    with migrated_database(request.param, folder) as url:
        async with running_provider(url, folder) as running:
            yield running


async def new_platform(
    provider: Provider, metadata: dict[str, object] | None = None, **policy: Any
) -> Platform:
    """Register a platform that no other test knows."""
    client_id = f"net-{secrets.token_hex(4)}"
    return Platform(provider, await provider.add_client(metadata, client_id=client_id, **policy))


async def set_citizen_status(provider: Provider, person: Person, after: CitizenStatus) -> None:
    uow = provider.unit_of_work()
    citizen = await uow.citizens.find(person.citizen_id)
    assert citizen is not None
    uow.citizens.set_status(person.citizen_id, citizen.status, after, provider.clock.now)
    await uow.commit()


async def change_client(provider: Provider, client_id: str, **changes: Any) -> None:
    """Change a registration, and take it over as the process does within a second."""
    uow = provider.unit_of_work()
    stored = await uow.clients.find(client_id)
    assert stored is not None
    uow.clients.update(stored, replace(stored.client, **changes), provider.clock.now)
    await uow.commit()
    await provider.context.clients.refresh()


async def suspend_client(provider: Provider, client_id: str) -> None:
    await change_client(provider, client_id, status=ClientStatus.SUSPENDED)


async def move_link(provider: Provider, link_id: str, to: Status) -> None:
    uow = provider.unit_of_work()
    link = await uow.account_links.find(link_id)
    assert link is not None
    moved, event = move(link, to, OPERATOR, "test", provider.clock.now)
    uow.account_links.move(link, moved, provider.clock.now)
    uow.ledger.append(event)
    await uow.commit()
