"""Platforms whose callback sends the browser on to another host of theirs, as many do after a sign-in."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser_steps import decide, give_password
from tests.support.main_job import Scene
from tests.support.platform import challenge_of
from tests.support.registrations import register
from tests.support.static_site import Content, static_site

pytestmark = pytest.mark.browser
VERIFIER = "v" * 43


@pytest.mark.parametrize("prepared", ["sqlite"], indirect=True)
@pytest.mark.parametrize("response_mode", ["query", "form_post"])
def test_a_callback_may_lead_to_another_host(
    scene: Scene, page: Page, tmp_path: Path, response_mode: str
) -> None:
    """Chromium holds `form-action` against every redirect that follows a form (webappsec-csp issue 8)."""
    callback: dict[str, Content] = {}
    client_id = f"goes-on-{response_mode}"
    with static_site({"/home": b"<h1>Welcome</h1>"}) as home, static_site(callback) as platform:
        elsewhere = home.replace("localhost", "127.0.0.1")
        callback["/callback"] = f"{elsewhere}/home"
        metadata = {
            "client_id": client_id,
            "client_name": "Đi Tiếp",
            "client_uri": platform,
            "redirect_uris": [f"{platform}/callback"],
            "token_endpoint_auth_method": "none",
            "scope": "openid",
        }
        register(scene.provider, tmp_path, (metadata, {"sector": "localhost"}))
        page.goto(
            f"{scene.provider.url}/authorize?client_id={client_id}&redirect_uri={platform}/callback"
            f"&response_type=code&scope=openid&response_mode={response_mode}&prompt=login%20consent"
            f"&code_challenge={challenge_of(VERIFIER)}&code_challenge_method=S256"
        )
        person = scene.person("Claire Dubois")
        give_password(page, person.number, person.password)
        decide(page, "allow")
        expect(page.locator("h1")).to_have_text("Welcome")
        assert page.url == f"{elsewhere}/home"
