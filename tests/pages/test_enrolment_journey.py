"""prompt=create: Initiating User Registration via OpenID Connect 1.0."""

import pytest

from tests.support.html_forms import Html
from tests.support.platform import go_on, query_of
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("prompt", ["create", "create login", "create consent select_account"])
async def test_the_page_explains_and_leads_on_to_sign_in(provider: Provider, prompt: str) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        first = await http.get("/authorize", params=platform.request(None, prompt=prompt))
        assert "/enrolment/" in first.headers["location"]
        page = await http.get(first.headers["location"])
        sign_in = first.headers["location"].replace("/enrolment/", "/sign-in/")
        assert page.status_code == 200
        assert sign_in in Html(page.text).links
        assert (
            "/enrolment/" in (await http.get(sign_in.replace("/sign-in/", "/authorize/"))).headers["location"]
        )
        form = {"identifier": person.personal_number, "password": person.password}
        signed_in = await http.post(sign_in, data=form)
        assert "code" in query_of(await go_on(provider, http, person, signed_in))


async def test_back_to_the_network_is_access_denied(provider: Provider) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        first = await http.get("/authorize", params=platform.request(None, prompt="create"))
        page = Html((await http.get(first.headers["location"])).text)
        answer = await http.post(page.forms["back-to-network"].action)
    assert query_of(answer.headers["location"])["error"] == "access_denied"


async def test_whoever_is_signed_in_is_not_meant(provider: Provider) -> None:
    """A new account is for somebody who has none: the session of another is not used for it."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        await platform.tokens_for(http, person, None)
        provider.clock.advance(seconds=1)
        first = await http.get("/authorize", params=platform.request(None, prompt="create"))
    assert "/enrolment/" in first.headers["location"]


async def test_it_is_announced_and_excludes_silence(provider: Provider) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        document = (await http.get("/.well-known/openid-configuration")).json()
        answer = await http.get("/authorize", params=platform.request(None, prompt="none create"))
    assert "create" in document["prompt_values_supported"]
    assert query_of(answer.headers["location"])["error"] == "invalid_request"


async def test_the_page_belongs_to_one_browser_and_ends_with_its_request(provider: Provider) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http, provider.http() as other:
        first = await http.get("/authorize", params=platform.request(None, prompt="create"))
        assert (await other.get(first.headers["location"])).status_code == 403
        assert (await http.get("/enrolment/unknown")).status_code == 400
        provider.clock.advance(hours=1)
        assert (await http.get(first.headers["location"])).status_code == 400
