import json
from typing import Any

import pytest

from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PREFIX = "urn:ietf:params:oauth:request_uri:"

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("request_uri inside", {"request_uri": PREFIX + "x"}, "invalid_request"),
    ("another client named", {"client_id": "somebody-else"}, "invalid_client"),
    ("no redirect URI", {"redirect_uri": None}, "invalid_request"),
    ("an unregistered one", {"redirect_uri": "https://attacker.example/"}, "invalid_request"),
    ("an unsigned request object", {"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ("no request object", {"request": "e30.e30."}, "invalid_request_object"),
    ("a registration", {"registration": "{}"}, "registration_not_supported"),
    ("no response type", {"response_type": None}, "invalid_request"),
    ("an implicit one", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("tokens in the front", {"response_type": "token"}, "unsupported_response_type"),
    ("a fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("no PKCE", {"code_challenge": None}, "invalid_request"),
    ("plain PKCE", {"code_challenge_method": "plain"}, "invalid_request"),
    ("PKCE without method", {"code_challenge_method": None}, "invalid_request"),
    ("no openid", {"scope": "email"}, "invalid_scope"),
    ("two prompts that exclude each other", {"prompt": "none login"}, "invalid_request"),
    ("a negative age", {"max_age": "-1"}, "invalid_request"),
    ("claims that are no JSON", {"claims": "{"}, "invalid_request"),
    (
        "details of another type",
        {"authorization_details": '[{"type":"payment"}]'},
        "invalid_authorization_details",
    ),
    ("a state that cannot return", {"state": "x" * 2049}, "invalid_request"),
]


async def test_a_pushed_request_is_kept_and_named(provider: Provider) -> None:
    """PAR-01, PAR-02."""
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await platform.push(http)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"request_uri", "expires_in"}
    assert len(answer.json()["request_uri"]) >= len(PREFIX) + 43
    assert answer.json()["expires_in"] == 90


@pytest.mark.parametrize(("changes", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_what_cannot_be_kept_is_refused(
    provider: Provider, changes: dict[str, Any], error: str
) -> None:
    """PAR-04 … PAR-07, PAR-18: an error response holds its code and a sentence, nothing else."""
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await platform.push(http, **changes)
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] == error


async def test_a_scope_that_is_not_registered_is_refused(provider: Provider) -> None:
    platform = await new_platform(provider, {"scope": "openid"})
    async with provider.http() as http:
        answer = await platform.push(http, scope="openid email")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_a_repeated_parameter_is_refused(provider: Provider) -> None:
    """RFC 6749 §3.1."""
    platform = await new_platform(provider)
    form = [*platform.request().items(), ("scope", "openid")]
    body = "&".join(f"{name}={value}" for name, value in form if name != "authorization_details")
    async with provider.http() as http:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await http.post("/par", content=body, auth=platform.auth, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post_pushes(provider: Provider, method: str) -> None:
    """PAR-03."""
    async with provider.http() as http:
        answer = await http.request(method, "/par")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_a_body_that_is_no_form_is_refused(provider: Provider) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await http.post("/par", json=platform.request(), auth=platform.auth)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_nobody_pushes_without_proof_of_who_they_are(provider: Provider) -> None:
    """PAR-08."""
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await http.post("/par", data=platform.request())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def pushed(platform: Platform, http: Any, **changes: Any) -> dict[str, str]:
    answer = await platform.push(http, **changes)
    assert answer.status_code == 201, answer.text
    return {"client_id": platform.client.client_id, "request_uri": answer.json()["request_uri"]}


async def test_opened_twice_it_works_and_after_completion_it_is_spent(provider: Provider) -> None:
    """AUTHZ-31, AUTHZ-32, AUTHZ-33: two tabs may open it, one of them completes it."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        request = await pushed(platform, browser)
        first = await browser.get("/authorize", params=request)
        second = await browser.get("/authorize", params=request)
        answer = query_of(await go_on(provider, browser, person, second))
        assert set(answer) == {"code", "state", "iss"}
        late = first.headers["location"].replace("/sign-in/", "/authorize/")
        assert (await platform.redeem(browser, answer["code"])).status_code == 200
        over = await browser.get(late)
        assert (over.status_code, over.headers.get("location")) == (400, None)
        again = await browser.get("/authorize", params=request)
        assert again.status_code == 400
        assert 'id="error-reference"' in again.text


async def test_of_another_client_it_is_unknown(provider: Provider) -> None:
    """AUTHZ-31: the request_uri of one client is nothing to another."""
    platform, other = await new_platform(provider), await new_platform(provider)
    async with provider.http() as browser:
        request = await pushed(platform, browser)
        answer = await browser.get("/authorize", params=request | {"client_id": other.client.client_id})
        assert (answer.status_code, answer.headers.get("location")) == (400, None)
        assert (
            await browser.get("/authorize", params={"request_uri": request["request_uri"]})
        ).status_code == 400


async def test_it_expires(provider: Provider) -> None:
    """AUTHZ-34."""
    platform = await new_platform(provider)
    async with provider.http() as browser:
        request = await pushed(platform, browser)
        provider.clock.advance(seconds=90)
        answer = await browser.get("/authorize", params=request)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_what_the_address_says_beside_it_is_not_looked_at(provider: Provider) -> None:
    """AUTHZ-35, abuse case P1: state, nonce, redirect URI and account come from the pushed request alone."""
    platform, person = await new_platform(provider), await provider.add_person()
    forged = {
        "state": "forged",
        "nonce": "forged",
        "redirect_uri": "https://attacker.example/",
        "scope": "openid email",
        "prompt": "none",
        "authorization_details": json.dumps([{"type": "account_link", "account_id": "attacker"}]),
    }
    async with provider.http() as browser:
        request = await pushed(platform, browser, state=None)
        response = await browser.get("/authorize", params=request | forged)
        location = await go_on(provider, browser, person, response)
        assert location.startswith(platform.client.redirect_uris[0] + "?")
        assert set(query_of(location)) == {"code", "iss"}, "no state was pushed, so none comes back"
        tokens = (await platform.redeem(browser, query_of(location)["code"])).json()
    assert tokens["scope"] == "openid"
    assert tokens["authorization_details"][0]["account_id"] == "acc_lan_1"
    assert query_of(location)["iss"] == ISSUER
