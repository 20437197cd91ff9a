"""A connection that breaks or crawls: the page says so, nothing typed is lost, nothing is sent twice."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser_steps import enter_network, give_password, press_link
from tests.support.main_job import Scene
from tests.support.watched_pages import Watched

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)]


PRESS_AND_AGAIN = """() => new Promise(told => {
    const button = document.querySelector('form#second-factor button.main');
    button.click();
    setTimeout(() => { button.click(); told(document.querySelector('#connection').textContent); }, 4500);
})"""
"""An impatient person, who presses again after a while. The driver's own click would wait for the answer."""


@pytest.fixture
def at_sign_in(scene: Scene, watched: Watched) -> Page:
    enter_network(watched.page, scene, "lan")
    press_link(watched.page, scene)
    return watched.page


def test_offline_is_said_and_what_was_typed_stays(scene: Scene, at_sign_in: Page) -> None:
    page, lan = at_sign_in, scene.person("Nguyễn Thị Lan")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Bạn đang ngoại tuyến.")
    give_password(page, lan.number, lan.password)
    expect(page.locator("#password")).to_have_value(lan.password)
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("")
    page.locator("form#sign-in button.main").click()
    expect(page.locator("form#second-factor")).to_be_visible()


def test_a_slow_answer_is_waited_for_and_asked_for_once(scene: Scene, at_sign_in: Page) -> None:
    page, lan = at_sign_in, scene.person("Nguyễn Thị Lan")
    give_password(page, lan.number, lan.password)
    expect(page.locator("form#second-factor")).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/second-factor/**", hold)
    page.fill("#code", lan.code())
    assert "Mạng đang chậm." in page.evaluate(PRESS_AND_AGAIN)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("form#consent")).to_be_visible()
