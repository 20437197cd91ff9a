"""Signing in at another provider in a real browser: the way there and back across hosts, every page of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, KeySet
from playwright.sync_api import Page, expect
from starlette.responses import JSONResponse

from idp.pages.upstream_views import UpstreamTrouble
from idp.web.demo_people import CITIZENS, DemoPerson, demo_people
from tests.support.browser import OpenPage
from tests.support.camera import Camera
from tests.support.served import ServedProvider
from tests.support.upstream_openid import OpenIDServer
from tests.support.upstream_scene import openid_configuration
from tests.support.upstream_server import UpstreamPerson, served

pytestmark = pytest.mark.browser


@dataclass
class Elsewhere:
    """A provider that offers one upstream, and that upstream."""

    provider: ServedProvider
    upstream: OpenIDServer

    def sign_in_there(self) -> DemoPerson:
        """Have a demo person be signed in at the upstream."""
        person = demo_people()[0]
        identity = {"number": person.personal_number, "level": 2}
        self.upstream.person = UpstreamPerson(
            f"sub-of-{person.personal_number}", {"identity": identity, "acr": "loa2"}
        )
        return person


@contextmanager
def elsewhere(folder: Path) -> Iterator[Elsewhere]:
    signing = ECKey.generate_key("P-256", {"kid": "ours"})
    upstream = OpenIDServer(client_keys=KeySet([signing]), clock=lambda: datetime.now(UTC))
    (folder / "standard.jwk").write_text(json.dumps(signing.as_dict(private=True)))
    (folder / "upstreams.json").write_text(json.dumps({"standard": openid_configuration(upstream)}))
    settings = {"IDP_UPSTREAMS": str(folder / "upstreams.json")}
    provider = ServedProvider(folder, f"sqlite:///{folder / 'lienket.sqlite3'}", settings=settings)
    provider.run("migrate")
    provider.run("citizens", "import", CITIZENS)
    with served(upstream):
        provider.start()
        try:
            yield Elsewhere(provider, upstream)
        finally:
            provider.stop()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    with elsewhere(tmp_path_factory.mktemp("elsewhere")) as there:
        yield there


@pytest.fixture
def there(opened: Elsewhere) -> Elsewhere:
    opened.upstream.forget()
    opened.upstream.login_host = None
    return opened


def leave(there: Elsewhere, page: Page) -> None:
    page.goto(f"{there.provider.url}/sign-in/my?lang=en")
    page.get_by_role("link", name="Sign in with Lotus ID").click()
    expect(page.locator("h1")).to_contain_text("Lotus ID")
    page.locator("#upstream button").click()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("login_host", [None, "127.0.0.1"], ids=["one host", "its login on another host"])
def test_the_way_there_and_back(
    there: Elsewhere, open_page: OpenPage, login_host: str | None, *, javascript: bool
) -> None:
    """Chromium holds `form-action` against every redirect that follows a form, the upstream's included."""
    there.sign_in_there()
    there.upstream.login_host = login_host
    page = open_page(java_script_enabled=javascript)
    leave(there, page)
    if login_host is not None:
        expect(page.locator("h1")).to_have_text("Lotus ID")
        page.locator("a").click()
    page.wait_for_url(f"{there.provider.url}/my**")
    assert page.locator("h1").count() == 1


def test_going_back_and_pressing_twice_ends_nowhere_dead(there: Elsewhere, page: Page) -> None:
    there.sign_in_there()
    there.upstream.login_host = "127.0.0.1"
    leave(there, page)
    page.go_back()
    page.locator("#upstream button").click()
    expect(page.locator("h1")).to_have_text("Lotus ID")
    page.locator("a").click()
    page.wait_for_url(f"{there.provider.url}/my**")


def test_an_outage_leads_back_to_the_other_ways(there: Elsewhere, page: Page) -> None:
    there.upstream.answers["/par"] = JSONResponse({"error": "server_error"}, 500)
    leave(there, page)
    expect(page.locator("#upstream-trouble")).to_contain_text("does not answer")
    page.locator("#other-ways").click()
    expect(page.locator("form#sign-in")).to_be_visible()


@pytest.mark.needs("axe-core")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_of_it_is_photographed(there: Elsewhere, page: Page, language: str) -> None:
    camera = Camera(page, language)
    base = f"{there.provider.url}/sign-in/my"
    page.goto(f"{base}?lang={language}")
    camera.take("sign-in-or-elsewhere")
    page.goto(f"{base}/upstream/standard")
    camera.take("upstream")
    for trouble in UpstreamTrouble:
        page.goto(f"{base}/upstream/standard/{trouble.value}/U01-7F3K91QD")
        camera.take(f"upstream-{trouble.value}")
    there.sign_in_there()
    page.goto(f"{base}/upstream/standard")
    page.locator("#upstream button").click()
    page.wait_for_url(f"{there.provider.url}/my**")
    page.goto(f"{there.provider.url}/my/upstreams")
    camera.take("upstreams")
