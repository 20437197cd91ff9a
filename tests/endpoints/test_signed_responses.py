"""JARM over HTTP: signed authorization responses. AUTHZ-37; FAPI 2.0 Message Signing §5.4."""

import jwt
import pytest

from tests.support.html_forms import Html
from tests.support.platform import query_of
from tests.support.provider import Provider
from tests.support.signing_platform import message_signing_platform, signing_platform

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
async def test_a_code_comes_signed_and_nothing_else_stands_in_the_address(
    provider: Provider, mode: str
) -> None:
    signing, person = await signing_platform(provider), await provider.add_person()
    async with provider.http() as http:
        answer = await signing.platform.answer_for(http, person, None, response_mode=mode)
        told = query_of(answer)
        assert told.keys() == {"response"}
        claims = await signing.opened(http, told["response"])
        assert claims["state"] == "state-1"
        redeemed = await signing.platform.redeem(http, claims["code"])
    assert redeemed.status_code == 200
    header = jwt.get_unverified_header(told["response"])
    assert header["alg"] == signing.platform.client.id_token_signed_response_alg
    assert header["typ"] == "JWT"


async def test_the_registered_algorithm_signs(provider: Provider) -> None:
    signing = await signing_platform(provider, {"authorization_signed_response_alg": "EdDSA"})
    async with provider.http() as http:
        request = signing.platform.request(None, prompt="none", response_mode="jwt")
        answer = await http.get("/authorize", params=request)
        assert (await signing.verified(http, answer))["error"] == "login_required"
    assert jwt.get_unverified_header(query_of(answer.headers["location"])["response"])["alg"] == "EdDSA"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
    ],
    ids=["before a page", "refused by a check", "of another scope"],
)
async def test_errors_come_signed_too(provider: Provider, changes: dict[str, str], error: str) -> None:
    signing = await signing_platform(provider)
    async with provider.http() as http:
        request = signing.platform.request(None, response_mode="query.jwt", **changes)
        claims = await signing.verified(http, await http.get("/authorize", params=request))
    assert claims.keys() == {"error", "error_description", "state", "iss", "aud", "exp"}
    assert (claims["error"], claims["state"]) == (error, "state-1")


async def test_a_person_who_turns_back_is_told_signed(provider: Provider) -> None:
    signing = await signing_platform(provider)
    async with provider.http() as http:
        request = signing.platform.request(None, response_mode="jwt")
        page = (await http.get("/authorize", params=request)).headers["location"]
        back = Html((await http.get(page)).text).forms["back-to-network"]
        claims = await signing.verified(http, await http.post(back.action))
    assert claims["error"] == "access_denied"


async def test_form_post_jwt_posts_one_parameter(provider: Provider) -> None:
    signing = await signing_platform(provider)
    async with provider.http() as http:
        request = signing.platform.request(None, prompt="none", response_mode="form_post.jwt")
        answer = await http.get("/authorize", params=request)
        (form,) = Html(answer.text).forms.values()
        assert form.action == signing.platform.client.redirect_uris[0]
        assert form.fields.keys() == {"response"}
        assert (await signing.opened(http, form.fields["response"]))["error"] == "login_required"


@pytest.mark.parametrize("mode", ["fragment.jwt", "fragment"])
async def test_no_answer_goes_into_a_fragment(provider: Provider, mode: str) -> None:
    signing = await signing_platform(provider)
    async with provider.http() as http:
        answer = await http.get("/authorize", params=signing.platform.request(None, response_mode=mode))
    assert query_of(answer.headers["location"])["error"] == "invalid_request"
    assert "#" not in answer.headers["location"]


async def test_who_registered_signed_responses_under_message_signing_gets_no_other(
    provider: Provider,
) -> None:
    signing = await message_signing_platform(provider, authorization_signed_response_alg="PS256")
    async with provider.http() as http:
        for changes in ({}, {"response_mode": "query"}, {"response_mode": "form_post"}):
            refused = await signing.push(http, request=signing.object(**changes))
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        pushed = await signing.push(http, request=signing.object(response_mode="jwt", prompt="none"))
        asked = {"client_id": signing.client_id, "request_uri": pushed.json()["request_uri"]}
        answer = await http.get("/authorize", params=asked)
        assert (await signing.verified(http, answer))["error"] == "login_required"
        direct = await http.get("/authorize", params=signing.platform.request(None))
        assert (await signing.verified(http, direct))["error"] == "invalid_request"
