"""The networks' logos come from our own address."""

import base64
from pathlib import Path

import pytest

from tests.support.platform import Platform
from tests.support.provider import running_provider

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"

pytestmark = pytest.mark.anyio


async def test_a_reviewed_logo_is_shown_and_served_by_the_provider(database_url: str, tmp_path: Path) -> None:
    logo_uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    async with running_provider(database_url, tmp_path) as provider, provider.http() as browser:
        platform = Platform(provider, await provider.add_client({"logo_uri": logo_uri}))
        begun = await browser.get("/authorize", params=platform.request())
        page = await browser.get(begun.headers["location"])
        address = page.text.partition('<img class="monogram" src="')[2].partition('"')[0]
        picture = await browser.get(address)
        assert picture.content == PNG
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["x-content-type-options"] == "nosniff"


async def test_a_remote_logo_is_never_part_of_a_page(sqlite_url: str, tmp_path: Path) -> None:
    logo_uri = "https://quan-coc.example/logo.png"
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        platform = Platform(provider, await provider.add_client({"logo_uri": logo_uri}))
        begun = await browser.get("/authorize", params=platform.request())
        page = await browser.get(begun.headers["location"])
        assert logo_uri not in page.text
        assert (await browser.get("/logos/quan-coc")).status_code == 404
        assert (await browser.get("/logos/nobody")).status_code == 404
