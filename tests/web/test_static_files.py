"""Static files, and the probes that load balancers send."""

from pathlib import Path

import pytest

from idp.pages.rendering import STATIC
from tests.support.provider import running_provider

pytestmark = pytest.mark.anyio


async def test_a_versioned_file_is_kept_for_a_year_and_another_is_checked(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        versioned = await browser.get("/static/connection.js?v=1")
        assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await browser.get("/static/connection.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["connection.js", "mark.svg"])
async def test_who_takes_gzip_gets_a_third_and_who_does_not_gets_it_all(
    sqlite_url: str, tmp_path: Path, name: str
) -> None:
    written = (STATIC / name).read_bytes()
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        plain = await browser.get(f"/static/{name}", headers={"Accept-Encoding": "identity"})
        packed = await browser.get(f"/static/{name}", headers={"Accept-Encoding": "br, gzip"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert plain.content == packed.content == written
        assert int(packed.headers["content-length"]) < len(written)
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert plain.headers["content-type"] == packed.headers["content-type"]
        known = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]}
        assert (await browser.get(f"/static/{name}", headers=known)).status_code == 304


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/jwks", "/.well-known/openid-configuration"])
async def test_head_answers_where_get_does(sqlite_url: str, tmp_path: Path, path: str) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        assert (await browser.head(path)).status_code == 200
