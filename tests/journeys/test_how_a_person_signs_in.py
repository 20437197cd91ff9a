"""Somebody takes command of how they sign in: an app, codes on paper, a password, a browser, in a browser."""

import re

import pyotp
import pytest
from playwright.sync_api import Error, Page, expect

from tests.support.browser import OpenPage
from tests.support.browser_steps import give_password, sign_in
from tests.support.camera import Camera
from tests.support.main_job import Person, Scene
from tests.support.new_people import PASSWORD, new_person
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser

NEW_PASSWORD = "ba con mèo ngủ trên mái ngói"
CODE = re.compile(r"[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{5}")


def at_own_page(page: Page, scene: Scene, name: str, person: Person) -> None:
    """Go to a page of one's own, by the sign-in that is asked for."""
    page.goto(f"{scene.provider.url}/my/{name}")
    if "/sign-in/" in page.url:
        sign_in(page, person)
    expect(page).to_have_url(f"{scene.provider.url}/my/{name}")


def set_up_an_app(page: Page) -> str:
    """Press through the set-up of an app and return its secret."""
    page.locator("#new-app button").click()
    secret = page.locator("#secret").inner_text().replace(" ", "").replace("\n", "")
    page.fill("#confirm-app #code", pyotp.TOTP(secret).now())
    page.locator("#confirm-app button").click()
    expect(page.locator(".notice.done")).to_be_visible()
    return secret


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_from_a_new_app_to_a_remembered_browser(
    scene: Scene, open_page: OpenPage, *, javascript: bool
) -> None:
    person = new_person(scene, "Vũ Thị Hoà")
    watched = Watched(open_page(java_script_enabled=javascript), scene.origins)
    page = watched.page
    at_own_page(page, scene, "security", person)
    page.locator("#ways a[href$='/my/authenticator-app']").click()
    secret = set_up_an_app(page)
    assert secret != person.known.totp_secret
    page.locator("#back-up a").click()
    page.locator("#new-codes button").click()
    codes = CODE.findall(page.locator("#codes").inner_text())
    assert len(set(codes)) == 10
    page.locator("main a.button").click()
    expect(page.locator("#back-up .status.active")).to_contain_text("10")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()  # the browser kept nothing that it could show once more
    page.wait_for_url("chrome-error://**")
    page.goto(f"{scene.provider.url}/my/password")
    for password, again in (("matkhau123", "matkhau123"), (NEW_PASSWORD, "x"), (NEW_PASSWORD, NEW_PASSWORD)):
        page.fill("#new-password", password)
        page.fill("#again", again)
        page.locator("form#password button").click()
    expect(page.locator(".notice.done")).to_be_visible()
    page.locator("#places a[href$='/my/browsers']").click()
    page.locator("#remember button").click()
    expect(page.locator(".card.here")).to_have_count(1)
    page.goto(f"{scene.provider.url}/end_session")
    page.locator("form#sign-out button").click()
    page.goto(f"{scene.provider.url}/my/security")
    give_password(page, person.number, NEW_PASSWORD)
    expect(page.locator("#ways")).to_be_visible()  # without a code: this browser is remembered
    page.goto(f"{scene.provider.url}/my/browsers")
    page.locator(".card.here form button").click()
    expect(page.locator("form#second-factor")).to_be_visible()  # to change something takes both
    watched.check()


@pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_of_it_is_photographed(scene: Scene, watched: Watched, language: str) -> None:
    person, camera, page = new_person(scene, "Hồ Văn Hòa"), Camera(watched.page, language), watched.page
    page.goto(f"{scene.provider.url}/sign-in/security?lang={language}")
    sign_in(page, person)
    camera.take("security")
    at_own_page(page, scene, "authenticator-app", person)
    camera.take("authenticator-app")
    page.locator("#new-app button").click()
    camera.take("new-authenticator-app")
    page.fill("#confirm-app #code", person.wrong_code())
    page.locator("#confirm-app button").click()
    camera.take("new-authenticator-app-wrong")
    at_own_page(page, scene, "recovery-codes", person)
    camera.take("recovery-codes-none")
    page.locator("#new-codes button").click()
    camera.take("new-recovery-codes")
    at_own_page(page, scene, "recovery-codes", person)
    camera.take("recovery-codes")
    at_own_page(page, scene, "password", person)
    camera.take("password")
    for password, again, name in (("matkhau123", "matkhau123", "common"), (NEW_PASSWORD, "x", "different")):
        page.fill("#new-password", password)
        page.fill("#again", again)
        page.locator("form#password button").click()
        camera.take(f"password-{name}")
    at_own_page(page, scene, "browsers", person)
    camera.take("browsers-none")
    page.locator("#remember button").click()
    camera.take("browsers")


@pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
def test_with_a_password_alone_the_page_says_how_to_get_further(scene: Scene, watched: Watched) -> None:
    person, page = new_person(scene, "Đỗ Thị Mận", can_sign_in=False, password=PASSWORD), watched.page
    page.goto(f"{scene.provider.url}/my/authenticator-app")
    give_password(page, person.number, person.password)
    page.locator("#new-app button").click()
    expect(page.locator("#needs-activation a")).to_be_visible()
    Camera(page, "vi").take("security-needs-activation")
