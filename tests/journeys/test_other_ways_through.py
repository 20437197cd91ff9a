"""The main job for people who come otherwise: no JavaScript, no mouse, another language, the back button."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage
from tests.support.browser_steps import decide, enter_network, link_account, press_link, sign_in
from tests.support.legible import wrong_stops
from tests.support.main_job import Scene
from tests.support.watched_pages import Watched

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)]

TABS = 40
"""More than any page has stops."""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that {selector} has the focus"
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_the_journey_needs_no_javascript(scene: Scene, open_page: OpenPage) -> None:
    watched = Watched(open_page(java_script_enabled=False), scene.origins)
    page = watched.page
    link_account(page, scene, "hlen", scene.person("H'Len Niê"))
    page.fill("#composer textarea", "Rang xong mẻ đầu.")
    page.locator("#composer button").click()
    expect(page.locator("#feed article").first).to_contain_text("Rang xong mẻ đầu.")
    page.goto(f"{scene.provider.url}/my/accounts")
    expect(page.locator(".card", has_text="@hlen")).to_be_visible()
    watched.check()


def test_the_journey_needs_no_mouse(scene: Scene, watched: Watched) -> None:
    """With Tab, Enter and Space alone; every stop is seen, and none leads back up the page."""
    page, claire = watched.page, scene.person("Claire Dubois")
    page.goto(scene.network.url)
    tab_to(page, "#sign-in-as button[value=lan]")
    page.keyboard.press("Space")
    expect(page.locator("#feed")).to_be_visible()
    tab_to(page, "#link-account button")
    page.keyboard.press("Enter")
    expect(page.locator("form#sign-in")).to_be_visible()
    assert wrong_stops(page) == []
    page.reload()
    tab_to(page, ".skip")
    tab_to(page, "#identifier")
    page.keyboard.type(claire.number)
    tab_to(page, "#password")
    page.keyboard.type(claire.password)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(claire.code())
    page.keyboard.press("Enter")
    expect(page.locator("form#consent")).to_be_visible()
    tab_to(page, "button[value=deny]")
    tab_to(page, "button[value=allow]")
    page.keyboard.press("Space")
    expect(page.locator("#badge-verified")).to_be_visible()
    tab_to(page, "#composer textarea")


def test_the_language_changes_in_the_middle_and_stays(scene: Scene, watched: Watched) -> None:
    page = watched.page
    enter_network(page, scene, "lan")
    press_link(page, scene)
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator("h1")).to_have_text("Đăng nhập để tiếp tục")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Sign in to continue")
    sign_in(page, scene.person("Nguyễn Thị Lan"))
    expect(page.locator("h1")).to_have_text("Link this account?")
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.locator("h1")).to_have_text("Liên kết tài khoản này?")
    page.get_by_role("link", name="English").click()
    decide(page, "deny")
    page.goto(f"{scene.provider.url}/my/accounts")
    expect(page.locator("h1")).to_have_text("My linked accounts")


def test_the_back_button_after_consent_changes_nothing(scene: Scene, watched: Watched) -> None:
    page = watched.page
    link_account(page, scene, "minh", scene.person("Phạm Đức Hoà"))
    page.go_back(wait_until="load")
    assert page.url.startswith(scene.provider.url), page.url
    expect(page.locator("form#consent")).to_have_count(0)
    expect(page.locator("#error-reference")).not_to_be_empty()
    page.get_by_role("link", name="Quán Cóc").click()
    expect(page.locator("#badge-verified")).to_be_visible()


def test_two_tabs_do_not_disturb_each_other(scene: Scene, watched: Watched) -> None:
    page = watched.page
    enter_network(page, scene, "lan")
    press_link(page, scene)
    other = page.context.new_page()
    other.goto(scene.network.url)
    press_link(other, scene)
    sign_in(other, scene.person("Lò Văn Pâng"))
    decide(other, "allow")
    expect(other.locator("#badge-verified")).to_be_visible()
    # The first tab still shows the sign-in page of the earlier attempt; going on there does no harm.
    page.reload()
    expect(page.locator("main")).to_be_visible()
    other.goto(scene.network.url)
    expect(other.locator("#badge-verified")).to_be_visible()


def test_a_link_sent_to_somebody_else_leads_nowhere(
    scene: Scene, watched: Watched, open_page: OpenPage
) -> None:
    enter_network(watched.page, scene, "lan")
    press_link(watched.page, scene)
    elsewhere = open_page()
    answer = elsewhere.goto(watched.page.url)
    assert answer is not None
    assert answer.status == 403
    expect(elsewhere.locator("form#sign-in")).to_have_count(0)
    expect(elsewhere.locator("h1")).to_have_text("Việc này được bắt đầu ở trình duyệt khác")
