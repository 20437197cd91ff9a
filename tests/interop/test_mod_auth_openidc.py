"""Debian's mod_auth_openidc, in a real Apache, guards a page: sign-in, userinfo, refresh, logout.

Its version in Debian 12 knows neither PAR nor DPoP. Its "info hook" shows what it keeps of a session.
"""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.apache import PAGE, Apache, running_apache
from tests.support.html_forms import Html
from tests.support.main_job import Person, Scene
from tests.support.postgresql import free_port
from tests.support.registrations import register
from tests.support.walk import visitor, walk

CLIENT_ID = "trang-tin"
SCOPE = "openid profile offline_access"
POLICY = {"profile": "logout", "min_acr": "vn-2"}
TOLD_WITHIN = 20.0

pytestmark = pytest.mark.needs("mod_auth_openidc")


@pytest.fixture(scope="module")
def apache(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    port = free_port()
    metadata = {
        "client_id": CLIENT_ID,
        "client_name": "Trang Tin",
        "client_uri": f"http://localhost:{port}",
        "redirect_uris": [f"http://localhost:{port}/protected/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": SCOPE,
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "RS256",
        "post_logout_redirect_uris": [f"http://localhost:{port}/goodbye"],
        "backchannel_logout_uri": f"http://localhost:{port}/protected/callback?logout=backchannel",
        "backchannel_logout_session_required": True,
    }
    secrets = register(scene.provider, tmp_path_factory.mktemp("apache"), (metadata, POLICY))
    options = {
        "OIDCProviderMetadataURL": f"{scene.provider.url}/.well-known/openid-configuration",
        "OIDCClientID": CLIENT_ID,
        "OIDCClientSecret": str(secrets[CLIENT_ID]),
        "OIDCRedirectURI": f"http://localhost:{port}/protected/callback",
        "OIDCCryptoPassphrase": "known to this test alone",
        "OIDCScope": SCOPE,
        "OIDCPKCEMethod": "S256",
        "OIDCPassClaimsAs": "environment",
        "OIDCInfoHook": 'access_token" "id_token" "userinfo',
    }
    with running_apache(options, port) as apache:
        yield apache


def kept(browser: httpx.Client, apache: Apache, **parameters: str) -> dict[str, Any]:
    """Return what the module keeps of this browser's session."""
    answer = browser.get(apache.callback, params={"info": "json", **parameters}).raise_for_status()
    session: dict[str, Any] = answer.json()
    return session


def enter(browser: httpx.Client, apache: Apache, person: Person) -> httpx.Response:
    """Sign in, by way of the provider; return the page."""
    sent = browser.get(f"{apache.url}/protected/")
    callback = walk(browser, sent.headers["location"], person, ticked=("name",))
    assert callback.startswith(f"{apache.callback}?")
    returned = browser.get(callback)
    assert returned.headers["location"] == f"{apache.url}/protected/", returned.text
    page = browser.get(f"{apache.url}/protected/")
    assert page.text == PAGE
    return page


def test_the_page_opens_for_who_signed_in(scene: Scene, apache: Apache) -> None:
    person = scene.person("Y Moan")
    with visitor() as browser:
        page = enter(browser, apache, person)
        assert page.headers["x-told-assurance"] == f"{scene.provider.url}/acr/vn-2"

        first = kept(browser, apache)
        assert page.headers["x-told-subject"] == first["id_token"]["sub"] == first["userinfo"]["sub"]
        assert first["userinfo"]["name"] == person.name
        second = kept(browser, apache, access_token_refresh_interval="0")
        assert second["access_token"] != first["access_token"]
        assert second["id_token"]["sub"] == first["id_token"]["sub"]
        assert second["id_token"]["auth_time"] == first["id_token"]["auth_time"]


def test_the_page_stays_shut_for_everybody_else(scene: Scene, apache: Apache) -> None:
    with visitor() as browser:
        sent = browser.get(f"{apache.url}/protected/")
        assert sent.status_code == 302
        assert sent.headers["location"].startswith(f"{scene.provider.url}/authorize?")
        assert PAGE not in sent.text


def test_leaving_the_page_signs_out_here_and_leads_back(scene: Scene, apache: Apache) -> None:
    with visitor() as browser:
        enter(browser, apache, scene.person("Phạm Đức Hoà"))
        goodbye = f"{apache.url}/goodbye"
        sent = browser.get(apache.callback, params={"logout": goodbye})
        assert sent.headers["location"].startswith(f"{scene.provider.url}/end_session?")
        assert browser.get(sent.headers["location"]).headers["location"] == goodbye
        assert browser.get(f"{apache.url}/protected/").status_code == 302
        page = browser.get(f"{scene.provider.url}/my/accounts", follow_redirects=True)
        assert "/sign-in" in str(page.url)


def test_who_signs_out_elsewhere_is_signed_out_of_the_page(scene: Scene, apache: Apache) -> None:
    with visitor() as browser:
        enter(browser, apache, scene.person("Lò Văn Pâng"))
        asked = Html(browser.get(f"{scene.provider.url}/end_session", follow_redirects=True).text)
        (form,) = (form for form in asked.forms.values() if "/sign-out/" in form.action)
        browser.post(form.action, data=form.fields)
        deadline = time.monotonic() + TOLD_WITHIN
        while browser.get(f"{apache.url}/protected/").status_code == 200:
            assert time.monotonic() < deadline, "Apache was not told"
            time.sleep(0.2)
