import jwt
import pytest

from tests.support.provider import ISSUER, SECRET, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def test_a_good_answer_is_complete_and_kept_by_nobody(provider: Provider) -> None:
    """TOK-01 … TOK-03, PAR-17."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        answer = await platform.redeem(browser, await platform.code_for(browser, person))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert set(answer.json()) == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "id_token",
        "refresh_token",
        "authorization_details",
    }
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 600)
    assert len(answer.json()["refresh_token"]) >= 43


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code": "no grant type"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "unknown"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x" * 5000}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
    ],
)
async def test_each_refusal_has_its_code(provider: Provider, form: dict[str, str], error: str) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        answer = await http.post("/token", data=form, auth=platform.auth)
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] == error


async def test_a_token_for_two_resources_is_no_token_for_all(provider: Provider) -> None:
    """RFC 8707 §2: several may be asked for, and are refused; they are not passed over (decision 25)."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        form: dict[str, str | list[str]] = {
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
            "resource": [f"{ISSUER}/userinfo", f"{ISSUER}/account-links"],
        }
        answer = await http.post("/token", data=form, auth=platform.auth)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


async def test_a_client_without_the_refresh_grant_gets_and_uses_no_refresh_token(provider: Provider) -> None:
    metadata: dict[str, object] = {"grant_types": ["authorization_code"], "scope": "openid"}
    platform, person = await new_platform(provider, metadata), await provider.add_person()
    async with provider.http() as browser:
        assert "refresh_token" not in await platform.tokens_for(browser, person)
        answer = await platform.refresh(browser, "anything")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_repeated_parameters_and_other_media_types_are_refused(provider: Provider) -> None:
    platform = await new_platform(provider)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = "grant_type=authorization_code&grant_type=refresh_token"
    async with provider.http() as http:
        repeated = await http.post("/token", content=twice, headers=form, auth=platform.auth)
        as_json = await http.post("/token", json={"grant_type": "authorization_code"}, auth=platform.auth)
        by_get = await http.get("/token", params={"grant_type": "authorization_code"}, auth=platform.auth)
    assert (repeated.status_code, repeated.json()["error"]) == (400, "invalid_request")
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
    assert by_get.status_code == 405


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": ""},
        {"code_verifier": "a" * 43},
        {"code_verifier": "short"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://attacker.example/"},
    ],
)
async def test_a_code_is_bound_to_verifier_and_address(provider: Provider, changes: dict[str, str]) -> None:
    """TOK-08, TOK-09; a refused attempt does not spend the code of whoever holds the rest."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        code = await platform.code_for(browser, person)
        refused = await platform.redeem(browser, code, **changes)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert (await platform.redeem(browser, code)).status_code == 200


async def test_a_code_lives_a_minute(provider: Provider) -> None:
    """TOK-07."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        code = await platform.code_for(browser, person)
        provider.clock.advance(seconds=60)
        answer = await platform.redeem(browser, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA", "PS256"])
async def test_each_platform_gets_the_signature_it_registered(provider: Provider, algorithm: str) -> None:
    """IDT-01, IDT-03, IDT-05, JWKS-06: and it verifies against the published keys."""
    metadata: dict[str, object] = {"id_token_signed_response_alg": algorithm}
    platform, person = await new_platform(provider, metadata), await provider.add_person()
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person)
        keys = jwt.PyJWKSet.from_dict((await browser.get("/jwks")).json())
    header = jwt.get_unverified_header(tokens["id_token"])
    assert header["alg"] == algorithm
    claims = jwt.decode(
        tokens["id_token"],
        keys[header["kid"]],
        algorithms=[algorithm],
        audience=platform.client.client_id,
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["nonce"] == "nonce-1"
    assert jwt.get_unverified_header(tokens["access_token"])["typ"] == "at+jwt"


async def test_the_secret_may_stand_in_the_form_where_that_is_registered(provider: Provider) -> None:
    platform = await new_platform(provider, {"token_endpoint_auth_method": "client_secret_post"})
    held = {"client_id": platform.client.client_id, "client_secret": SECRET}
    async with provider.http() as http:
        good = await http.post("/par", data=platform.request() | held)
        wrong = await http.post("/par", data=platform.request() | held | {"client_secret": "wrong"})
        basic = await http.post("/par", data=platform.request(), auth=platform.auth)
        both = await http.post("/par", data=platform.request() | held, auth=platform.auth)
    assert good.status_code == 201
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (basic.status_code, basic.json()["error"]) == (401, "invalid_client")
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
