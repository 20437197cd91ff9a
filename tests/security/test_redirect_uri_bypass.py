"""Abuse classes 1, 2, 3: whatever is not registered byte for byte is never followed."""

import pytest

from tests.support.platform import query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio

TRICKS = (
    "https://{host}/callback/",
    "https://{host}/callback/..;/x",
    "https://{host}/callback/../callback",
    "https://{host}/./callback",
    "https://{host}//callback",
    "https://{host}/Callback",
    "https://{host}/callback?",
    "https://{host}/callback?code=stolen",
    "https://{host}/callback#",
    "https://{host}/callback#@attacker.example",
    "https://{host}/callback%2f..%2fx",
    "https://{host}/callback%00",
    "https://{host}/callback%0d%0aLocation:%20https://attacker.example",
    "https://{host}/callback\t",
    "https://{host}/callback ",
    " https://{host}/callback",
    "https://{host}:443/callback",
    "https://{host}./callback",
    "https://{host}@attacker.example/callback",
    "https://{host}:x@attacker.example/callback",
    "https://attacker.example@{host}/callback",
    "https://a@b@{host}/callback",
    "https://{host}.attacker.example/callback",
    "https://attacker.example/{host}/callback",
    "https://attacker.example\\@{host}/callback",
    "https:\\\\{host}\\callback",
    "https:/{host}/callback",
    "https:{host}/callback",
    "//{host}/callback",
    "http://{host}/callback",
    "HTTPS://{host}/callback",
    "javascript://{host}/callback%0aalert(1)",
    "data:text/html,{host}",
    "https://[::ffff:{host}]/callback",
    "https://xn--{host}/callback",
    "https://{host}\u3002attacker.example/callback",
    "https://{host}\uff0fcallback",
    "https://\u202e{host}/callback",
    "*",
    "/callback",
    "https://{host}/callback,https://attacker.example",
    "https://{host}/callback https://attacker.example",
    "http://localhost/callback",
    "http://127.0.0.1/callback",
    "http://localhost:80@attacker.example/callback",
)


async def test_no_spelling_of_the_redirect_uri_passes_for_another(provider: Provider) -> None:
    """CVE-2026-3872, CVE-2026-7504, CVE-2024-52289, CVE-2026-41569, CVE-2025-4143, CVE-2026-41479."""
    platform = await new_platform(provider)
    host = f"{platform.client.client_id}.example"
    async with provider.http() as http:
        for trick in TRICKS:
            request = platform.request(redirect_uri=trick.format(host=host))
            for prompt in (
                {},
                {"prompt": "none"},
                {"response_type": "token"},
                {"response_mode": "form_post"},
            ):
                answer = await http.get("/authorize", params=request | prompt)
                assert (answer.status_code, answer.headers.get("location")) == (400, None), trick
            answer = await platform.push(http, redirect_uri=trick.format(host=host))
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), trick


async def test_response_parameters_are_not_polluted_from_the_request(provider: Provider) -> None:
    """CVE-2026-9689, CVE-2026-18209: what an answer holds was put there by us alone."""
    platform = await new_platform(provider)
    extra = {"code": "forged", "iss": "https://attacker.example", "error": "x", "response": "y"}
    async with provider.http() as http:
        answer = await http.get("/authorize", params=platform.request(prompt="none") | extra)
        assert query_of(answer.headers["location"])["iss"] == ISSUER
        assert set(query_of(answer.headers["location"])) == {"error", "error_description", "state", "iss"}
        state = "x&code=forged&iss=https://attacker.example#\r\nSet-Cookie: a=b"
        answer = await http.get("/authorize", params=platform.request(prompt="none", state=state[:-17]))
        assert query_of(answer.headers["location"])["state"] == state[:-17]
        split = await http.get("/authorize", params=platform.request(prompt="none", state=state))
        assert "set-cookie" not in split.headers
        assert "\r" not in split.headers["location"]


async def test_sign_out_leads_nowhere_else(provider: Provider) -> None:
    """Abuse class 3 (CVE-2024-39694): no parameter names where to go."""
    targets = (
        "https://attacker.example",
        "//attacker.example",
        "/\\attacker.example",
        "\t//attacker.example",
    )
    async with provider.http() as http:
        for target in targets:
            for name in ("post_logout_redirect_uri", "returnUrl", "next", "redirect_uri"):
                answer = await http.post("/my/sign-out", params={name: target}, data={name: target})
                assert answer.headers["location"] == f"{ISSUER}/sign-in/my?signed_out=1"


async def test_an_address_that_was_taken_from_a_registration_is_not_followed_any_more(
    provider: Provider,
) -> None:
    """CVE-2026-7571: neither by a pushed request nor by a journey that was begun before."""
    platform = await new_platform(provider)
    async with provider.http() as http:
        pushed = (await platform.push(http)).json()["request_uri"]
        begun = await http.get("/authorize", params=platform.request())
        moved = ("https://elsewhere.example/callback",)
        await change_client(provider, platform.client.client_id, redirect_uris=moved)
        by_name = {"client_id": platform.client.client_id, "request_uri": pushed}
        for answer in (
            await http.get("/authorize", params=by_name),
            await http.get(begun.headers["location"].replace("/sign-in/", "/authorize/")),
            await http.post(begun.headers["location"].replace("/sign-in/", "/authorize/") + "/cancel"),
        ):
            assert (answer.status_code, answer.headers.get("location")) == (400, None)
