from typing import Any

import httpx
import jwt
import pytest

from tests.support.platform import go_on, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def bearer(tokens: dict[str, Any], scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {tokens['access_token']}"}


async def test_get_post_and_form_answer_alike(provider: Provider) -> None:
    """UI-01, UI-02, UI-14: also when the form comes in pieces, its length not announced."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)

        async def in_pieces() -> Any:
            yield b"access_token="
            yield tokens["access_token"].encode()

        answers = [
            await http.get("/userinfo", headers=bearer(tokens)),
            await http.get("/userinfo", headers=bearer(tokens, "bearer") | {"Accept": "text/html"}),
            await http.post("/userinfo", headers=bearer(tokens)),
            await http.post("/userinfo", headers=bearer(tokens) | FORM),
            await http.post("/userinfo", data={"access_token": tokens["access_token"]}),
            await http.post("/userinfo", content=in_pieces(), headers=FORM),
        ]
    subject = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (200, {"sub": subject})
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"


async def test_a_token_stands_in_one_place_and_never_in_the_address(provider: Provider) -> None:
    """UI-08; RFC 6750 §2, §3.1."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        held = {"access_token": tokens["access_token"]}
        for answer in (
            await http.get("/userinfo", params=held),
            await http.get("/userinfo", params=held, headers=bearer(tokens)),
            await http.post("/userinfo", params=held, data=held),
            await http.post("/userinfo", data=held, headers=bearer(tokens)),
            await http.post("/userinfo", content="access_token=a&access_token=b", headers=FORM),
        ):
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_request"')


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer ", "Basic eDp5", "Bearer a.b.c", "Bearer \xe9"]
)
async def test_without_a_token_of_ours_there_is_no_answer(
    provider: Provider, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    async with provider.http() as http:
        answer = await http.get("/userinfo", headers=httpx.Headers(headers))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_a_token_lives_ten_minutes(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        provider.clock.advance(minutes=10)
        answer = await http.get("/userinfo", headers=bearer(tokens))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_a_token_narrowed_below_openid_does_not_do(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, scope="openid email")
        narrow = (await platform.refresh(http, tokens["refresh_token"], scope="email")).json()
        answer = await http.get("/userinfo", headers=bearer(narrow))
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_only_what_was_agreed_to_is_told(provider: Provider) -> None:
    """Abuse class 10; rule R7: the unticked item stays here, the ticked one leaves under its scope."""
    platform = await new_platform(provider)
    person = await provider.add_person(email="lan@example.vn", phone_number="+84000123456")
    async with provider.http() as http:
        response = await http.get("/authorize", params=platform.request(scope="openid email phone"))
        location = await go_on(provider, http, person, response, ticked=("email", "name"))
        tokens = (await platform.redeem(http, query_of(location)["code"])).json()
        told = (await http.get("/userinfo", headers=bearer(tokens))).json()
        narrow = (await platform.refresh(http, tokens["refresh_token"], scope="openid")).json()
        told_less = (await http.get("/userinfo", headers=bearer(narrow))).json()
    assert told == {"sub": told["sub"], "email": "lan@example.vn", "email_verified": False}
    assert told_less == {"sub": told["sub"]}, "a narrower token is worth less"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_signed_answer_names_issuer_and_audience(provider: Provider, algorithm: str) -> None:
    """UI-06."""
    metadata: dict[str, object] = {"userinfo_signed_response_alg": algorithm}
    platform, person = await new_platform(provider, metadata), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        answer = await http.get("/userinfo", headers=bearer(tokens))
        keys = jwt.PyJWKSet.from_dict((await http.get("/jwks")).json())
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    header = jwt.get_unverified_header(answer.text)
    told = jwt.decode(
        answer.text, keys[header["kid"]], algorithms=[algorithm], audience=platform.client.client_id
    )
    assert set(told) == {"iss", "aud", "sub"}
    assert told["iss"] == ISSUER
