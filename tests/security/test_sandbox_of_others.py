"""The sandbox is no way out of it: not in production, not for approved clients, not to another's links.

Abuse class 24 (another's objects), class 14 (clients that registered themselves).
"""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from idp.identity.account_links import Status
from idp.identity.register import Mode
from idp.protocol.simulation import make_simulation
from tests.support.provider import ISSUER, PASSWORD, SECRET, Provider, running_provider
from tests.support.sandbox import SandboxedPlatform, in_sandbox
from tests.support.shared_provider import change_client, move_link, new_platform, suspend_client

pytestmark = pytest.mark.anyio

ADDRESSES = [
    ("GET", "/simulation"),
    ("PUT", "/simulation"),
    ("DELETE", "/simulation"),
    ("POST", "/keys/rotate"),
    ("POST", "/links/x/suspend"),
    ("GET", "/people"),
    ("POST", "/people"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_nothing_opens_without_a_sandbox_token(provider: Provider, method: str, path: str) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        tokens = await sandboxed.platform.tokens_for(http, person, None)
        await sandboxed.open()
        flipped = sandboxed.token[:-4] + "AAAA"
        basic = base64.b64encode(":".join(sandboxed.platform.auth).encode()).decode()
        for value in ("Bearer", f"Bearer {tokens['access_token']}", f"Bearer {flipped}", f"Basic {basic}"):
            answer = await http.request(method, f"/sandbox{path}", headers={"Authorization": value})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), value
        assert (await http.request(method, f"/sandbox{path}")).status_code == 401
        provider.clock.advance(hours=1)
        assert (await sandboxed.ask(method, path)).status_code == 401


async def test_a_sandbox_token_opens_nothing_else(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        headers = {"Authorization": f"Bearer {sandboxed.token}"}
        for path in ("/userinfo", "/account-links", "/ssf/streams"):
            assert (await http.get(path, headers=headers)).status_code == 401
        answer = await http.post("/introspect", data={"token": sandboxed.token}, auth=sandboxed.platform.auth)
        assert answer.json() == {"active": False}


async def test_an_approved_client_has_no_sandbox(provider: Provider) -> None:
    """And what it simulated before it was approved does not reach people afterwards."""
    async with provider.http() as http:
        approved = await new_platform(provider)
        answer = await http.post("/sandbox/token", auth=approved.auth)
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.simulate("par", "invalid_request")
        await change_client(provider, sandboxed.client_id, is_sandbox=False)
        assert (await sandboxed.platform.push(http)).status_code == 201
        for method, path in ADDRESSES:
            assert (await sandboxed.ask(method, path)).status_code == 403


async def test_a_suspended_client_has_no_sandbox(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await suspend_client(provider, sandboxed.client_id)
        assert (await sandboxed.ask("GET", "/people")).status_code == 403


async def test_who_does_not_prove_to_be_the_client_gets_no_token(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        answer = await http.post("/sandbox/token", auth=(sandboxed.client_id, SECRET + "x"))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        public = await new_platform(provider, {"token_endpoint_auth_method": "none"})
        await change_client(provider, public.client.client_id, is_sandbox=True)
        answer = await http.post("/sandbox/token", data={"client_id": public.client.client_id})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_what_one_simulates_is_nobody_elses_answer(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed, other = await in_sandbox(provider, http), await in_sandbox(provider, http)
        approved = await new_platform(provider)
        await sandboxed.simulate("par", "server_error", times=100)
        for platform in (other.platform, approved):
            assert (await platform.push(http)).status_code == 201
        assert (await other.ask("GET", "/simulation")).json() == {"simulation": None}
        await other.ask("DELETE", "/simulation")
        assert (await sandboxed.platform.push(http)).status_code == 500


async def test_a_simulation_needs_the_clients_credential_first(provider: Provider) -> None:
    """Whoever cannot authenticate neither meets a simulation nor uses it up."""
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.simulate("par", "invalid_scope")
        form = sandboxed.platform.request()
        answer = await http.post("/par", data=form, auth=(sandboxed.client_id, SECRET + "x"))
        assert answer.json()["error"] == "invalid_client"
        assert (await sandboxed.platform.push(http)).json()["error"] == "invalid_scope"


async def test_nothing_is_simulated_to_an_address_that_is_not_proven(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.simulate("authorize", "access_denied")
        request = sandboxed.platform.request(redirect_uri="https://evil.example/")
        answer = await http.get("/authorize", params=request)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def link_of(sandboxed: SandboxedPlatform, provider: Provider) -> str:
    person = await provider.add_person()
    async with provider.http() as browser:
        await sandboxed.platform.tokens_for(browser, person, "acc_1")
    await sandboxed.open()
    [link] = await provider.unit_of_work().platform_links.page(
        sandboxed.client_id, None, provider.clock.now, after="", limit=9
    )
    return link.link_id


async def test_another_clients_link_looks_exactly_like_none(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed, other = await in_sandbox(provider, http), await in_sandbox(provider, http)
        link_id = await link_of(sandboxed, provider)
        await other.open()
        for word in ("suspend", "end"):
            foreign = await other.ask("POST", f"/links/{link_id}/{word}")
            for unknown in ("unknown", "x" * 65, "ă"):
                answer = await other.ask("POST", f"/links/{unknown}/{word}")
                assert (answer.status_code, answer.content) == (404, foreign.content)
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        assert link.status is Status.ACTIVE


async def test_what_an_operator_suspended_stays_suspended(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        link_id = await link_of(sandboxed, provider)
        await move_link(provider, link_id, Status.SUSPENDED)
        answer = await sandboxed.ask("POST", f"/links/{link_id}/reinstate")
        assert (answer.status_code, answer.json()["link_status"]) == (409, "suspended")


@pytest.fixture
async def production(anyio_backend: str, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Provider]:
    async with running_provider(sqlite_url, tmp_path, mode=Mode.PRODUCTION, issuer=ISSUER) as running:
        yield running


async def test_production_has_none_of_it(production: Provider) -> None:
    """Neither the addresses nor the hook: what stands in the database from before counts for nothing."""
    assert production.context.sandbox is None
    client = await production.add_client()
    uow = production.unit_of_work()
    simulation = make_simulation({"endpoint": "token", "error": "server_error"})
    uow.simulations.put(client.client_id, simulation, production.clock.now)
    await uow.commit()
    async with production.http() as http:
        form = {"grant_type": "refresh_token", "refresh_token": "unknown"}
        answer = await http.post("/token", data=form, auth=(client.client_id, SECRET))
        assert answer.json()["error"] == "invalid_grant"
        for method, path in [*ADDRESSES, ("POST", "/token"), ("GET", ""), ("POST", "")]:
            answer = await http.request(method, f"/sandbox{path}")
            assert answer.status_code == 404, path


async def test_the_log_holds_neither_tokens_nor_passwords(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        told = (await sandboxed.ask("POST", "/people")).json()
        await sandboxed.simulate("par", "invalid_scope")
        await sandboxed.platform.push(http)
    provider.context.log.flush()
    assert provider.settings.log_file is not None
    log = provider.settings.log_file.read_text()
    assert '"simulated":"invalid_scope"' in log
    for secret in (sandboxed.token, told["password"], told["totp_secret"], told["personal_number"], PASSWORD):
        assert secret not in log


async def test_a_form_of_another_site_does_nothing(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        signed_in = await http.post("/sandbox", data={"action": "sign_in", "sandbox_token": sandboxed.token})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, f"{ISSUER}/sandbox")
        assert sandboxed.token not in signed_in.headers["location"]
        form = {"action": "simulate", "answer": "par server_error", "delay_seconds": "0", "times": "1"}
        for origin in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            assert (await http.post("/sandbox", data=form, headers=origin)).status_code == 403
        assert await simulated(sandboxed) is None
        assert (await http.post("/sandbox", data=form)).status_code == 303
        assert await simulated(sandboxed) is not None


async def simulated(sandboxed: SandboxedPlatform) -> object:
    found: object = (await sandboxed.ask("GET", "/simulation")).json()["simulation"]
    return found
