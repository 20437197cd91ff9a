"""What people live through who sign in: the letter, the passkey, the lost phone, the code that is wrong.

In a real browser, with the provider and the network as they are served, on both engines. A passkey of the
device itself is offered by the browser at once, and its virtual holder is always there; a security key is for
whoever presses the button.
"""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage
from tests.support.browser_steps import (
    decide,
    enter_network,
    give_code,
    give_password,
    press_link,
    sign_in,
)
from tests.support.long_standing_operator import LongStandingOperator
from tests.support.main_job import Person, Scene
from tests.support.meddling import run_sql
from tests.support.new_people import PASSWORD, new_person
from tests.support.virtual_authenticators import SECURITY_KEY, with_authenticator
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser


def first_code(scene: Scene, person: Person) -> str:
    """Have an operator issue the person's first code, with a letter."""
    operator = LongStandingOperator(scene.provider)
    operator.enrol()
    return operator.first_code(person.number, "1995-05-05")


def use_letter(page: Page, scene: Scene, person: Person, code: str) -> None:
    """Type what stands in the letter, and choose a password."""
    page.goto(f"{scene.provider.url}/activate")
    page.fill("form#activate #identifier", person.number)
    page.fill("form#activate #activation-code", code.lower().replace("-", " "))
    page.locator("form#activate button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(person.name)
    page.fill("form#set-up #password", PASSWORD)
    page.fill("form#set-up #password-again", PASSWORD)
    page.locator("form#set-up button[type=submit]").click()
    expect(page.locator("#to-security")).to_be_visible()


def add_passkey(page: Page, scene: Scene, name: str) -> None:
    """Add a passkey from the page of passkeys; whoever it is has shown two proofs just now."""
    page.goto(f"{scene.provider.url}/my/passkeys")
    page.locator("#add-passkey").click()
    page.fill("form#passkey #name", name)
    page.locator("form#passkey button").click()
    expect(page.locator("#passkeys")).to_contain_text(name)


def sign_out(page: Page, scene: Scene) -> None:
    page.context.clear_cookies()
    page.goto(scene.network.url)


def an_hour_goes_by(network_data: Path) -> None:
    """Make the network remember that it saw its member's sign-in an hour ago."""
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="microseconds")
    kept = sqlite3.connect(network_data, isolation_level=None)
    try:
        kept.execute("UPDATE sign_ins SET at = ?", (an_hour_ago,))
    finally:
        kept.close()


def make_sign_ins_old(scene: Scene) -> None:
    """Make every sign-in at the provider an hour older."""
    hour = 3600 * 1_000_000
    run_sql(
        scene.provider.database_url,
        f"UPDATE sessions SET auth_time = auth_time - {hour} WHERE ended_at IS NULL",
    )


def test_a_letter_opens_an_account_and_a_passkey_takes_over(scene: Scene, watched: Watched) -> None:
    page, person = watched.page, new_person(scene, "Hoàng Thị Sen", can_sign_in=False)
    with_authenticator(page)
    use_letter(page, scene, person, first_code(scene, person))
    page.locator("#to-security").click()
    expect(page.locator("#ways")).to_be_visible()
    add_passkey(page, scene, "Điện thoại của tôi")
    sign_out(page, scene)
    enter_network(page, scene, "lan")
    press_link(page, scene)
    decide(page, "allow")
    expect(page.locator("#badge-verified")).to_be_visible()


def test_a_letter_needs_no_javascript(scene: Scene, open_page: OpenPage) -> None:
    watched = Watched(open_page(java_script_enabled=False), scene.origins)
    page, person = watched.page, new_person(scene, "Bùi Văn Tám", can_sign_in=False)
    code = first_code(scene, person)
    use_letter(page, scene, person, code)
    enter_network(page, scene, "minh")
    press_link(page, scene)
    decide(page, "allow")
    expect(page.locator("#badge-verified")).to_be_visible()
    stranger = open_page(java_script_enabled=False)
    stranger.goto(f"{scene.provider.url}/activate")
    stranger.fill("form#activate #identifier", person.number)
    stranger.fill("form#activate #activation-code", code)
    stranger.locator("form#activate button[type=submit]").click()
    expect(stranger.locator("#activate-problem")).to_be_visible()
    watched.check()


def test_whoever_lost_their_phone_signs_in_with_the_second_passkey_and_removes_the_first(
    scene: Scene, watched: Watched
) -> None:
    page, person = watched.page, new_person(scene, "Đinh Công Mười")
    phone = with_authenticator(page)
    page.goto(f"{scene.provider.url}/my/passkeys")
    sign_in(page, person)
    add_passkey(page, scene, "Điện thoại")
    phone.remove()
    security_key = with_authenticator(page, SECURITY_KEY)
    add_passkey(page, scene, "Khoá dự phòng")
    assert len(security_key.passkeys()) == 1

    sign_out(page, scene)
    page.goto(f"{scene.provider.url}/my/passkeys")
    page.locator("form#passkey button[type=submit]").click()
    lost = page.locator("#passkeys .card", has_text="Điện thoại")
    lost.locator(".actions a").click()
    page.locator("form#remove button").click()
    expect(page.locator("#passkeys")).not_to_contain_text("Điện thoại")
    expect(page.locator("#passkeys")).to_contain_text("Khoá dự phòng")


def test_ten_wrong_codes_make_a_pause_and_a_passkey_still_lets_its_holder_in(
    scene: Scene, watched: Watched, open_page: OpenPage
) -> None:
    page, person = watched.page, new_person(scene, "Ngô Thị Chín")
    with_authenticator(page)
    page.goto(f"{scene.provider.url}/my/passkeys")
    sign_in(page, person)
    add_passkey(page, scene, "Điện thoại")

    thief = open_page()
    thief.goto(f"{scene.provider.url}/sign-in/my")
    give_password(thief, person.number, person.password)
    for _ in range(10):
        give_code(thief, person.wrong_code())
        expect(thief.locator("#code-problem")).to_be_visible()
    give_code(thief, person.code())
    expect(thief.locator("form#second-factor")).to_be_visible()

    sign_out(page, scene)
    page.goto(f"{scene.provider.url}/my/accounts")
    expect(page.locator("h1")).to_have_text("Tài khoản đã liên kết của tôi")


def test_selling_live_takes_a_fresh_proof_and_a_passkey_is_one(
    scene: Scene, watched: Watched, tmp_path: Path
) -> None:
    page, person = watched.page, new_person(scene, "Vũ Thị Mai")
    with_authenticator(page)
    page.goto(f"{scene.provider.url}/my/passkeys")
    sign_in(page, person)
    add_passkey(page, scene, "Điện thoại")
    enter_network(page, scene, "lan")
    press_link(page, scene)
    decide(page, "allow")
    page.goto(f"{scene.network.url}/live")
    expect(page.locator("form#live")).to_be_visible()
    an_hour_goes_by(tmp_path / "network" / "social_network.sqlite")
    page.reload()
    expect(page.locator("form#live")).to_have_count(0)
    # The session at the provider is minutes old; the policy wants a sign-in of after the press.
    make_sign_ins_old(scene)
    page.locator("form#step-up button").click()
    decide(page, "allow")
    expect(page.locator("form#live")).to_be_visible()


def test_a_page_that_was_open_too_long_leads_back_and_loses_nothing(scene: Scene, watched: Watched) -> None:
    page, person = watched.page, new_person(scene, "Tạ Văn Năm")
    enter_network(page, scene, "lan")
    press_link(page, scene)
    run_sql(scene.provider.database_url, "UPDATE interactions SET expires_at = 1 WHERE finished_at IS NULL")
    give_password(page, person.number, person.password)
    expect(page.locator("#error-reference")).not_to_be_empty()
    page.get_by_role("link", name="Quán Cóc").click()
    press_link(page, scene)
    sign_in(page, person)
    decide(page, "allow")
    expect(page.locator("#badge-verified")).to_be_visible()
