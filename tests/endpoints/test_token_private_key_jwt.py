from typing import Any

import httpx
import pytest

from idp.protocol.client_authentication import ASSERTION_TYPE
from tests.support.key_set_server import key_set_server
from tests.support.platform import Platform
from tests.support.protocol_builders import ES256, JWKS, OTHER, public_jwk, sign
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform, suspend_client

pytestmark = pytest.mark.anyio


def assertion(platform: Platform, once: str, algorithm: str = "ES256", **changes: Any) -> dict[str, str]:
    now = int(platform.provider.clock.now.timestamp())
    client_id = platform.client.client_id
    headers = changes.pop("headers", None)
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": once, "iat": now, "exp": now + 60}
    signed = sign({k: v for k, v in (claims | changes).items() if v is not None}, algorithm, headers)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


async def signing_platform(provider: Provider, **metadata: object) -> Platform:
    described = {"token_endpoint_auth_method": "private_key_jwt"} | (metadata or {"jwks": JWKS})
    return await new_platform(provider, described)


async def push(http: httpx.AsyncClient, platform: Platform, proof: dict[str, str]) -> httpx.Response:
    return await http.post("/par", data=platform.request() | proof)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_a_platform_proves_itself_with_its_key(provider: Provider, algorithm: str) -> None:
    platform = await signing_platform(provider)
    async with provider.http() as http:
        answer = await push(http, platform, assertion(platform, "1", algorithm))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{ISSUER}/par"},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://evil.example"]},
        {"aud": None},
        {"sub": "somebody-else"},
        {"iss": "somebody-else"},
        {"exp": None},
        {"exp": 1},
        {"jti": None},
        {"headers": {"kid": "unknown"}},
        {"headers": {"typ": "at+jwt"}},
    ],
    ids=str,
)
async def test_an_assertion_that_is_not_exactly_right_is_none(
    provider: Provider, changes: dict[str, Any]
) -> None:
    """TOK-11, TOK-13, PAR-08; CVE-2025-27370, CVE-2025-27371."""
    platform = await signing_platform(provider)
    async with provider.http() as http:
        answer = await push(http, platform, assertion(platform, "1", **changes))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("profile", "status"), [("oidc", 201), ("fapi2", 401)])
async def test_the_token_endpoint_is_an_audience_where_no_profile_forbids_it(
    provider: Provider, profile: str, status: int
) -> None:
    """OpenID Connect Core §9 has libraries say so; RFC 10070 and FAPI 2.0 §5.3.2.1 want the issuer alone."""
    described = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": JWKS,
        "dpop_bound_access_tokens": True,
    }
    described["grant_types"] = ["authorization_code", "refresh_token"]
    platform = await new_platform(provider, described, profile=profile)
    async with provider.http() as http:
        answer = await push(http, platform, assertion(platform, "1", aud=f"{ISSUER}/token"))
        assert answer.status_code == status, answer.text
        assert (await push(http, platform, assertion(platform, "2"))).status_code == 201


@pytest.mark.parametrize(("skew", "status"), [(8, 201), (62, 401)])
async def test_clocks_may_differ_by_seconds(provider: Provider, skew: int, status: int) -> None:
    """PAR-09."""
    platform = await signing_platform(provider)
    ahead = int(provider.clock.now.timestamp()) + skew
    async with provider.http() as http:
        answer = await push(http, platform, assertion(platform, "1", iat=ahead, nbf=ahead))
    assert answer.status_code == status


async def test_an_assertion_is_good_for_one_request_at_all_endpoints_together(provider: Provider) -> None:
    """TOK-20; abuse class 8 (GHSA-3p3g-vpw6-4w66)."""
    platform = await signing_platform(provider)
    proof = assertion(platform, "once")
    async with provider.http() as http:
        assert (await push(http, platform, proof)).status_code == 201
        again = await push(http, platform, proof)
        fresh = await push(http, platform, assertion(platform, "twice"))
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert fresh.status_code == 201


async def test_the_same_jti_of_another_client_is_another(provider: Provider) -> None:
    """Abuse class 6: no client can spend another's."""
    one, other = await signing_platform(provider), await signing_platform(provider)
    async with provider.http() as http:
        assert (await push(http, one, assertion(one, "same"))).status_code == 201
        assert (await push(http, other, assertion(other, "same"))).status_code == 201


async def test_a_rotated_key_is_fetched_once_it_is_seen_and_not_at_will(provider: Provider) -> None:
    """TOK-26: an unknown kid fetches again at once, then no more than every half minute."""
    async with key_set_server(public_jwk(OTHER, "old")) as served:
        platform = await signing_platform(provider, jwks_uri=served.uri)
        async with provider.http() as http:
            unknown = await push(http, platform, assertion(platform, "1"))
            assert (unknown.status_code, served.calls) == (401, 1)
            provider.clock.advance(seconds=2)
            served.keys = [public_jwk(ES256, "ec")]
            assert (await push(http, platform, assertion(platform, "2"))).status_code == 201
            assert served.calls == 2
            for attempt in range(5):
                headers = {"kid": f"made-up-{attempt}"}
                refused = await push(http, platform, assertion(platform, f"3-{attempt}", headers=headers))
                assert refused.status_code == 401
            assert served.calls == 2
            provider.clock.advance(seconds=30)
            await push(http, platform, assertion(platform, "4", headers={"kid": "made-up"}))
            assert served.calls == 3
            assert (await push(http, platform, assertion(platform, "5"))).status_code == 201
            provider.clock.advance(minutes=15)
            assert (await push(http, platform, assertion(platform, "6"))).status_code == 201
            assert served.calls == 4


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": "500 Internal Server Error"},
        {"status": "302 Found", "headers": {"Location": "http://127.0.0.1:1/"}},
        {"content_type": "text/html"},
        {"body": b"[]"},
        {"body": b"not json"},
        {"body": b'{"keys": 7}'},
        {"body": b"x" * 300_000},
    ],
    ids=lambda trouble: next(iter(str(value)[:12] for value in trouble.values())),
)
async def test_an_address_that_does_not_answer_with_keys_is_left_alone_for_a_while(
    provider: Provider, trouble: dict[str, Any]
) -> None:
    """Abuse classes 13, 25: whoever knows a client_id must not make us call its address at will."""
    async with key_set_server(public_jwk(ES256, "ec")) as served:
        for name, value in trouble.items():
            setattr(served, name, value)
        platform = await signing_platform(provider, jwks_uri=served.uri)
        async with provider.http() as http:
            for attempt in range(3):
                answer = await push(http, platform, assertion(platform, f"1-{attempt}"))
                assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
            assert served.calls == 1
            served.status, served.content_type, served.body = "200 OK", "application/json", None
            provider.clock.advance(seconds=5)
            assert (await push(http, platform, assertion(platform, "2"))).status_code == 201


async def test_known_keys_outlive_a_moment_in_which_their_address_does_not_answer(provider: Provider) -> None:
    async with key_set_server(public_jwk(ES256, "ec")) as served:
        platform = await signing_platform(provider, jwks_uri=served.uri)
        async with provider.http() as http:
            assert (await push(http, platform, assertion(platform, "1"))).status_code == 201
            served.status = "503 Service Unavailable"
            provider.clock.advance(minutes=59)
            assert (await push(http, platform, assertion(platform, "2"))).status_code == 201
            assert served.calls == 2
            provider.clock.advance(minutes=1)
            assert (await push(http, platform, assertion(platform, "3"))).status_code == 401
            served.status = "200 OK"
            provider.clock.advance(seconds=5)
            assert (await push(http, platform, assertion(platform, "4"))).status_code == 201


async def test_a_suspended_platform_proves_nothing(provider: Provider) -> None:
    platform = await signing_platform(provider)
    await suspend_client(provider, platform.client.client_id)
    async with provider.http() as http:
        answer = await push(http, platform, assertion(platform, "1"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_abuse_8_a_request_sent_again_to_the_letter_revokes_nothing(provider: Provider) -> None:
    """Hydra GHSA-3p3g-vpw6-4w66: an overheard request proves nothing, so it ends nothing."""
    platform, person = await signing_platform(provider), await provider.add_person()
    async with provider.http() as http:
        form = {
            "grant_type": "authorization_code",
            "code": await platform.code_for(http, person),
            "redirect_uri": platform.client.redirect_uris[0],
            "code_verifier": platform.verifier,
        } | assertion(platform, "redeem")
        tokens = (await http.post("/token", data=form)).json()
        again = await http.post("/token", data=form)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).status_code == 200
        replayed = await http.post("/token", data=form | assertion(platform, "another"))
        assert replayed.json()["error"] == "invalid_grant"
        assert (await http.get("/userinfo", headers=bearer)).status_code == 401


async def test_abuse_8_a_replayed_assertion_learns_nothing_of_the_rest_of_the_request(
    provider: Provider,
) -> None:
    """The answer does not tell a code that lives from one that was guessed."""
    platform = await signing_platform(provider)
    async with provider.http() as http:
        proof = assertion(platform, "once")
        assert (await push(http, platform, proof)).status_code == 201
        guess = {"grant_type": "authorization_code", "code": "guessed", "redirect_uri": "https://a.example"}
        for form in (guess, {"grant_type": "password"}, {"grant_type": "refresh_token"}):
            answer = await http.post("/token", data=form | proof)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
