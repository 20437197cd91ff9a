"""Without the old phone, in a browser: the scanned letter, the sheet of codes, the wait, and the button."""

import hashlib
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_steps import give_password, sign_in
from tests.support.camera import Camera
from tests.support.long_standing_operator import LongStandingOperator
from tests.support.main_job import Person, Scene
from tests.support.meddling import run_sql
from tests.support.new_people import new_person
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser

CHOSEN = "bèo dạt mây trôi 27"
SHEET = re.compile(r"[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{5}")


def first_code(scene: Scene, person: Person) -> str:
    operator = LongStandingOperator(scene.provider)
    operator.enrol()
    return operator.first_code(person.number, "1995-05-05")


def sheet_of(page: Page, scene: Scene, person: Person) -> list[str]:
    """Print recovery codes as their holder does, and forget this browser."""
    page.goto(f"{scene.provider.url}/my/recovery-codes")
    sign_in(page, person)
    page.locator("#new-codes button").click()
    codes: list[str] = SHEET.findall(page.locator("#codes").inner_text())
    page.context.clear_cookies()
    return codes


def open_by_sheet(page: Page, person: Person, code: str) -> None:
    page.fill("form#recovery-code #identifier", person.number)
    page.fill("form#recovery-code #code", code)
    page.locator("form#recovery-code button[type=submit]").click()


def type_code(page: Page, number: str, code: str) -> None:
    page.fill("form#activate #identifier", number)
    page.fill("form#activate #activation-code", code)
    page.locator("form#activate button[type=submit]").click()


def choose_password(page: Page, password: str = CHOSEN) -> None:
    page.fill("form#set-up #password", password)
    page.fill("form#set-up #password-again", password)
    page.locator("form#set-up button[type=submit]").click()


def waited(scene: Scene) -> None:
    """Let the time be over in which recoveries can be stopped."""
    run_sql(scene.provider.database_url, "UPDATE activations SET usable_from = issued_at")


def test_a_scanned_letter_fills_in_its_code_and_leaves_none_in_the_address(
    scene: Scene, watched: Watched
) -> None:
    page, person = watched.page, new_person(scene, "Phạm Đức Hoà", can_sign_in=False)
    code = first_code(scene, person)
    page.goto(f"{scene.provider.url}/activate#{code}")
    expect(page.locator("#activation-code")).to_have_value(code)
    assert urlsplit(page.url).fragment == ""
    page.fill("#identifier", person.number)
    page.locator("form#activate button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("Phạm Đức Hoà")
    choose_password(page)
    expect(page.locator("#to-security")).to_be_visible()


def test_a_sheet_of_codes_leads_to_a_new_password_after_the_wait(scene: Scene, watched: Watched) -> None:
    page, person = watched.page, new_person(scene, "Lê Thị Hòa")
    codes = sheet_of(page, scene, person)
    page.goto(f"{scene.provider.url}/sign-in/my")
    page.locator("details summary").first.click()
    page.locator("details a[href$='/recovery']").click()
    page.locator("#to-recovery-code").click()
    open_by_sheet(page, person, codes[0])
    code = page.locator("#activation-code").inner_text()
    page.goto(f"{scene.provider.url}/activate")
    type_code(page, person.number, code)
    expect(page.locator(".notice:not(.connection)")).to_be_visible()
    waited(scene)
    page.locator(".languages a").click()
    type_code(page, person.number, code)
    expect(page.locator("h1")).to_have_text("Choose your password")
    page.locator("input[value=recovery_codes]").check()
    choose_password(page, "12345678")
    expect(page.locator("input[value=recovery_codes]")).to_be_checked()
    choose_password(page)
    expect(page.locator("#to-security")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{scene.provider.url}/my/recovery-codes")
    give_password(page, person.number, CHOSEN)
    expect(page.locator("main")).to_contain_text("9")


@pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_of_it_is_photographed(scene: Scene, watched: Watched, language: str) -> None:
    page, camera = watched.page, Camera(watched.page, language)
    person = new_person(scene, "Trần Văn Hoà")
    page.goto(f"{scene.provider.url}/sign-in/my?lang={language}")
    codes = sheet_of(page, scene, person)
    page.goto(f"{scene.provider.url}/recovery?lang={language}")
    camera.take("recovery")
    page.locator("#to-recovery-code").click()
    camera.take("recovery-code")
    open_by_sheet(page, person, codes[0].replace(codes[0][0], "A"))
    camera.take("recovery-code-mistyped")
    open_by_sheet(page, person, codes[0])
    camera.take("recovery-opened")
    code = page.locator("#activation-code").inner_text()
    page.goto(f"{scene.provider.url}/activate")
    camera.take("activate")
    type_code(page, person.number, code[:-1])
    camera.take("activate-mistyped")
    type_code(page, "000199999999", code)
    camera.take("activate-wrong")
    type_code(page, person.number, code)
    camera.take("activate-too-early")
    token = f"photographed-{language}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    newest = "SELECT max(issued_at) FROM activations"
    run_sql(
        scene.provider.database_url,
        f"UPDATE activations SET stop_hash = x'{digest}' WHERE issued_at = ({newest})",
    )
    page.goto(f"{scene.provider.url}/recovery/stop/{token}")
    camera.take("stop-recovery")
    waited(scene)
    page.goto(f"{scene.provider.url}/activate")
    type_code(page, person.number, code)
    camera.take("set-up-recovery")
    choose_password(page, "12345678")
    camera.take("set-up-common")
    choose_password(page)
    camera.take("activated-recovery")
    page.goto(f"{scene.provider.url}/my/recovery")
    camera.take("my-recovery-none")
    page.locator("form#open-recovery button").click()
    page.goto(f"{scene.provider.url}/my/recovery")
    camera.take("my-recovery")
    page.locator("form#stop-1 button").click()
    page.goto(f"{scene.provider.url}/recovery/stop/{token}")
    camera.take("stop-recovery-over")
    newcomer = new_person(scene, "Đỗ Văn Hòa", can_sign_in=False)
    page.context.clear_cookies()
    page.goto(f"{scene.provider.url}/activate?lang={language}")
    type_code(page, newcomer.number, first_code(scene, newcomer))
    camera.take("set-up")
    choose_password(page)
    camera.take("activated")
