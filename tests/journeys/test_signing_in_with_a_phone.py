"""A laptop and a phone, each a browser of its own: set up, scanned, compared, refused, offline. Photographed.

The phone's key is made by Chromium's WebCrypto and kept in its IndexedDB. The pictures are in
`.artifacts/screenshots/`.
"""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from idp.protocol.profiles import CIBA_GRANT
from tests.support.browser import DESKTOP, OpenPage
from tests.support.browser_steps import decide, enter_network, give_password, press_link, sign_in
from tests.support.camera import Camera
from tests.support.main_job import Person, Scene
from tests.support.new_people import new_person
from tests.support.registrations import register

pytestmark = pytest.mark.browser
on_sqlite = pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)

PIN = "739104"
ARRIVED = re.compile(r"//[^/]+/my$")
LOCALES = {"vi": "vi-VN", "en": "en-GB"}
KEPT = """() => new Promise((done) => {
    const opening = indexedDB.open("lienket-app", 1);
    opening.onsuccess = () => {
        const asked = opening.result.transaction("keys").objectStore("keys").get("device");
        asked.onsuccess = () => done([asked.result.key.extractable, asked.result.key.algorithm.namedCurve]);
    };
})"""


def enrol(scene: Scene, laptop: Page, phone: Page, person: Person) -> None:
    """Set a phone up: code on the laptop, PIN on the phone, number back on the laptop."""
    begin_enrolment(scene, laptop, person)
    fill_enrolment(phone, laptop.locator("main .trail a[href*='#']").get_attribute("href") or "")
    confirm(scene, laptop, phone)


def begin_enrolment(scene: Scene, laptop: Page, person: Person) -> None:
    laptop.goto(f"{scene.provider.url}/my/phones")
    sign_in(laptop, person)
    laptop.locator("form#add-phone button").click()
    expect(laptop.locator("svg.qr")).to_be_visible()


def fill_enrolment(phone: Page, address: str, *, pin: str = PIN) -> None:
    phone.goto(address)
    expect(phone.locator("#code")).to_have_value(address.rpartition("#")[2])
    phone.fill("#name", "Máy của Lan")
    phone.fill("#pin", pin)
    phone.fill("#pin_again", pin)
    phone.locator("form#enrol button").click()


def confirm(scene: Scene, laptop: Page, phone: Page) -> None:
    number = phone.locator("#number").inner_text()
    laptop.goto(f"{scene.provider.url}/my/phones")
    laptop.locator("form.confirm-phone input[name=number]").fill(number)
    laptop.locator("form.confirm-phone button").click()
    expect(laptop.locator("main [role=status]")).to_be_visible()
    phone.locator("main a.button").click()
    expect(phone.locator("#requests")).to_be_visible()


def scan(scene: Scene, laptop: Page, phone: Page) -> None:
    """Open on the phone what its camera would: the app's address with the code that the laptop shows now."""
    code = laptop.locator("#phone-code code").inner_text()
    phone.goto("about:blank")
    phone.goto(f"{scene.provider.url}/app#{code}")
    expect(phone.locator("form#answer")).to_be_visible()
    expect(laptop.locator("#number")).to_be_visible()


def ask(scene: Scene, laptop: Page) -> None:
    laptop.goto(f"{scene.provider.url}/sign-in/my")
    laptop.locator("form#ask-phone button").click()
    expect(laptop.locator("#phone-code svg.qr")).to_be_visible()


def answer(phone: Page, number: str, *, pin: str = PIN, decision: str = "allow") -> None:
    phone.fill("#number", number)
    phone.fill("#pin", pin)
    phone.locator(f"form#answer button[value={decision}]").click()


@pytest.mark.parametrize(
    ("prepared", "language"), [("sqlite", "en"), ("postgresql", "vi")], indirect=["prepared"]
)
def test_a_phone_is_set_up_and_signs_a_laptop_in(scene: Scene, open_page: OpenPage, language: str) -> None:
    person = new_person(scene, "Đàm Thị Sen")
    laptop = open_page(viewport=DESKTOP, locale=LOCALES[language])
    phone = open_page(locale=LOCALES[language])
    hand = Camera(phone, language)
    photograph_enrolment(scene, Camera(laptop, language), hand, person)
    other = open_page(viewport=DESKTOP, locale=LOCALES[language])
    seen = Camera(other, language)
    ask(scene, other)
    seen.take("ask-phone")
    scan(scene, other, phone)
    seen.take("ask-phone-number")
    hand.take("app-request")
    answer(phone, other.locator("#number").inner_text(), pin="000000")
    expect(phone.locator("#pin-problem")).to_be_visible()
    hand.take("app-request-wrong-pin")
    answer(phone, other.locator("#number").inner_text())
    expect(phone.locator("form#answer")).to_have_count(0)
    hand.take("app-approved")
    other.wait_for_url(ARRIVED)
    stranger = open_page(viewport=DESKTOP, locale=LOCALES[language])
    photograph_refusals(scene, Camera(stranger, language), hand)
    phone.goto(f"{scene.provider.url}/app#BBBB-BBBB")
    expect(phone.locator("#code-problem")).to_be_visible()
    hand.take("app-wrong-code")
    phone.goto(f"{scene.provider.url}/app/here/my")
    hand.take("app-here")
    phone.fill("#pin", PIN)
    phone.locator("form#here button").click()
    phone.wait_for_url(ARRIVED)


def photograph_enrolment(scene: Scene, desk: Camera, hand: Camera, person: Person) -> None:
    laptop, phone = desk.page, hand.page
    phone.goto(f"{scene.provider.url}/app")
    expect(phone.locator("#door-none")).to_be_visible()
    hand.take("app-door")
    begin_enrolment(scene, laptop, person)
    desk.take("phone-add")
    address = laptop.locator("main .trail a[href*='#']").get_attribute("href") or ""
    fill_enrolment(phone, address, pin="123456")
    expect(phone.locator("#pin-problem")).to_be_visible()
    hand.take("app-enrol-pin-too-simple")
    fill_enrolment(phone, address)
    expect(phone.locator("#number")).to_be_visible()
    hand.take("app-enrolled")
    laptop.goto(f"{scene.provider.url}/my/phones")
    desk.take("phones-waiting")
    confirm(scene, laptop, phone)
    desk.take("phones")
    hand.take("app-requests-empty")
    assert phone.evaluate(KEPT) == [False, "P-256"]


def photograph_refusals(scene: Scene, desk: Camera, hand: Camera) -> None:
    laptop, phone = desk.page, hand.page
    ask(scene, laptop)
    scan(scene, laptop, phone)
    phone.locator("form#answer button[value=deny]").click()
    expect(phone.locator("form#answer")).to_have_count(0)
    hand.take("app-refused")
    expect(laptop.locator("#number")).to_have_count(0)
    desk.take("ask-phone-refused")
    laptop.locator("form#ask-phone button").click()
    expect(laptop.locator("#phone-code svg.qr")).to_be_visible()
    scan(scene, laptop, phone)
    shown = laptop.locator("#number").inner_text()
    answer(phone, "11" if shown != "11" else "12")
    expect(phone.locator("form#answer")).to_have_count(0)
    hand.take("app-wrong-number")
    expect(laptop.locator("#number")).to_have_count(0)
    desk.take("ask-phone-wrong-number")


@on_sqlite
def test_a_laptop_without_javascript_and_a_phone_without_a_mouse(scene: Scene, open_page: OpenPage) -> None:
    """The asking page loads itself anew and shows a button; the phone is used by its keyboard alone."""
    laptop, phone = open_page(viewport=DESKTOP), open_page()
    enrol(scene, laptop, phone, new_person(scene, "Vàng A Páo"))
    plain = open_page(viewport=DESKTOP, java_script_enabled=False)
    plain.goto(f"{scene.provider.url}/sign-in/my")
    plain.locator("form#ask-phone button").click()
    code = plain.locator("#phone-code code").inner_text()
    phone.keyboard.press("Tab")
    phone.goto(f"{scene.provider.url}/app/requests")
    phone.locator("#code").focus()
    phone.keyboard.type(code.lower())
    phone.keyboard.press("Enter")
    expect(phone.locator("#number")).to_be_focused()
    expect(plain.locator("#number")).to_be_visible()
    phone.keyboard.type(plain.locator("#number").inner_text())
    phone.keyboard.press("Tab")
    expect(phone.locator("#pin")).to_be_focused()
    phone.keyboard.type(PIN)
    phone.keyboard.press("Tab")
    expect(phone.locator("form#answer button[value=allow]")).to_be_focused()
    phone.keyboard.press("Enter")
    expect(phone.locator("form#answer")).to_have_count(0)
    plain.locator("form#phone-finish button").click()
    plain.wait_for_url(ARRIVED)


@on_sqlite
def test_a_phone_without_a_network_says_so_and_loses_nothing(scene: Scene, open_page: OpenPage) -> None:
    laptop, phone = open_page(viewport=DESKTOP), open_page()
    enrol(scene, laptop, phone, new_person(scene, "Tạ Thị Mơ"))
    other = open_page(viewport=DESKTOP)
    ask(scene, other)
    scan(scene, other, phone)
    phone.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    phone.context.set_offline(True)
    expect(phone.locator("#connection")).not_to_be_empty()
    request = phone.url
    phone.goto(request)
    expect(phone.locator("h1")).to_have_text("Không có mạng")
    Camera(phone, "vi").take("app-offline")
    phone.context.set_offline(False)
    phone.goto(request)
    answer(phone, other.locator("#number").inner_text())
    other.wait_for_url(ARRIVED)


@on_sqlite
def test_a_code_changes_while_it_is_shown_and_the_page_stays_where_it_is(
    scene: Scene, open_page: OpenPage
) -> None:
    laptop = open_page(viewport=DESKTOP)
    laptop.clock.install()
    ask(scene, laptop)
    first = laptop.locator("#phone-code code").inner_text()
    laptop.evaluate("() => { window.isSame = true; }")
    # The server's clock cannot be moved; a mark that is out of date does what 45 seconds would do.
    laptop.evaluate("() => { document.getElementById('ask').dataset.mark = 'open.past'; }")
    laptop.locator("#phone-code code").evaluate("(code) => { code.textContent = 'past'; }")
    laptop.clock.run_for(5000)
    expect(laptop.locator("#phone-code code")).to_have_text(first)
    assert laptop.evaluate("() => window.isSame"), "the page was not loaded anew"


def test_a_link_is_confirmed_with_the_phone(scene: Scene, open_page: OpenPage) -> None:
    """RFC 9470: the password is not enough for the network; the request stands in the app's list."""
    laptop, phone = open_page(viewport=DESKTOP), open_page()
    person = new_person(scene, "Bế Thị Lê")
    enrol(scene, laptop, phone, person)
    other = open_page(viewport=DESKTOP)
    enter_network(other, scene, "lan")
    press_link(other, scene)
    give_password(other, person.number, person.password)
    other.locator("form#ask-phone button").click()
    expect(other.locator("#phone-code svg.qr")).to_be_visible()
    phone.locator("form.open-request button").click()
    expect(phone.locator("main dl")).to_contain_text("@lan")
    expect(phone.locator("main dl")).to_contain_text("Quán Cóc")
    expect(other.locator("#number")).to_be_visible()
    answer(phone, other.locator("#number").inner_text())
    expect(other.locator("form#consent")).to_be_visible()
    decide(other, "allow")
    expect(other.locator("#badge-verified")).to_be_visible()


@on_sqlite
def test_a_call_of_a_network_is_answered_on_the_phone(
    scene: Scene, open_page: OpenPage, tmp_path: Path
) -> None:
    """CIBA: the app lists it, key and PIN sign in on the phone itself, the page says what would be shared."""
    laptop, phone = open_page(viewport=DESKTOP), open_page()
    person = new_person(scene, "Kpă Y Blin")
    enrol(scene, laptop, phone, person)
    client_id = f"tong-dai-{person.number[-6:]}"
    described = {
        "client_id": client_id,
        "client_name": "Tổng Đài Sông Hương",
        "client_uri": "https://songhuong.example",
        "redirect_uris": [],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [CIBA_GRANT],
        "backchannel_token_delivery_mode": "poll",
        "scope": "openid",
    }
    secret = register(scene.provider, tmp_path, (described, {"sector": "songhuong.example"}))[client_id]
    assert secret is not None
    with httpx.Client(base_url=scene.provider.url, auth=(client_id, secret)) as network:
        asked = network.post(
            "/backchannel-authentication",
            data={"scope": "openid", "login_hint": person.number, "binding_message": "Cuộc gọi 4812"},
        ).json()
        card = phone.locator(".card", has_text="Cuộc gọi 4812")
        card.locator("a.button").click()
        phone.fill("#pin", PIN)
        phone.locator("form#here button").click()
        expect(phone.locator("#binding-message")).to_have_text("Cuộc gọi 4812")
        phone.locator("form#approval button[value=allow]").click()
        expect(phone.locator("form#approval")).to_have_count(0)
        fetched = network.post("/token", data={"grant_type": CIBA_GRANT, "auth_req_id": asked["auth_req_id"]})
        assert fetched.status_code == 200, fetched.text
