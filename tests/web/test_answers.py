"""Answers and the headers of each kind. RFC 9700 §4.2.4, §4.12, §4.16; abuse classes 20 and 26."""

from starlette.requests import Request
from starlette.responses import Response

from idp.web.answers import json_answer, page_answer, see_other
from idp.web.stylesheet import STYLE_SOURCE, STYLESHEET

PLAIN = Request({"type": "http", "headers": []})
FROM_A_BROWSER = Request({"type": "http", "headers": [(b"accept-encoding", b"gzip, deflate, br")]})


def directives(page: Response) -> dict[str, list[str]]:
    policy = page.headers["content-security-policy"]
    return {name: sources for name, *sources in (directive.split() for directive in policy.split(";"))}


def test_a_page_is_framed_by_nobody_and_fetches_nothing_from_elsewhere() -> None:
    page = page_answer(FROM_A_BROWSER, b"<!doctype html>" + STYLESHEET.encode())
    allowed = directives(page)
    assert (
        allowed.pop("default-src") == allowed.pop("base-uri") == allowed.pop("frame-ancestors") == ["'none'"]
    )
    assert allowed.pop("style-src") == [STYLE_SOURCE]
    assert set().union(*allowed.values()) == {"'self'"}
    assert page.headers["x-frame-options"] == "DENY"


def test_a_form_leads_to_us_and_to_the_platform_of_its_journey_alone() -> None:
    page = page_answer(PLAIN, b"", form_targets=("https://network.example",))
    assert directives(page)["form-action"] == ["'self'", "https://network.example"]


def test_no_address_leaks_to_another_site() -> None:
    assert page_answer(PLAIN, b"").headers["referrer-policy"] == "same-origin"
    assert see_other("https://network.example/callback?code=a").headers["referrer-policy"] == "no-referrer"


def test_a_redirect_never_sends_a_form_on() -> None:
    assert see_other("https://network.example/callback").status_code == 303


def test_no_answer_is_kept_by_a_cache() -> None:
    for answer in (page_answer(PLAIN, b""), json_answer({}), see_other("https://network.example/")):
        assert answer.headers["cache-control"] == "no-store"
