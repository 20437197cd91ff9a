"""No page is a dead end: whatever went wrong, its reference can be looked up and a way on works."""

import re
from pathlib import Path

import httpx
import pytest

from idp.identity.account_links import Refusal
from idp.pages.rendering import LOCALES, Locale, Pages
from idp.pages.views import Page
from idp.store.writes import StoreUnavailableError
from idp.web.failures import REFERENCE_CODES, STATUS, Trouble, new_reference
from tests.support.html_forms import Html
from tests.support.platform import Platform
from tests.support.provider import Provider, running_provider
from tests.support.sample_views import VIEWS
from tests.support.shared_provider import new_platform

PAGES = Pages("https://id.lienket.example")
REFERENCE = r"[ER]\d\d-[2-9A-HJKMNP-Z]{8}"


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_has_a_way_on(locale: Locale, view: Page) -> None:
    page = Html(PAGES.render(view, locale).decode())
    leading_on = [link for link in page.links if link != "#main" and not link.startswith("?lang=")]
    assert leading_on or page.forms


@pytest.mark.parametrize("what", [*Trouble, *Refusal])
def test_a_reference_says_what_happened_and_which_answer(what: Trouble | Refusal) -> None:
    reference = new_reference(what)
    assert re.fullmatch(REFERENCE, reference)
    assert reference.startswith(REFERENCE_CODES[what])
    assert new_reference(what) != reference


def test_every_trouble_has_a_status() -> None:
    assert set(STATUS) == set(Trouble)


def check_way_on(answer: httpx.Response, trouble: Trouble, way: str) -> None:
    """Check that a page says what happened, and that its first button leads there."""
    assert answer.status_code == STATUS[trouble]
    page = Html(answer.text)
    reference = page.ids["error-reference"]
    assert reference.startswith(REFERENCE_CODES[trouble])
    buttons = re.findall(r'<a class="button[^"]*"[^>]* href="([^"]*)"', answer.text)
    assert buttons[0] == way


def home_of(platform: Platform) -> str:
    home = platform.client.client_uri
    assert home is not None
    return home


@pytest.mark.anyio
class TestOnTheWay:
    """Requests that go wrong, each with what the page offers first."""

    async def test_a_request_that_cannot_be_trusted_leads_to_the_network_that_it_names(
        self, provider: Provider
    ) -> None:
        platform = await new_platform(provider)
        async with provider.http() as http:
            asked = platform.request(None, redirect_uri="https://elsewhere.example/")
            answer = await http.get("/authorize", params=asked)
            check_way_on(answer, Trouble.BAD_REQUEST, home_of(platform))
            # It is named as a way, not as who asks: nothing proves that it did.
            assert 'class="network"' not in answer.text
            assert "elsewhere.example" not in answer.text

    async def test_a_request_of_nobody_leads_to_what_is_ones_own(self, provider: Provider) -> None:
        async with provider.http() as http:
            answer = await http.get("/authorize", params={"client_id": "nobody"})
            check_way_on(answer, Trouble.BAD_REQUEST, "/my/accounts")

    async def test_an_expired_request_leads_back_to_its_network(self, provider: Provider) -> None:
        platform = await new_platform(provider)
        async with provider.http() as http:
            begun = await http.get("/authorize", params=platform.request(None))
            provider.clock.advance(hours=2)
            answer = await http.get(begun.headers["location"])
            check_way_on(answer, Trouble.EXPIRED, home_of(platform))

    async def test_another_browser_is_led_to_the_network(self, provider: Provider) -> None:
        platform = await new_platform(provider)
        async with provider.http() as http, provider.http() as elsewhere:
            begun = await http.get("/authorize", params=platform.request(None))
            answer = await elsewhere.get(begun.headers["location"])
            check_way_on(answer, Trouble.OTHER_BROWSER, home_of(platform))

    async def test_an_address_that_does_not_exist_leads_to_what_is_ones_own(self, provider: Provider) -> None:
        async with provider.http() as http:
            check_way_on(await http.get("/nowhere"), Trouble.NOT_FOUND, "/my/accounts")


@pytest.mark.anyio
async def test_while_the_database_is_away_the_page_offers_itself_again_and_the_network(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as http:
        platform = Platform(provider, await provider.add_client())
        begun = await http.get("/authorize", params=platform.request(None))
        page = begun.headers["location"]

        def away(*_: object) -> None:
            raise StoreUnavailableError("away")

        with monkeypatch.context() as patched:
            patched.setattr("idp.store.interactions.Interactions.find", away)
            answer = await http.get(page)
            check_way_on(answer, Trouble.UNAVAILABLE, "")
        assert (await http.get(page)).status_code == 200
