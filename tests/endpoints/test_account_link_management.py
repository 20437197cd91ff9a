"""The platform API, changing: a platform keeps its own links in order, once however often it asks."""

from typing import Any

import httpx
import pytest

from idp.identity.account_links import Status
from idp.identity.cases import CaseKind
from idp.identity.notices import NoticeKind
from tests.support.platform_api import MANAGE, acts, kinds, new_platform_api, sequence_changes, stored
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import move_link

pytestmark = pytest.mark.anyio

DAY = 86_400


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"].removeprefix(f"{ISSUER}/problems/")


async def test_ending_is_for_good_and_recorded_as_the_platforms_act(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        provider.clock.advance(seconds=1)
        answer = await api.post(f"/{link_id}/end")
        assert (answer.status_code, answer.json()["status"]) == (200, "ended")
        assert answer.json()["ended_at"] == int(provider.clock.now.timestamp())
        assert "because" not in answer.text
        link = await stored(provider, link_id)
        assert (link.status, link.ended_because) == (Status.ENDED, "ended_by_platform")
        assert ("account_link:ended", "client", api.client_id) in await acts(provider, link_id)
        assert await kinds(provider, link_id) == ["ended", "established"]
        again = await api.post(f"/{link_id}/end", {})
        assert again.json() == answer.json(), "what was wanted is the case"
        assert await kinds(provider, link_id) == ["ended", "established"]


async def test_grants_end_with_the_link(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as browser:
        api = await new_platform_api(provider, http)
        tokens = await api.platform.tokens_for(browser, await provider.add_person())
        await api.post(f"/{tokens['authorization_details'][0]['link_id']}/end")
        refreshed = await api.platform.refresh(http, tokens["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"


async def test_handle_and_address_are_changed_and_told(provider: Provider) -> None:
    """RFC 7396: null removes, what is not named stays."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        provider.clock.advance(seconds=1)
        address = f"https://{api.client_id}.example/@lan2"
        answer = await api.patch(link_id, {"handle": "@lan2", "profile_uri": address})
        assert answer.status_code == 200
        assert (answer.json()["handle"], answer.json()["profile_uri"]) == ("@lan2", address)
        read = await api.get(f"/{link_id}")
        assert (read.json(), read.headers["etag"]) == (answer.json(), answer.headers["etag"])
        provider.clock.advance(seconds=1)
        assert (await api.patch(link_id, {"handle": None})).json()["handle"] is None
        assert (await api.patch(link_id, {"handle": None})).status_code == 200, "nothing to change"
        assert (await stored(provider, link_id)).profile_uri == address
        assert await kinds(provider, link_id) == ["established", "updated", "updated"]


async def test_if_match_keeps_one_change_from_undoing_another(provider: Provider) -> None:
    """RFC 9110 §13.1.1."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        provider.clock.advance(seconds=1)
        etag = (await api.get(f"/{link_id}")).headers["etag"]
        first = await api.patch(link_id, {"handle": "@a"}, **{"If-Match": f'"x", {etag}'})
        assert first.status_code == 200
        second = await api.patch(link_id, {"handle": "@b"}, **{"If-Match": etag})
        assert problem_of(second) == (412, "precondition_failed")
        weak = await api.patch(link_id, {"handle": "@b"}, **{"If-Match": f"W/{first.headers['etag']}"})
        assert problem_of(weak) == (412, "precondition_failed")
        assert (await api.patch(link_id, {"handle": "@b"}, **{"If-Match": "*"})).status_code == 200


async def test_a_renamed_account_keeps_its_link(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http, max_links_per_citizen=3)
        person = await provider.add_person()
        link_id, other = await api.linked(person, "acc_old"), await api.linked(person, "acc_other")
        provider.clock.advance(seconds=1)
        taken = await api.post(f"/{link_id}/reattach", {"account_id": "acc_other"})
        assert problem_of(taken) == (409, "account_already_linked")
        answer = await api.post(f"/{link_id}/reattach", {"account_id": "acc_new"})
        assert (answer.json()["account_id"], answer.json()["status"]) == ("acc_new", "active")
        same = await api.post(f"/{link_id}/reattach", {"account_id": "acc_new"})
        assert same.json() == answer.json()
        assert await kinds(provider, link_id) == ["established", "reattached"]
        await sequence_changes(provider.unit_of_work())
        told = (await api.get("/changes")).json()["changes"]
        [change] = [change for change in told if change["kind"] == "reattached"]
        assert change["previous_account_id"] == "acc_old"
        await move_link(provider, other, Status.ENDED)
        freed = await api.post(f"/{link_id}/reattach", {"account_id": "acc_other"})
        assert freed.status_code == 200
        ended = await api.post(f"/{other}/reattach", {"account_id": "acc_third"})
        assert problem_of(ended) == (409, "state_conflict")
        assert ended.json()["link_status"] == "ended"


async def test_a_link_is_verified_again_in_time_or_lapses(provider: Provider) -> None:
    """Abuse case P8: a sign-in from before the request is no new verification."""
    async with provider.http() as http, provider.http() as browser:
        api, person = await new_platform_api(provider, http), await provider.add_person()
        tokens = await api.platform.tokens_for(browser, person)
        link_id = tokens["authorization_details"][0]["link_id"]
        provider.clock.advance(seconds=60)
        due_at = int(provider.clock.now.timestamp()) + 10 * DAY
        answer = await api.post(f"/{link_id}/reverify", {"due_at": due_at})
        asked_at = int(provider.clock.now.timestamp())
        assert answer.json()["reverify_requested_at"] == asked_at
        assert (answer.json()["expires_at"], answer.json()["status"]) == (due_at, "active")
        later = await api.post(f"/{link_id}/reverify", {"due_at": due_at + DAY})
        assert later.json() == answer.json(), "asked already, for no later a day"
        provider.clock.advance(seconds=60)
        await api.platform.tokens_for(browser, person)
        assert (await stored(provider, link_id)).expires_at is not None
        assert (await api.get(f"/{link_id}")).json()["expires_at"] == due_at, "signed in before the request"
        await api.platform.tokens_for(browser, person, prompt="login")
        api.tokens.clear()
        renewed = (await api.get(f"/{link_id}")).json()
        assert renewed["reverify_requested_at"] is None
        assert renewed["expires_at"] == int(provider.clock.now.timestamp()) + 730 * DAY
        assert await kinds(provider, link_id) == ["established", "renewed", "reverify_requested"]
        await api.post(f"/{link_id}/reverify")
        provider.clock.advance(days=31)
        api.tokens.clear()
        assert (await api.get(f"/{link_id}")).json()["status"] == "lapsed"
        assert problem_of(await api.post(f"/{link_id}/reverify")) == (409, "state_conflict")


async def test_a_suspicion_opens_one_case_and_suspends_nothing(provider: Provider) -> None:
    """Rules R6, R17: a code, and no word about a person."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        answer = await api.post(f"/{link_id}/misuse", {"suspicion": "account_passed_on"})
        assert answer.status_code == 201
        assert answer.json().keys() == {"case", "link_id", "opened_at"}
        [case] = await provider.unit_of_work().cases.undecided(link_id)
        assert (case.kind, case.content) == (CaseKind.MISUSE, {"suspicion": "account_passed_on"})
        assert case.reference == answer.json()["case"].replace("-", "")
        again = await api.post(f"/{link_id}/misuse", {"suspicion": "impersonation"})
        assert (again.status_code, again.json()) == (200, answer.json())
        assert (await stored(provider, link_id)).status is Status.ACTIVE
        assert ("case:opened", "client", api.client_id) in await acts(provider, link_id)
        link = await stored(provider, link_id)
        told = await provider.unit_of_work().notices.of_citizen(link.citizen_id)
        assert [kept.notice.kind for kept in told] == [NoticeKind.MISUSE_REPORTED], "once"
        ended = await api.linked(await provider.add_person(), "acc_2")
        await api.post(f"/{ended}/end")
        late = await api.post(f"/{ended}/misuse", {"suspicion": "impersonation"})
        assert problem_of(late) == (409, "state_conflict")


async def test_the_same_request_is_answered_the_same_and_done_once(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http, max_links_per_citizen=3)
        link_id = await api.linked(await provider.add_person())
        first = await api.post(f"/{link_id}/reattach", {"account_id": "acc_2"}, key="k-1")
        provider.clock.advance(seconds=1)
        await api.post(f"/{link_id}/reattach", {"account_id": "acc_3"}, key="k-2")
        replayed = await api.post(f"/{link_id}/reattach", {"account_id": "acc_2"}, key="k-1")
        assert (replayed.status_code, replayed.content) == (first.status_code, first.content)
        assert (await stored(provider, link_id)).account_id == "acc_3", "nothing was done again"
        for path, body in (("reattach", {"account_id": "acc_4"}), ("end", None)):
            reused = await api.post(f"/{link_id}/{path}", body, key="k-1")
            assert problem_of(reused) == (422, "idempotency_key_reused")
        other = await new_platform_api(provider, http)
        theirs = await other.linked(await provider.add_person(), "acc_2")
        own = await other.post(f"/{theirs}/reattach", {"account_id": "acc_9"}, key="k-1")
        assert own.json()["account_id"] == "acc_9", "another platform's keys are other keys"
        refused = await api.post("/unknown/end", key="k-3")
        assert problem_of(refused) == (404, "no_such_link")
        assert (await api.post(f"/{link_id}/end", key="k-3")).status_code == 200, "no refusal is remembered"


async def test_an_answer_is_remembered_for_a_day(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        first = await api.post(f"/{link_id}/end", key="k-1")
        for passed in ({"hours": 23}, {"days": 2}):
            repeated = await api.post(f"/{link_id}/end", key="k-1")
            assert repeated.content == first.content
            provider.clock.advance(**passed)
            uow = provider.unit_of_work()
            uow.remains.remove(provider.clock.now)
            await uow.commit()
            api.tokens.clear()
        other = await api.post(f"/{link_id}/reattach", {"account_id": "a"}, key="k-1")
        assert problem_of(other) == (409, "state_conflict"), "the key is free again"


@pytest.mark.parametrize(
    "key", [None, "", "bare", '"', '""', '"é"', '"a\tb"', '"' + "x" * 256 + '"', '"a", "b"']
)
async def test_a_post_without_a_usable_key_is_refused(provider: Provider, key: str | None) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        headers = {} if key is None else {"Idempotency-Key": key.encode()}
        answer = await api.send("POST", "/x/end", scope=MANAGE, headers=headers)  # type-checked loosely
    assert problem_of(answer) == (400, "idempotency_key_required")


BODIES: list[tuple[str, bytes]] = [
    ("reattach", b""),
    ("reattach", b"{}"),
    ("reattach", b"[]"),
    ("reattach", b"null"),
    ("reattach", b'{"account_id": 7}'),
    ("reattach", b'{"account_id": ""}'),
    ("reattach", b'{"account_id": "a\\u0000"}'),
    ("reattach", b'{"account_id": "a\\u202eb"}'),
    ("reattach", b'{"account_id": "a", "account_id": "b"}'),
    ("reattach", b'{"account_id": "a", "citizen_id": "b"}'),
    ("reattach", b'{"account_id": "' + b"x" * 256 + b'"}'),
    ("reattach", b"\xff\xfe"),
    ("reattach", b"{" * 500),
    ("reattach", b'{"account_id": "' + b"x" * 70_000 + b'"}'),
    ("end", b'{"reason": "x"}'),
    ("end", b"x"),
    ("reverify", b'{"due_at": 0}'),
    ("reverify", b'{"due_at": true}'),
    ("reverify", b'{"due_at": 1e400}'),
    ("reverify", b'{"due_at": 99999999999999999999}'),
    ("reverify", b'{"due_at": "2027-01-01"}'),
    ("misuse", b"{}"),
    ("misuse", b'{"suspicion": "he looks odd"}'),
    ("misuse", b'{"suspicion": ["impersonation"]}'),
    ("misuse", b'{"suspicion": "impersonation", "picture": "data:"}'),
]


@pytest.mark.parametrize(("path", "body"), BODIES)
async def test_a_body_that_says_something_else_is_refused(provider: Provider, path: str, body: bytes) -> None:
    """Abuse classes P11, 25; rule R6."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        key = {"Idempotency-Key": '"k"', "Content-Type": "application/json"}
        answer = await api.send("POST", f"/{link_id}/{path}", scope=MANAGE, content=body, headers=key)
    assert problem_of(answer) == (400, "invalid_request")


PATCHES: list[Any] = [
    {},
    [],
    {"handle": 1},
    {"handle": "a\u202eb"},
    {"handle": "x" * 65},
    {"profile_uri": "javascript:alert(1)"},
    {"profile_uri": "https://elsewhere.example/@lan"},
    {"profile_uri": "https://{}.example@elsewhere.example/"},
    {"account_id": "acc_2"},
    {"status": "active"},
]


@pytest.mark.parametrize("patch", PATCHES)
async def test_a_patch_of_anything_else_is_refused(provider: Provider, patch: Any) -> None:
    """Abuse class P11: hosts are those of the registration."""
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        answer = await api.patch(link_id, patch)
        assert problem_of(answer) == (400, "invalid_request")
        link = await stored(provider, link_id)
    assert (link.handle, link.profile_uri, link.account_id) == ("@lan", None, "acc_lan_1")


async def test_other_media_types_and_methods_are_refused(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        sent = {"Idempotency-Key": '"k"', "Content-Type": "text/plain"}
        answer = await api.send("POST", f"/{link_id}/end", scope=MANAGE, content=b"{}", headers=sent)
        assert problem_of(answer) == (415, "unsupported_media_type")
        assert problem_of(await http.delete(f"/account-links/{link_id}")) == (405, "method_not_allowed")
        assert problem_of(await http.get("/account-links/a/b/c")) == (404, "no_such_address")
