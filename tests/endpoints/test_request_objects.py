"""Request objects over HTTP. RFC 9101; OpenID Connect Core §6.1; FAPI 2.0 Message Signing §5.3."""

from typing import Any

import pytest

from tests.support.key_set_server import key_set_server
from tests.support.platform import go_on, query_of
from tests.support.protocol_builders import ED25519, ES256, ES384, public_jwk
from tests.support.provider import Provider
from tests.support.signing_platform import message_signing_platform, signing_platform

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_a_signed_request_is_read_and_only_what_stands_inside(
    provider: Provider, algorithm: str
) -> None:
    """AUTHZ-26, AUTHZ-35: what stands beside it is ignored, the redirect URI and the state too."""
    signing, person = await signing_platform(provider), await provider.add_person()
    beside = {
        "client_id": signing.client_id,
        "redirect_uri": "https://attacker.example/",
        "state": "outside",
        "scope": "nonsense",
    }
    async with provider.http() as http:
        asked = beside | {"request": signing.object(state=None, algorithm=algorithm)}
        response = await http.get("/authorize", params=asked)
        location = await go_on(provider, http, person, response)
    assert location.startswith(signing.platform.client.redirect_uris[0])
    assert query_of(location).keys() == {"code", "iss"}


@pytest.mark.parametrize("way", ["get", "post", "par"])
async def test_all_ways_lead_to_the_same_answer(provider: Provider, way: str) -> None:
    signing, person = await signing_platform(provider), await provider.add_person()
    sent = {"client_id": signing.client_id, "request": signing.object(max_age=600)}
    async with provider.http() as http:
        if way == "post":
            response = await http.post("/authorize", data=sent)
        elif way == "par":
            pushed = await http.post("/par", data=sent, auth=signing.platform.auth)
            assert pushed.status_code == 201, pushed.text
            asked = {"client_id": signing.client_id, "request_uri": pushed.json()["request_uri"]}
            response = await http.get("/authorize", params=asked)
        else:
            response = await http.get("/authorize", params=sent)
        location = await go_on(provider, http, person, response)
    assert query_of(location)["state"] == "state-1"


UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6Im9wZW5pZCJ9."


async def test_a_refused_object_is_answered_where_the_address_beside_it_is_registered(
    provider: Provider,
) -> None:
    """AUTHZ-24."""
    signing = await signing_platform(provider)
    async with provider.http() as http:
        for request, error in (
            (UNSIGNED, "request_not_supported"),
            ("nonsense", "invalid_request_object"),
            (signing.object(aud="https://other.example"), "invalid_request_object"),
            (signing.object(exp=1), "invalid_request_object"),
        ):
            beside = signing.platform.request(None, state="s") | {"request": request}
            answer = await http.get("/authorize", params=beside)
            told = query_of(answer.headers["location"])
            assert (told["error"], told["state"]) == (error, "s")


async def test_what_a_verified_object_asks_wrongly_goes_back_with_its_own_state(provider: Provider) -> None:
    signing = await signing_platform(provider)
    async with provider.http() as http:
        asked = {"client_id": signing.client_id, "state": "outside"}
        request = signing.object(response_type="token", response_mode="form_post")
        answer = await http.get("/authorize", params=asked | {"request": request})
    assert answer.status_code == 200
    assert 'value="unsupported_response_type"' in answer.text
    assert 'value="state-1"' in answer.text


async def test_a_rotated_key_is_fetched_for_a_request_too(provider: Provider) -> None:
    async with key_set_server(public_jwk(ES384, "old")) as keys, provider.http() as http:
        signing = await signing_platform(provider, {"jwks_uri": keys.uri})
        sent = {"client_id": signing.client_id, "request": signing.object()}
        assert (await http.get("/authorize", params=sent)).status_code == 400
        provider.clock.advance(minutes=1)
        keys.keys.append(public_jwk(ES256, "ec"))
        calls = keys.calls
        sent = {"client_id": signing.client_id, "request": signing.object()}
        assert (await http.get("/authorize", params=sent)).status_code == 303
        assert keys.calls == calls + 1


async def test_an_address_without_keys_is_the_clients_fault_and_no_fault_of_ours(provider: Provider) -> None:
    signing = await signing_platform(provider, {"jwks_uri": "http://127.0.0.1:9/jwks"})
    beside = signing.platform.request(None) | {"request": signing.object()}
    async with provider.http() as http:
        answer = await http.get("/authorize", params=beside)
    assert query_of(answer.headers["location"])["error"] == "invalid_request_object"


async def test_message_signing_takes_signed_requests_alone(provider: Provider) -> None:
    """PAR-12, PAR-13, PAR-16."""
    signing = await message_signing_platform(provider)
    now = int(provider.clock.now.timestamp())
    async with provider.http() as http:
        unsigned = await signing.push(http, **signing.platform.request(None))
        assert (unsigned.status_code, unsigned.json()["error"]) == (400, "invalid_request")
        assert (await signing.push(http, request=signing.object())).status_code == 201
        assert (await signing.push(http, request=signing.object(nbf=now + 8))).status_code == 201
        refused: list[dict[str, Any]] = [
            {"exp": None},
            {"nbf": None},
            {"aud": None},
            {"exp": now - 1},
            {"nbf": now - 3700, "exp": now + 60},
            {"nbf": now, "exp": now + 3700},
            {"aud": "https://other.example"},
            {"algorithm": "RS256"},
            {"request_uri": "urn:example:x"},
            {"headers": {"kid": "unknown"}},
        ]
        for changes in refused:
            answer = await signing.push(http, request=signing.object(**changes))
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request_object"), changes
            assert answer.json().keys() == {"error", "error_description"}
        none = await signing.push(http, request=UNSIGNED)
        assert none.json()["error"] == "invalid_request_object"


async def test_a_registration_may_insist_on_signatures_and_on_one_algorithm(provider: Provider) -> None:
    """RFC 9101 §10.5, §9.2."""
    keys = {"keys": [public_jwk(ES256, "ec"), public_jwk(ED25519, "ed")]}
    metadata: dict[str, object] = {
        "jwks": keys,
        "require_signed_request_object": True,
        "request_object_signing_alg": "EdDSA",
    }
    signing = await signing_platform(provider, metadata)
    async with provider.http() as http:
        plain = await http.get("/authorize", params=signing.platform.request(None))
        assert query_of(plain.headers["location"])["error"] == "invalid_request"
        sent = {"client_id": signing.client_id}
        other = await http.get("/authorize", params=sent | {"request": signing.object()})
        assert other.status_code == 400
        right = await http.get("/authorize", params=sent | {"request": signing.object(algorithm="EdDSA")})
        assert right.status_code == 303
