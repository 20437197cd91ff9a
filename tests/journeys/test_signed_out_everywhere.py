"""Sign-out reaches the platforms, whatever dies meanwhile: real processes, a real receiver, both engines."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import jwt
import psutil
import pytest

from tests.support.distant import AS_USUAL, Distant, distant
from tests.support.html_forms import Html
from tests.support.receiver import Receiver, receiver
from tests.support.served import ServedProvider, served
from tests.support.shared_provider import change_client

pytestmark = pytest.mark.anyio
ARRIVES_WITHIN = 40.0


@asynccontextmanager
async def listening(provider: ServedProvider, hook: Receiver) -> AsyncIterator[Distant]:
    """Give a platform that wants to hear of sign-outs, at a provider that runs."""
    async with distant(provider) as world:
        platform = world.platform
        await change_client(world.inside, platform.client.client_id, backchannel_logout_uri=hook.uri)
        yield world


async def tokens_in(world: Distant) -> tuple[httpx.AsyncClient, dict[str, object]]:
    """Return a browser in which a person signed in, and the ID token's claims the platform got."""
    person = await world.inside.add_person(has_totp=False)
    browser = world.http()
    tokens = await world.platform.tokens_for(browser, person, None)
    claims: dict[str, object] = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    return browser, claims


async def sign_out(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/my/accounts")
    answer = await browser.post("/my/sign-out", data=Html(page.text).forms["sign-out"].fields)
    assert answer.status_code == 303
    await browser.aclose()


async def received(hook: Receiver, count: int = 1) -> list[dict[str, object]]:
    async with asyncio.timeout(ARRIVES_WITHIN), hook.heard:
        await hook.heard.wait_for(lambda: len(hook.received) >= count)
    tokens = [got.form["logout_token"][0] for got in hook.received]
    return [jwt.decode(token, options={"verify_signature": False}) for token in tokens]


def deliverer_of(provider: ServedProvider) -> psutil.Process:
    assert provider.process is not None
    family = psutil.Process(provider.process.pid).children(recursive=True)
    (found,) = [process for process in family if "idp.deliveries" in process.cmdline()]
    return found


async def test_a_delivery_survives_the_kill_of_the_process_that_makes_it(
    tmp_path: Path, database_url: str
) -> None:
    async with receiver() as hook:
        hook.pause = 2.0
        with served(tmp_path, database_url, settings=AS_USUAL) as provider:
            async with listening(provider, hook) as world:
                browser, id_token = await tokens_in(world)
                await sign_out(browser)
                await received(hook)
                os.kill(deliverer_of(provider).pid, signal.SIGKILL)
                hook.pause = 0.0
                first, second = await received(hook, 2)
    assert first["jti"] != second["jti"], "made anew"
    for told in (first, second):
        assert (told["sub"], told["sid"]) == (id_token["sub"], id_token["sid"])


async def test_a_delivery_survives_a_power_cut_and_a_receiver_that_is_away(
    tmp_path: Path, database_url: str
) -> None:
    async with receiver() as away:
        uri = away.uri
    port = int(uri.rpartition(":")[2].partition("/")[0])
    with served(tmp_path, database_url, settings=AS_USUAL) as provider:
        async with listening(provider, Receiver(uri)) as world:
            browser, id_token = await tokens_in(world)
            await sign_out(browser)
            provider.kill()
            async with receiver(port=port) as hook:
                provider.start()
                (told, *_) = await received(hook)
    assert (told["sub"], told["sid"]) == (id_token["sub"], id_token["sid"])
