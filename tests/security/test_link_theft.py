"""Cases P1, P2, P7, classes 12, 16, 29: a link is its person's own, made in one browser, for one account."""

import json
from dataclasses import replace

import jwt
import pytest

from idp.identity.link_changes import ChangeKind
from tests.support.html_forms import Html
from tests.support.platform import LINK, go_on, query_of
from tests.support.provider import ISSUER, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def test_a_journey_begun_in_one_browser_cannot_be_finished_in_another(provider: Provider) -> None:
    """Case P1: a link sent to a victim ends at the first page, before anything is asked."""
    platform, victim = await new_platform(provider), await provider.add_person()
    async with provider.http() as attacker, provider.http() as http:
        await platform.tokens_for(http, victim, "acc_victim")
        begun = (await attacker.get("/authorize", params=platform.request("acc_attacker"))).headers[
            "location"
        ]
        visit = begun.rpartition("/")[2]
        for browser in (http, provider.http()):
            for page in (
                "authorize",
                "sign-in",
                "second-factor",
                "account-choice",
                "consent",
                "guardian",
                "refused",
            ):
                for method in ("GET", "POST"):
                    if (page, method) in {("refused", "POST"), ("authorize", "POST")}:
                        continue
                    answer = await browser.request(method, f"/{page}/{visit}", data={"decision": "allow"})
                    assert (answer.status_code, answer.headers.get("location")) == (403, None), page
                    assert "sign-in" not in Html(answer.text).forms
            answer = await browser.post(f"/authorize/{visit}/cancel")
            assert answer.status_code == 403


async def test_a_journey_that_arrived_by_form_is_bound_before_anything_is_asked(provider: Provider) -> None:
    """Case P1: the one who keeps its address cannot have it answered elsewhere and collect the code."""
    platform, victim = await new_platform(provider), await provider.add_person()
    async with provider.http() as attacker, provider.http() as http:
        await platform.tokens_for(http, victim, "acc_victim")
        begun = (await attacker.post("/authorize", data=platform.request("acc_attacker"))).headers["location"]
        visit = begun.rpartition("/")[2]
        for page in ("sign-in", "consent", "guardian", "account-choice", "second-factor", "refused"):
            answer = await http.get(f"/{page}/{visit}")
            assert (answer.status_code, answer.headers.get("location")) == (403, None), page
        answer = await http.post(f"/consent/{visit}", data={"decision": "allow"})
        assert answer.status_code == 403
        assert (await attacker.get(begun)).headers["location"] == begun, (
            "the first browser that opens it has it"
        )
        assert (await http.get(begun)).status_code == 403


async def test_consent_request_and_token_speak_of_one_account(provider: Provider) -> None:
    """Case P2: what was pushed is what is shown, stored and told; a later request changes nothing."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        pushed = (await platform.push(http, account_id="acc_pushed")).json()["request_uri"]
        forged = {"authorization_details": json.dumps([LINK | {"account_id": "acc_forged"}])}
        named = {"client_id": platform.client.client_id, "request_uri": pushed}
        response = await http.get("/authorize", params=named | forged)
        form = {"identifier": person.personal_number, "password": person.password}
        onward = await http.post(response.headers["location"], data=form | forged)
        consent = (await http.get(onward.headers["location"], params=forged)).headers["location"]
        page = await http.get(consent, params=forged)
        assert "acc_pushed" in page.text
        assert "acc_forged" not in page.text
        answer = await http.post(consent, params=forged, data={"decision": "allow"} | forged)
        code = query_of(await go_on(provider, http, person, answer))["code"]
        tokens = (await platform.redeem(http, code, **forged)).json()
        claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    [details] = tokens["authorization_details"]
    receipt = jwt.decode(details["receipt"], options={"verify_signature": False})
    stored = await provider.unit_of_work().account_links.find(claims["account_link"]["link_id"])
    assert stored is not None
    assert {
        details["account_id"],
        receipt["account_id"],
        claims["account_link"]["account_id"],
        stored.account_id,
    } == {"acc_pushed"}
    assert {details["link_id"], receipt["link_id"]} == {stored.link_id}
    assert receipt["sub"] == claims["sub"] == stored.subject


async def test_an_account_renamed_between_consent_and_token_has_one_name_everywhere(
    provider: Provider,
) -> None:
    """Case P2: token, receipt and stored link agree also where the platform reattaches the link meanwhile."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        first = await platform.tokens_for(http, person, "acc_before")
        provider.clock.advance(seconds=1)
        code = await platform.code_for(http, person, "acc_before")
        uow = provider.unit_of_work()
        link = await uow.account_links.find(first["authorization_details"][0]["link_id"])
        assert link is not None
        renamed = replace(link, account_id="acc_after")
        uow.account_links.change(link, renamed, ChangeKind.REATTACHED, provider.clock.now)
        await uow.commit()
        tokens = (await platform.redeem(http, code)).json()
    [details] = tokens["authorization_details"]
    id_token, receipt = (
        jwt.decode(each, options={"verify_signature": False})
        for each in (tokens["id_token"], details["receipt"])
    )
    told = [details, receipt, id_token["account_link"]]
    assert [each["account_id"] for each in told] == ["acc_after"] * 3
    assert [each["link_id"] for each in told] == [link.link_id] * 3


async def test_two_platforms_hold_nothing_in_common_about_one_person(provider: Provider) -> None:
    """Case P7: sub, sid, link ids and tokens are another for each sector; sign-in time aside."""
    one, other = await new_platform(provider), await new_platform(provider)
    person = await provider.add_person(has_totp=False)
    told = []
    async with provider.http() as http:
        for platform in (one, other):
            tokens = await platform.tokens_for(http, person)
            claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
            access = jwt.decode(tokens["access_token"], options={"verify_signature": False})
            held = {claims["sub"], claims["sid"], claims["account_link"]["link_id"], access["jti"]}
            told.append(held | {access["grant_id"], tokens["refresh_token"]})
            assert person.citizen_id not in str((tokens, claims, access))
    assert not told[0] & told[1]


async def test_every_answer_names_the_issuer(provider: Provider) -> None:
    """Abuse class 29 (RFC 9207): success, refusal by us, refusal by the person, turning back."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        locations = [
            (await http.get("/authorize", params=platform.request(prompt="none"))).headers["location"]
        ]
        begun = await http.get("/authorize", params=platform.request())
        back = begun.headers["location"].replace("/sign-in/", "/authorize/") + "/cancel"
        locations.append((await http.post(back)).headers["location"])
        response = await http.get("/authorize", params=platform.request())
        locations.append(await go_on(provider, http, person, response, decision="deny"))
        locations.append(await platform.answer_for(http, person))
    assert [query_of(location)["iss"] for location in locations] == [ISSUER] * 4
    assert all(query_of(location)["state"] == "state-1" for location in locations)


async def test_a_link_that_was_ended_is_made_anew_only_by_asking(provider: Provider) -> None:
    """Abuse class 16 (CVE-2026-9087): what was ended kills its proof; a new link is a new one."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        first = (await platform.tokens_for(http, person))["authorization_details"][0]["link_id"]
        form = Html((await http.get(f"/my/accounts/{first}/end")).text).forms["end-link"]
        unredeemed = await platform.code_for(http, person)
        await http.post(form.action, data=form.fields)
        late = await platform.redeem(http, unredeemed)
        assert late.json()["error"] == "invalid_grant"
        silent = await http.get("/authorize", params=platform.request(prompt="none"))
        assert query_of(silent.headers["location"])["error"] == "consent_required"
        provider.clock.advance(seconds=1)
        second = (await platform.tokens_for(http, person))["authorization_details"][0]["link_id"]
    assert second != first
