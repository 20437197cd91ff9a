"""Static files, and the probes that load balancers send."""

from pathlib import Path

import pytest

from tests.support.provider import running_provider

pytestmark = pytest.mark.anyio


async def test_a_versioned_file_is_kept_for_a_year_and_another_is_checked(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        versioned = await browser.get("/static/lienket.css?v=1")
        assert versioned.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await browser.get("/static/lienket.css")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/jwks", "/.well-known/openid-configuration"])
async def test_head_answers_where_get_does(sqlite_url: str, tmp_path: Path, path: str) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider, provider.http() as browser:
        assert (await browser.head(path)).status_code == 200
