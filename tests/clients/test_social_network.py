"""The sample network through its pages: who reads, who posts, and what no page may do."""

import re
from datetime import timedelta

import httpx
import pytest

from clients.social_network.words import ENGLISH, VIETNAMESE
from tests.clients.fake_party import ADDRESS, ISSUER, FakeRelyingParty, csrf, link, send, sign_in

pytestmark = pytest.mark.anyio

PAGES = ("/", "/settings", "/@lan", "/@nobody", "/callback?state=x")


async def test_a_stranger_chooses_a_member(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    assert '<form id="sign-in-as"' in page
    for handle in ("lan", "minh", "hlen"):
        assert f'name="account" value="{handle}"' in page
    assert 'id="composer' not in page
    await sign_in(browser)
    assert "Lan Chè Sen" in (await browser.get("/")).text


@pytest.mark.parametrize("handle", ["cotu", "nobody", ""])
async def test_only_demo_members_may_be_chosen(browser: httpx.AsyncClient, handle: str) -> None:
    assert (await send(browser, "/sign-in", account=handle)).status_code == 400
    assert '<form id="sign-in-as"' in (await browser.get("/")).text


async def test_an_unlinked_member_reads_and_is_told_kindly(
    browser: httpx.AsyncClient,
) -> None:
    await sign_in(browser)
    page = (await browser.get("/")).text
    assert 'id="composer-locked"' in page
    assert '<form id="link-account"' in page
    assert 'id="badge-verified"' not in page
    assert page.count("<article") == 3
    refused = await send(browser, "/posts", text="Cho tôi nói với")
    assert refused.status_code == 403
    assert 'id="composer-locked"' in refused.text
    assert "Cho tôi nói với" not in (await browser.get("/")).text


async def test_a_linked_member_wears_the_badge_and_posts(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    await sign_in(browser)
    sent = await send(browser, "/link")
    assert sent.headers["location"] == f"{ISSUER}/authorize?request_uri=r"
    [asked] = party.asked
    assert re.fullmatch(r"acc_[0-9a-f]{20}", asked["account_id"])
    assert asked["handle"] == "@lan"
    assert asked["profile_uri"] == f"{ADDRESS}/@lan"
    assert (asked["purpose"], asked["acr_values"], asked["ui_locales"]) == ("post", ["vn-2"], ["vi"])
    back = await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-1")
    assert (back.status_code, back.headers["location"]) == (303, "/")

    page = (await browser.get("/")).text
    assert VIETNAMESE["notice_linked"] in page
    assert 'id="badge-verified"' in page
    assert '<form id="composer"' in page
    assert (await send(browser, "/posts", text="Chào <b>cả</b> quán\r\nhôm nay")).status_code == 303
    page = (await browser.get("/")).text
    assert "Chào &lt;b&gt;cả&lt;/b&gt; quán\nhôm nay" in page
    assert VIETNAMESE["notice_linked"] not in page, "a notice is shown once"
    assert 'id="badge-verified"' in (await browser.get("/@lan")).text
    shown = (await browser.get("/settings")).text
    for words in ("Mức 2: đã xác minh trực tiếp", "20/11/2026", "19/11/2028", f"{ISSUER}/my/accounts"):
        assert words in shown
    assert "pairwise-lan" not in shown


async def test_a_level_that_was_not_shared_is_not_claimed(
    browser: httpx.AsyncClient, party: FakeRelyingParty
) -> None:
    party.level = None
    await sign_in(browser)
    await link(browser, party)
    assert VIETNAMESE["level_none"] in (await browser.get("/settings")).text


@pytest.mark.parametrize("text", ["", "   \n ", "x" * 281, "ẩn\u202etiền", "null\x00"], ids=repr)
async def test_an_unfit_post_is_explained_and_not_kept(
    browser: httpx.AsyncClient, party: FakeRelyingParty, text: str
) -> None:
    await sign_in(browser)
    await link(browser, party)
    refused = await send(browser, "/posts", text=text)
    assert refused.status_code == 400
    assert 'class="wrong"' in refused.text
    assert (await browser.get("/")).text.count("<article") == 3


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/link", "/check-link", "/posts"])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({}, "account=lan&text=x", id="no token"),
        pytest.param({}, "csrf=" + "0" * 64, id="other token"),
        pytest.param({"origin": "https://evil.example"}, "csrf=CSRF&account=lan&text=x", id="other origin"),
        pytest.param({"origin": "null"}, "csrf=CSRF&account=lan&text=x", id="no origin"),
        pytest.param({}, "csrf=CSRF&csrf=CSRF", id="repeated field"),
        pytest.param({}, "csrf=CSRF&text=" + "x" * 9000, id="too large"),
        pytest.param({}, "csrf=CSRF&text=%FF", id="not UTF-8"),
    ],
)
async def test_a_form_from_elsewhere_does_nothing(
    browser: httpx.AsyncClient, party: FakeRelyingParty, path: str, headers: dict[str, str], body: str
) -> None:
    await sign_in(browser)
    sent = body.replace("CSRF", await csrf(browser)).encode()
    refused = await browser.post(path, content=sent, headers=headers)
    assert refused.status_code == 400
    assert VIETNAMESE["problem_title"] in refused.text
    assert party.calls == []


@pytest.mark.parametrize("path", ["/link", "/check-link", "/posts"])
async def test_a_stranger_who_sends_a_form_is_shown_the_door(browser: httpx.AsyncClient, path: str) -> None:
    sent = await send(browser, path, text="x")
    assert (sent.status_code, sent.headers["location"]) == (303, "/")


async def test_the_session_cookie_is_strict_and_new_at_sign_in(browser: httpx.AsyncClient) -> None:
    first = (await browser.get("/")).headers["set-cookie"]
    assert "HttpOnly" in first
    assert "SameSite=lax" in first
    before = browser.cookies["quan_coc_session"]
    await sign_in(browser)
    after = browser.cookies["quan_coc_session"]
    assert after != before
    await send(browser, "/sign-out")
    browser.cookies.set("quan_coc_session", after, domain="localhost.local")
    assert '<form id="sign-in-as"' in (await browser.get("/")).text


@pytest.mark.parametrize("path", [*PAGES, "/static/style.css"])
async def test_no_page_runs_a_script_or_fetches_from_elsewhere(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert f"form-action 'self' {ISSUER}" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in answer.text
    assert " style=" not in answer.text


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_each_page_is_under_30_kb_in_all(
    browser: httpx.AsyncClient, party: FakeRelyingParty, language: str
) -> None:
    await sign_in(browser)
    await link(browser, party)
    for number in range(12):
        await send(browser, "/posts", text=f"{number} " + "ướ" * 130)
    await browser.get(f"/language/{language}")
    for path in PAGES:
        page = await browser.get(path)
        parts = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
        sizes = [len((await browser.get(part)).content) for part in parts]
        assert len(page.content) + sum(sizes) < 30_000, path


async def test_the_language_is_switched_on_the_same_page(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    switched = await browser.get("/language/en?to=/settings")
    assert switched.headers["location"] == "/settings"
    page = (await browser.get("/settings")).text
    assert '<html lang="en">' in page
    assert ENGLISH["link"] in page
    assert (await browser.get("/language/xx")).status_code == 404


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/@lan/../x", "/callback?code=x", "@lan"]
)
async def test_the_language_switch_leads_nowhere_else(browser: httpx.AsyncClient, to: str) -> None:
    assert (await browser.get("/language/en", params={"to": to})).headers["location"] == "/"


def test_both_languages_have_the_same_words_and_the_same_gaps() -> None:
    assert VIETNAMESE.keys() == ENGLISH.keys()
    for key, words in VIETNAMESE.items():
        assert words.count("{}") == ENGLISH[key].count("{}"), key


async def test_times_are_told_in_words(browser: httpx.AsyncClient, party: FakeRelyingParty) -> None:
    await sign_in(browser)
    page = (await browser.get("/")).text
    assert "35 phút trước" in page
    assert "3 giờ trước" in page
    party.now += timedelta(days=3)
    assert "20/11/2026" in (await browser.get("/")).text
