"""Signing out in a real browser, with the real programs: in both places, and of what began elsewhere."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import prepared_provider
from tests.support.browser import OpenPage
from tests.support.browser_steps import link_account, sign_in
from tests.support.camera import Camera
from tests.support.main_job import Scene
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser

LAN = "Nguyễn Thị Lan"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give a provider of this file's own: these journeys take places and leave sessions behind."""
    with prepared_provider(request.param, tmp_path_factory) as scene:
        yield scene


on_sqlite = pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
ARRIVES_WITHIN = 30_000


def expect_stranger(page: Page, scene: Scene) -> None:
    """The network asks who comes in, and nobody is signed in at the provider."""
    page.goto(scene.network.url)
    expect(page.locator("#sign-in-as")).to_be_visible()


def test_signing_out_at_the_network_signs_out_at_the_provider_and_leads_back(
    scene: Scene, watched: Watched
) -> None:
    page = watched.page
    link_account(page, scene, "lan", scene.person(LAN))
    page.goto(f"{scene.network.url}/settings")
    page.locator("#sign-out-everywhere button").click()
    expect(page.locator("#sign-in-as")).to_be_visible()
    assert page.url == f"{scene.network.url}/"
    page.goto(f"{scene.provider.url}/my/sessions")
    expect(page.locator("form#sign-in")).to_be_visible()


def test_signing_out_at_the_provider_signs_out_at_the_network(scene: Scene, watched: Watched) -> None:
    """END-05, END-06 and SLO-01 as a person meets them."""
    page = watched.page
    link_account(page, scene, "lan", scene.person(LAN))
    page.goto(f"{scene.provider.url}/end_session")
    expect(page.locator("h1")).to_have_text("Đăng xuất tại đây?")
    page.locator("form#sign-out button[type=submit]").click()
    expect(page.locator("h1")).to_have_text("Bạn đã đăng xuất")
    page.goto(scene.network.url)
    while not page.locator("#sign-in-as").is_visible():
        page.wait_for_timeout(200)
        page.reload()
    expect_stranger(page, scene)
    queue = scene.provider.run("outbox", "list")["queue"]
    assert queue["parked"] == 0


@on_sqlite
def test_a_session_elsewhere_is_seen_and_ended(scene: Scene, watched: Watched, open_page: OpenPage) -> None:
    # Somebody who appears in no other journey of this file: their sessions are counted.
    page, elsewhere, hoa = watched.page, open_page(), scene.person("Phạm Đức Hoà")
    link_account(elsewhere, scene, "lan", hoa)
    page.goto(f"{scene.provider.url}/sign-in/my")
    sign_in(page, hoa)
    page.locator("a[href$='/my/sessions']").click()
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".card").first).to_contain_text("Trình duyệt này")
    expect(page.locator(".card").nth(1)).to_contain_text("Quán Cóc")
    page.locator(".card").nth(1).locator("button").click()
    expect(page.locator(".card")).to_have_count(1)
    elsewhere.goto(f"{scene.provider.url}/my/accounts")
    expect(elsewhere.locator("form#sign-in")).to_be_visible()


@on_sqlite
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_pages_are_photographed(scene: Scene, watched: Watched, language: str) -> None:
    page = watched.page
    page.goto(f"{scene.network.url}/language/{language}")
    page.goto(f"{scene.provider.url}/sign-in/my?lang={language}")
    camera = Camera(page, language)
    link_account(page, scene, "lan", scene.person("H'Len Niê" if language == "vi" else "Claire Dubois"))
    page.goto(f"{scene.network.url}/settings")
    camera.take("network-settings-signing-out")
    page.goto(f"{scene.provider.url}/my/accounts")
    camera.take("my-accounts-with-sessions")
    page.goto(f"{scene.provider.url}/my/sessions")
    camera.take("my-sessions")
    page.goto(f"{scene.provider.url}/end_session?id_token_hint=nonsense")
    camera.take("error-sign-out-refused")
    page.goto(f"{scene.provider.url}/end_session")
    camera.take("sign-out")
    page.locator("form#sign-out button[type=submit]").click()
    camera.take("signed-out-of-the-provider")
