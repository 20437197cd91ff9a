"""What a platform's own tests need: errors and delays on demand, other keys, links that change, people."""

import asyncio
from typing import Any

import httpx
import pytest

from idp.identity.citizens import age_on
from idp.protocol.simulation import ERRORS, VALIDITY, SimulatedEndpoint
from idp.web.sandbox_actions import NEW_PEOPLE
from tests.support.dpop_proofs import ProofKey
from tests.support.platform import query_of
from tests.support.platform_api import METADATA, PlatformAPI
from tests.support.provider import Person, Provider
from tests.support.receiver_of_events import METADATA as SSF_METADATA
from tests.support.receiver_of_events import STREAMS, ReceiverOfEvents
from tests.support.sandbox import SandboxedPlatform, in_sandbox

pytestmark = pytest.mark.anyio
E = SimulatedEndpoint


async def met_at(
    endpoint: SimulatedEndpoint, sandboxed: SandboxedPlatform, access_token: str
) -> httpx.Response:
    platform, http = sandboxed.platform, sandboxed.http
    match endpoint:
        case E.AUTHORIZE:
            return await http.get("/authorize", params=platform.request())
        case E.PAR:
            return await platform.push(http)
        case E.TOKEN:
            return await platform.refresh(http, "unknown")
        case E.USERINFO:
            return await http.get("/userinfo", headers={"Authorization": f"Bearer {access_token}"})
        case _:
            return await http.post("/introspect", data={"token": "x"}, auth=platform.auth)


@pytest.mark.parametrize("endpoint", [E.AUTHORIZE, E.PAR, E.TOKEN, E.USERINFO, E.INTROSPECT])
async def test_an_endpoint_answers_with_every_code_that_is_registered_for_it(
    provider: Provider, endpoint: SimulatedEndpoint
) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        tokens = await sandboxed.platform.tokens_for(http, person, None)
        usual = await met_at(endpoint, sandboxed, tokens["access_token"])
        for code, kind in ERRORS[endpoint].items():
            await sandboxed.simulate(endpoint.value, code)
            answer = await met_at(endpoint, sandboxed, tokens["access_token"])
            if endpoint is E.AUTHORIZE:
                assert answer.status_code == 303
                assert answer.headers["location"].startswith(sandboxed.platform.client.redirect_uris[0])
                members = query_of(answer.headers["location"])
                assert (members["state"], "iss" in members) == ("state-1", True)
            else:
                assert answer.status_code == kind.status
                members = answer.json()
            assert members["error"] == code
            after = await met_at(endpoint, sandboxed, tokens["access_token"])
            assert after.status_code == usual.status_code


async def test_the_platform_api_answers_it_as_a_problem(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http, METADATA)
        api = PlatformAPI(provider, sandboxed.platform, http)
        for code, kind in ERRORS[E.ACCOUNT_LINKS].items():
            await sandboxed.simulate("account-links", code)
            answer = await api.get()
            assert (answer.status_code, answer.json()["error"]) == (kind.status, code)
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await api.get()).status_code == 200


async def test_event_streams_answer_it_too(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http, SSF_METADATA)
        receiver = ReceiverOfEvents(provider, sandboxed.platform, http, "")
        receiver.token = await receiver.own_token("ssf.read ssf.manage")
        for code, kind in ERRORS[E.SSF].items():
            await sandboxed.simulate("ssf", code)
            answer = await receiver.ask("GET", STREAMS)
            assert (answer.status_code, answer.json()["error"]) == (kind.status, code)
        assert (await receiver.ask("GET", STREAMS)).status_code == 200


async def test_it_is_met_as_often_as_was_asked_and_counted_down(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.simulate("token", "temporarily_unavailable", times=3)
        answers = await asyncio.gather(*(sandboxed.platform.refresh(http, "unknown") for _ in range(8)))
        assert sorted(answer.json()["error"] for answer in answers) == (
            ["invalid_grant"] * 5 + ["temporarily_unavailable"] * 3
        )
        assert (await sandboxed.ask("GET", "/simulation")).json() == {"simulation": None}


async def test_it_can_be_read_replaced_and_ended_and_ends_by_itself(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.simulate("token", "slow_down", times=5)
        await sandboxed.platform.refresh(http, "unknown")
        answer = (await sandboxed.simulate("par", "invalid_scope", times=2)).json()
        assert answer["simulation"] == {
            "endpoint": "par",
            "error": "invalid_scope",
            "delay_seconds": 0,
            "times": 2,
        }
        assert answer["remaining"] == 2
        assert (await sandboxed.platform.refresh(http, "unknown")).json()["error"] == "invalid_grant"
        assert (await sandboxed.ask("DELETE", "/simulation")).status_code == 204
        assert (await sandboxed.platform.push(http)).status_code == 201
        await sandboxed.simulate("par", "invalid_scope")
        provider.clock.advance(seconds=VALIDITY.total_seconds())
        assert (await sandboxed.platform.push(http)).status_code == 201
        await sandboxed.open()
        assert (await sandboxed.ask("GET", "/simulation")).json() == {"simulation": None}


async def test_an_answer_is_late_by_what_was_asked(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    assert provider.context.sandbox is not None
    monkeypatch.setattr(provider.context.sandbox, "_pause", pause)
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.simulate("par", delay_seconds=7)
        assert (await sandboxed.platform.push(http)).status_code == 201
        assert (await sandboxed.platform.push(http)).status_code == 201
        await sandboxed.simulate("par", "server_error", delay_seconds=2)
        assert (await sandboxed.platform.push(http)).status_code == 500
    assert waited == [7, 2]


async def test_keys_are_rotated_really_and_not_too_often(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        provider.clock.advance(minutes=2)
        await sandboxed.open()
        before = {key["kid"] for key in (await http.get("/jwks")).json()["keys"]}
        answer = await sandboxed.ask("POST", "/keys/rotate")
        assert answer.status_code == 200, answer.text
        signing = answer.json()["signing"]
        published = {key["kid"] for key in (await http.get("/jwks")).json()["keys"]}
        # What signs now was published before: no platform that follows the keys is left behind.
        assert set(signing.values()) <= before < published | before
        assert published - before
        tokens = await sandboxed.platform.tokens_for(http, person, None)
        assert tokens["id_token"]
        refused = await sandboxed.ask("POST", "/keys/rotate")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        provider.clock.advance(minutes=1)
        assert (await sandboxed.ask("POST", "/keys/rotate")).status_code == 200


async def test_links_are_moved_and_the_platform_sees_it(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.platform.tokens_for(http, person, "acc_1")
        await sandboxed.open()
        [link] = await provider.unit_of_work().platform_links.page(
            sandboxed.client_id, None, provider.clock.now, after="", limit=9
        )
        expected: list[tuple[str, int, str | int]] = [
            ("reinstate", 200, "active"),
            ("suspend", 200, "suspended"),
            ("suspend", 200, "suspended"),
            ("lapse", 409, 409),
            ("reinstate", 200, "active"),
            ("lapse", 200, "lapsed"),
            ("reinstate", 409, 409),
            ("end", 200, "ended"),
            ("suspend", 409, 409),
            ("abolish", 404, 404),
        ]
        for word, status, becomes in expected:
            answer = await sandboxed.ask("POST", f"/links/{link.link_id}/{word}")
            assert (answer.status_code, answer.json().get("status")) == (status, becomes), word


async def signs_in(provider: Provider, sandboxed: SandboxedPlatform, told: dict[str, Any]) -> dict[str, Any]:
    uow = provider.unit_of_work()
    citizen = await uow.citizens.find_by_number(told["personal_number"])
    assert citizen is not None
    person = Person(citizen.citizen_id, told["personal_number"], told["totp_secret"], told["password"])
    async with provider.http() as browser:
        return await sandboxed.platform.tokens_for(browser, person, None)


async def test_people_are_invented_as_wished_and_can_sign_in(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        answer = await sandboxed.ask("POST", "/people", json={"age": 15, "proofing": "vn1"})
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told["personal_number"].startswith("000")
        assert age_on(told["birthdate"], provider.clock.now) == 15
        assert told["proofing"] == "vn1"
        assert (await signs_in(provider, sandboxed, told))["id_token"]
        foreigner = (await sandboxed.ask("POST", "/people", json={"proofing": "vnf", "age": 0})).json()
        assert age_on(foreigner["birthdate"], provider.clock.now) == 0
        for wrong in ({"age": -1}, {"age": 111}, {"age": "9"}, {"proofing": "vn9"}, {"name": "Lan"}, []):
            assert (await sandboxed.ask("POST", "/people", json=wrong)).status_code == 400
        assert (await sandboxed.ask("POST", "/people", content=b"x")).status_code == 415


async def test_a_client_invents_no_end_of_people(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.web.sandbox_actions.hash_password", lambda _: "hashed")
    async with provider.http() as http:
        sandboxed, other = await in_sandbox(provider, http), await in_sandbox(provider, http)
        statuses = [(await sandboxed.ask("POST", "/people")).status_code for _ in range(NEW_PEOPLE.free + 1)]
        assert statuses == [201] * NEW_PEOPLE.free + [429]
        assert (await other.ask("POST", "/people")).status_code == 201


async def test_the_people_of_the_demonstration_are_told(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        people = (await sandboxed.ask("GET", "/people")).json()["people"]
        assert len(people) > 5
        assert all(each["personal_number"].startswith("000") for each in people)
        assert all(each["password"] and each["totp_secret"] for each in people if each["status"] == "active")


async def test_proof_of_possession_works_as_ever_while_nothing_is_simulated(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http, METADATA)
        api = PlatformAPI(provider, sandboxed.platform, http, ProofKey())
        assert (await api.get()).status_code == 200
