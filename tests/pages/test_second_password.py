"""A password beside something held, for whom another provider signed in. RFC 9470; abuse classes 15, 18."""

import jwt
import pytest

from tests.support.before_doors import arrived_by_possession
from tests.support.html_forms import Html
from tests.support.platform import query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PAGE = "/second-factor/my"


async def test_the_password_lifts_the_session_under_a_new_cookie(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        before = await arrived_by_possession(provider, http, person)
        begun = await http.get("/authorize", params=platform.request(None, acr_values="vn-2"))
        page = begun.headers["location"]
        assert "/second-factor/" in page
        form = Html((await http.get(page)).text).forms["second-password"]
        assert form.action == f"{page}/password"
        lifted = await http.post(form.action, data={"password": person.password})
        assert lifted.headers["location"] == page.replace("/second-factor/", "/authorize/")
        assert "lienket-session=" in lifted.headers["set-cookie"]
        assert before not in lifted.headers["set-cookie"]
        consent = await http.get(lifted.headers["location"])
        done = await http.post(consent.headers["location"], data={"decision": "allow"})
        code = query_of((await http.get(done.headers["location"])).headers["location"])["code"]
        tokens = (await platform.redeem(http, code)).json()
    told = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert told["acr"] == f"{ISSUER}/acr/vn-2"
    assert set(told["amr"]) == {"pwd", "otp", "mfa"}


async def test_a_wrong_password_is_counted_and_then_slowed(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http(address="198.51.100.80") as http:
        await arrived_by_possession(provider, http, person)
        for _ in range(5):
            wrong = await http.post(f"{PAGE}/password", data={"password": "sai"})
            assert wrong.status_code == 400
            assert "password-problem" in Html(wrong.text).ids
        slowed = await http.post(f"{PAGE}/password", data={"password": person.password})
        assert slowed.status_code == 429
        assert slowed.headers["retry-after"] == "30"
        provider.clock.advance(seconds=30)
        right = await http.post(f"{PAGE}/password", data={"password": person.password})
    assert right.headers["location"].startswith(f"{ISSUER}/my")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://attacker.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_no_other_site_sends_the_form(provider: Provider, headers: dict[str, str]) -> None:
    person = await provider.add_person(has_totp=False)
    async with provider.http() as http:
        await arrived_by_possession(provider, http, person)
        answer = await http.post(f"{PAGE}/password", data={"password": person.password}, headers=headers)
    assert answer.status_code == 403


async def test_nobody_is_asked_for_a_password_they_do_not_have_or_showed_already(provider: Provider) -> None:
    without, shown = await provider.add_person(has_password=False), await provider.add_person()
    async with provider.http() as http, provider.http() as other, provider.http() as nobody:
        await arrived_by_possession(provider, http, without)
        assert "/second-factor/" not in (await http.get(PAGE)).headers["location"]
        assert (await http.post(f"{PAGE}/password", data={"password": "x"})).status_code == 303
        await other.post(
            "/sign-in/my", data={"identifier": shown.personal_number, "password": shown.password}
        )
        page = await other.post(f"{PAGE}/password", data={"password": shown.password})
        assert "second-password" not in Html(page.text).forms
        assert "set-cookie" not in page.headers
        first = await nobody.post(f"{PAGE}/password", data={"password": "x"})
        assert "/sign-in/" in first.headers["location"]
