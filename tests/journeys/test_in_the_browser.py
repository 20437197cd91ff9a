"""The main job in a real browser, with the real programs: link, post, see, end, and be told so."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_steps import (
    decide,
    end_link,
    enter_network,
    give_code,
    give_password,
    link_account,
    press_link,
    sign_in,
)
from tests.support.main_job import Scene
from tests.support.watched_pages import Watched

pytestmark = pytest.mark.browser

LAN = "Nguyễn Thị Lan"
on_sqlite = pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)


def test_a_person_links_an_account_posts_and_ends_the_link(scene: Scene, watched: Watched) -> None:
    page, lan = watched.page, scene.person(LAN)
    enter_network(page, scene, "lan")
    expect(page.locator("#composer-locked")).to_contain_text("Góc viết đang để dành cho bạn")
    expect(page.locator("#composer")).to_have_count(0)

    press_link(page, scene)
    expect(page.locator("header .network")).to_contain_text("Quán Cóc")
    sign_in(page, lan)
    expect(page.locator("main .account")).to_contain_text("@lan")
    expect(page.locator("form#consent")).to_contain_text("Mức 2: đã xác minh trực tiếp")
    for untold in (lan.name, lan.number):
        expect(page.locator("main")).not_to_contain_text(untold)
    decide(page, "allow")

    assert page.url == f"{scene.network.url}/"
    expect(page.locator("#badge-verified")).to_contain_text("đã xác thực")
    page.fill("#composer textarea", "Chiều nay chè sen còn nóng.")
    page.locator("#composer button").click()
    expect(page.locator("#feed article").first).to_contain_text("Chiều nay chè sen còn nóng.")
    expect(page.locator("#feed article").first.locator(".badge")).to_contain_text("đã xác thực")

    page.goto(f"{scene.network.url}/settings")
    expect(page.locator("dl")).to_contain_text("Mức 2: đã xác minh trực tiếp")
    page.locator("#check-link button").click()
    expect(page.get_by_role("status")).to_contain_text("Liên kết vẫn còn hiệu lực.")

    end_link(page, scene)
    expect(page.locator("h1")).to_have_text("Liên kết đã chấm dứt")
    page.goto(f"{scene.network.url}/settings")
    page.locator("#check-link button").click()
    expect(page.get_by_role("status")).to_contain_text("Liên kết không còn hiệu lực")
    page.goto(scene.network.url)
    expect(page.locator("#composer-locked")).to_be_visible()
    expect(page.locator("#composer")).to_have_count(0)
    assert scene.provider.run("audit", "verify")["finding"] is None


@on_sqlite
def test_my_accounts_shows_what_the_network_knows_and_what_happened(scene: Scene, watched: Watched) -> None:
    page = watched.page
    link_account(page, scene, "hlen", scene.person("Phạm Đức Hoà"))
    page.goto(f"{scene.provider.url}/my/accounts")
    card = page.locator(".card")
    expect(card).to_contain_text("@hlen")
    expect(card).to_contain_text("Bạn đủ 16 tuổi hay chưa")
    expect(page.locator("main")).to_contain_text("Đang đăng nhập: Phạm Đức Hoà (giả lập)")
    card.get_by_role("link").first.click()
    expect(page.locator(".timeline")).to_contain_text("Tài khoản đã được liên kết.")
    expect(page.locator(".timeline")).not_to_contain_text("Một bước khác")
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.locator("form#sign-in")).to_be_visible()
    page.goto(f"{scene.provider.url}/my/accounts")
    expect(page.locator("form#sign-in")).to_be_visible()


@on_sqlite
def test_who_does_not_agree_goes_back_and_nothing_has_changed(scene: Scene, watched: Watched) -> None:
    page = watched.page
    enter_network(page, scene, "lan")
    press_link(page, scene)
    sign_in(page, scene.person(LAN))
    decide(page, "deny")
    expect(page.locator("#link-error")).to_contain_text("Bạn đã chọn không liên kết")
    page.goto(scene.network.url)
    expect(page.locator("#composer-locked")).to_be_visible()
    page.goto(f"{scene.provider.url}/my/accounts")
    expect(page.locator("h1")).to_have_text("Tài khoản đã liên kết của tôi")
    expect(page.locator(".status.active")).to_have_count(0)


@on_sqlite
def test_back_to_the_network_ends_the_journey_on_every_page(scene: Scene, watched: Watched) -> None:
    page = watched.page
    enter_network(page, scene, "minh")
    press_link(page, scene)
    page.locator("form#back-to-network button").click()
    expect(page.locator("#link-error")).to_be_visible()
    assert page.url == f"{scene.network.url}/settings"


@on_sqlite
def test_a_wrong_password_and_a_wrong_code_are_said_kindly(scene: Scene, watched: Watched) -> None:
    page, lan = watched.page, scene.person(LAN)
    enter_network(page, scene, "lan")
    press_link(page, scene)
    give_password(page, lan.number, "không phải mật khẩu này")
    expect(page.get_by_role("alert")).to_contain_text("Số hoặc mật khẩu chưa đúng.")
    expect(page.locator("#identifier")).to_have_value(lan.number)
    expect(page.locator("#password")).to_have_value("")
    give_password(page, "000999000009", "không ai cả")
    expect(page.get_by_role("alert")).to_contain_text("Số hoặc mật khẩu chưa đúng.")
    give_password(page, lan.known.phone_number or "", lan.password)
    give_code(page, lan.wrong_code())
    expect(page.get_by_role("alert")).to_contain_text("Mã chưa đúng.")
    give_code(page, lan.code())
    expect(page.locator("form#consent")).to_be_visible()


@on_sqlite
def test_the_second_person_cannot_link_the_same_account(
    scene: Scene, watched: Watched, desktop_page: Page
) -> None:
    link_account(watched.page, scene, "minh", scene.person("Y Moan"))
    second = Watched(desktop_page, scene.origins)
    enter_network(second.page, scene, "minh")
    second.page.goto(f"{scene.network.url}/settings")
    expect(second.page.locator("#badge-verified")).to_be_visible()
    second.page.goto(scene.network.url)
    watched.page.goto(scene.network.url)
    # The network offers a linked account no second link: the other person comes with the same request.
    second.page.evaluate(
        """csrf => {
            const form = document.createElement('form');
            form.method = 'post'; form.action = '/link';
            form.innerHTML = `<input name="csrf" value="${csrf}">`;
            document.body.append(form); form.submit();
        }""",
        second.page.locator("input[name=csrf]").first.get_attribute("value"),
    )
    expect(second.page.locator("form#sign-in")).to_be_visible()
    sign_in(second.page, scene.person("Lò Văn Pâng"))
    expect(second.page.locator("h1")).to_have_text("Tài khoản này chưa được liên kết")
    expect(second.page.locator("main")).to_contain_text("không phải với bạn")
    expect(second.page.locator("main")).not_to_contain_text("Moan")
    expect(second.page.locator("#error-reference")).not_to_be_empty()
    second.page.locator("form#back-to-network button").click()
    expect(second.page.locator("#link-error")).to_contain_text(
        "Bạn đã chọn không liên kết, hoặc lúc này chưa"
    )
    second.check()


@on_sqlite
def test_who_is_too_young_or_locked_is_told_what_to_do(scene: Scene, watched: Watched) -> None:
    page = watched.page
    enter_network(page, scene, "hlen")
    press_link(page, scene)
    locked = scene.person("Đặng Thuỳ Trang")
    give_password(page, locked.number, locked.password)
    expect(page.get_by_role("alert")).to_contain_text("hiện chưa dùng được")
    sign_in(page, scene.person("Trần Gia Hân"))
    expect(page.locator("main")).to_contain_text("khi đủ 14 tuổi")
    expect(page.locator("main")).to_contain_text("cha, mẹ hoặc người giám hộ")
