"""A television without a keyboard and a network that asks from afar, answered in a browser and photographed.

The pictures are in `.artifacts/screenshots/`.
"""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT
from tests.support.browser_steps import sign_in
from tests.support.camera import Camera
from tests.support.main_job import Scene
from tests.support.registrations import register
from tests.support.watched_pages import Watched

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("prepared", ["sqlite"], indirect=True),
    pytest.mark.parametrize("language", ["vi", "en"]),
]


@pytest.fixture
def camera(scene: Scene, watched: Watched, language: str) -> Camera:
    watched.page.goto(f"{scene.provider.url}/sign-in/my?lang={language}")
    return Camera(watched.page, language)


def registered(scene: Scene, folder: Path, language: str) -> tuple[str, str]:
    """Register a network that asks from afar, and by devices; return its id and secret."""
    client_id = f"truyen-hinh-{language}"
    described = {
        "client_id": client_id,
        "client_name": "Truyền Hình Sông Hương",
        "client_uri": "https://songhuong.example",
        "redirect_uris": [],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [DEVICE_GRANT, CIBA_GRANT],
        "backchannel_token_delivery_mode": "poll",
        "scope": "openid profile",
    }
    secret = register(scene.provider, folder, (described, {"sector": "songhuong.example"}))[client_id]
    assert secret is not None
    return client_id, secret


def test_a_device_and_a_call_are_answered_where_the_person_is_signed_in(
    scene: Scene, camera: Camera, tmp_path: Path
) -> None:
    page, person = camera.page, scene.person("Lò Văn Pâng")
    auth = registered(scene, tmp_path, camera.language)
    with httpx.Client(base_url=scene.provider.url, auth=auth) as television:

        def fetched(grant_type: str, **request_id: str) -> httpx.Response:
            return television.post("/token", data={"grant_type": grant_type} | request_id)

        begun: dict[str, Any] = television.post(
            "/device-authorization", data={"scope": "openid profile"}
        ).json()
        page.goto(begun["verification_uri_complete"])
        camera.take("sign-in-to-answer")
        sign_in(page, person)
        expect(page.locator("#user_code")).to_have_value(begun["user_code"])
        camera.take("device")
        page.fill("#user_code", "BCDF-GHJK")
        page.locator("form#device button").click()
        camera.take("device-wrong")
        page.fill("#user_code", begun["user_code"].lower())
        page.locator("form#device button").click()
        camera.take("approval-of-a-device")
        page.locator("form#approval button[value=allow]").click()
        camera.take("approval-given")
        tokens = fetched(DEVICE_GRANT, device_code=begun["device_code"])
        assert tokens.status_code == 200, tokens.text
        bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
        userinfo = f"{scene.provider.url}/userinfo"
        subject = httpx.get(userinfo, headers=bearer).json()["sub"]
        page.goto(f"{scene.provider.url}/approvals")
        camera.take("approvals-empty")
        asked = television.post(
            "/backchannel-authentication",
            data={"scope": "openid", "login_hint": subject, "binding_message": "Kênh 7, mã 4812"},
        ).json()
        page.goto(f"{scene.provider.url}/my")
        camera.take("my-start-with-a-request")
        page.goto(f"{scene.provider.url}/approvals")
        camera.take("approvals")
        page.locator(".card a.button").click()
        expect(page.locator("#binding-message")).to_have_text("Kênh 7, mã 4812")
        camera.take("approval")
        page.locator("form#approval button[value=deny]").click()
        camera.take("approval-refused")
        refused = fetched(CIBA_GRANT, auth_req_id=asked["auth_req_id"])
        assert (refused.status_code, refused.json()["error"]) == (400, "access_denied")
        page.goto(f"{scene.provider.url}/my/accounts")
        camera.take("my-accounts-with-a-network")
        page.locator(".card", has_text="Truyền Hình Sông Hương").locator(".actions a").click()
        camera.take("end-network")
        assert httpx.get(userinfo, headers=bearer).status_code == 200
        page.locator("form#end-network button[type=submit]").click()
        camera.take("network-ended")
        assert httpx.get(userinfo, headers=bearer).status_code == 401
        page.locator("main a.button").click()
        expect(page.locator(".card", has_text="Truyền Hình Sông Hương")).to_have_count(0)
