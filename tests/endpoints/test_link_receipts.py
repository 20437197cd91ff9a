"""Receipts over HTTP: with the tokens, asked for again, and never of anybody else's link."""

from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest

from idp.identity.account_links import Status
from idp.protocol.link_receipt import RECEIPT_TYPE
from tests.support.platform import Platform, go_on, query_of
from tests.support.platform_api import METADATA, READ, new_platform_api
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import move_link, new_platform

pytestmark = pytest.mark.anyio


def read(provider: Provider, receipt: str) -> dict[str, Any]:
    header = jwt.get_unverified_header(receipt)
    assert header["typ"] == RECEIPT_TYPE
    key = provider.context.custody.signing.verification_key(header["kid"])
    assert key is not None
    claims: dict[str, Any] = jwt.decode(
        receipt, key.public_key, algorithms=[key.algorithm], options={"verify_iat": False}
    )
    return claims


async def test_the_code_exchange_gives_a_receipt_that_agrees_with_everything_else(provider: Provider) -> None:
    """Abuse case P2: ID token, receipt and stored link speak of one account, or nothing is issued."""
    platform = await new_platform(provider, {"id_token_signed_response_alg": "ES256"})
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, await provider.add_person())
    [details] = tokens["authorization_details"]
    claims = read(provider, details["receipt"])
    link = await provider.unit_of_work().account_links.find(details["link_id"])
    id_token = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert link is not None
    assert claims["sub"] == id_token["sub"] == link.subject
    assert claims["account_id"] == details["account_id"] == id_token["account_link"]["account_id"]
    assert claims["link_id"] == details["link_id"] == id_token["account_link"]["link_id"] == link.link_id
    assert (claims["iss"], claims["client_id"]) == (ISSUER, platform.client.client_id)
    assert (claims["assurance_level"], claims["acr"]) == ("vn2", id_token["acr"])
    assert claims["linked_at"] == id_token["account_link"]["linked_at"]
    assert claims["expires_at"] == id_token["account_link"]["expires_at"]
    assert claims["policy_version"] == link.policy_version == provider.context.feature_policy.version
    assert claims["status"] == {
        "status_list": {"idx": link.status_index, "uri": f"{ISSUER}/status-lists/{link.status_list_id}"}
    }


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_each_platform_gets_the_signature_it_registered(provider: Provider, algorithm: str) -> None:
    platform = await new_platform(provider, {"id_token_signed_response_alg": algorithm})
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, await provider.add_person())
    receipt = tokens["authorization_details"][0]["receipt"]
    assert jwt.get_unverified_header(receipt)["alg"] == algorithm
    read(provider, receipt)


async def test_a_refresh_gives_none_and_without_a_link_there_is_none(provider: Provider) -> None:
    platform = await new_platform(provider, {"scope": "openid offline_access"})
    async with provider.http() as http:
        person = await provider.add_person()
        tokens = await platform.tokens_for(http, person, scope="openid offline_access")
        refreshed = (await platform.refresh(http, tokens["refresh_token"])).json()
        assert "receipt" not in refreshed["authorization_details"][0]
        provider.clock.advance(seconds=1)
        assert "authorization_details" not in await platform.tokens_for(http, person, None)


async def test_a_renewed_link_keeps_its_index(provider: Provider) -> None:
    """The receipt of before becomes valid again with the link: both name the same index."""
    platform = await new_platform(provider, link_validity="P30D")
    async with provider.http() as http:
        person = await provider.add_person()
        first = (await platform.tokens_for(http, person))["authorization_details"][0]["receipt"]
        provider.clock.advance(days=31)
        again = (await platform.tokens_for(http, person))["authorization_details"][0]["receipt"]
    assert read(provider, first)["status"] == read(provider, again)["status"]
    assert read(provider, first)["expires_at"] < read(provider, again)["expires_at"]


async def test_a_platform_asks_for_a_receipt_again_and_never_for_anothers(provider: Provider) -> None:
    async with provider.http() as http:
        mine, other = await new_platform_api(provider, http), await new_platform_api(provider, http)
        link_id = await mine.linked(await provider.add_person())
        answer = await mine.get(f"/{link_id}/receipt")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/account-link+jwt")
        assert answer.headers["cache-control"] == "no-store"
        assert read(provider, answer.text)["link_id"] == link_id
        foreign, unknown = (
            await other.get(f"/{link_id}/receipt"),
            await other.get("/AAAAAAAAAAAAAAAAAAAAAA/receipt"),
        )
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
        assert (await http.get(f"/account-links/{link_id}/receipt")).status_code == 401


async def own_tokens(
    provider: Provider, http: httpx.AsyncClient, platform: Platform, person: Person, account_id: str
) -> dict[str, Any]:
    request = platform.request(account_id, scope=f"openid {READ}", prompt="consent")
    location = await go_on(
        provider, http, person, await http.get("/authorize", params=request), ticked=(READ,)
    )
    tokens: dict[str, Any] = (await platform.redeem(http, query_of(location)["code"])).json()
    return tokens


async def test_with_a_persons_token_only_that_persons_receipt_is_had(provider: Provider) -> None:
    platform = await new_platform(provider, METADATA)
    links = []
    for account_id in ("acc_1", "acc_2"):
        async with provider.http() as http:
            provider.clock.advance(seconds=1)
            links.append(await own_tokens(provider, http, platform, await provider.add_person(), account_id))
    mine, others = links
    bearer = {"Authorization": f"Bearer {mine['access_token']}"}
    async with provider.http() as http:
        for tokens, status in ((mine, 200), (others, 404)):
            link_id = tokens["authorization_details"][0]["link_id"]
            answer = await http.get(f"/account-links/{link_id}/receipt", headers=bearer)
            assert answer.status_code == status


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.ENDED, Status.LAPSED])
async def test_a_link_that_is_not_active_has_no_new_receipt(provider: Provider, status: Status) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        await move_link(provider, link_id, status)
        answer = await api.get(f"/{link_id}/receipt")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("state_conflict")


async def test_a_link_older_than_receipts_is_asked_for_a_little_later(provider: Provider) -> None:
    async with provider.http() as http:
        api = await new_platform_api(provider, http)
        link_id = await api.linked(await provider.add_person())
        uow = provider.unit_of_work()
        link = await uow.account_links.find(link_id)
        assert link is not None
        uow.account_links.change(
            link, replace(link, status_list_id=None, status_index=None), None, provider.clock.now
        )
        await uow.commit()
        answer = await api.get(f"/{link_id}/receipt")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
