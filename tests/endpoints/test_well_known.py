import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio

DOCUMENTS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/userinfo",
    "/.well-known/oauth-protected-resource/account-links",
    "/.well-known/oauth-protected-resource/ssf",
    "/.well-known/ssf-configuration",
    "/jwks",
)


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_public_documents_may_be_read_by_any_origin_and_kept(provider: Provider, path: str) -> None:
    async with provider.http() as http:
        answer = await http.get(path, headers={"Origin": "https://anywhere.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_who_has_the_document_already_is_told_so(provider: Provider, path: str) -> None:
    async with provider.http() as http:
        first = await http.get(path)
        again = await http.get(path, headers={"If-None-Match": first.headers["etag"]})
        on_the_way = {"If-None-Match": f'"older", W/{first.headers["etag"]}'}
        assert (await http.get(path, headers=on_the_way)).status_code == 304
        other = await http.get(path, headers={"If-None-Match": '"something-else"'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["access-control-allow-origin"] == "*"
    assert other.content == first.content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_documents_are_read_only(provider: Provider, method: str) -> None:
    async with provider.http() as http:
        answer = await http.request(method, "/.well-known/openid-configuration")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/json"


async def test_discovery_names_endpoints_that_exist(provider: Provider) -> None:
    """DISC-01, DISC-02, DISC-06: the issuer byte for byte, and no endpoint that answers 404."""
    async with provider.http() as http:
        metadata = (await http.get("/.well-known/openid-configuration")).json()
        assert metadata["issuer"] == ISSUER
        assert metadata["authorization_response_iss_parameter_supported"] is True
        assert metadata["code_challenge_methods_supported"] == ["S256"]
        for name, uri in metadata.items():
            if name.endswith(("_endpoint", "jwks_uri")):
                answer = await http.request("GET", uri.removeprefix(ISSUER))
                assert answer.status_code != 404, name


def key_ids(answer: httpx.Response) -> set[str]:
    return {key["kid"] for key in answer.json()["keys"]}


async def test_keys_are_public_distinct_and_follow_a_rotation(provider: Provider) -> None:
    """JWKS-02, JWKS-03, JWKS-05: a rotated key set still holds what signed until now."""
    async with provider.http() as http:
        before = await http.get("/jwks")
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set().union(*before.json()["keys"])
        assert len(key_ids(before)) == len(before.json()["keys"])
        provider.clock.advance(seconds=timedelta(days=1).total_seconds())
        custody = provider.context.custody
        signing_before = custody.signing.signer("ES256").kid
        custody.signing.rotate(provider.clock.now, "ES256")
        provider.context.published.renew()
        after = await http.get("/jwks")
    assert custody.signing.signer("ES256").kid != signing_before
    assert {signing_before, custody.signing.signer("ES256").kid} <= key_ids(after)
    assert after.headers["etag"] != before.headers["etag"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_json_that_nobody_keeps(provider: Provider, path: str) -> None:
    async with provider.http() as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert json.loads(answer.content)["status"] in {"ok", "ready"}


async def test_an_unknown_address_is_json_for_machines_and_a_page_for_people(provider: Provider) -> None:
    async with provider.http() as http:
        machine, person = await http.get("/token/unknown"), await http.get(f"/{Path(__file__).name}")
    assert (machine.status_code, machine.json()["error"]) == (404, "invalid_request")
    assert person.status_code == 404
    assert 'id="error-reference"' in person.text
