"""The main job: a platform links a citizen's account, from request to end, over HTTP on both engines."""

from pathlib import Path

import jwt
import pytest

from tests.support.platform import Platform
from tests.support.provider import ISSUER, running_provider

pytestmark = pytest.mark.anyio


async def test_a_person_links_an_account_and_the_platform_learns_no_more_than_it_may(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        platform = Platform(provider, await provider.add_client(min_acr="vn-2"))
        person = await provider.add_person()
        async with provider.http() as browser:
            tokens = await platform.tokens_for(browser, person)
            claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
            assert claims["acr"] == f"{ISSUER}/acr/vn-2"
            assert claims["amr"] == ["pwd", "otp", "mfa"]
            assert claims["account_link"]["account_id"] == "acc_lan_1"
            assert claims["account_link"]["status"] == "active"
            assert tokens["authorization_details"][0]["link_id"] == claims["account_link"]["link_id"]
            told = set(claims) - {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid"}
            assert told == {"at_hash", "nonce", "account_link"}
            userinfo = await browser.get(
                "/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
            )
            assert userinfo.json() == {"sub": claims["sub"]}
