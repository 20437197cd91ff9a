"""P7, R12: two platforms lay their events side by side and learn nothing of each other's people."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from idp.identity.account_links import Status
from tests.support.deliveries import delivered
from tests.support.event_links import Linked, add_stream, claims_in, linked, moved, told
from tests.support.provider import Person, Provider
from tests.support.receiver import Receiver, receiver
from tests.support.shared_provider import anyio_backend, new_platform, provider

__all__ = ["anyio_backend", "provider"]

pytestmark = pytest.mark.anyio

PEOPLE = 12
REASON = "ordered-by-district-court-17"


@pytest.fixture
async def hooks(anyio_backend: str) -> AsyncIterator[list[Receiver]]:
    async with receiver() as one, receiver() as two:
        one.status = two.status = "202 Accepted"
        yield [one, two]


def leaves(value: Any) -> set[Any]:
    """Return every text and number in a document, its member names apart."""
    if isinstance(value, dict):
        return set[Any]().union(*map(leaves, value.values()))
    return {value}


async def people_at_both(
    provider: Provider, hooks: list[Receiver]
) -> tuple[list[Person], list[list[Linked]]]:
    platforms = [await new_platform(provider) for _ in hooks]
    people = [await provider.add_person(phone_number="+84000123456") for _ in range(PEOPLE)]
    links = [[await linked(provider, each, one.client.client_id) for one in platforms] for each in people]
    await told(provider)
    for platform, hook in zip(platforms, hooks, strict=True):
        await add_stream(provider, platform.client.client_id, hook)
    return people, links


async def test_p7_no_value_and_no_order_is_the_same_at_two_platforms(
    provider: Provider, hooks: list[Receiver]
) -> None:
    people, links = await people_at_both(provider, hooks)
    for of_person in links:
        await moved(of_person, Status.SUSPENDED, REASON)
    for person in people:
        uow = provider.unit_of_work()
        uow.sessions.end_of_citizen(person.citizen_id, provider.clock.now)
        await uow.commit()
    await delivered(provider)
    await told(provider)
    one, two = ([claims_in(received) for received in hook.received] for hook in hooks)
    assert len(one) == len(two) == 2 * PEOPLE
    known = {
        provider.context.issuer,
        "iss_sub",
        "suspended",
        "vn2",
        f"{provider.context.issuer}/acr/vn-2",
    }
    shared = leaves({str(n): claims for n, claims in enumerate(one)}) & leaves(
        {str(n): claims for n, claims in enumerate(two)}
    )
    assert {value for value in shared - known if not isinstance(value, int)} == set()
    times = {value for value in shared if isinstance(value, int)}
    assert all(value % 1 == 0 for value in times), "of times, whole seconds at most"
    place = {(await link.now()).subject: n for n, of_person in enumerate(links) for link in of_person}
    orders = [
        list(dict.fromkeys(place[claims["sub_id"]["sub"]] for claims in platform)) for platform in (one, two)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(PEOPLE))
    assert orders[0] != orders[1], "one in 479,001,600 may be"
    assert list(range(PEOPLE)) not in orders, "nor is it the order in which it happened"


async def test_r12_neither_reason_nor_person_is_in_anything_that_leaves(
    provider: Provider, hooks: list[Receiver]
) -> None:
    people, links = await people_at_both(provider, hooks)
    for of_person in links:
        await moved(of_person, Status.SUSPENDED, REASON)
        await moved(of_person, Status.ENDED, REASON)
    await told(provider)
    sent = "".join(repr((claims_in(each), each.headers)) for hook in hooks for each in hook.received)
    for person in people:
        assert person.citizen_id not in sent
        assert person.personal_number not in sent
    assert REASON not in sent
    assert "+84000123456" not in sent
