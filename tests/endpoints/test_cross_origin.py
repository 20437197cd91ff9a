"""Pages of any origin may call what public clients need, and nothing else; never with cookies."""

import pytest

from idp.endpoints import CROSS_ORIGIN_PATHS
from tests.support.provider import Provider

pytestmark = pytest.mark.anyio

ORIGIN = {"Origin": "https://app.example"}
PREFLIGHT = ORIGIN | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,dpop",
}
PAGES = [
    "/authorize",
    "/sign-in/x",
    "/consent/x",
    "/my/accounts",
    "/end_session",
    "/my/sessions",
    "/not-me/x",
]


@pytest.mark.parametrize("path", sorted(CROSS_ORIGIN_PATHS))
async def test_a_page_of_another_origin_may_ask_whether_it_may_call(provider: Provider, path: str) -> None:
    async with provider.http() as http:
        answer = await http.options(path, headers=PREFLIGHT)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "dpop"} <= allowed
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/par"])
async def test_answers_and_refusals_can_be_read_with_the_nonce_in_them(provider: Provider, path: str) -> None:
    async with provider.http() as http:
        answer = await http.post(path, headers=ORIGIN)
        without = await http.post(path)
    assert answer.status_code in {400, 401}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in without.headers


@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_for_nobody_elses_scripts(provider: Provider, path: str) -> None:
    async with provider.http() as http:
        asked = await http.options(path, headers=PREFLIGHT)
        answer = await http.get(path, headers=ORIGIN)
    for each in (asked, answer):
        assert not [name for name in each.headers if name.startswith("access-control-")]
