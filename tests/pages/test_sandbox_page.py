"""The developer's page: the same as the interface, in a browser, without a script."""

import httpx
import pytest

from tests.support.provider import Provider
from tests.support.sandbox import SandboxedPlatform, in_sandbox

pytestmark = pytest.mark.anyio


async def signed_in(http: httpx.AsyncClient, sandboxed: SandboxedPlatform) -> None:
    form = {"action": "sign_in", "sandbox_token": sandboxed.token}
    assert (await http.post("/sandbox", data=form)).status_code == 303


async def test_a_token_opens_the_page_and_nothing_else_does(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        assert "sandbox-sign-in" in (await http.get("/sandbox")).text
        assert (await http.post("/sandbox", data={"action": "rotate"})).status_code == 303
        refused = await http.post("/sandbox", data={"action": "sign_in", "sandbox_token": "x"})
        assert refused.status_code == 403
        assert "sandbox-problem" in refused.text
        await signed_in(http, sandboxed)
        assert 'id="simulate"' in (await http.get("/sandbox")).text
        await http.post("/sandbox", data={"action": "sign_out"})
        assert "sandbox-sign-in" in (await http.get("/sandbox")).text
        await signed_in(http, sandboxed)
        provider.clock.advance(hours=1)
        assert "sandbox-sign-in" in (await http.get("/sandbox")).text


async def test_an_answer_is_simulated_and_stopped(provider: Provider) -> None:
    async with provider.http() as http:
        sandboxed = await in_sandbox(provider, http)
        await signed_in(http, sandboxed)
        form = {"action": "simulate", "answer": "par invalid_scope", "delay_seconds": "0", "times": "2"}
        assert (await http.post("/sandbox", data=form)).status_code == 303
        assert "invalid_scope</code>" in (await http.get("/sandbox")).text
        assert (await sandboxed.platform.push(http)).json()["error"] == "invalid_scope"
        assert (await http.post("/sandbox", data={"action": "stop"})).status_code == 303
        assert (await sandboxed.platform.push(http)).status_code == 201
        for wrong in ({"times": "0"}, {"times": "viele"}, {"answer": "par"}, {"answer": ""}, {"action": "x"}):
            answer = await http.post("/sandbox", data=form | wrong)
            assert answer.status_code == 400
            assert "sandbox-problem" in answer.text


async def test_links_keys_and_people(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http, provider.http() as browser:
        sandboxed = await in_sandbox(provider, http)
        await sandboxed.platform.tokens_for(browser, person, "acc_1")
        await sandboxed.open()
        await signed_in(http, sandboxed)
        [link] = await provider.unit_of_work().platform_links.page(
            sandboxed.client_id, None, provider.clock.now, after="", limit=9
        )
        assert f'value="{link.link_id}"' in (await http.get("/sandbox")).text
        form = {"action": "suspend", "link_id": link.link_id}
        assert (await http.post("/sandbox", data=form)).status_code == 303
        assert "status suspended" in (await http.get("/sandbox")).text
        refused = await http.post("/sandbox", data={"action": "lapse", "link_id": link.link_id})
        assert refused.status_code == 409
        assert (await http.post("/sandbox", data={"action": "end", "link_id": "x"})).status_code == 404
        invented = await http.post("/sandbox", data={"action": "invent", "age": "20", "proofing": "vn2"})
        assert 'id="invented"' in invented.text
        provider.clock.advance(minutes=2)
        rotated = await http.post("/sandbox", data={"action": "rotate"})
        assert 'id="rotated"' in rotated.text
        again = await http.post("/sandbox", data={"action": "rotate"})
        assert again.status_code == 429
        assert "sandbox-later" in again.text
