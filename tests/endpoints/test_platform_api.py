"""The description of the platform API, and of its problems, as anybody finds them."""

import pytest

from idp.protocol.platform_api import openapi_document
from idp.protocol.problems import OAUTH_PROBLEMS, Problem
from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio


async def test_the_description_is_public_and_kept_by_caches(provider: Provider) -> None:
    async with provider.http() as http:
        answer = await http.get("/account-links/openapi.json")
        assert answer.json() == openapi_document(ISSUER)
        assert answer.headers["cache-control"] == "public, max-age=3600"
        again = await http.get(
            "/account-links/openapi.json", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


async def test_every_kind_of_problem_explains_itself(provider: Provider) -> None:
    """RFC 9457 §3.1.1: its type is an address that can be opened."""
    async with provider.http() as http:
        for name in (*Problem, *OAUTH_PROBLEMS):
            address = f"{ISSUER}/problems/{name}"
            document = (await http.get(address)).json()
            assert document.keys() == {"type", "title", "status", "remedy"}
            assert document["type"] == address
        unknown = await http.get("/problems/x")
    assert (unknown.status_code, unknown.json()["type"]) == (404, f"{ISSUER}/problems/no_such_address")


async def test_a_fixed_name_is_never_taken_for_a_link(provider: Provider) -> None:
    """`/account-links/changes` is the feed and no link's id; it says who is missing a token."""
    async with provider.http() as http:
        for name in ("changes", "policy", "openapi.json"):
            answer = await http.get(f"/account-links/{name}")
            assert answer.status_code != 404
            assert answer.json().get("type") != f"{ISSUER}/problems/no_such_link"
