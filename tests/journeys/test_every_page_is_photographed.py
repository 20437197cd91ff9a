"""Every page that people see, photographed: narrow and wide, light and dark, in both languages.

The pictures are in `.artifacts/screenshots/`.
"""

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import OpenPage
from tests.support.browser_steps import (
    decide,
    enter_network,
    give_code,
    give_password,
    link_account,
    press_link,
    sign_in,
)
from tests.support.camera import Camera
from tests.support.main_job import Scene
from tests.support.watched_pages import Watched

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("prepared", ["sqlite"], indirect=True),
    pytest.mark.parametrize("language", ["vi", "en"]),
]

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def camera(scene: Scene, watched: Watched, language: str) -> Camera:
    """Give a camera whose page was switched to the language, as a person does it."""
    watched.page.goto(f"{scene.network.url}/language/{language}")
    watched.page.goto(f"{scene.provider.url}/sign-in/my?lang={language}")
    return Camera(watched.page, language)


def request_address(scene: Scene, **changes: str) -> str:
    """Return an authorization request of the network that links nothing."""
    asked = {
        "client_id": "quan-coc",
        "redirect_uri": f"{scene.network.url}/callback",
        "response_type": "code",
        "scope": "openid",
        "state": "state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{scene.provider.url}/authorize?{urlencode(asked | changes)}"


def leave_network(page: Page, scene: Scene) -> None:
    page.goto(scene.network.url)
    page.locator("form[action='/sign-out'] button").click()
    expect(page.locator("#sign-in-as")).to_be_visible()


def test_on_the_way_to_a_link(scene: Scene, camera: Camera) -> None:
    page, lan = camera.page, scene.person("Nguyễn Thị Lan")
    page.goto(scene.network.url)
    camera.take("network-welcome", names="Quán Cóc")
    enter_network(page, scene, "lan")
    camera.take("network-feed-locked")
    page.goto(f"{scene.network.url}/settings")
    camera.take("network-settings-unlinked")
    page.goto(f"{scene.network.url}/live")
    camera.take("network-live-locked")
    page.goto(scene.network.url)
    press_link(page, scene)
    camera.take("sign-in", names="localhost")
    page.locator("main details summary").click()
    camera.take("sign-in-help")
    give_password(page, lan.number, "wrong")
    camera.take("sign-in-wrong")
    give_password(page, lan.number, lan.password)
    camera.take("second-factor")
    give_code(page, lan.wrong_code())
    camera.take("second-factor-wrong")
    give_code(page, lan.code())
    camera.take("consent")
    decide(page, "deny")
    camera.take("network-not-linked")


def test_with_a_link(scene: Scene, camera: Camera) -> None:
    page = camera.page
    person = scene.person("H'Len Niê" if camera.language == "vi" else "Claire Dubois")
    link_account(page, scene, "lan", person)
    camera.take("network-just-linked")
    page.fill("#composer textarea", "Chiều nay chè sen còn nóng, ai ghé thì cô Lan múc cho một bát đầy.")
    page.locator("#composer button").click()
    expect(page.locator("#feed article .badge")).to_have_count(1)
    camera.take("network-feed")
    page.locator("#feed article .badge summary").click()
    camera.take("network-badge")
    page.goto(f"{scene.network.url}/@lan")
    camera.take("network-profile", names="Lan Chè Sen")
    page.goto(f"{scene.network.url}/live")
    camera.take("network-live")
    page.goto(f"{scene.network.url}/settings")
    camera.take("network-settings")
    page.goto(f"{scene.provider.url}/my/accounts")
    camera.take("my-accounts")
    page.locator(".card .actions a").first.click()
    camera.take("link-detail")
    photograph_mark(scene, camera)
    photograph_activity(scene, camera)
    photograph_notices(scene, camera)
    page.locator("a.button").click()
    camera.take("end-link")
    page.locator("form#end-link button[type=submit]").click()
    camera.take("link-ended")
    page.goto(f"{scene.network.url}/settings")
    page.locator("#check-link button").click()
    camera.take("network-link-ended")
    page.goto(f"{scene.provider.url}/my/accounts")
    page.get_by_role("button").last.click()
    camera.take("signed-out")


def photograph_activity(scene: Scene, camera: Camera) -> None:
    """Look at what was done, and at the proof of one entry; come back to the page of the link."""
    page = camera.page
    detail = page.url
    page.goto(f"{scene.provider.url}/my/activity")
    camera.take("my-activity")
    page.locator(".timeline a").last.click()
    camera.take("activity-entry")
    page.goto(detail)


def photograph_notices(scene: Scene, camera: Camera) -> None:
    """Freeze and lift it, look at what was told and at the button that disowns; come back to the link."""
    page = camera.page
    detail = page.url
    page.goto(f"{scene.provider.url}/my/freeze")
    camera.take("freeze")
    page.locator("form#freeze button").click()
    camera.take("frozen")
    page.locator("form#freeze button").click()
    page.goto(f"{scene.provider.url}/my/notices")
    camera.take("notices")
    page.goto(f"{detail}/not-me")
    camera.take("not-me")
    page.goto(detail)


def photograph_mark(scene: Scene, camera: Camera) -> None:
    """Turn the mark on, look at it as a stranger does, and come back to the page of the link."""
    page = camera.page
    detail = page.url
    page.locator("form#mark-switch button").click()
    camera.take("link-detail-mark-on")
    page.goto(f"{scene.provider.url}/verify")
    camera.take("verify")
    page.fill("#account", "@lan")
    page.locator("form#verify button").click()
    camera.take("mark", names="@lan")
    page.goto(f"{scene.provider.url}/verify/nobody")
    camera.take("no-mark")
    page.goto(detail)


def test_what_a_person_finds_about_themselves(scene: Scene, camera: Camera) -> None:
    """Look at the start page and what it leads to, ask the register for something, and take it back."""
    page, base = camera.page, f"{scene.provider.url}/my"
    sign_in(page, scene.person("Nguyễn Thị Lan"))
    page.goto(base)
    camera.take("my-start")
    for path in ("consents", "notice-ways", "export", "correction"):
        page.goto(f"{base}/{path}")
        camera.take(f"my-{path}")
    page.check("#datum-address")
    page.check("#fault-outdated")
    page.locator("form#correction button").click()
    camera.take("my-correction-asked")
    page.locator("form#answer button").click()
    camera.take("my-correction-taken-back")
    page.goto(f"{base}/activity?kind=looks&period=week")
    camera.take("my-activity-narrowed-down")


def test_where_it_does_not_go_on(scene: Scene, camera: Camera, open_page: OpenPage) -> None:
    page = camera.page
    enter_network(page, scene, "minh")
    press_link(page, scene)
    locked = scene.person("Đặng Thuỳ Trang")
    give_password(page, locked.number, locked.password)
    camera.take("sign-in-not-usable")
    for _ in range(7):
        give_password(page, f"00009990000{len(camera.language)}", camera.language)
    camera.take("sign-in-throttled")
    begun = page.url
    sign_in(page, scene.person("Trần Gia Hân"))
    camera.take("refused-under-age")
    page.goto(f"{scene.provider.url}/my/accounts")
    camera.take("my-accounts-empty")
    page.goto(request_address(scene, prompt="select_account"))
    camera.take("account-choice")
    page.goto(request_address(scene, prompt="create"))
    camera.take("enrolment")
    page.goto(request_address(scene, client_id="nobody"))
    camera.take("error-bad-request")
    page.goto(f"{scene.provider.url}/nowhere")
    camera.take("error-not-found")
    page.goto(f"{scene.provider.url}/acr/vn-2")
    camera.take("acr")
    page.goto(f"{scene.provider.url}/events/account-link-ended")
    camera.take("event")
    page.goto(f"{scene.provider.url}/design")
    camera.take("design")
    page.goto(f"{scene.network.url}/callback?state=unknown")
    camera.take("network-problem")
    stranger = open_page(locale="vi-VN" if camera.language == "vi" else "en-GB")
    stranger.goto(begun)
    Camera(stranger, camera.language).take("error-other-browser")


def test_refused_because_it_is_taken_or_too_many(scene: Scene, camera: Camera, open_page: OpenPage) -> None:
    page = camera.page
    link_account(page, scene, "lan", scene.person("Nguyễn Thị Lan"))
    taken_from(scene, camera, open_page)
    leave_network(page, scene)
    enter_network(page, scene, "minh")
    press_link(page, scene)
    decide(page, "allow")
    expect(page.locator("#badge-verified")).to_be_visible()
    page.goto(f"{scene.provider.url}/my/accounts")
    camera.take("my-accounts-two")
    leave_network(page, scene)
    enter_network(page, scene, "hlen")
    press_link(page, scene)
    camera.take("refused-limit")
    for _ in range(2):
        page.goto(f"{scene.provider.url}/my/accounts")
        page.locator(".card:has(.active) .actions a").last.click()
        page.locator("form#end-link button[type=submit]").click()


def taken_from(scene: Scene, camera: Camera, open_page: OpenPage) -> None:
    """Photograph what another person sees who wants the same account.

    The network offers a linked account no second link, so this is a request that it made before.
    """
    other = open_page(locale="vi-VN" if camera.language == "vi" else "en-GB")
    asked = json.dumps(
        [{"type": "account_link", "account_id": account_id(camera.page, scene), "handle": "@lan"}]
    )
    other.goto(request_address(scene, authorization_details=asked, ui_locales=camera.language))
    sign_in(other, scene.person("Lò Văn Pâng"))
    seen = Camera(other, camera.language)
    seen.take("refused-taken")
    other.locator("form#dispute button").click()
    seen.take("dispute-opened")
    other.locator("main a.button").click()
    seen.take("my-cases-claimant")
    page = camera.page
    page.goto(f"{scene.provider.url}/my/cases")
    page.locator(".card .actions a").first.click()
    camera.take("my-case-asked")
    page.locator("form#answer button[value=mine]").click()
    camera.take("my-case-answered")


def account_id(page: Page, scene: Scene) -> str:
    """Read the platform's id of the one linked account where its holder can read it."""
    page.goto(f"{scene.provider.url}/my/accounts")
    page.locator(".card:has(.active) .actions a").first.click()
    found = re.search(r"acc_[0-9a-f]+", page.locator("main .account").inner_text())
    assert found is not None
    return found[0]


def test_what_a_guardian_and_a_child_see(scene: Scene, camera: Camera, open_page: OpenPage) -> None:
    """A fifteen-year-old agrees, asks, and links once their mother agreed; she sees it, and ends it."""
    page, lan = camera.page, scene.person("Nguyễn Thị Lan")
    locale = "vi-VN" if camera.language == "vi" else "en-GB"
    enter_network(page, scene, "minh")
    press_link(page, scene)
    sign_in(page, scene.person("Trần Gia Bảo"))
    decide(page, "allow")
    camera.take("guardian-needed")
    page.locator("form#ask-guardian button").click()
    camera.take("guardian-asked")
    mother = open_page(locale=locale)
    mothers = Camera(mother, camera.language)
    mother.goto(f"{scene.provider.url}/my/children?lang={camera.language}")
    sign_in(mother, lan)
    mothers.take("children")
    mother.locator(".card a.button").click()
    mothers.take("child-question")
    mother.locator("form#child-question button[value=approve]").click()
    mothers.take("child-answered")
    page.locator("main a.button").click()
    expect(page.locator("#badge-verified")).to_be_visible()
    mother.goto(f"{scene.provider.url}/my/children")
    mother.locator(".card", has_text="Trần Gia Bảo").locator(".actions a").click()
    mothers.take("child-links")
    mother.locator(".card:has(.active) .actions a").click()
    mothers.take("end-child-link")
    mother.locator("form#end-link button[type=submit]").click()
    mothers.take("child-link-ended")
    page.goto(f"{scene.provider.url}/my/accounts")
    camera.take("my-accounts-ended-by-guardian")


def test_what_a_young_person_sees_at_16(scene: Scene, camera: Camera) -> None:
    page = camera.page
    link_account(page, scene, "hlen", scene.person("Claire Dubois"))
    # Nobody turns 16 during a test: what housekeeping asks then is written by hand.
    with sqlite3.connect(scene.provider.database_url.removeprefix("sqlite:///")) as database:
        due = int((datetime.now(UTC) + timedelta(days=60)).timestamp()) * 1_000_000
        database.execute("UPDATE account_links SET own_consent_due_at = ? WHERE status = 'active'", (due,))
    page.goto(f"{scene.provider.url}/my/accounts")
    camera.take("my-accounts-own-consent")
    page.locator(".notice a").first.click()
    camera.take("own-consent")
    page.locator("form#own-consent button").click()
    expect(page.locator(".status.active")).to_be_visible()
    page.goto(f"{scene.provider.url}/my/accounts")
    page.locator(".card:has(.active) .actions a").last.click()
    page.locator("form#end-link button[type=submit]").click()


def sandbox_token(scene: Scene) -> str:
    """Register a client as a developer does, and open its sandbox."""
    licence = scene.provider.run("clients", "tokens", "create", "sandbox", "--uses", "1")
    url = scene.provider.url
    with httpx.Client(base_url=url, trust_env=False) as http:
        metadata = {"client_name": "Chợ Thử", "redirect_uris": ["https://thu.example/callback"]}
        authorization = {"Authorization": f"Bearer {licence['initial_access_token']}"}
        client = http.post("/register", json=metadata, headers=authorization).json()
        opened = http.post("/sandbox/token", auth=(client["client_id"], client["client_secret"]))
        token: str = opened.json()["sandbox_token"]
        return token


def test_what_a_developer_sees(scene: Scene, camera: Camera) -> None:
    page = camera.page
    page.goto(f"{scene.provider.url}/sandbox")
    camera.take("sandbox-sign-in")
    page.fill("#sandbox_token", sandbox_token(scene))
    page.locator("#sandbox-sign-in button").click()
    page.select_option("#answer", "token temporarily_unavailable")
    page.fill("#times", "3")
    page.locator("#simulate button").click()
    expect(page.locator("#simulation")).to_be_visible()
    page.locator("#invent button").click()
    expect(page.locator("#invented")).to_be_visible()
    camera.take("sandbox")
