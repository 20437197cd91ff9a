"""Abuse class 21: no header of a request says who we are."""

import httpx
import pytest

from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT
from tests.support.decoupled import arrive, waiting_for
from tests.support.platform import query_of
from tests.support.provider import ISSUER, Provider
from tests.support.registrations_online import METADATA, bearer, initial_token
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

FORGED = {
    "Host": "attacker.example",
    "X-Forwarded-Host": "attacker.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Prefix": "/attacker",
    "Forwarded": "host=attacker.example",
    "X-Original-URL": "/my/accounts",
    "X-HTTP-Method-Override": "DELETE",
}


def told(answer: httpx.Response) -> str:
    return answer.text + str(sorted(answer.headers.multi_items()))


async def test_the_issuer_comes_from_the_configuration_alone(provider: Provider) -> None:
    """GHSA-2wmj-46rj-qm2w, CVE-2026-29067, CVE-2024-47070: documents, pages, redirects and tokens."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        http.headers.update(FORGED)
        paths = (
            "/.well-known/openid-configuration",
            "/",
            "/sign-in/my",
            "/acr/vn-2",
            "/nowhere",
            "/my/accounts",
        )
        for path in paths:
            assert "attacker" not in told(await http.get(path)), path
        begun = await http.get("/authorize", params=platform.request())
        assert begun.headers["location"].startswith(f"{ISSUER}/sign-in/")
        assert "attacker" not in told(await http.get(begun.headers["location"], headers=FORGED))
        denied = await http.get("/authorize", params=platform.request(prompt="none"))
        assert query_of(denied.headers["location"])["iss"] == ISSUER
        tokens = await platform.tokens_for(http, person)
        assert "attacker" not in str(tokens)


@pytest.mark.parametrize(
    "path", ["/token/", "/par/", "/authorize/", "/sign-in/my/", "/static", "//attacker.example"]
)
async def test_an_address_with_a_slash_too_many_leads_nowhere(provider: Provider, path: str) -> None:
    """A redirect to the Host that was sent would take a form and its secrets along."""
    async with provider.http() as http:
        for method in ("GET", "POST"):
            answer = await http.request(
                method, f"{ISSUER}{path}", headers=FORGED, data={"client_secret": "s"}
            )
            assert (answer.status_code // 100, answer.headers.get("location")) == (4, None)
            assert "attacker" not in told(answer)


async def test_no_address_that_others_are_given_comes_from_a_header(provider: Provider) -> None:
    """fief, AK CVE-2024-47070: devices, registrations, approvals, sign-out, sessions, resources."""
    asking: dict[str, object] = {
        "grant_types": ["authorization_code", "refresh_token", CIBA_GRANT, DEVICE_GRANT],
        "backchannel_token_delivery_mode": "poll",
    }
    platform, person = await new_platform(provider, asking), await provider.add_person(has_totp=False)
    subject = provider.context.custody.data.pairwise_subject(platform.client.sector, person.citizen_id)
    async with provider.http() as http, provider.http() as browser:
        tokens = await platform.tokens_for(browser, person, None)
        http.headers.update(FORGED)
        browser.headers.update(FORGED)
        ask = {"scope": "openid", "login_hint": subject}
        device = await http.post("/device-authorization", data=ask, auth=platform.auth)
        assert device.json()["verification_uri"] == f"{ISSUER}/device"
        registered = await http.post(
            "/register", json=METADATA, headers=FORGED | bearer(await initial_token(provider))
        )
        assert registered.json()["registration_client_uri"].startswith(f"{ISSUER}/register/")
        asked = await http.post("/backchannel-authentication", data=ask, auth=platform.auth)
        answers = [device, registered, asked]
        answers += [
            await http.get(path) for path in ("/account-links", "/userinfo", "/signed-out", "/register/x")
        ]
        answers += [
            await browser.get(path) for path in ("/approvals", "/device", "/my/sessions", "/end_session")
        ]
        answers += [await browser.get(path) for path in await waiting_for(provider, browser, person)]
        answers.append(await browser.post("/end_session", data={"id_token_hint": tokens["id_token"]}))
        answers.append(await browser.get("/end_session", params={"id_token_hint": tokens["id_token"]}))
        answers.append(await arrive(provider, browser, person, "/approvals"))
    for answer in answers:
        assert "attacker" not in told(answer), answer.url
