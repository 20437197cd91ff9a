"""The SDK at the platform API: against the real provider, and with answers that are lost on the way."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from clients.relying_party import (
    AccountLinks,
    GrantRefusedError,
    ProviderUnavailableError,
    RequestRefusedError,
    Suspicion,
)
from clients.relying_party import Provider as Discovered
from clients.relying_party.account_link_documents import read_case, read_changes, read_link, read_links
from tests.support.platform_api import PlatformAPI, new_platform_api, sequence_changes
from tests.support.provider import ISSUER, SECRET, Provider
from tests.support.shared_provider import anyio_backend, provider, suspend_client

__all__ = ["anyio_backend", "provider"]

pytestmark = pytest.mark.anyio


class Losing(httpx.AsyncBaseTransport):
    """A way on which answers get lost, after the request has arrived."""

    def __init__(self, provider: Provider) -> None:
        self._way = httpx.ASGITransport(app=provider.asgi, client=("203.0.113.9", 40000))
        self.losing = 0
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._way.handle_async_request(request)
        if "idempotency-key" in request.headers:
            self.keys.append(request.headers["idempotency-key"])
            if self.losing:
                self.losing -= 1
                raise httpx.ReadTimeout("lost", request=request)
        return response


class Side:
    """A platform with the SDK, and what a test does behind its back."""

    def __init__(self, api: PlatformAPI, way: Losing, links: AccountLinks) -> None:
        self.api, self.way, self.links = api, way, links


@pytest.fixture
async def side(provider: Provider) -> AsyncIterator[Side]:
    way = Losing(provider)
    async with provider.http() as http, httpx.AsyncClient(transport=way) as back_end:
        api = await new_platform_api(provider, http, max_links_per_citizen=5)
        discovered = await Discovered.discover(ISSUER, back_end, clock=provider.clock)
        links = AccountLinks(discovered, api.client_id, secret=SECRET, back_off=timedelta(0))
        yield Side(api, way, links)


async def test_links_are_read_found_and_listed(provider: Provider, side: Side) -> None:
    person = await provider.add_person()
    ids = [await side.api.linked(person, f"acc_{number}") for number in range(3)]
    link = await side.links.read(ids[0])
    assert (link.account_id, link.status, link.assurance_level, link.acr) == (
        "acc_0",
        "active",
        "vn2",
        "vn-1",
    )
    assert link.linked_at is not None
    assert link.etag is not None
    found = await side.links.find("acc_1")
    assert found is not None
    assert found.link_id == ids[1]
    assert await side.links.find("nobody") is None
    assert sorted([each.link_id async for each in side.links.all()]) == sorted(ids)
    await side.links.end(ids[2])
    assert [each.link_id async for each in side.links.all(status="ended")] == [ids[2]]
    for unknown, error in (("unknown", "no_such_link"), ("../userinfo", "no_such_address")):
        with pytest.raises(RequestRefusedError, match=error):
            await side.links.read(unknown)


async def test_changes_are_followed_from_a_cursor_on(provider: Provider, side: Side) -> None:
    link_id = await side.api.linked(await provider.add_person())
    provider.clock.advance(seconds=1)
    await side.links.reattach(link_id, "acc_renamed")
    await sequence_changes(provider.unit_of_work())
    pages = [page async for page in side.links.follow()]
    assert [change.kind for page in pages for change in page.changes] == ["established", "reattached"]
    assert pages[-1].changes[-1].previous_account_id == "acc_lan_1"
    provider.clock.advance(seconds=1)
    await side.links.end(link_id)
    await sequence_changes(provider.unit_of_work())
    [page] = [page async for page in side.links.follow(pages[-1].cursor)]
    [ended] = page.changes
    assert ended.link is not None
    assert (ended.kind, ended.link.status) == ("ended", "ended")
    assert (await side.links.changes(begin="now")).changes == ()


async def test_details_are_changed_and_nobodys_change_is_undone(provider: Provider, side: Side) -> None:
    link_id = await side.api.linked(await provider.add_person())
    provider.clock.advance(seconds=1)
    before = await side.links.read(link_id)
    address = f"https://{side.api.client_id}.example/@lan"
    after = await side.links.update(link_id, profile_uri=address, etag=before.etag)
    assert (after.handle, after.profile_uri) == ("@lan", address)
    with pytest.raises(RequestRefusedError, match="precondition_failed"):
        await side.links.update(link_id, handle=None, etag=before.etag)
    assert (await side.links.update(link_id, handle=None, etag=after.etag)).handle is None


async def test_a_lost_answer_is_asked_for_again_under_the_same_key(provider: Provider, side: Side) -> None:
    link_id = await side.api.linked(await provider.add_person())
    side.way.losing = 2
    case = await side.links.report_misuse(link_id, Suspicion.IMPERSONATION)
    assert len(set(side.way.keys)) == 1
    assert len(side.way.keys) == 3
    [kept] = await provider.unit_of_work().cases.undecided(link_id)
    assert kept.reference == case.case.replace("-", "")
    side.way.losing = 3
    with pytest.raises(ProviderUnavailableError):
        await side.links.end(link_id, key="mine")
    assert (await side.links.end(link_id, key="mine")).status == "ended"


async def test_a_link_is_to_be_verified_again_by_a_date(provider: Provider, side: Side) -> None:
    link_id = await side.api.linked(await provider.add_person())
    provider.clock.advance(seconds=1)
    due_at = provider.clock.now.replace(microsecond=0) + timedelta(days=20)
    link = await side.links.reverify(link_id, due_at)
    assert (link.expires_at, link.reverify_requested_at) == (due_at, provider.clock.now)
    with pytest.raises(RequestRefusedError, match="invalid_request"):
        await side.links.reverify(link_id, provider.clock.now)


async def test_a_token_that_is_over_is_replaced(provider: Provider, side: Side) -> None:
    link_id = await side.api.linked(await provider.add_person())
    await side.links.read(link_id)
    for wait in (9, 30):
        provider.clock.advance(minutes=wait)
        assert (await side.links.read(link_id)).link_id == link_id
    side.links._token._expires_at = provider.clock.now + timedelta(days=1)
    provider.clock.advance(minutes=11)
    assert (await side.links.read(link_id)).link_id == link_id, "refused, and asked for anew"
    await suspend_client(provider, side.api.client_id)
    with pytest.raises((GrantRefusedError, RequestRefusedError)):
        await side.links.read(link_id)


@pytest.mark.parametrize(
    ("reader", "document"),
    [
        (read_link, {}),
        (read_link, {"link_id": 1}),
        (read_links, {"account_links": None}),
        (read_links, {"account_links": [], "cursor": 1}),
        (read_changes, {"changes": [{}], "cursor": "x", "has_more": False}),
        (read_changes, {"changes": []}),
        (read_case, {"case": "x", "link_id": "y", "opened_at": "z"}),
    ],
)
def test_an_answer_that_makes_no_sense_is_none(reader: object, document: object) -> None:
    assert callable(reader)
    with pytest.raises(ProviderUnavailableError):
        reader(document)
