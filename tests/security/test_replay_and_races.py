"""Abuse classes 5, 6, 27, 31 and case P3: single use and uniqueness, with many at once, on each engine."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from idp.identity.account_links import Status
from idp.protocol.client_authentication import ASSERTION_TYPE
from tests.support.platform import Platform
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

AT_ONCE = 50


def outcomes(answers: list[httpx.Response]) -> Counter[str]:
    return Counter(str(answer.json().get("error", answer.status_code)) for answer in answers)


async def userinfo(http: httpx.AsyncClient, tokens: dict[str, Any]) -> int:
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    return (await http.get("/userinfo", headers=bearer)).status_code


async def test_a_code_redeemed_by_many_at_once_succeeds_once_and_is_then_revoked(provider: Provider) -> None:
    """TOK-04, TOK-05; CVE-2026-1035, CVE-2026-53512, CVE-2026-90997; RFC 6749 §4.1.2."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        answers = await asyncio.gather(*(platform.redeem(http, code) for _ in range(AT_ONCE)))
        assert outcomes(answers) == {"200": 1, "invalid_grant": AT_ONCE - 1}
        tokens = next(answer.json() for answer in answers if answer.status_code == 200)
        assert await userinfo(http, tokens) == 401
        assert (await platform.refresh(http, tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_code_replayed_much_later_still_revokes(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        tokens = (await platform.redeem(http, code)).json()
        provider.clock.advance(minutes=5)
        assert await userinfo(http, tokens) == 200
        wrong = await platform.redeem(http, code, code_verifier="a" * 43)
        assert wrong.json()["error"] == "invalid_grant"
        assert await userinfo(http, tokens) == 401


def own_proof(platform: Platform, jti: str) -> dict[str, str]:
    """A fresh assertion of a platform that signs."""
    client_id, now = platform.client.client_id, int(platform.provider.clock.now.timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60}
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": sign(claims)}


@pytest.mark.parametrize("signs", [False, True])
async def test_a_refresh_token_used_by_many_at_once_ends_its_family(
    provider: Provider, *, signs: bool
) -> None:
    """RFC 9700 §4.14.2: four are lost answers and tabs, all with one successor; ten are a copy.

    Each request brings an assertion of its own, which is spent once however often it looks again.
    """
    metadata: dict[str, object] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    platform = await new_platform(provider, metadata if signs else None)
    person = await provider.add_person()

    async def post(jti: str, **form: str) -> httpx.Response:
        proof = own_proof(platform, jti) if signs else {}
        return await http.post("/token", data=form | proof, auth=None if signs else platform.auth)

    async with provider.http() as http:
        code = await platform.code_for(http, person)
        redeem = {"code": code, "redirect_uri": platform.client.redirect_uris[0]}
        redeem |= {"code_verifier": platform.verifier, "grant_type": "authorization_code"}
        refresh = {
            "grant_type": "refresh_token",
            "refresh_token": (await post("code", **redeem)).json()["refresh_token"],
        }
        answers = await asyncio.gather(*(post(f"use-{number}", **refresh) for number in range(10)))
        assert outcomes(answers) == {"200": 4, "invalid_grant": 6}
        newest = [answer.json() for answer in answers if answer.status_code == 200]
        [successor] = {tokens["refresh_token"] for tokens in newest}
        ended = await post("after", grant_type="refresh_token", refresh_token=successor)
        assert ended.json()["error"] == "invalid_grant"
        assert {await userinfo(http, tokens) for tokens in newest} == {401}


async def test_an_assertion_used_by_many_at_once_proves_once(provider: Provider) -> None:
    """Abuse classes 8, 31: GHSA-3p3g-vpw6-4w66, CVE-2026-90997."""
    metadata: dict[str, object] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    platform = await new_platform(provider, metadata)
    proof = own_proof(platform, "j")
    async with provider.http() as http:
        pushes = (http.post("/par", data=platform.request() | proof) for _ in range(20))
        answers = await asyncio.gather(*pushes)
    assert outcomes(answers) == {"201": 1, "invalid_client": 19}


async def test_an_assertion_seen_in_a_refused_request_is_spent_as_well(provider: Provider) -> None:
    """Abuse class 8: one proof is no licence to try codes."""
    metadata: dict[str, object] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    platform = await new_platform(provider, metadata)
    proof = own_proof(platform, "j")
    guess = {"grant_type": "authorization_code", "code": "a guess"} | proof
    async with provider.http() as http:
        first = await http.post("/token", data=guess)
        assert first.json()["error"] == "invalid_grant"
        again = await http.post("/par", data=platform.request() | proof)
    assert again.json()["error"] == "invalid_client"


async def codes_of(
    provider: Provider, platform: Platform, http: httpx.AsyncClient, accounts: list[str]
) -> list[str]:
    """One person's codes for many accounts, none of them redeemed yet."""
    person = await provider.add_person()
    codes = []
    for account in accounts:
        provider.clock.advance(seconds=1)
        codes.append(await platform.code_for(http, person, account))
    return codes


async def test_an_account_that_many_people_claim_at_once_has_one_holder(provider: Provider) -> None:
    """Case P3: the losers store nothing."""
    platform = await new_platform(provider)
    codes = []
    for _ in range(8):
        async with provider.http() as http:
            codes += await codes_of(provider, platform, http, ["acc_contested"])
    async with provider.http() as http:
        answers = await asyncio.gather(*(platform.redeem(http, code) for code in codes))
        assert outcomes(answers) == {"200": 1, "invalid_grant": 7}
    links = await provider.unit_of_work().account_links.page(client_id=platform.client.client_id)
    assert Counter(link.status for link in links) == {Status.ACTIVE: 1, Status.PENDING: 7}


async def test_the_cap_of_links_holds_for_many_at_once(provider: Provider) -> None:
    """Cases P3, P4."""
    platform = await new_platform(provider, max_links_per_citizen=3)
    async with provider.http() as http:
        codes = await codes_of(provider, platform, http, [f"acc_{number}" for number in range(10)])
        answers = await asyncio.gather(*(platform.redeem(http, code) for code in codes))
        assert outcomes(answers) == {"200": 3, "invalid_grant": 7}
    links = await provider.unit_of_work().account_links.page(
        client_id=platform.client.client_id, status=Status.ACTIVE.value
    )
    assert sorted(link.place or 0 for link in links) == [1, 2, 3]


async def test_one_code_typed_in_many_windows_at_once_lifts_one_session(provider: Provider) -> None:
    """Abuse class 19: concurrent one-time codes, one success."""
    person = await provider.add_person()
    provider.clock.advance(seconds=60)
    form = {"identifier": person.personal_number, "password": person.password}
    browsers = [provider.http() for _ in range(4)]
    for browser in browsers:
        assert (await browser.post("/sign-in/my", data=form)).status_code == 303
    code = person.code(provider.clock.now)
    answers = await asyncio.gather(
        *(browser.post("/second-factor/my", data={"code": code}) for browser in browsers)
    )
    for browser in browsers:
        await browser.aclose()
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400]


async def test_two_answers_to_one_journey_give_one_code(provider: Provider) -> None:
    """Case P2: a journey that is finished twice at once issues one code."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        begun = (await http.get("/authorize", params=platform.request())).headers["location"]
        await http.post(begun, data={"identifier": person.personal_number, "password": person.password})
        await http.post(begun.replace("/sign-in/", "/consent/"), data={"decision": "allow"})
        last = begun.replace("/sign-in/", "/authorize/")
        answers = await asyncio.gather(*(http.get(last) for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 400: 4}
