"""Passkeys in a real browser, with Chromium's virtual authenticators: built in, carried, copied, removed."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage
from tests.support.browser_steps import decide, enter_network, give_code, give_password, press_link
from tests.support.main_job import Person, Scene
from tests.support.new_people import new_person
from tests.support.virtual_authenticators import (
    KEY_WITHOUT_MEMORY,
    PLATFORM,
    SECURITY_KEY,
    devices,
    plug_in,
)
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser

LAN = "Nguyễn Thị Lan"
on_sqlite = pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
BUTTON = "form#passkey button[type=submit]"


def add_passkey(page: Page, scene: Scene, person: Person, name: str = "") -> None:
    """Sign in with password and code, and add a passkey."""
    page.goto(f"{scene.provider.url}/my/passkeys/new")
    give_password(page, person.number, person.password)
    give_code(page, person.code())
    press_add(page, name)
    expect(page.locator("main").get_by_role("status")).to_contain_text("Đã thêm khoá truy cập")


def press_add(page: Page, name: str = "") -> None:
    page.fill("form#passkey #name", name)
    page.locator(BUTTON).click()


def press_sign_in(page: Page, scene: Scene) -> None:
    """Press the button: browsers list what is built in, and a security key is for those who press."""
    page.goto(f"{scene.provider.url}/sign-in/my")
    page.locator(BUTTON).click()


def sign_out(page: Page) -> None:
    """Forget the session, as a browser that was closed."""
    page.context.clear_cookies(name="lienket-session")


def test_a_passkey_of_the_phone_links_an_account_in_one_step(scene: Scene, watched: Watched) -> None:
    """The browser offers it by itself (conditional mediation); virtual devices choose at once."""
    page, lan = watched.page, new_person(scene, LAN)
    device = plug_in(devices(page), PLATFORM, defaultBackupEligibility=True, defaultBackupState=True)
    add_passkey(page, scene, lan, "Điện thoại")
    expect(page.locator(".card")).to_contain_text("Điện thoại")
    expect(page.locator(".card")).to_contain_text("ở nhà cung cấp của bạn")
    [credential] = device.passkeys()
    assert (credential["rpId"], credential["isResidentCredential"]) == ("localhost", True)
    sign_out(page)
    enter_network(page, scene, "lan")
    page.locator("#link-account button").click()
    decide(page, "allow")
    expect(page.locator("#badge-verified")).to_be_visible()


@on_sqlite
def test_a_security_key_at_the_button(scene: Scene, watched: Watched) -> None:
    page, lan = watched.page, new_person(scene, LAN)
    key = plug_in(devices(page), SECURITY_KEY)
    add_passkey(page, scene, lan, "Chìa khoá")
    expect(page.locator(".card")).to_contain_text("trên một thiết bị hoặc khoá bảo mật")
    sign_out(page)
    press_sign_in(page, scene)
    page.wait_for_url(f"{scene.provider.url}/my*")
    assert [each["signCount"] > 1 for each in key.passkeys()] == [True]


@on_sqlite
def test_a_passkey_is_the_second_proof(scene: Scene, watched: Watched) -> None:
    page, lan = watched.page, new_person(scene, LAN)
    session = devices(page)
    device = plug_in(session)
    add_passkey(page, scene, lan)
    sign_out(page)
    device.is_touched(is_touched=False)
    page.goto(f"{scene.provider.url}/sign-in/passkeys")
    give_password(page, lan.number, lan.password)
    expect(page.locator("form#second-factor")).to_be_visible()
    device.is_touched(is_touched=True)
    page.locator(BUTTON).click()
    page.wait_for_url(f"{scene.provider.url}/my/passkeys")


@on_sqlite
def test_a_copied_key_is_blocked(scene: Scene, watched: Watched, open_page: OpenPage) -> None:
    page, lan = watched.page, new_person(scene, LAN)
    key = plug_in(devices(page), SECURITY_KEY)
    add_passkey(page, scene, lan, "Chìa khoá")
    [stolen] = key.passkeys()
    sign_out(page)
    press_sign_in(page, scene)
    page.wait_for_url(f"{scene.provider.url}/my*")
    thief = open_page()
    copy = plug_in(devices(thief), SECURITY_KEY)
    copy.add({**stolen, "signCount": 0})
    press_sign_in(thief, scene)
    expect(thief.locator("#passkey-problem")).to_contain_text("có thể đã bị sao chép")
    page.goto(f"{scene.provider.url}/my/passkeys")
    expect(page.locator(".card")).to_have_count(0)
    page.goto(f"{scene.provider.url}/my/notices")
    expect(page.locator("main")).to_contain_text("Chúng tôi đã khoá một cách đăng nhập")


@on_sqlite
def test_what_goes_wrong_is_said_next_to_the_button(scene: Scene, watched: Watched) -> None:
    page, lan = watched.page, new_person(scene, LAN)
    session = devices(page)
    device = plug_in(session)
    add_passkey(page, scene, lan)
    page.goto(f"{scene.provider.url}/my/passkeys/new")
    press_add(page)
    expect(page.locator("[data-problem=known]")).to_be_visible()
    sign_out(page)
    device.verifies(is_verified=False)
    page.goto(f"{scene.provider.url}/sign-in/my")
    page.locator(BUTTON).click()
    expect(page.locator("[data-problem=cancelled]")).to_be_visible()
    expect(page.locator(BUTTON)).to_be_enabled()
    device.verifies(is_verified=True)
    page.locator(BUTTON).click()
    page.wait_for_url(f"{scene.provider.url}/my*")


@on_sqlite
def test_a_device_without_memory_or_without_a_lock_holds_no_passkey(scene: Scene, watched: Watched) -> None:
    page, lan = watched.page, new_person(scene, LAN)
    session = devices(page)
    old = plug_in(session, KEY_WITHOUT_MEMORY)
    page.goto(f"{scene.provider.url}/my/passkeys/new")
    give_password(page, lan.number, lan.password)
    give_code(page, lan.code())
    press_add(page)
    expect(page.locator("[data-problem]:visible")).to_have_count(1)
    assert old.passkeys() == []
    old.remove()
    unlocked = plug_in(session, PLATFORM, hasUserVerification=False)
    page.reload()
    press_add(page)
    expect(page.locator("[data-problem]:visible")).to_have_count(1)
    assert unlocked.passkeys() == []


@on_sqlite
def test_a_removed_passkey_is_forgotten_by_its_device_too(scene: Scene, watched: Watched) -> None:
    """WebAuthn 5.1.10: nobody is offered for years what does not work any more."""
    page, lan = watched.page, new_person(scene, LAN)
    device = plug_in(devices(page))
    add_passkey(page, scene, lan, "Máy cũ")
    [removed] = device.passkeys()
    page.locator(".card .actions a").click()
    page.locator("form#remove button").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("Đã gỡ khoá truy cập")
    expect(page.locator(".card")).to_have_count(0)
    wait_until(lambda: device.passkeys() == [])
    device.add(removed)
    sign_out(page)
    page.goto(f"{scene.provider.url}/sign-in/my")
    expect(page.locator("#passkey-problem")).to_contain_text("Chúng tôi không biết khoá truy cập này")
    wait_until(lambda: device.passkeys() == [])


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what the browser does without a page showing it."""
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


@on_sqlite
def test_several_people_share_one_device(scene: Scene, watched: Watched) -> None:
    """Which passkey is shown says who signs in."""
    page = watched.page
    device = plug_in(devices(page))
    for name in (LAN, "Phạm Đức Hoà"):
        sign_out(page)
        device.is_touched(is_touched=False)
        page.goto(f"{scene.provider.url}/sign-in/passkeys.new")
        person = new_person(scene, name)
        give_password(page, person.number, person.password)
        give_code(page, person.code())
        device.is_touched(is_touched=True)
        press_add(page)
        expect(page.locator("main").get_by_role("status")).to_be_visible()
    assert len({each["userHandle"] for each in device.passkeys()}) == 2


@on_sqlite
def test_without_scripts_or_passkeys_nothing_is_promised(scene: Scene, open_page: OpenPage) -> None:
    for page in (open_page(java_script_enabled=False), open_page()):
        page.add_init_script("delete window.PublicKeyCredential")
        page.goto(f"{scene.provider.url}/sign-in/my")
        expect(page.locator("form#sign-in")).to_be_visible()
        expect(page.locator(BUTTON)).to_be_hidden()


@on_sqlite
def test_a_link_asks_for_what_no_phisher_can_use(scene: Scene, watched: Watched) -> None:
    page = watched.page
    enter_network(page, scene, "lan")
    press_link(page, scene)
    expect(page.locator("#identifier")).to_have_attribute("autocomplete", "username webauthn")
