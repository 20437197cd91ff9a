"""The platform API under races: many requests at once for one link, on both engines. Abuse classes 5, 31."""

from typing import Any

import anyio
import httpx
import pytest

from tests.support.platform_api import MANAGE, PlatformAPI, acts, kinds, new_platform_api, stored
from tests.support.provider import Provider

pytestmark = pytest.mark.anyio

RACERS = 20


async def at_once(api: PlatformAPI, *calls: tuple[str, str, Any, str]) -> list[httpx.Response]:
    """Send every (method, path, body, key) at the same time."""
    await api.token(MANAGE)
    answers: list[httpx.Response] = []

    async def call(method: str, path: str, body: Any, key: str) -> None:
        named = {"Idempotency-Key": f'"{key}"'} if method == "POST" else {}
        answers.append(await api.send(method, path, scope=MANAGE, body=body, headers=named))

    async with anyio.create_task_group() as group:
        for each in calls:
            group.start_soon(call, *each)
    return answers


async def test_one_key_at_once_is_one_act(provider: Provider) -> None:
    """Abuse classes 5, 31: twenty times the same request, one change, one answer."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        provider.clock.advance(seconds=1)
        request = ("POST", f"/{link_id}/reattach", {"account_id": "acc_2"}, "k")
        answers = await at_once(api, *[request] * RACERS)
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        assert await kinds(provider, link_id) == ["established", "reattached"]
        report = ("POST", f"/{link_id}/misuse", {"suspicion": "impersonation"}, "m")
        answers = await at_once(api, *[report] * RACERS)
        assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
        assert len(await provider.unit_of_work().cases.undecided(link_id)) == 1


async def test_two_ends_at_once_end_it_once(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        provider.clock.advance(seconds=1)
        calls = [("POST", f"/{link_id}/end", None, f"k-{number}") for number in range(RACERS)]
        answers = await at_once(api, *calls)
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        assert await kinds(provider, link_id) == ["ended", "established"]
        ended = [act for act in await acts(provider, link_id) if act[0] == "account_link:ended"]
        assert len(ended) == 1


async def test_reports_at_once_open_one_case(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        body = {"suspicion": "automated_use"}
        calls = [("POST", f"/{link_id}/misuse", body, f"k-{number}") for number in range(RACERS)]
        answers = await at_once(api, *calls)
        assert sorted(answer.status_code for answer in answers) == [200] * (RACERS - 1) + [201]
        assert len(await provider.unit_of_work().cases.undecided(link_id)) == 1


async def test_changes_at_once_are_all_or_nothing(provider: Provider) -> None:
    """Two members, many writers: what results is what one of them wrote, and who lost is told so."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        provider.clock.advance(seconds=1)
        address = f"https://{api.client_id}.example/"
        calls = [
            ("PATCH", f"/{link_id}", {"handle": f"@{number}", "profile_uri": f"{address}{number}"}, "")
            for number in range(RACERS)
        ]
        answers = await at_once(api, *calls)
        assert {answer.status_code for answer in answers} <= {200, 409}
        link = await stored(provider, link_id)
        assert link.profile_uri == f"{address}{(link.handle or '')[1:]}"
        told = await kinds(provider, link_id)
        assert told.count("updated") == sum(answer.status_code == 200 for answer in answers)
