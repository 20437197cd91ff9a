import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from idp.pages.rendering import STATIC, Pages, choose_locale, read_catalogue
from idp.pages.views import ClaimValue, ConsentItem
from idp.pages.words import Words, date, date_and_time, isolate, monogram, tone, web_address
from tests.support.sample_views import CONSENT, NETWORK, SIGN_IN


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages("https://id.lienket.example")


@pytest.mark.parametrize(
    ("ui_locales", "accept_language", "cookie", "expected"),
    [
        pytest.param((), None, None, "vi", id="R23 Vietnamese is the default"),
        pytest.param(("fr", "de"), "ja", "zz", "vi", id="languages we lack fall back to Vietnamese"),
        pytest.param(("en-GB",), "vi", None, "en", id="OIDC Core §3.1.2.1 ui_locales before the browser"),
        pytest.param(("fr-CA", "en", "vi"), None, None, "en", id="ui_locales in order of preference"),
        pytest.param(("en",), "en", "vi", "vi", id="the person's own choice before all"),
        pytest.param((), "en-US,en;q=0.9,vi;q=0.8", None, "en", id="RFC 9110 §12.5.4 first range"),
        pytest.param((), "en;q=0.3, vi;q=0.9", None, "vi", id="RFC 9110 §12.4.2 weights decide"),
        pytest.param((), "en;q=0", None, "vi", id="RFC 9110 §12.4.2 q=0 refuses"),
        pytest.param((), "en;q=nonsense", None, "vi", id="a weight that cannot be read refuses"),
        pytest.param((), "*", None, "vi", id="any language means Vietnamese"),
        pytest.param((), "EN_us", None, "en", id="RFC 5646 §2.1.1 case does not matter"),
        pytest.param(("english",), None, None, "vi", id="a prefix of letters is no subtag"),
        pytest.param(("",), ",,;q=1", "", "vi", id="empty values are nothing"),
    ],
)
def test_the_language_is_chosen_by_person_then_network_then_browser(
    ui_locales: tuple[str, ...], accept_language: str | None, cookie: str | None, expected: str
) -> None:
    assert choose_locale(ui_locales, accept_language, cookie) == expected


def test_moments_are_shown_in_viet_nam_time() -> None:
    evening_before = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    assert date(evening_before) == "21/11/2026"
    assert date_and_time(evening_before) == "01:30, 21/11/2026"


@pytest.mark.parametrize(
    ("claim", "value", "shown"),
    [
        pytest.param("birthdate", "1990-02-03", "03/02/1990", id="a birth date as people write it"),
        pytest.param("birthdate", "1990", "1990", id="R11 a birth date that is only a year"),
        pytest.param("age_over_16", True, "Có", id="yes"),
        pytest.param("age_over_18", False, "Không", id="no"),
        pytest.param("gender", "female", "Nữ", id="gender in words"),
        pytest.param("gender", "x", "<bdi>x</bdi>", id="a gender without a word stays as it is"),
        pytest.param("nationalities", "VNM", "<bdi>Việt Nam</bdi>", id="a country in words"),
        pytest.param("nationality", "FR, QQQ", "<bdi>Pháp, QQQ</bdi>", id="a code without a word stays"),
        pytest.param("name", "H'Len Niê", "<bdi>H&#39;Len Niê</bdi>", id="names are isolated"),
    ],
)
def test_a_value_is_shown_as_it_will_be_sent(claim: str, value: ClaimValue, shown: str) -> None:
    words = Words(read_catalogue("vi"), "vi", "https://id.lienket.example")
    assert words.claim_value(value, claim) == shown


def test_an_unknown_purpose_is_quoted_as_the_platforms_own_word(pages: Pages) -> None:
    text = pages.render(replace(CONSENT, purpose="growth <b>hacking</b>"), "en").decode()
    assert "“<bdi>growth &lt;b&gt;hacking&lt;/b&gt;</bdi>”" in text


def test_an_unknown_claim_is_named_as_it_is(pages: Pages) -> None:
    item = ConsentItem(claim="shoe<size>", value=41)
    text = pages.render(replace(CONSENT, items=(item,)), "vi").decode()
    assert "<bdi>shoe&lt;size&gt;</bdi>" in text
    assert 'value="shoe&lt;size&gt;"' in text


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ((), "name personal_number birthdate address phone_number email gender nationality"),
        (("family_name",), "personal_number birthdate address phone_number email gender nationality"),
        (("name", "phone_number"), "personal_number birthdate address email gender nationality"),
    ],
)
def test_the_page_never_promises_to_keep_what_it_offers(offered: tuple[str, ...], kept: str) -> None:
    view = replace(CONSENT, items=tuple(ConsentItem(claim=name, value="x") for name in offered))
    assert view.withheld == tuple(kept.split())


@pytest.mark.parametrize(
    ("uri", "linked"),
    [
        ("https://quangio.example/", "https://quangio.example/"),
        ("http://localhost:8100/", "http://localhost:8100/"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        (None, None),
    ],
)
def test_only_web_addresses_of_a_network_are_linked(uri: str | None, linked: str | None) -> None:
    assert replace(NETWORK, client_uri=uri).home_uri == linked


def test_a_network_without_letters_still_has_a_monogram() -> None:
    assert monogram("  «đồng quê»") == "Đ"
    assert monogram("★★★") == "?"
    assert tone("Quán Gió") in range(6)


def test_foreign_text_is_escaped_before_it_is_isolated() -> None:
    assert isolate("<i>\u202ex") == "<bdi>&lt;i&gt;\u202ex</bdi>"


def test_only_the_usual_scheme_is_left_unsaid() -> None:
    assert web_address("https://quangio.example/lan") == "quangio.example/lan"
    assert web_address("http://quangio.example/lan") == "http://quangio.example/lan"


def test_static_files_are_addressed_by_their_content(pages: Pages) -> None:
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    assert digest.hexdigest().startswith(pages.static_version)
    assert f'/static/connection.js?v={pages.static_version}"' in pages.render(SIGN_IN, "vi").decode()


def test_an_issuer_below_a_path_keeps_its_static_files_there() -> None:
    text = Pages("https://lienket.example/id/").render(SIGN_IN, "en").decode()
    assert 'src="/id/static/connection.js' in text
    assert "<strong>lienket.example</strong>" in text
