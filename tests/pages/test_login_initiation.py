"""OpenID Connect Core §4: a sign-in that begins here, at the one address that the network registered."""

from pathlib import Path

import pytest

from tests.support.provider import ISSUER, running_provider

pytestmark = pytest.mark.anyio


async def test_the_way_to_a_network_names_the_issuer_and_keeps_the_registered_query(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        await provider.add_client({"initiate_login_uri": "https://quan-coc.example/login?from=idp"})
        answer = await browser.get("/open/quan-coc", params={"iss": "https://other.example", "to": "//evil"})
        assert answer.status_code == 303
        expected = "https://quan-coc.example/login?from=idp&iss=" + ISSUER.replace(":", "%3A").replace(
            "/", "%2F"
        )
        assert answer.headers["location"].replace("/", "%2F") == expected.replace("/", "%2F")


async def test_a_network_that_registered_no_such_address_is_not_opened(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        await provider.add_client()
        for client_id in ("quan-coc", "nobody"):
            answer = await browser.get(f"/open/{client_id}")
            assert answer.status_code == 404
            assert "location" not in answer.headers
