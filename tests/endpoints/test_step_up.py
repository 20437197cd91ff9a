"""A step-up asks for exactly what is missing, and nothing that was said before is lost. RFC 9470; rule R2."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest

from tests.support.html_forms import Html
from tests.support.platform import LINK, Platform, query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

SELLING = {"authorization_details": json.dumps([LINK | {"purpose": "livestream_commerce"}])}
ESSENTIAL = {"claims": json.dumps({"id_token": {"acr": {"essential": True, "value": f"{ISSUER}/acr/vn-2"}}})}
WISHED = {"claims": json.dumps({"id_token": {"acr": {"values": ["vn-2"]}}})}


@dataclass
class Way:
    """One browser's way through the pages, with what it passed."""

    provider: Provider
    http: httpx.AsyncClient
    person: Person
    pages: list[str]
    answer: str = ""

    async def go(self, response: httpx.Response, *, until: str = "") -> httpx.Response:
        """Answer page after page, until one is reached or the browser leaves the provider."""
        while response.status_code == 303 and response.headers["location"].startswith(ISSUER):
            location = response.headers["location"]
            page = location.removeprefix(ISSUER).split("/")[1]
            if page != "authorize":
                self.pages.append(page)
            if page == until:
                return await self.http.get(location)
            response = await self._answered(page, location)
        self.answer = response.headers.get("location", "")
        return response

    async def _answered(self, page: str, location: str) -> httpx.Response:
        if page == "sign-in":
            form = {"identifier": self.person.personal_number, "password": self.person.password}
            return await self.http.post(location, data=form)
        if page == "second-factor":
            self.provider.clock.advance(seconds=30)
            code = self.person.code(self.provider.clock.now)
            return await self.http.post(location, data={"code": code})
        if page == "consent":
            return await self.http.post(location, data={"decision": "allow"})
        return await self.http.get(location)


async def signed_in(
    provider: Provider, platform: Platform, http: httpx.AsyncClient, person: Person, by: str
) -> None:
    """Link the account, signed in by password alone or with a code as well."""
    changes = {"acr_values": "vn-2"} if by == "code" else {}
    await platform.tokens_for(http, person, **changes)


@pytest.mark.parametrize(
    ("before", "minutes", "demand", "pages"),
    [
        ("nobody", 0, {}, ["sign-in", "consent"]),
        ("nobody", 0, {"acr_values": "vn-2"}, ["sign-in", "second-factor", "consent"]),
        ("password", 1, {}, []),
        ("password", 1, {"acr_values": "vn-1"}, []),
        ("password", 1, {"acr_values": "vn-2"}, ["second-factor"]),
        ("password", 1, {"acr_values": f"{ISSUER}/acr/vn-2"}, ["second-factor"]),
        ("password", 1, {"acr_values": "urn:other vn-2 vn-1"}, ["second-factor"]),
        ("password", 1, {"acr_values": "vn-1 vn-2"}, []),
        ("password", 1, {"acr_values": "vn-4 vn-2"}, ["second-factor"]),
        ("password", 1, {"acr_values": "phr vn-2"}, ["second-factor"]),
        ("password", 1, {"acr_values": "phr"}, []),
        ("password", 1, ESSENTIAL, ["second-factor"]),
        ("password", 1, WISHED, ["second-factor"]),
        ("password", 1, {"max_age": "3600"}, []),
        ("password", 1, {"max_age": "30"}, ["sign-in"]),
        ("password", 1, {"max_age": "30", "acr_values": "vn-2"}, ["sign-in", "second-factor"]),
        ("password", 1, SELLING, ["second-factor"]),
        ("password", 16, SELLING, ["sign-in", "second-factor"]),
        ("code", 1, {"acr_values": "vn-2"}, []),
        ("code", 1, ESSENTIAL, []),
        ("code", 1, SELLING, []),
        ("code", 16, SELLING, ["sign-in", "second-factor"]),
        ("code", 1, {"max_age": "0"}, ["sign-in"]),
        ("code", 1, {"prompt": "login"}, ["sign-in"]),
    ],
)
async def test_exactly_what_is_missing_is_asked_for(
    provider: Provider, before: str, minutes: int, demand: dict[str, Any], pages: list[str]
) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        if before != "nobody":
            await signed_in(provider, platform, http, person, before)
        provider.clock.advance(minutes=minutes)
        way = Way(provider, http, person, [])
        await way.go(await http.get("/authorize", params=platform.request(**demand)))
    # A consent that was given for one purpose is asked again for another: that is not what this is about.
    asked = [page for page in way.pages if page != "consent"] if before != "nobody" else way.pages
    assert asked == pages
    assert "code" in query_of(way.answer)


@pytest.mark.parametrize(
    "demand", [{"acr_values": "vn-2"}, ESSENTIAL, SELLING], ids=["wish", "essential", "purpose"]
)
async def test_what_was_shown_before_counts_and_keeps_its_age(
    provider: Provider, demand: dict[str, Any]
) -> None:
    """OpenID Connect Core §2: `auth_time` is that of the oldest thing the level rests on."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        first = await platform.tokens_for(http, person)
        provider.clock.advance(minutes=5)
        second = await platform.tokens_for(http, person, **demand)
    before, after = (
        jwt.decode(tokens["id_token"], options={"verify_signature": False}) for tokens in (first, second)
    )
    assert after["auth_time"] == before["auth_time"]
    assert (before["acr"], after["acr"]) == (f"{ISSUER}/acr/vn-1", f"{ISSUER}/acr/vn-2")
    assert set(after["amr"]) == {"pwd", "otp", "mfa"}


async def test_nothing_that_was_said_is_lost_on_the_way(provider: Provider) -> None:
    """The account, its handle, the purpose and the typed number: past a wrong password and a wrong code."""
    platform, person = await new_platform(provider), await provider.add_person()
    details = [LINK | {"handle": "@lan.ban.hang", "purpose": "livestream_commerce"}]
    request = platform.request(authorization_details=json.dumps(details), login_hint=person.personal_number)
    english = {"Accept-Language": "en"}
    async with provider.http() as http:
        page = (await http.get("/authorize", params=request)).headers["location"]
        shown = Html((await http.get(page)).text)
        assert shown.forms["sign-in"].fields["identifier"] == person.personal_number
        wrong = await http.post(page, data={"identifier": person.personal_number, "password": "sai"})
        assert Html(wrong.text).forms["sign-in"].fields["identifier"] == person.personal_number
        way = Way(provider, http, person, [])
        form = {"identifier": person.personal_number, "password": person.password}
        await way.go(await http.post(page, data=form), until="second-factor")
        step = page.replace("/sign-in/", "/second-factor/")
        assert (await http.post(step, data={"code": "000000"})).status_code == 400
        again = await http.get(page)
        assert Html(again.text).forms["sign-in"].action == page
        provider.clock.advance(seconds=30)
        lifted = await http.post(step, data={"code": person.code(provider.clock.now)})
        consent = await way.go(lifted, until="consent")
        in_english = await http.get(page.replace("/sign-in/", "/consent/"), headers=english)
        for text in (consent.text, in_english.text):
            assert "@lan.ban.hang" in text
            assert LINK["account_id"] in text
        assert "sell in live streams" in in_english.text
        answer = query_of(
            (
                await way.go(
                    await http.post(page.replace("/sign-in/", "/consent/"), data={"decision": "allow"})
                )
            ).headers["location"]
        )
        assert answer["state"] == request["state"]
        tokens = (await platform.redeem(http, answer["code"])).json()
    link = jwt.decode(tokens["id_token"], options={"verify_signature": False})["account_link"]
    assert link["account_id"] == LINK["account_id"]


async def test_an_essential_resistance_to_phishing_without_a_passkey_is_unmet(provider: Provider) -> None:
    """OpenID EAP ACR Values §4; Core Error Code unmet_authentication_requirements 1.0."""
    platform, person = await new_platform(provider), await provider.add_person()
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["phr", "phrh"]}}})
    async with provider.http() as http:
        await platform.tokens_for(http, person, acr_values="vn-2")
        answer = await http.get("/authorize", params=platform.request(claims=claims))
        assert query_of(answer.headers["location"])["error"] == "unmet_authentication_requirements"


async def test_a_code_lifts_the_session_in_its_own_browser_alone(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http, provider.http() as other:
        await platform.tokens_for(http, person)
        await platform.tokens_for(other, person)
        await platform.tokens_for(http, person, acr_values="vn-2")
        silent = platform.request(None, claims=ESSENTIAL["claims"], prompt="none")
        assert "code" in query_of((await http.get("/authorize", params=silent)).headers["location"])
        refused = query_of((await other.get("/authorize", params=silent)).headers["location"])
    assert refused["error"] == "interaction_required"


async def test_the_page_of_a_step_that_is_not_due_leads_on(provider: Provider) -> None:
    """Back button and bookmarks: nobody types a code that nobody asked for."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        begun = (await http.get("/authorize", params=platform.request())).headers["location"]
        step = begun.replace("/sign-in/", "/second-factor/")
        assert (await http.get(step)).headers["location"] == begun
        await http.post(begun, data={"identifier": person.personal_number, "password": person.password})
        assert (await http.get(step)).headers["location"] == begun.replace("/sign-in/", "/authorize/")
        assert (await http.post(step, data={"code": "000000"})).status_code == 303
