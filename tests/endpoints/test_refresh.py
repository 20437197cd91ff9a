"""The refresh token grant: families, generations, and a grace in which a lost answer comes again."""

import asyncio
from collections import Counter

import jwt
import pytest
from sqlalchemy import select

from idp.identity.account_links import LinkPolicy
from idp.identity.assurance import Acr, Proofing
from idp.store.tables import audit_events, grants, refresh_tokens
from tests.support.platform import Platform
from tests.support.provider import Provider
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio


async def family(provider: Provider, platform: Platform) -> tuple[Counter[str], list[int]]:
    """Return the audit events of a platform's grants, and the generations of its refresh tokens."""
    client_id = platform.client.client_id
    events = await provider.context.database.fetch_all(
        select(audit_events.c.type).where(audit_events.c.client_id == client_id), {}
    )
    tokens = await provider.context.database.fetch_all(
        select(refresh_tokens.c.generation)
        .join(grants, grants.c.grant_id == refresh_tokens.c.grant_id)
        .where(grants.c.client_id == client_id)
        .order_by(refresh_tokens.c.generation),
        {},
    )
    grant_events = Counter(row["type"] for row in events if row["type"].startswith("grant:"))
    return grant_events, [row["generation"] for row in tokens]


async def test_an_answer_that_was_lost_comes_again_with_the_same_successor(provider: Provider) -> None:
    """TOK-23: a rotated token comes back within a minute, three times, and its family goes on."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        first = (await platform.refresh(http, tokens["refresh_token"])).json()
        answers = []
        for _ in range(3):
            provider.clock.advance(seconds=19)
            answers.append((await platform.refresh(http, tokens["refresh_token"])).json())
        assert {answer["refresh_token"] for answer in answers} == {first["refresh_token"]}
        assert len({answer["access_token"] for answer in (first, *answers)}) == 4
        assert first["refresh_token"] != tokens["refresh_token"]
        next_one = await platform.refresh(http, first["refresh_token"])
    assert next_one.status_code == 200
    assert await family(provider, platform) == (
        {"grant:redeemed": 1, "grant:refreshed": 5},
        [1, 2, 3],
    )


@pytest.mark.parametrize("uses", [2, 5])
async def test_after_the_grace_a_replay_ends_the_family_and_is_recorded_once(
    provider: Provider, uses: int
) -> None:
    """RFC 9700 §4.14.2; abuse class 5: after a minute, or once too often within it."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        newest = (await platform.refresh(http, tokens["refresh_token"])).json()
        for _ in range(uses - 2):
            assert (await platform.refresh(http, tokens["refresh_token"])).status_code == 200
        if uses == 2:
            provider.clock.advance(seconds=60)
        for _ in range(3):
            answer = await platform.refresh(http, tokens["refresh_token"])
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert (await platform.refresh(http, newest["refresh_token"])).json()["error"] == "invalid_grant"
        bearer = {"Authorization": f"Bearer {newest['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).json()["error"] == "invalid_token"
    events, _ = await family(provider, platform)
    assert events["grant:revoked"] == 1


async def test_no_grace_in_a_family_that_was_revoked(provider: Provider) -> None:
    """Abuse class 5, DOT #1816: a revoked refresh token is not honoured in its grace."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        tokens = (await platform.redeem(http, code)).json()
        await platform.refresh(http, tokens["refresh_token"])
        await platform.redeem(http, code)
        answer = await platform.refresh(http, tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_another_client_learns_nothing_and_ends_nothing(provider: Provider) -> None:
    """TOK-22; abuse class 7 (ZIT CVE-2026-55672)."""
    platform, person = await new_platform(provider), await provider.add_person()
    stranger = await new_platform(provider)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        newest = (await platform.refresh(http, tokens["refresh_token"])).json()
        provider.clock.advance(minutes=2)
        for held in (tokens, newest):
            answer = await stranger.refresh(http, held["refresh_token"])
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert (await platform.refresh(http, newest["refresh_token"])).status_code == 200


async def test_a_refresh_goes_by_the_registration_as_it_stands_now(provider: Provider) -> None:
    """Abuse class 10, GHSA-895x: scope that was taken from a client is gone from its families, too."""
    platform, person = await new_platform(provider), await provider.add_person()
    client_id = platform.client.client_id
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, scope="openid email offline_access")
        await change_client(provider, client_id, scope=frozenset({"openid", "offline_access"}))
        less = (await platform.refresh(http, tokens["refresh_token"])).json()
        assert less["scope"] == "openid offline_access"
        await change_client(provider, client_id, scope=frozenset({"openid"}))
        still = (await platform.refresh(http, less["refresh_token"])).json()
        assert still["scope"] == "openid"
        provider.clock.advance(hours=13)
        over = await platform.refresh(http, still["refresh_token"])
        assert over.json()["error"] == "invalid_grant", "offline_access went, so the session counts"


@pytest.mark.parametrize(
    "raised", [{"min_acr": Acr.VN_3}, {"min_proofing": Proofing.VN2}], ids=["min_acr", "min_proofing"]
)
async def test_a_platform_that_raises_its_policy_gets_tokens_for_nobody_below(
    provider: Provider, raised: dict[str, Acr | Proofing]
) -> None:
    """Case P8: the policy holds for what was granted before, at once."""
    platform = await new_platform(provider)
    person = await provider.add_person(proofing=Proofing.VN1)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        await change_client(provider, platform.client.client_id, policy=LinkPolicy(**raised))
        answer = await platform.refresh(http, tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_consent_that_is_withdrawn_ends_its_tokens(provider: Provider) -> None:
    """Rule R8: withdrawal takes effect at once here, for a sign-in without any link as well."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person, None)
        uow = provider.unit_of_work()
        uow.consents.withdraw(person.citizen_id, platform.client.client_id, provider.clock.now)
        await uow.commit()
        answer = await platform.refresh(http, tokens["refresh_token"])
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).json()["error"] == "invalid_token"
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_opaque_access_tokens_do_what_the_others_do(provider: Provider) -> None:
    """Also when the code comes back: what it gave dies (TOK-05)."""
    platform, person = await new_platform(provider, access_token_format="opaque"), await provider.add_person()
    async with provider.http() as http:
        code = await platform.code_for(http, person)
        tokens = (await platform.redeem(http, code)).json()
        fresh = (await platform.refresh(http, tokens["refresh_token"])).json()
        for held in (tokens, fresh):
            assert "." not in held["access_token"]
            bearer = {"Authorization": f"Bearer {held['access_token']}"}
            assert (await http.get("/userinfo", headers=bearer)).status_code == 200
        await platform.redeem(http, code)
        for held in (tokens, fresh):
            bearer = {"Authorization": f"Bearer {held['access_token']}"}
            assert (await http.get("/userinfo", headers=bearer)).json()["error"] == "invalid_token"


async def test_an_opaque_token_lives_ten_minutes(provider: Provider) -> None:
    platform, person = await new_platform(provider, access_token_format="opaque"), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        provider.clock.advance(minutes=10)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/userinfo", headers=bearer)).json()["error"] == "invalid_token"


async def test_two_tabs_at_once_both_go_on(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        answers = await asyncio.gather(*(platform.refresh(http, tokens["refresh_token"]) for _ in range(2)))
        assert [answer.status_code for answer in answers] == [200, 200]
        [successor] = {answer.json()["refresh_token"] for answer in answers}
        assert (await platform.refresh(http, successor)).status_code == 200


async def test_a_refreshed_token_tells_of_the_same_sign_in(provider: Provider) -> None:
    """TOK-21: same iss, sub, aud, auth_time; no nonce, new iat; the link as it stands."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person)
        provider.clock.advance(minutes=1)
        answer = await platform.refresh(browser, tokens["refresh_token"])
    assert answer.headers["cache-control"] == "no-store"
    before, after = (
        jwt.decode(held["id_token"], options={"verify_signature": False}) for held in (tokens, answer.json())
    )
    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"):
        assert after[name] == before[name], name
    assert "nonce" not in after
    assert after["iat"] == before["iat"] + 60
    assert after["account_link"]["link_id"] == before["account_link"]["link_id"]


async def test_a_refresh_may_narrow_and_never_widen(provider: Provider) -> None:
    """RFC 6749 §6: and what was narrowed away for one token is back for the next."""
    platform, person = await new_platform(provider), await provider.add_person(email="lan@example.vn")
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person, scope="openid email")
        wider = await platform.refresh(browser, tokens["refresh_token"], scope="openid email phone")
        assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
        narrow = await platform.refresh(browser, tokens["refresh_token"], scope="openid")
        assert narrow.json()["scope"] == "openid"
        whole = await platform.refresh(browser, narrow.json()["refresh_token"])
        assert whole.json()["scope"] == "openid email"


async def test_a_family_without_offline_access_ends_with_the_session(provider: Provider) -> None:
    """OIDC Core §11: with offline_access it goes on."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as browser:
        online = await platform.tokens_for(browser, person)
        provider.clock.advance(seconds=1)
        offline = await platform.tokens_for(browser, person, scope="openid offline_access")
        provider.clock.advance(hours=13)
        refused = await platform.refresh(browser, online["refresh_token"])
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert (await platform.refresh(browser, offline["refresh_token"])).status_code == 200
