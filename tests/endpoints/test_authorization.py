import re
from typing import Any

import pytest

from idp.identity.assurance import Acr
from tests.support.html_forms import Html
from tests.support.platform import go_on, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform, suspend_client

pytestmark = pytest.mark.anyio

UNTRUSTED: list[tuple[str, dict[str, Any]]] = [
    ("no client", {"client_id": None}),
    ("an unknown client", {"client_id": "nobody"}),
    ("no redirect URI", {"redirect_uri": None}),
    ("an unregistered redirect URI", {"redirect_uri": "https://attacker.example/callback"}),
    ("an extra query", {"redirect_uri": "{}?x=1"}),
    ("an extra path", {"redirect_uri": "{}/..;/x"}),
    ("another case", {"redirect_uri": "HTTPS://NET.example/callback"}),
    ("a fragment", {"redirect_uri": "{}#x"}),
    ("a request_uri nobody pushed", {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"}),
    ("a bad client with a bad response type", {"client_id": "nobody", "response_type": "token"}),
]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no response type", {"response_type": None}, "invalid_request"),
    ("tokens in the address", {"response_type": "token"}, "unsupported_response_type"),
    ("a hybrid", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("an unsigned request object", {"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ("no request object", {"request": "e30.e30."}, "invalid_request_object"),
    ("an address to fetch", {"request_uri": "https://attacker.example/r"}, "request_uri_not_supported"),
    ("a registration", {"registration": "{}"}, "registration_not_supported"),
    ("no openid", {"scope": "email"}, "invalid_scope"),
    ("no scope", {"scope": None}, "invalid_scope"),
    ("no PKCE", {"code_challenge": None}, "invalid_request"),
    ("plain PKCE", {"code_challenge_method": "plain"}, "invalid_request"),
    ("an unknown prompt", {"prompt": "dance"}, "invalid_request"),
    ("an age that is no number", {"max_age": "soon"}, "invalid_request"),
    ("a fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("claims that are a list", {"claims": "[]"}, "invalid_request"),
    ("two accounts", {"authorization_details": "[{},{}]"}, "invalid_authorization_details"),
    ("nobody signed in", {"prompt": "none"}, "login_required"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("changes", [row[1] for row in UNTRUSTED], ids=[row[0] for row in UNTRUSTED])
async def test_nothing_redirects_before_client_and_address_are_proven(
    provider: Provider, changes: dict[str, Any], method: str
) -> None:
    """AUTHZ-08 … AUTHZ-10; abuse class 2 (CVE-2026-41479, CVE-2026-44681)."""
    platform = await new_platform(provider)
    uri = platform.client.redirect_uris[0]
    request = platform.request(**{name: value and value.format(uri) for name, value in changes.items()})
    async with provider.http() as http:
        sent = {"params": request} if method == "GET" else {"data": request}
        answer = await http.request(method, "/authorize", **sent)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    reference = Html(answer.text).ids["error-reference"]
    assert re.fullmatch("[A-Z][0-9]{2}-[2-9A-HJ-NP-Z]{8}", reference)
    provider.context.log.flush()
    log = provider.settings.log_file
    assert log is not None
    assert reference in log.read_text(), "the log knows the reference that the person reads out"


async def test_a_suspended_client_gets_a_page_and_no_redirect(provider: Provider) -> None:
    platform = await new_platform(provider)
    await suspend_client(provider, platform.client.client_id)
    async with provider.http() as http:
        answer = await http.get("/authorize", params=platform.request())
    assert (answer.status_code, answer.headers.get("location")) == (403, None)


@pytest.mark.parametrize(("changes", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_each_error_goes_back_with_state_and_issuer(
    provider: Provider, changes: dict[str, Any], error: str
) -> None:
    """AUTHZ-04, AUTHZ-06, AUTHZ-07: RFC 6749 §4.1.2.1, RFC 9207 §2."""
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await http.get("/authorize", params=platform.request(**changes))
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].startswith(platform.client.redirect_uris[0] + "?")
    told = query_of(answer.headers["location"])
    assert set(told) == {"error", "error_description", "state", "iss"}
    assert (told["error"], told["state"], told["iss"]) == (error, "state-1", ISSUER)
    assert re.fullmatch(r"[ !#-\[\]-~]+", told["error_description"])


async def test_a_scope_that_is_not_registered_goes_back_as_invalid_scope(provider: Provider) -> None:
    platform = await new_platform(provider, {"scope": "openid"})
    async with provider.http() as http:
        answer = await http.get("/authorize", params=platform.request(scope="openid email"))
    assert query_of(answer.headers["location"])["error"] == "invalid_scope"


async def test_a_repeated_parameter_goes_back_but_a_repeated_address_does_not(provider: Provider) -> None:
    platform = await new_platform(provider)
    request = list(platform.request().items())
    async with provider.http() as http:
        nonce = await http.get("/authorize", params=[*request, ("nonce", "again")])
        state = await http.get("/authorize", params=[*request, ("state", "again")])
        address = await http.get(
            "/authorize", params=[*request, ("redirect_uri", "https://attacker.example/")]
        )
    assert query_of(nonce.headers["location"])["error"] == "invalid_request"
    assert "state" not in query_of(state.headers["location"]), "which of two states was meant is not guessed"
    assert address.status_code == 400


@pytest.mark.parametrize(
    "state", ["s" * 128, "x~ !#&=+%/?;<>\"'" * 62, "0" * 1000], ids=["128", "all printable", "1000"]
)
async def test_state_returns_byte_for_byte_in_success_and_error(provider: Provider, state: str) -> None:
    """AUTHZ-02, AUTHZ-03."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        error = await browser.get("/authorize", params=platform.request(state=state, prompt="none"))
        success = await platform.answer_for(browser, person, state=state)
    assert query_of(error.headers["location"])["state"] == state
    assert query_of(success) | {"code": ""} == {"code": "", "state": state, "iss": ISSUER}


async def test_post_takes_the_same_way_as_get(provider: Provider) -> None:
    """AUTHZ-01: a form from another site has no cookies of ours, so the browser goes on by GET."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        headers = {"Origin": "https://quan-coc.example", "Sec-Fetch-Site": "cross-site"}
        first = await browser.post("/authorize", data=platform.request(), headers=headers)
        assert first.headers["location"].startswith(f"{ISSUER}/authorize/")
        answer = query_of(await go_on(provider, browser, person, first))
        assert set(answer) == {"code", "state", "iss"}
        assert (await platform.redeem(browser, answer["code"])).status_code == 200
        silent = await browser.post("/authorize", data=platform.request(prompt="none"), headers=headers)
        assert set(query_of(await go_on(provider, browser, person, silent))) == {"code", "state", "iss"}


async def test_unknown_and_empty_parameters_are_ignored(provider: Provider) -> None:
    """AUTHZ-12, AUTHZ-13, AUTHZ-15, AUTHZ-23; RFC 6749 §3.1."""
    platform, person = await new_platform(provider), await provider.add_person()
    odd = {
        "display": "popup",
        "claims_locales": "se",
        "foo": "bar",
        "acr": "",
    }
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person, nonce="n" * 64, **odd, prompt="")
    assert tokens["scope"] == "openid"


async def test_form_post_puts_nothing_into_the_address(provider: Provider) -> None:
    """AUTHZ-28: success and error come as a form that posts itself, without a script in the page."""
    platform, person = await new_platform(provider), await provider.add_person()
    request = platform.request(response_mode="form_post", state='"><script>')
    async with provider.http() as browser:
        error = await browser.get("/authorize", params=request | {"prompt": "none"})
        await platform.tokens_for(browser, person)
        success = await browser.get("/authorize", params=request)
    for answer in (error, success):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert policy.endswith("form-action 'self' https:")
        form = Html(answer.text).forms["form-post"]
        assert (form.action, form.method) == (platform.client.redirect_uris[0], "post")
        assert (form.fields["state"], form.fields["iss"]) == ('"><script>', ISSUER)
        assert "<script>" not in answer.text
    assert "code" in Html(success.text).forms["form-post"].fields
    assert Html(error.text).forms["form-post"].fields["error"] == "login_required"


async def test_the_hint_fills_the_field_and_the_language_is_the_platforms_wish(provider: Provider) -> None:
    platform = await new_platform(provider)
    request = platform.request(login_hint="+84000123456", ui_locales="fr-CA en-GB vi")
    async with provider.http() as browser:
        page = await browser.get((await browser.get("/authorize", params=request)).headers["location"])
    assert Html(page.text).forms["sign-in"].fields["identifier"] == "+84000123456"
    assert page.headers["content-language"] == Html(page.text).lang == "en"


async def test_a_level_that_is_asked_for_is_reached_by_one_more_factor(provider: Provider) -> None:
    """AUTHZ-14; RFC 9470: a session of one factor is lifted, not begun anew."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        await platform.tokens_for(browser, person)
        cookie = browser.cookies["lienket-session"]
        response = await browser.get("/authorize", params=platform.request(acr_values=Acr.VN_2.uri(ISSUER)))
        assert "/second-factor/" in response.headers["location"]
        location = await go_on(provider, browser, person, response)
        assert "code" in query_of(location)
        assert browser.cookies["lienket-session"] != cookie
        silent = await browser.get("/authorize", params=platform.request(acr_values="vn-4", prompt="none"))
        assert "code" in query_of(silent.headers["location"]), "a wish that nobody can meet is no error"


async def test_silence_instead_of_a_second_factor_is_interaction_required(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        await platform.answer_for(browser, person)
        request = platform.request(acr_values=Acr.VN_2.uri(ISSUER), prompt="none")
        answer = await browser.get("/authorize", params=request)
    assert query_of(answer.headers["location"])["error"] == "interaction_required"
