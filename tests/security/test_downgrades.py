"""Abuse classes 4, 9, 23: nothing that a registration or a request began with can be left out later."""

import httpx
import pytest

from tests.support.platform import challenge_of, query_of
from tests.support.protocol_builders import JWKS
from tests.support.provider import Provider
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")


async def test_without_pkce_registered_what_is_begun_with_it_is_ended_with_it(provider: Provider) -> None:
    """CVE-2023-48228: a challenge that was sent is enforced, whoever sent it."""
    platform = await new_platform(provider, require_pkce=False)
    person = await provider.add_person(has_totp=False)
    form = {"grant_type": "authorization_code", "redirect_uri": platform.client.redirect_uris[0]}
    async with provider.http() as http:
        code = await platform.code_for(http, person, None)
        for wrong in ({}, {"code_verifier": ""}, {"code_verifier": "a" * 43}):
            answer = await http.post("/token", data=form | {"code": code} | wrong, auth=platform.auth)
            assert outcome(answer) == (400, "invalid_grant"), wrong
        assert (await platform.redeem(http, code)).status_code == 200


async def test_a_verifier_for_a_request_without_a_challenge_is_refused(provider: Provider) -> None:
    """RFC 9700 §2.1.1 (CVE-2024-22258): an attacker stripped the challenge off unknown to the client."""
    platform = await new_platform(provider, require_pkce=False)
    person = await provider.add_person(has_totp=False)
    bare = {"code_challenge": None, "code_challenge_method": None}
    async with provider.http() as http:
        code = await platform.code_for(http, person, None, **bare)
        assert outcome(await platform.redeem(http, code)) == (400, "invalid_grant")
        form = {"grant_type": "authorization_code", "redirect_uri": platform.client.redirect_uris[0]}
        honest = await platform.code_for(http, person, None, **bare)
        answer = await http.post("/token", data=form | {"code": honest}, auth=platform.auth)
        assert answer.status_code == 200, "who sent neither gets what it asked for"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge": "a" * 42},
        {"code_challenge": challenge_of("v") + "="},
    ],
    ids=str,
)
async def test_no_weaker_challenge_is_taken(provider: Provider, changes: dict[str, str | None]) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await http.get("/authorize", params=platform.request(**changes))
        assert query_of(answer.headers["location"])["error"] == "invalid_request"
        assert outcome(await platform.push(http, **changes)) == (400, "invalid_request")


async def test_who_has_to_push_is_not_served_in_the_front(provider: Provider) -> None:
    """Class 4: the registration decides, and it decides when the code is made, too."""
    platform = await new_platform(provider)
    person = await provider.add_person(has_totp=False)
    async with provider.http() as http:
        underway = await http.get("/authorize", params=platform.request(None))
        await change_client(provider, platform.client.client_id, require_pushed_authorization_requests=True)
        refused = await http.get("/authorize", params=platform.request(None))
        assert query_of(refused.headers["location"])["error"] == "invalid_request"
        pushed = (await platform.push(http, account_id=None)).json()["request_uri"]
        named = {"client_id": platform.client.client_id, "request_uri": pushed}
        begun = await http.get("/authorize", params=named)
        assert begun.headers["location"].startswith(underway.headers["location"].rpartition("/")[0])
        form = {"identifier": person.personal_number, "password": person.password}
        assert (await http.post(begun.headers["location"], data=form)).status_code == 303


FAPI: dict[str, object] = {
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": JWKS,
    "dpop_bound_access_tokens": True,
    "id_token_signed_response_alg": "ES256",
}


async def test_a_profile_is_not_left_by_a_request(provider: Provider) -> None:
    """KC CVE-2026-16093: neither by the front channel, nor by a secret, nor by a header."""
    platform = await new_platform(provider, FAPI, profile="fapi2")
    async with provider.http() as http:
        front = await http.get("/authorize", params=platform.request(None))
        assert query_of(front.headers["location"])["error"] == "invalid_request"
        for credentials in ({"client_id": platform.client.client_id}, {"client_secret": "x"}):
            pushed = await http.post("/par", data=platform.request(None) | credentials)
            assert outcome(pushed) == (401, "invalid_client")
        assert outcome(await platform.push(http)) == (401, "invalid_client")
        unsigned = {"client_assertion": "eyJhbGciOiJub25lIn0.e30.", "client_assertion_type": "x"}
        for headers in ({}, {"X-Client-Certificate": "x"}, {"X-Forwarded-Client-Cert": "x"}):
            tried = await http.post("/par", data=platform.request(None) | unsigned, headers=headers)
            assert outcome(tried) == (401, "invalid_client")
