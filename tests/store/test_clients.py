"""Registered clients: as their registration says, changed from the revision that was read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.account_links import LinkPolicy
from idp.identity.assurance import Acr, Proofing
from idp.protocol.model import Client, ClientSecret, ClientStatus
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.protocol_builders import NOW, make_client
from tests.support.stores import Memory

pytestmark = pytest.mark.anyio

FULL = make_client(
    status=ClientStatus.SUSPENDED,
    secrets=(ClientSecret(b"1" * 32, NOW), ClientSecret(b"2" * 32, NOW, NOW + timedelta(days=1))),
    scope=frozenset({"openid", "email"}),
    default_max_age=300,
    default_acr_values=(Acr.VN_2, Acr.VN_1),
    contacts=("ops@network.example",),
    profile_hosts=frozenset({"network.example"}),
    policy=LinkPolicy(Proofing.VN2, Acr.VN_2, 16, 5, timedelta(days=365)),
)


async def add(memory: Memory, *clients: Client) -> None:
    uow = memory.unit_of_work()
    for client in clients:
        uow.clients.add(client, NOW)
    await uow.commit()


async def test_a_client_comes_back_as_it_went(memory: Memory) -> None:
    bare = make_client(client_id="bare", jwks=None, token_endpoint_auth_method="client_secret_basic")
    await add(memory, FULL, bare)
    clients = memory.unit_of_work().clients
    stored = await clients.find("network")
    assert stored is not None
    assert (stored.client, stored.revision, stored.registered_at, stored.updated_at) == (FULL, 1, NOW, NOW)
    stored = await clients.find("bare")
    assert stored is not None
    assert stored.client == bare
    assert await clients.find("nobody") is None


async def test_clients_come_in_pages_by_id(memory: Memory) -> None:
    await add(memory, *(make_client(client_id=name) for name in ("c", "a", "b")))
    clients = memory.unit_of_work().clients
    assert [stored.client.client_id for stored in await clients.page(limit=2)] == ["a", "b"]
    assert [stored.client.client_id for stored in await clients.page(after="b")] == ["c"]
    assert await clients.page(after="c") == []


async def test_every_addition_and_change_is_noticed(memory: Memory) -> None:
    clients = memory.unit_of_work().clients
    seen = [await clients.revision()]
    await add(memory, make_client(client_id="a"))
    seen.append(await clients.revision())
    await add(memory, make_client(client_id="b"))
    seen.append(await clients.revision())
    uow = memory.unit_of_work()
    stored = await uow.clients.find("a")
    assert stored is not None
    uow.clients.update(stored, replace(stored.client, status=ClientStatus.SUSPENDED), NOW)
    await uow.commit()
    seen.append(await clients.revision())
    assert len(set(seen)) == len(seen)


async def test_a_change_names_the_revision_it_was_made_from(memory: Memory) -> None:
    await add(memory, make_client())
    uow = memory.unit_of_work()
    stored = await uow.clients.find("network")
    assert stored is not None
    later = NOW + timedelta(hours=1)
    uow.clients.update(stored, FULL, later)
    await uow.commit()
    uow.clients.update(stored, make_client(client_name="Lost"), later)
    with pytest.raises(GateClosedError, match="client_updated"):
        await uow.commit()
    changed = await uow.clients.find("network")
    assert changed is not None
    assert (changed.client, changed.revision, changed.registered_at, changed.updated_at) == (
        FULL,
        2,
        NOW,
        later,
    )


async def test_a_client_id_is_given_once(memory: Memory) -> None:
    await add(memory, make_client())
    with pytest.raises(UniquenessError) as refused:
        await add(memory, make_client(client_id="new"), make_client())
    assert refused.value.index == "pk_clients"
    assert await memory.unit_of_work().clients.find("new") is None
