"""Abuse classes 7, 23, 24, cases P6, P7: who may do what at the platform API, and what a stranger learns."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import httpx
import pytest

from idp.identity.account_links import Status
from tests.support.dpop_proofs import ProofKey
from tests.support.platform_api import MANAGE, READ, PlatformAPI, new_platform_api, sequence_changes
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import suspend_client

pytestmark = pytest.mark.anyio

LINK = "/account-links/{}"
OPERATIONS: Mapping[str, tuple[str, str, Any]] = {
    "list": ("GET", "/account-links", None),
    "find": ("GET", "/account-links?account_id=acc_lan_1", None),
    "follow": ("GET", "/account-links/changes", None),
    "read": ("GET", LINK, None),
    "update": ("PATCH", LINK, {"handle": "@x"}),
    "reattach": ("POST", f"{LINK}/reattach", {"account_id": "acc_x"}),
    "reverify": ("POST", f"{LINK}/reverify", {}),
    "report": ("POST", f"{LINK}/misuse", {"suspicion": "impersonation"}),
    "end": ("POST", f"{LINK}/end", None),
}
OF_ONE_LINK = [name for name, (_, path, _) in OPERATIONS.items() if "{}" in path]
READING, MANAGING = {"list", "find", "follow", "read"}, {"update", "reattach", "reverify", "report", "end"}

Headers = Callable[[str, str], Mapping[str, str]]


async def call(
    http: httpx.AsyncClient, operation: str, link_id: str, headers: Headers, key: str = "k"
) -> httpx.Response:
    method, path, body = OPERATIONS[operation]
    address, _, query = path.format(link_id).partition("?")
    sent = dict(headers(method, f"{ISSUER}{address}"))
    if method == "POST":
        sent["Idempotency-Key"] = f'"{key}-{operation}"'
    return await http.request(method, f"{address}?{query}" if query else address, json=body, headers=sent)


def bearer(token: str) -> Headers:
    return lambda _method, _url: {"Authorization": f"Bearer {token}"}


def dpop(api: PlatformAPI, token: str, key: ProofKey | None = None) -> Headers:
    def headers(method: str, url: str) -> Mapping[str, str]:
        sender = api if key is None else PlatformAPI(api.provider, api.platform, api.http, key)
        return {"Authorization": f"DPoP {token}", "DPoP": sender.proof(method, url, access_token=token)}

    return headers


async def unbound(api: PlatformAPI, scope: str) -> str:
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = await api.http.post("/token", data=form, auth=api.platform.auth)
    token: str = answer.json()["access_token"]
    return token


async def test_every_token_opens_what_it_is_for_and_nothing_else(provider: Provider) -> None:
    """The matrix of tokens and operations; whatever lists or changes links needs a bound token."""
    async with provider.http() as http, provider.http() as browser:
        api, person = await new_platform_api(provider, http), await provider.add_person()
        tokens = await api.platform.tokens_for(browser, person, scope=f"openid {READ}")
        link_id = tokens["authorization_details"][0]["link_id"]
        provider.clock.advance(seconds=1)
        read, manage = await api.token(READ), await api.token(MANAGE)
        other = await new_platform_api(provider, http)
        doors: dict[str, tuple[Headers, set[str], int]] = {
            "nothing": (lambda _method, _url: {}, set(), 401),
            "an unbound token that reads": (bearer(await unbound(api, READ)), {"read"}, 401),
            "an unbound token that manages": (bearer(await unbound(api, MANAGE)), set(), 401),
            "a stolen token, as bearer": (bearer(manage), set(), 401),
            "a stolen token, with another key": (dpop(api, manage, ProofKey()), set(), 401),
            "a token for signing in": (bearer(tokens["access_token"]), set(), 403),
            "another platform's token": (dpop(other, await other.token(f"{READ} {MANAGE}")), set(), 404),
            "a bound token that reads": (dpop(api, read), READING, 403),
            "a bound token that manages": (dpop(api, manage), MANAGING, 403),
        }
        for name, (headers, opens, refusal) in doors.items():
            for operation in OPERATIONS:
                answer = await call(http, operation, link_id, headers)
                if operation in opens:
                    assert answer.is_success, (name, operation, answer.text)
                    continue
                if refusal == 404 and operation not in OF_ONE_LINK:
                    assert answer.is_success, "its own, of which there are none"
                    assert link_id not in answer.text
                    continue
                refusals = {401, 403} if "unbound" in name else {refusal}
                assert answer.status_code in refusals, (name, operation, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"


async def test_a_persons_token_reads_that_persons_links_and_changes_nothing(provider: Provider) -> None:
    """Manage is nothing that a person could grant."""
    async with provider.http() as http, provider.http() as browser:
        api = await new_platform_api(provider, http, {"scope": READ})
        lan, mai = await provider.add_person(), await provider.add_person()
        theirs = await api.linked(mai, "acc_mai", scope=READ)
        tokens = await api.platform.tokens_for(browser, lan, "acc_lan_1", scope=READ)
        own, headers = tokens["authorization_details"][0]["link_id"], bearer(tokens["access_token"])
        listed = (await call(http, "list", own, headers)).json()
        assert [link["link_id"] for link in listed["account_links"]] == [own]
        assert (await call(http, "read", own, headers)).status_code == 200
        assert (await call(http, "read", theirs, headers)).status_code == 404
        for operation in MANAGING | {"follow"}:
            answer = await call(http, operation, own, headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope"), operation


async def counted(
    provider: Provider, ask: Callable[[], Awaitable[httpx.Response]]
) -> tuple[int, httpx.Response]:
    """Ask three times; the fewest statements are those of the request, without what runs once a second."""
    statistics, counts = provider.context.database.statistics, []
    for _ in range(3):
        before = statistics.statements
        answer = await ask()
        counts.append(statistics.statements - before)
    return min(counts), answer


@pytest.mark.parametrize("operation", OF_ONE_LINK)
async def test_a_foreign_link_looks_exactly_like_none(provider: Provider, operation: str) -> None:
    """Same status, same body, same headers, and the same number of statements: nothing to time."""
    async with provider.http() as http, provider.http() as browser:
        api, victim = await new_platform_api(provider, http), await new_platform_api(provider, http)
        foreign = await victim.linked(await provider.add_person())
        ended = await victim.linked(await provider.add_person(), "acc_2")
        await victim.post(f"/{ended}/end")
        assert await api.platform.code_for(browser, await provider.add_person(), "acc_pending")
        links = await provider.unit_of_work().account_links.page(client_id=api.client_id)
        [pending] = [link.link_id for link in links if link.status is Status.PENDING]
        provider.clock.advance(seconds=1)
        headers = dpop(api, await api.token(f"{READ} {MANAGE}"))
        seen = []
        for number, link_id in enumerate((foreign, ended, pending, "A" * 22, "unknown")):
            ask = partial(call, http, operation, link_id, headers, str(number))
            statements, answer = await counted(provider, ask)
            told = {name: value for name, value in answer.headers.items() if name != "dpop-nonce"}
            seen.append((answer.status_code, answer.content, told, statements))
        assert [each for each in seen if each != seen[0]] == []
        assert seen[0][0] == 404
        link = await provider.unit_of_work().account_links.find(foreign)
        assert link is not None
        assert link.status is Status.ACTIVE


async def test_two_platforms_share_no_value_about_one_person(provider: Provider) -> None:
    """Abuse case P7: lists, feeds and cursors about the same person have nothing in common."""
    async with provider.http() as http:
        apis = [await new_platform_api(provider, http) for _ in range(2)]
        person = await provider.add_person()
        for number, api in enumerate(apis):
            provider.clock.advance(days=number + 1)
            await api.linked(person, f"acc_{number}")
        await sequence_changes(provider.unit_of_work())
        values = []
        for api in apis:
            api.tokens.clear()
            told = [(await api.get(path)).json() for path in ("", "/changes")]
            values.append(leaves(told))
        common = {"@lan", "active", "established", "vn2", f"{ISSUER}/acr/vn-1", "None", "False"}
        assert values[0] & values[1] <= common


def leaves(document: Any) -> set[str]:
    """Every value that stands in a document."""
    if isinstance(document, dict):
        return set().union(*(leaves(value) for value in document.values()))
    if isinstance(document, list):
        return set().union(*(leaves(value) for value in document))
    return {str(document)}


async def test_a_suspended_platform_does_nothing_any_more(provider: Provider) -> None:
    """Abuse class 17: a remembered answer is no way round it."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        headers = dpop(api, await api.token(f"{READ} {MANAGE}"))
        assert (await call(http, "end", link_id, headers)).status_code == 200
        await suspend_client(provider, api.client_id)
        for operation in OPERATIONS:
            answer = await call(http, operation, link_id, headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
