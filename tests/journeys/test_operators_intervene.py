"""The operator acts while people use the program: on PostgreSQL, with two server processes."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import empty_database
from tests.support.browser_steps import enter_network, give_password, link_account, press_link, sign_in
from tests.support.main_job import Scene, main_job
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser

LAN = "Nguyễn Thị Lan"
WITHIN_SECONDS = 5.0
"""The promise: so long after the command has ended, no process lets anybody through."""
IN_A_ROW = 12
"""So many refusals in a row, each on a new connection, came from both processes."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("operators")
    with empty_database("postgresql", folder) as url, main_job(folder, url, workers=2) as scene:
        yield scene


@pytest.fixture(params=[LAN])
def linked(request: pytest.FixtureRequest, scene: Scene, watched: Watched) -> Iterator[Page]:
    """Give a page of a person who has linked an account; afterwards the link is over."""
    link_account(watched.page, scene, "lan", scene.person(request.param))
    yield watched.page
    for link in active_links(scene):
        scene.provider.run("links", "end", link["link_id"], "--reason", "test_is_over")


def by(name: str) -> pytest.MarkDecorator:
    """Choose who has linked the account: an authenticator app shows two codes a minute."""
    return pytest.mark.parametrize("linked", [name], indirect=True)


def active_links(scene: Scene) -> list[dict[str, str]]:
    links: list[dict[str, str]] = scene.provider.run("links", "list", "--status", "active")["links"]
    return links


def access_token(tmp_path: Path) -> str:
    """Read the token that the network holds."""
    kept = sqlite3.connect(tmp_path / "network" / "social_network.sqlite")
    try:
        ((token,),) = kept.execute("SELECT access_token FROM links").fetchall()
    finally:
        kept.close()
    return str(token)


def userinfo_status(scene: Scene, token: str) -> int:
    """Ask on a connection of its own, so that either process may answer."""
    authorization = {"Authorization": f"Bearer {token}"}
    with httpx.Client(trust_env=False) as http:
        return http.get(f"{scene.provider.url}/userinfo", headers=authorization).status_code


def wait_until_refused(is_let_through: Callable[[], bool]) -> None:
    """Wait until nobody is let through any more, by any process."""
    deadline = time.monotonic() + WITHIN_SECONDS
    refused = 0
    while refused < IN_A_ROW:
        refused = 0 if is_let_through() else refused + 1
        assert time.monotonic() < deadline or refused, "somebody is let through after five seconds"


def check_again(page: Page, scene: Scene) -> None:
    page.goto(f"{scene.network.url}/settings")
    page.locator("#check-link button").click()


def test_a_suspended_client_is_refused_everywhere(scene: Scene, linked: Page, tmp_path: Path) -> None:
    token = access_token(tmp_path)
    assert userinfo_status(scene, token) == 200
    scene.provider.run("clients", "suspend", "quan-coc", "--reason", "sells_accounts")
    wait_until_refused(lambda: userinfo_status(scene, token) == 200)
    check_again(linked, scene)
    expect(linked.locator("#link-error")).to_be_visible()
    expect(linked.locator("#badge-verified")).to_be_visible()  # it keeps what it knows
    enter_network_again(linked, scene, "minh")
    linked.locator("#link-account button").click()
    expect(linked.locator("#link-error")).to_be_visible()
    answer = linked.goto(f"{scene.provider.url}/authorize?client_id=quan-coc&response_type=code")
    assert answer is not None
    assert answer.status == 403
    expect(linked.locator("h1")).to_have_text("Mạng xã hội này hiện chưa liên kết tài khoản được")
    scene.provider.run("clients", "reinstate", "quan-coc", "--reason", "sells_no_more")
    time.sleep(2)
    assert {userinfo_status(scene, token) for _ in range(IN_A_ROW)} == {200}


def enter_network_again(page: Page, scene: Scene, handle: str) -> None:
    page.goto(scene.network.url)
    page.locator("form[action='/sign-out'] button").click()
    enter_network(page, scene, handle)


@by("Claire Dubois")
def test_a_suspended_link_is_refused_and_its_holder_sees_it(
    scene: Scene, linked: Page, tmp_path: Path
) -> None:
    token = access_token(tmp_path)
    (link,) = active_links(scene)
    scene.provider.run("links", "suspend", link["link_id"], "--reason", "rented_out")
    wait_until_refused(lambda: userinfo_status(scene, token) == 200)
    check_again(linked, scene)
    expect(linked.get_by_role("status").or_(linked.locator("#link-error"))).to_be_visible()
    linked.goto(f"{scene.provider.url}/my/accounts")
    expect(linked.locator(".card .status.suspended")).to_be_visible()
    expect(linked.locator("main")).not_to_contain_text("rented")
    scene.provider.run("links", "reinstate", link["link_id"], "--reason", "not_rented_out")
    linked.reload()
    expect(linked.locator(".card .status.active")).to_be_visible()


def expect_signed_out(page: Page, scene: Scene) -> None:
    """Wait until the network has heard that its member's session at the provider is over."""
    page.goto(scene.network.url)
    while not page.locator("#sign-in-as").is_visible():
        page.wait_for_timeout(200)
        page.reload()


@by("Y Moan")
def test_a_suspended_citizen_is_refused_everywhere(scene: Scene, linked: Page, tmp_path: Path) -> None:
    token, moan = access_token(tmp_path), scene.person("Y Moan")
    scene.provider.run("citizens", "suspend", moan.number, "--reason", "phone_stolen")
    wait_until_refused(lambda: userinfo_status(scene, token) == 200)
    linked.goto(f"{scene.provider.url}/my/accounts")
    expect(linked.locator("form#sign-in")).to_be_visible()
    give_password(linked, moan.number, moan.password)
    expect(linked.get_by_role("alert")).to_contain_text("hiện chưa dùng được")
    expect_signed_out(linked, scene)
    enter_network(linked, scene, "lan")
    check_again(linked, scene)
    expect(linked.get_by_role("status").or_(linked.locator("#link-error"))).to_be_visible()
    scene.provider.run("citizens", "reinstate", moan.number, "--reason", "phone_found")
    linked.goto(f"{scene.provider.url}/my/accounts")
    sign_in(linked, moan)
    expect(linked.locator("h1")).to_have_text("Tài khoản đã liên kết của tôi")


def test_no_sign_in_notices_that_the_keys_rotate(scene: Scene, watched: Watched) -> None:
    page, hlen = watched.page, scene.person("H'Len Niê")
    before = published_kids(scene)
    enter_network(page, scene, "hlen")
    press_link(page, scene)
    sign_in(page, hlen)
    scene.provider.run("keys", "rotate")
    page.locator("form#consent button[value=allow]").click()
    expect(page.locator("#badge-verified")).to_be_visible()
    deadline = time.monotonic() + WITHIN_SECONDS
    while not published_kids(scene) - before:
        assert time.monotonic() < deadline
    signing = {
        key["kid"] for key in scene.provider.run("keys", "list")["signing"] if key["state"] == "retiring"
    }
    assert signing
    assert signing <= published_kids(scene), "what they signed must go on to verify"
    check_again(page, scene)
    expect(page.get_by_role("status")).to_contain_text("Liên kết vẫn còn hiệu lực.")


def published_kids(scene: Scene) -> set[str]:
    with httpx.Client(trust_env=False) as http:
        return {key["kid"] for key in http.get(f"{scene.provider.url}/jwks").json()["keys"]}


def test_the_log_of_all_this_is_sound(scene: Scene) -> None:
    verified = scene.provider.run("audit", "verify")
    assert verified["finding"] is None
    assert verified["verified"] > 0
