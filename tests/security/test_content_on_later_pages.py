"""Abuse class 20, case P11: the pages of sign-out, sessions, approvals, devices, enrolment and errors."""

from urllib.parse import quote

import httpx
import pytest

from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT
from tests.support.decoupled import arrive, type_code, waiting_for
from tests.support.html_forms import Html
from tests.support.provider import Person, Provider
from tests.support.registrations_online import METADATA as GOOD
from tests.support.registrations_online import initial_token, post
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
METADATA: dict[str, object] = {
    "client_name": f"Cóc {MARKUP}"[:95],
    "grant_types": ["authorization_code", "refresh_token", CIBA_GRANT, DEVICE_GRANT],
    "backchannel_token_delivery_mode": "poll",
    "post_logout_redirect_uris": ["https://net.example/signed-out"],
}


def check_harmless(answer: httpx.Response) -> None:
    """No tag of the payload survives, no template is run, and the policy would not run a script."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.url
    for dangerous in ("<script>alert", "<img src=x", "onerror=alert(1)>", "{49}", "&#34;&#39;><"):
        assert dangerous not in answer.text, answer.url
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def named_badly(provider: Provider) -> Person:
    return await provider.add_person(name=f"Lan {MARKUP}", has_totp=False)


async def test_a_name_with_markup_stays_a_name_where_it_is_shown_later(provider: Provider) -> None:
    """CVE-2026-29191, CVE-2026-42849: what the network calls itself, at its every appearance."""
    platform, person = await new_platform(provider, METADATA), await named_badly(provider)
    answers: list[httpx.Response] = []
    async with provider.http() as browser, provider.http() as http:
        tokens = await platform.tokens_for(browser, person, None)
        subject = provider.context.custody.data.pairwise_subject(platform.client.sector, person.citizen_id)
        form = {"scope": "openid", "login_hint": subject, "binding_message": "'><b>1234</b>"}
        asked = await http.post("/backchannel-authentication", data=form, auth=platform.auth)
        if asked.status_code == 400:
            assert asked.json()["error"] == "invalid_binding_message"
            del form["binding_message"]
            asked = await http.post("/backchannel-authentication", data=form, auth=platform.auth)
        assert asked.status_code == 200, asked.text
        answers.append(await browser.get("/approvals"))
        (address,) = await waiting_for(provider, browser, person)
        answers.append(await browser.get(address))
        device = (
            await http.post("/device-authorization", data={"scope": "openid"}, auth=platform.auth)
        ).json()
        typed = await type_code(provider, browser, person, device["user_code"])
        answers.append(await browser.get(typed.headers["location"]))
        approval = Html(answers[-1].text).forms["approval"]
        answers.append(await browser.post(approval.action, data=approval.fields | {"decision": "deny"}))
        answers.append(await browser.get("/my/sessions"))
        created = await browser.get("/authorize", params=platform.request(None, prompt="create"))
        answers.append(await browser.get(created.headers["location"]))
        hint = {
            "id_token_hint": tokens["id_token"],
            "logout_hint": MARKUP,
            "state": MARKUP,
            "ui_locales": MARKUP,
        }
        other = await new_platform(provider, METADATA)
        question = await browser.get(
            "/end_session",
            params={"client_id": other.client.client_id, "state": MARKUP, "ui_locales": MARKUP},
        )
        answers.append(await browser.get(question.headers["location"]))
        answers.append(await browser.get("/signed-out"))
        done = await browser.get("/end_session", params=hint)
        answers.append(await browser.get(done.headers["location"]))
    for answer in answers:
        assert answer.status_code == 200, (answer.url, answer.status_code)
        check_harmless(answer)
    assert any("alert(1)" in Html(answer.text).text for answer in answers), "it is shown, as text"


@pytest.mark.parametrize(
    "path",
    [
        "/device?user_code={}",
        "/sign-in/device.{}",
        "/sign-in/approvals.{}",
        "/approvals/{}",
        "/end_session/{}",
        "/sign-out/{}",
        "/my/sessions?before={}",
        "/my/sessions?network={}",
        "/my/notices?before={}",
        "/my/notices?network={}&kind={}&period={}",
        "/my/activity?network={}&kind={}&period={}&before={}",
        "/my/consents?network={}&state={}&before={}",
        "/my/cases?state={}&before={}",
        "/my/accounts?network={}&state={}",
        "/not-me/{}",
        "/recovery/stop/{}",
        "/my/accounts?after={}",
        "/open/{}",
        "/logos/{}",
        "/verify/{}",
        "/acr/{}",
        "/enrolment/{}",
        "/my/accounts/{}",
        "/{}",
        "/sign-in/my?lang={}",
        "/end_session?id_token_hint={}",
        "/end_session?post_logout_redirect_uri={}&client_id={}",
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
async def test_what_stands_in_an_address_stays_out_of_the_page(
    provider: Provider, path: str, *, is_known: bool
) -> None:
    """CVE-2026-42849: signed in or not, the page is sound."""
    async with provider.http() as browser:
        if is_known:
            person = await named_badly(provider)
            await arrive(provider, browser, person, "/my/accounts")
        answer = await browser.get(path.replace("{}", quote(MARKUP, safe="")))
        for _ in range(3):
            if answer.status_code != 303:
                break
            answer = await browser.get(answer.headers["location"])
        assert answer.status_code < 500
        check_harmless(answer)


async def test_what_is_typed_wrongly_stays_out_of_the_page(provider: Provider) -> None:
    person = await named_badly(provider)
    async with provider.http() as browser:
        await arrive(provider, browser, person, "/device")
        page = Html((await browser.get("/device")).text)
        for typed in (MARKUP, "BCDF-GHJK", "\u202e" * 8, "B" * 10_000):
            answer = await browser.post("/device", data=page.forms["device"].fields | {"user_code": typed})
            assert answer.status_code == 400
            check_harmless(answer)
        form = Html((await browser.get("/my/sessions")).text)
        csrf = next(each.fields["csrf"] for each in form.forms.values() if "csrf" in each.fields)
        wrong = await browser.post("/my/sessions/end", data={"csrf": csrf, "session": MARKUP})
        assert wrong.status_code in {303, 400, 404}
        if wrong.status_code != 303:
            check_harmless(wrong)


@pytest.mark.parametrize("mode", ["form_post", "form_post.jwt"])
async def test_an_answer_by_form_holds_what_was_sent_as_values_alone(provider: Provider, mode: str) -> None:
    """Logto: state and description are attributes, escaped, in a page that runs our own script only."""
    platform = await new_platform(provider, METADATA)
    async with provider.http() as browser:
        request = platform.request(response_mode=mode, prompt="none", state=MARKUP)
        answer = await browser.get("/authorize", params=request)
    check_harmless(answer)
    (form,) = Html(answer.text).forms.values()
    assert form.action == platform.client.redirect_uris[0]
    if mode == "form_post":
        assert form.fields["state"] == MARKUP


@pytest.mark.parametrize(
    "metadata",
    [
        {"logo_uri": "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+"},
        {"logo_uri": "data:text/html;base64,PHNjcmlwdD4="},
        {"logo_uri": "javascript:alert(1)"},
        {"client_uri": "javascript:alert(1)"},
        {"policy_uri": "data:text/html,x"},
        {"tos_uri": "javascript:alert(1)"},
        {"client_name": "Ngân hàng\u202eáo"},
        {"client_name": "a\x00b"},
        {"client_name": "\u200b"},
        {"client_name": "x" * 101},
        {"initiate_login_uri": "javascript:alert(1)"},
        {"post_logout_redirect_uris": ["javascript:alert(1)"]},
    ],
    ids=str,
)
async def test_content_that_is_a_weapon_is_not_registered_online_either(
    provider: Provider, metadata: dict[str, object]
) -> None:
    """Class 14, P11: at the door that strangers use, nothing else is taken than in a reviewed file."""
    async with provider.http() as http:
        answer = await post(http, await initial_token(provider), GOOD | metadata)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
