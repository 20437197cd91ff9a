"""npm's oidc-client-ts, in a page in a real Chromium: a public client without a back-end of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_steps import decide, sign_in
from tests.support.main_job import Scene
from tests.support.node_party import NODE_PARTIES
from tests.support.registrations import register
from tests.support.static_site import Content, static_site

pytestmark = [pytest.mark.browser, pytest.mark.needs("oidc-client-ts")]

LIBRARY = NODE_PARTIES / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js"
PAGE = Path(__file__).with_name("single_page_app.html")
SCOPE = "openid profile offline_access"


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, dict[str, Content]]]:
    html = PAGE.read_bytes()
    contents: dict[str, Content] = {"/": html, "/callback": html, "/goodbye": html}
    contents["/oidc-client-ts.js"] = LIBRARY.read_bytes()
    with static_site(contents) as address:
        yield address, contents


@pytest.fixture(params=[False, True], ids=["bearer", "dpop"])
def app(
    request: pytest.FixtureRequest,
    scene: Scene,
    site: tuple[str, dict[str, Content]],
    tmp_path: Path,
) -> tuple[str, bool]:
    """Register the app and tell it who it is; return its address, and whether its tokens are bound."""
    address, contents = site
    client_id = "single-page-dpop" if request.param else "single-page"
    metadata = {
        "client_id": client_id,
        "client_name": "Trang Đơn",
        "client_uri": address,
        "redirect_uris": [f"{address}/callback"],
        "post_logout_redirect_uris": [f"{address}/goodbye"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": SCOPE,
        "token_endpoint_auth_method": "none",
        "id_token_signed_response_alg": "ES256",
        "dpop_bound_access_tokens": request.param,
    }
    register(scene.provider, tmp_path, (metadata, {"sector": "localhost", "min_acr": "vn-2"}))
    contents["/settings.json"] = {
        "authority": scene.provider.url,
        "client_id": client_id,
        "redirect_uri": f"{address}/callback",
        "post_logout_redirect_uri": f"{address}/goodbye",
        "scope": SCOPE,
        "is_bound": request.param,
    }
    return address, request.param


def learned(page: Page, state: str) -> dict[str, Any]:
    expect(page.locator("#state")).to_have_text(state)
    told: dict[str, Any] = json.loads(page.locator("#learned").text_content() or "{}")
    return told


def test_oidc_client_ts_signs_a_person_in_and_out(
    scene: Scene, app: tuple[str, bool], desktop_page: Page
) -> None:
    (address, is_bound), page, person = app, desktop_page, scene.person("Claire Dubois")
    page.goto(address)
    expect(page.locator("#state")).to_have_text("ready")
    page.evaluate("signIn()")
    sign_in(page, person)
    decide(page, "allow")
    first = learned(page, "signed in")
    assert page.url.startswith(f"{address}/callback")
    assert first["profile"]["iss"] == scene.provider.url
    assert first["has_refresh_token"]
    assert first["token_type"] == ("DPoP" if is_bound else "Bearer")
    if is_bound:
        assert page.evaluate("askUserInfo()")["sub"] == first["profile"]["sub"]

    page.evaluate("renew()")
    second = learned(page, "renewed")
    assert second["access_token"] != first["access_token"]
    assert second["profile"]["sub"] == first["profile"]["sub"]

    page.evaluate("signOut()")
    expect(page.locator("#state")).to_have_text("signed out")
    assert page.url.startswith(f"{address}/goodbye")
