"""The pages of passkeys, photographed with a device beside them, as their script shows them."""

import pytest
from playwright.sync_api import expect

from tests.support.browser_steps import give_code, give_password
from tests.support.camera import Camera
from tests.support.main_job import Scene
from tests.support.new_people import new_person
from tests.support.virtual_authenticators import SECURITY_KEY, with_authenticator
from tests.support.watched_pages import Watched

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("prepared", ["sqlite"], indirect=True),
    pytest.mark.parametrize("language", ["vi", "en"]),
]


def test_from_the_first_passkey_to_its_use(scene: Scene, watched: Watched, language: str) -> None:
    page, url = watched.page, scene.provider.url
    camera, person = Camera(page, language), new_person(scene, "Vũ Thu Hiền")
    key = with_authenticator(page, SECURITY_KEY)
    page.goto(f"{url}/sign-in/passkeys.new?lang={language}")
    camera.take("sign-in-with-passkey")
    give_password(page, person.number, person.password)
    give_code(page, person.code())
    camera.take("passkey-new")
    page.fill("form#passkey #name", "Chìa khoá ở nhà")
    page.locator("form#passkey button").click()
    expect(page.locator(".card")).to_contain_text("Chìa khoá ở nhà")
    camera.take("passkeys")
    page.locator(".card .actions a").click()
    camera.take("passkey")
    page.goto(f"{url}/my/passkeys/new")
    page.locator("form#passkey button").click()
    expect(page.locator("[data-problem=known]")).to_be_visible()
    camera.take("passkey-new-known")
    page.context.clear_cookies(name="lienket-session")
    page.goto(f"{url}/sign-in/passkeys")
    give_password(page, person.number, person.password)
    camera.take("second-factor-with-passkey")
    key.verifies(is_verified=False)
    page.locator("form#passkey button").click()
    expect(page.locator("[data-problem=cancelled]")).to_be_visible()
    camera.take("second-factor-passkey-cancelled")
