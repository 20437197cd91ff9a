"""Abuse class 20 and case P11: what a platform or a stranger supplies is never more than text."""

import json

import pytest

from tests.support.html_forms import Html
from tests.support.platform import LINK
from tests.support.provider import Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


def check_harmless(text: str, policy: str) -> None:
    """No tag of the payload survives, and the policy would not run it if one did."""
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "onerror=alert(1)>" not in text
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


async def test_a_name_with_markup_stays_a_name_on_every_page(provider: Provider) -> None:
    """CVE-2026-29191, CVE-2026-42849."""
    platform = await new_platform(provider, {"client_name": f"Cóc {MARKUP}"[:90]})
    person = await provider.add_person(name=f"Lan {MARKUP}", has_totp=False)
    details = json.dumps([LINK | {"handle": MARKUP[:60], "account_id": MARKUP}])
    purpose = json.dumps({"userinfo": {"name": {"purpose": MARKUP}}})
    async with provider.http() as http:
        request = platform.request(authorization_details=details, claims=purpose, login_hint=MARKUP)
        begun = (await http.get("/authorize", params=request)).headers["location"]
        answers = [await http.get(begun)]
        answers.append(await http.post(begun, data={"identifier": MARKUP, "password": MARKUP}))
        await http.post(begun, data={"identifier": person.personal_number, "password": person.password})
        answers.append(await http.get(begun.replace("/sign-in/", "/consent/")))
        assert "alert(1)" in Html(answers[-1].text).text, "it is shown, as text"
        answers.append(await http.get(begun.replace("/sign-in/", "/account-choice/")))
        tokens = await platform.tokens_for(http, person, authorization_details=details)
        link_id = tokens["authorization_details"][0]["link_id"]
        mine = ("/my/accounts", f"/my/accounts/{link_id}", f"/my/accounts/{link_id}/end")
        answers += [await http.get(path) for path in mine]
    for answer in answers:
        check_harmless(answer.text, answer.headers["content-security-policy"])


async def test_what_stands_in_an_address_stays_out_of_the_page(provider: Provider) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http:
        for changes in (
            {"client_id": MARKUP},
            {"redirect_uri": "javascript:alert(1)//" + MARKUP},
            {"request_uri": "urn:ietf:params:oauth:request_uri:" + MARKUP},
            {"response_mode": "form_post", "prompt": "none", "state": MARKUP},
            {"response_mode": "form_post", "prompt": MARKUP},
        ):
            answer = await http.get("/authorize", params=platform.request(**changes))
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            check_harmless(answer.text, answer.headers["content-security-policy"])
        missing = await http.get(f"/{MARKUP}")
        check_harmless(missing.text, missing.headers["content-security-policy"])


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("handle", "lan\u202egnoht"),
        ("handle", "lan\u2066"),
        ("handle", "lan\x00"),
        ("handle", "lan\n"),
        ("handle", "\u200b"),
        ("handle", "x" * 65),
        ("account_id", "a\u202eb"),
        ("account_id", "x" * 256),
        ("account_id", ""),
        ("profile_uri", "javascript:alert(1)"),
        ("profile_uri", "data:text/html,x"),
        ("profile_uri", "https://attacker.example/@lan"),
        ("profile_uri", "https://{host}@attacker.example/"),
        ("profile_uri", "https://{host}.attacker.example/"),
        ("profile_uri", "http://{host}/@lan"),
        ("purpose", "<b>post</b>"),
        ("display", "unknown member"),
    ],
)
async def test_what_would_mislead_the_reader_is_refused(provider: Provider, member: str, value: str) -> None:
    """Case P11: control and direction characters, foreign hosts, other schemes."""
    platform = await new_platform(provider)
    value = value.format(host=f"{platform.client.client_id}.example")
    details = json.dumps([LINK | {member: value}])
    async with provider.http() as http:
        answer = await platform.push(http, authorization_details=details)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_authorization_details")
