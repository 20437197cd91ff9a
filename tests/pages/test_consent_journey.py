import json
from datetime import timedelta
from typing import Any

import pytest

from idp.identity.account_links import Status
from idp.identity.assurance import Proofing
from tests.support.html_forms import Html
from tests.support.platform import LINK, Platform, go_on, query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import move_link, new_platform

pytestmark = pytest.mark.anyio


async def consent_page(
    provider: Provider, http: Any, platform: Platform, person: Person, **changes: Any
) -> tuple[str, str]:
    """Go as far as the consent page; return its address and its text."""
    account_id = changes.pop("account_id", "acc_lan_1")
    response = await http.get("/authorize", params=platform.request(account_id, **changes))
    while "/consent/" not in response.headers["location"]:
        location = response.headers["location"]
        if "/sign-in/" in location:
            form = {"identifier": person.personal_number, "password": person.password}
            response = await http.post(location, data=form)
        else:
            response = await http.get(location)
    address = response.headers["location"]
    page = await http.get(address)
    assert page.status_code == 200
    return address, page.text


async def test_the_page_names_who_asks_for_what_and_ticks_nothing(provider: Provider) -> None:
    """Abuse case P1: platform, domain and account stand there; rules R4, R7."""
    platform = await new_platform(provider)
    person = await provider.add_person(email="lan@example.vn")
    claims = {"userinfo": {"birthdate": {"purpose": "Chúc mừng sinh nhật"}, "gender": None}}
    async with provider.http() as http:
        address, text = await consent_page(
            provider, http, platform, person, scope="openid email", claims=json.dumps(claims)
        )
    page, form = Html(text), Html(text).forms["consent"]
    assert (form.action, form.method) == (address, "post")
    assert sorted(form.buttons) == [("decision", "allow"), ("decision", "deny")]
    assert form.checkboxes == {"email": False, "birthdate": False}, (
        "what there is no value for is not offered"
    )
    for shown in ("Quán Cóc", f"{platform.client.client_id}.example", "@lan", "acc_lan_1", "lan@example.vn"):
        assert shown in page.text
    assert "Chúc mừng sinh nhật" in page.text
    assert person.personal_number not in text


@pytest.mark.parametrize("decision", ["", "maybe", "ALLOW"])
async def test_only_a_clear_decision_counts(provider: Provider, decision: str) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        address, _ = await consent_page(provider, http, platform, person)
        answer = await http.post(address, data={"decision": decision})
        assert answer.headers["location"] == address
        both = "decision=allow&decision=deny"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await http.post(address, content=both, headers=headers)
        assert answer.headers["location"] == address


async def test_refusing_is_access_denied_and_links_nothing(provider: Provider) -> None:
    """AUTHZ-29: the platform learns that, not why; a remembered consent is not touched by it."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        response = await http.get("/authorize", params=platform.request())
        told = query_of(await go_on(provider, http, person, response, decision="deny"))
        assert set(told) == {"error", "error_description", "state", "iss"}
        assert told["error"] == "access_denied"
        mine = await http.get("/my/accounts")
        assert "@lan" not in mine.text


async def test_going_back_is_access_denied_from_every_page(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        for page in ("sign-in", "consent"):
            if page == "sign-in":
                address = (await http.get("/authorize", params=platform.request())).headers["location"]
                text = (await http.get(address)).text
            else:
                address, text = await consent_page(provider, http, platform, person)
            form = Html(text).forms["back-to-network"]
            answer = await http.post(form.action, data=form.fields)
            assert query_of(answer.headers["location"])["error"] == "access_denied"
            assert query_of(answer.headers["location"])["iss"] == ISSUER
            for late in (await http.get(address), await http.post(form.action)):
                assert (late.status_code, late.headers.get("location")) == (400, None)
                assert "error-reference" in Html(late.text).ids


async def test_a_foreign_page_can_neither_agree_nor_cancel(provider: Provider) -> None:
    """Cross-site request forgery; P1."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        address, _ = await consent_page(provider, http, platform, person)
        cancel = address.replace("/consent/", "/authorize/") + "/cancel"
        for headers in (
            {"Origin": "https://attacker.example"},
            {"Origin": "null"},
            {"Origin": ISSUER + ".attacker.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            for target in (address, cancel, address.replace("/consent/", "/sign-in/")):
                answer = await http.post(target, data={"decision": "allow"}, headers=headers)
                assert (answer.status_code, answer.headers.get("location")) == (403, None), headers
        own = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        answer = await http.post(address, data={"decision": "allow"}, headers=own)
        assert answer.status_code == 303, "a browser that hides its origin says so itself"


async def test_the_policy_lets_forms_lead_on_to_the_platform(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        address, _ = await consent_page(provider, http, platform, person)
        for page in (address, address.replace("/consent/", "/sign-in/")):
            answer = await http.get(page)
            policy = dict(
                part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
            )
            assert policy["form-action"] == "'self' https:"
            assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert "unsafe" not in str(policy)
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "same-origin", "no-referrer makes our forms foreign"
        own = await http.get("/sign-in/my")
        assert own.headers["content-security-policy"].endswith("form-action 'self'")


def changed(*members: tuple[str, str]) -> str:
    return json.dumps([LINK | dict(members)])


async def test_consent_is_remembered_and_asked_again_for_a_named_reason(provider: Provider) -> None:
    """Rule R7: each reason stands on the page and in the record."""
    platform = await new_platform(provider)
    person = await provider.add_person(email="lan@example.vn", has_totp=False)

    async def reason(http: Any, **changes: Any) -> str | None:
        """Ask, agree, and return the reason the record names; None when nobody was asked."""
        provider.clock.advance(seconds=1)
        location = await platform.answer_for(http, person, **changes)
        code = query_of(location)["code"]
        assert (await platform.redeem(http, code)).status_code == 200
        latest = (await provider.unit_of_work().consents.of_citizen(person.citizen_id, 1))[0]
        return latest.reason.value if latest.decided_at == provider.clock.now else None

    async with provider.http() as http:
        assert await reason(http, account_id=None) == "first_time"
        assert await reason(http, account_id=None) is None
        assert await reason(http) == "new_account"
        assert await reason(http) is None
        assert await reason(http, prompt="consent") == "requested"
        assert await reason(http, scope="openid email") == "new_claims"
        assert await reason(http, scope="openid email") is None, "an unticked item was answered too"
        other_purpose = changed(("purpose", "share"))
        assert await reason(http, authorization_details=other_purpose, scope="openid email") == "new_purpose"
        provider.clock.advance(days=366)
        assert await reason(http, authorization_details=other_purpose) == "expired"
        links = await provider.unit_of_work().account_links.of_citizen(person.citizen_id)
        token = Html((await http.get(f"/my/accounts/{links[0].link_id}/end")).text).forms["end-link"]
        assert (await http.post(token.action, data=token.fields)).status_code == 200
        assert await reason(http, account_id=None) == "withdrawn"


async def refused_page(
    provider: Provider, http: Any, platform: Platform, person: Person, account: str
) -> str:
    """Go as far as the refusal; check that the platform learns of none but access_denied; return the page."""
    response = await http.get("/authorize", params=platform.request(account))
    while "/refused/" not in response.headers["location"]:
        location = response.headers["location"]
        form = {"identifier": person.personal_number, "password": person.password}
        response = await (http.post(location, data=form) if "/sign-in/" in location else http.get(location))
    page = await http.get(response.headers["location"])
    assert page.status_code == 403
    assert Html(page.text).ids["error-reference"]
    back = Html(page.text).forms["back-to-network"]
    told = query_of((await http.post(back.action)).headers["location"])
    assert told["error"] == "access_denied"
    assert told["error_description"] == "the person, or the policy on their behalf, refused"
    text: str = page.text
    return text


async def test_each_refusal_tells_the_person_why_and_nobody_of_another(provider: Provider) -> None:
    """Abuse cases P3, P6, P10: the page names what to do, and nothing about whoever holds the account."""
    platform = await new_platform(provider, min_proofing="vn2", min_age=16, max_links_per_citizen=1)
    holder = await provider.add_person(name="Phạm Người Khác", has_totp=False)
    other = await provider.add_person(has_totp=False)
    child = await provider.add_person(birthdate="2015-05-05", has_totp=False)
    remote = await provider.add_person(proofing=Proofing.VN1, has_totp=False)
    strict = await new_platform(provider, min_acr="vn-2")
    texts = []
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, holder, "acc_taken")
        texts.append(await refused_page(provider, http, platform, holder, "acc_second"))
        await move_link(provider, tokens["authorization_details"][0]["link_id"], Status.SUSPENDED)
        texts.append(await refused_page(provider, http, platform, holder, "acc_taken"))
    for person, at, account in (
        (other, platform, "acc_taken"),
        (child, platform, "acc_child"),
        (remote, platform, "acc_remote"),
        (other, strict, "acc_strict"),
    ):
        async with provider.http() as http:
            texts.append(text := await refused_page(provider, http, at, person, account))
            assert "Phạm" not in text
            assert holder.personal_number not in text
            assert tokens["authorization_details"][0]["link_id"] not in text
    assert len({Html(text).text for text in texts}) == 6, "six reasons, six pages"


async def test_the_language_changes_midway_and_stays(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        address, text = await consent_page(provider, http, platform, person)
        assert (Html(text).lang, "?lang=en" in Html(text).links) == ("vi", True)
        english = await http.get(address + "?lang=en")
        assert (Html(english.text).lang, english.headers["content-language"]) == ("en", "en")
        assert Html((await http.get(address)).text).lang == "en"
        assert Html((await http.get("/my/nowhere")).text).lang == "en"
        await http.get(address + "?lang=xx")
        assert Html((await http.get(address)).text).lang == "en"
        answer = await http.post(address + "?lang=en", data={"decision": "allow"})
        assert "code" in query_of(await go_on(provider, http, person, answer))
    consent = (await provider.unit_of_work().consents.of_citizen(person.citizen_id, 1))[0]
    assert (consent.ui_locale, consent.decided_at) == ("en", provider.clock.now)


async def test_back_button_reload_and_bookmark_are_kind(provider: Provider) -> None:
    """Every page of a journey, before its turn, after its turn, after the end, and a day later."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        address, _ = await consent_page(provider, http, platform, person)
        visit = address.rpartition("/")[2]
        pages = ("sign-in", "second-factor", "account-choice", "consent", "refused", "authorize")
        for page in pages:
            answer = await http.get(f"/{page}/{visit}")
            assert answer.status_code in {200, 303}, page
        await http.post(address, data={"decision": "allow"})
        for page in ("consent", "refused"):
            assert "/authorize/" in (await http.get(f"/{page}/{visit}")).headers["location"]
        double_click = await http.post(address, data={"decision": "deny"})
        assert "code" in query_of(await go_on(provider, http, person, double_click)), (
            "the first answer counts"
        )
        for wait in (0, 86_400):
            provider.clock.advance(seconds=wait)
            for page in pages:
                answer = await http.get(f"/{page}/{visit}")
                assert (answer.status_code, answer.headers.get("location")) == (400, None), page
                assert "error-reference" in Html(answer.text).ids
                assert f"https://{platform.client.client_id}.example" in Html(answer.text).links


async def test_a_journey_lasts_half_an_hour(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        address, _ = await consent_page(provider, http, platform, person)
        provider.clock.advance(seconds=timedelta(minutes=30).total_seconds())
        late = await http.post(address, data={"decision": "allow"})
    assert (late.status_code, late.headers.get("location")) == (400, None)


async def test_two_tabs_each_keep_their_own_request(provider: Provider) -> None:
    """Abuse case P2: the account agreed to in one tab is the account of that tab's answer."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        first, _ = await consent_page(provider, http, platform, person, account_id="acc_a", state="a")
        second, _ = await consent_page(provider, http, platform, person, account_id="acc_b", state="b")
        provider.clock.advance(seconds=1)
        for address, account, state in ((second, "acc_b", "b"), (first, "acc_a", "a")):
            provider.clock.advance(seconds=1)
            answer = await http.post(address, data={"decision": "allow"})
            told = query_of(await go_on(provider, http, person, answer))
            assert told["state"] == state
            tokens = (await platform.redeem(http, told["code"])).json()
            assert tokens["authorization_details"][0]["account_id"] == account


async def test_another_person_signing_in_midway_is_asked_themselves(provider: Provider) -> None:
    """Abuse class 15: what the first agreed to is not the second's consent."""
    platform = await new_platform(provider)
    first, second = await provider.add_person(), await provider.add_person(name="Trần Văn Bình")
    async with provider.http() as http:
        address, _ = await consent_page(provider, http, platform, first)
        await http.post(address, data={"decision": "allow"})
        sign_in = address.replace("/consent/", "/sign-in/")
        form = {"identifier": second.personal_number, "password": second.password}
        onward = await http.post(sign_in, data=form)
        asked = await http.get(onward.headers["location"])
        assert asked.headers["location"] == address


async def test_what_was_not_shown_was_not_agreed_to(provider: Provider) -> None:
    """Abuse class 10: a field the register fills later does not leave by a consent that never showed it."""
    platform, person = await new_platform(provider), await provider.add_person()
    claims = json.dumps({"userinfo": {"email": {"essential": True}, "phone_number": None, "name": None}})
    async with provider.http() as http:
        address, text = await consent_page(provider, http, platform, person, claims=claims)
        assert Html(text).forms["consent"].checkboxes == {"name": False}
        form = {"decision": "allow", "claim": ["name", "phone_number", "email"]}
        assert (await http.post(address, data=form)).status_code == 303
        again = await http.get("/authorize", params=platform.request(None, claims=claims, prompt="none"))
        assert "code" in query_of(again.headers["location"]), "and yet the question is answered"
    consent = (await provider.unit_of_work().consents.of_citizen(person.citizen_id, 1))[0]
    assert consent.claims == {"name"}
    assert consent.offered == {"name", "email", "phone_number"}
