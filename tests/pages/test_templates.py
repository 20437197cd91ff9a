import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from idp.pages.network_views import EndNetworkPage, NetworkEndedPage
from idp.pages.rendering import LOCALES, STATIC, Locale, Pages
from idp.pages.sign_in_views import SignInNotice
from idp.pages.views import (
    AccountChoicePage,
    ConsentItem,
    EndedPage,
    ErrorPage,
    FormPostPage,
    LinkDetailPage,
    Page,
    RefusedPage,
    Trouble,
)
from idp.web.stylesheet import STYLESHEET, packed
from tests.support.sample_activity_views import CLOCK
from tests.support.sample_marks import hostile_marks
from tests.support.sample_sandbox import hostile_sandboxes
from tests.support.sample_views import (
    ACCOUNT,
    CONSENT,
    LINK,
    NETWORK,
    SIGN_IN,
    SIGNED_IN_TO,
    VIEWS,
)

VOID = {"meta", "link", "input", "br", "path", "rect"}
HEAVIEST = 30_000
HOSTILE = "</title><script>alert(1)</script>\"' onload=x {{7*7}}\u202e%(network)s%s"


class Document(HTMLParser):
    """A page as a browser would see it: elements with their attributes, and whether tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of <{tag}> is given twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def one(self, **wanted: str) -> dict[str, str | None]:
        found = [a for _, a in self.elements if wanted.items() <= a.items()]
        assert len(found) == 1, f"{len(found)} elements have {wanted}"
        return found[0]


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages("https://id.lienket.example")


@pytest.fixture(params=LOCALES)
def locale(request: pytest.FixtureRequest) -> Locale:
    return request.param


def read(pages: Pages, view: Page, locale: Locale = "vi") -> Document:
    return Document(pages.render(view, locale).decode())


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_page_is_sound_accessible_and_small(pages: Pages, view: Page, locale: Locale) -> None:
    html = pages.render(view, locale)
    page = Document(html.decode())
    assert page.open == []
    assert page.all("html") == [{"lang": locale}]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in page.elements if tag in ("main", "h1", "footer", "header")] == [
        "header",
        "main",
        "h1",
        "footer",
    ]
    labelled = {a.get("for") for a in page.all("label")}
    for field in page.all("input"):
        if field["type"] not in ("hidden", "checkbox"):
            assert field["id"] in labelled
            assert field["autocomplete"]
        for target in (field.get("aria-describedby") or "").split():
            assert target in ids
    assert all(button["type"] == "submit" for button in page.all("button"))
    assert all(
        form["method"] == ("get" if form.get("class") == "narrow" else "post") for form in page.all("form")
    )
    assert not re.search(r"None|True|False|Undefined|&lt;bdi|%\(", html.decode())
    assert len(packed(html)) + sum(map(size, loaded_by(page))) < HEAVIEST


def loaded_by(page: Document) -> list[str]:
    """Return the addresses of everything that a page loads by itself."""
    return [a["src"] or "" for _, a in page.elements if "src" in a] + [
        a["href"] or "" for a in page.all("link")
    ]


def size(address: str) -> int:
    """Return what a file of ours weighs on its way, as every browser takes it."""
    return len(gzip.compress((STATIC / address.partition("?")[0].removeprefix("/static/")).read_bytes()))


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_no_page_needs_anything_inline_but_its_style_or_from_a_third_party(
    pages: Pages, view: Page, locale: Locale
) -> None:
    html = pages.render(view, locale).decode()
    page = Document(html)
    assert page.all("style") == [{}]
    assert html.count(f"<style>{STYLESHEET}</style>") == 1
    assert not any(name == "style" or name.startswith("on") for _, a in page.elements for name in a)
    assert all(address.startswith("/static/") for address in loaded_by(page))
    assert all("src" in script and "defer" in script for script in page.all("script"))
    assert ("form_post.js" in html) is isinstance(view, FormPostPage)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_page_names_the_host_and_offers_the_other_language(
    pages: Pages, view: Page, locale: Locale
) -> None:
    page = read(pages, view, locale)
    assert "id.lienket.example" in page.texts
    other = "en" if locale == "vi" else "vi"
    switch = [a for a in page.all("a") if a.get("hreflang")]
    expected = [{"href": f"?lang={other}", "lang": other, "hreflang": other}]
    assert switch == (expected if view.can_switch_language else [])


def test_the_stable_forms_are_there(pages: Pages, locale: Locale) -> None:
    for name, form, fields in [
        ("my_sign_in", "sign-in", {"csrf", "identifier", "password"}),
        ("second_factor", "second-factor", {"code"}),
        ("account_choice", "account-choice", {"choice"}),
        ("consent_new_account", "consent", {"decision", "claim"}),
        ("linked_accounts_only_networks", "sign-out", {"csrf"}),
        ("end_link", "end-link", {"csrf"}),
        ("end_network", "end-network", {"csrf"}),
        ("sign_in", "back-to-network", {"identifier", "password"}),
        ("approval", "approval", {"csrf", "decision", "claim"}),
        ("device", "device", {"csrf", "user_code"}),
    ]:
        page = read(pages, VIEWS[name], locale)
        assert page.one(id=form)["method"] == "post"
        assert {a["name"] for _, a in page.elements if "name" in a and "content" not in a} == fields


def test_password_managers_and_keypads_find_their_fields(pages: Pages) -> None:
    page = read(pages, SIGN_IN)
    assert page.one(name="identifier")["autocomplete"] == "username webauthn"
    assert page.one(name="password")["autocomplete"] == "current-password"
    assert "pattern" not in page.one(name="identifier")
    code = read(pages, VIEWS["second_factor"]).one(name="code")
    assert (code["inputmode"], code["autocomplete"]) == ("numeric", "one-time-code")


def test_a_wrong_sign_in_is_told_beside_its_fields_and_the_password_is_not_repeated(
    pages: Pages, locale: Locale
) -> None:
    page = read(pages, replace(SIGN_IN, notice=SignInNotice.WRONG), locale)
    assert page.one(id="sign-in-problem")["role"] == "alert"
    for field in (page.one(name="identifier"), page.one(name="password")):
        assert field["aria-invalid"] == "true"
        assert field["aria-describedby"] == "sign-in-problem"
    assert "value" not in page.one(name="password")


def test_agreeing_is_no_louder_than_refusing_and_nothing_is_ticked(pages: Pages, locale: Locale) -> None:
    page = read(pages, CONSENT, locale)
    allow, deny = page.one(name="decision", value="allow"), page.one(name="decision", value="deny")
    assert {**allow, "value": ""} == {**deny, "value": ""}
    boxes = [a for a in page.all("input") if a["type"] == "checkbox"]
    assert [(box["name"], box["value"]) for box in boxes] == [("claim", "name"), ("claim", "birthdate")]
    assert not any("checked" in box for box in boxes)


def test_the_consent_page_says_who_asks_what_for_what_is_kept_and_how_to_undo_it(pages: Pages) -> None:
    text = " ".join(read(pages, CONSENT).texts)
    for said in [
        "Quán Gió",
        "quangio.example",
        "@lan.tran",
        "quangio.example/lan.tran",
        "81a7-55",
        "để tài khoản này được đăng bài",
        "Mức 2: đã xác minh trực tiếp",
        "Trần Thị Lan (giả lập)",
        "hiện cạnh bài viết",
        "03/02/1990",
        "sẽ không biết",
        "Số định danh cá nhân",
        "đến ngày 20/11/2028",
        "Tài khoản đã liên kết của tôi",
        "Tài khoản này chưa từng được liên kết.",
        "2026-11",
    ]:
        assert said in text


def test_a_refusal_says_nothing_about_anybody_else(pages: Pages, locale: Locale) -> None:
    plain = pages.render(VIEWS["refused_account_taken_plainly"], locale).decode()
    assert "7F3K-91QD" in plain
    assert not re.search(r"\d{2}/\d{2}/\d{4}", plain)


def test_a_refusal_speaks_of_an_account_only_where_one_was_to_be_linked(pages: Pages) -> None:
    refused = replace(VIEWS["refused_under_age"], account=None)
    text = " ".join(read(pages, refused).texts)
    assert "Bạn chưa đăng nhập được vào" in text
    assert "bạn tự đăng nhập được khi đủ" in text
    assert "Tài khoản này" not in text


def test_what_both_screens_show_is_spoken_of_only_where_they_show_it(pages: Pages) -> None:
    for name, is_shown in [("approval", True), ("approval_without_words", False)]:
        assert ("hai dòng chữ" in " ".join(read(pages, VIEWS[name]).texts)) is is_shown


def test_the_engineers_detail_is_folded_away(pages: Pages, locale: Locale) -> None:
    html = pages.render(VIEWS["error_bad_request"], locale).decode()
    assert '<code id="error-reference">7F3K-91QD</code>' in html
    assert html.index("<details>") < html.index("redirect_uri is not registered")
    assert "<details open" not in html


def test_an_expired_request_leads_back_to_the_network(pages: Pages, locale: Locale) -> None:
    page = read(pages, VIEWS["error_expired_with_client"], locale)
    assert page.one(href="https://quangio.example/")["rel"] == "noreferrer"


def hostile_views() -> Iterator[Page]:
    network = replace(NETWORK, name=HOSTILE, domain=HOSTILE, client_uri="javascript:alert(1)")
    account = replace(ACCOUNT, account_id=HOSTILE, handle=HOSTILE, profile_uri=HOSTILE)
    link = replace(LINK, network=HOSTILE, domain=HOSTILE, account=account, claims=(HOSTILE,))
    item = ConsentItem(claim=HOSTILE, value=HOSTILE, purpose=HOSTILE)
    for needed in (True, False):
        items = (replace(item, is_essential=needed),)
        yield replace(CONSENT, client=network, account=account, purpose=HOSTILE, items=items)
    yield replace(SIGN_IN, client=network, identifier=HOSTILE)
    yield AccountChoicePage(client=network, action="/a", person=HOSTILE)
    yield from (
        replace(view, client=network, account=account)
        for view in VIEWS.values()
        if isinstance(view, RefusedPage)
    )
    card = replace(SIGNED_IN_TO, network=HOSTILE, domain=HOSTILE, claims=(HOSTILE,))
    yield replace(VIEWS["linked_accounts"], links=(link,), networks=(card,))
    yield EndNetworkPage(card=card, action="/a")
    notices = VIEWS["notices"].notices
    entries = tuple(
        replace(each, facts=replace(each.facts, network=HOSTILE, account=HOSTILE)) for each in notices
    )
    yield replace(VIEWS["notices"], notices=entries)
    for name in ("not_me", "not_me_pressed"):
        yield replace(VIEWS[name], network=HOSTILE, domain=HOSTILE, account=account)
    yield NetworkEndedPage(network=HOSTILE, ended_at=CONSENT.link_valid_until, clock=CLOCK)
    yield LinkDetailPage(link=link, timeline=())
    yield EndedPage(link=link, ended_at=CONSENT.link_valid_until)
    yield from hostile_marks(HOSTILE)
    yield from hostile_sandboxes(HOSTILE)
    yield ErrorPage(client=network, trouble=Trouble.FAULT, reference="r", error=HOSTILE, detail=HOSTILE)
    yield FormPostPage(client=network, action="https://x.example/", parameters=((HOSTILE, HOSTILE),))


@pytest.mark.parametrize("view", [*hostile_views()], ids=lambda view: view.template)
def test_cve_2026_29191_cve_2026_42849_p11_client_text_stays_text(
    pages: Pages, view: Page, locale: Locale
) -> None:
    html = pages.render(view, locale).decode()
    page = Document(html)
    assert "<script>" not in html
    assert "javascript:" not in html
    assert "49" not in html.replace(pages.static_version, "")
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    # Wherever the override character reaches the text, it stands inside an isolate.
    body = re.sub(r"<bdi>.*?</bdi>|\u2068.*?\u2069|<[^>]*>", "", html, flags=re.DOTALL)
    assert "\u202e" not in body


def test_the_stylesheet_is_small_and_its_colours_can_be_read() -> None:
    css = STYLESHEET
    assert len(css.encode()) < 18_000
    assert "url(" not in css
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in css.split("@media")[:2]
    )
    for tokens in (light, {**light, **dark}):
        for ink, ground, least in [
            *(
                (ink, ground, 4.5)
                for ink in ("ink", "soft", "accent")
                for ground in ("page", "sheet", "wash")
            ),
            ("ink", "warm", 4.5),
            ("problem", "problem-wash", 4.5),
            ("on-accent", "accent", 4.5),
            ("accent-deep", "wash", 4.5),
            ("edge", "sheet", 3),
            ("accent", "sheet", 3),
        ]:
            assert contrast(tokens[ink], tokens[ground]) >= least, (ink, ground)
    for fill in re.findall(r"(?:monogram|tone-\d) \{[^}]*?fill: (#[0-9a-f]{6})", css):
        assert contrast("#ffffff", fill) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
