"""The session as the browser sees it: cookie, rotation, limits, end."""

from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import Person, Provider, running_provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

SESSION = "lienket-session"


def cookie_set(answer: httpx.Response, name: str) -> SimpleCookie:
    jar = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        if line.startswith(name + "="):
            jar.load(line)
    return jar


async def sign_in(http: httpx.AsyncClient, person: Person, visit: str = "my") -> httpx.Response:
    form = {"identifier": person.personal_number, "password": person.password}
    return await http.post(f"/sign-in/{visit}", data=form)


async def is_signed_in(http: httpx.AsyncClient, platform: Platform) -> bool:
    answer = await http.get("/authorize", params=platform.request(None, prompt="none"))
    return query_of(answer.headers["location"]).get("error") != "login_required"


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(provider: Provider) -> None:
    person, platform = await provider.add_person(), await new_platform(provider)
    async with provider.http() as http:
        begun = await http.get("/authorize", params=platform.request())
        signed_in = await sign_in(http, person)
    browser, session = cookie_set(begun, "lienket-browser"), cookie_set(signed_in, SESSION)
    for cookie in (browser["lienket-browser"], session[SESSION]):
        assert cookie["httponly"] is True
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("lax", "/", "")
        assert len(cookie.value) >= 32
    assert session[SESSION]["max-age"] == "", "it ends with the browser"


async def test_behind_https_no_other_host_can_set_them(sqlite_url: str, tmp_path: Path) -> None:
    """RFC 6265bis §4.1.3.2: the __Host- prefix and Secure."""
    async with running_provider(sqlite_url, tmp_path, issuer="https://id.example") as secure:
        person = await secure.add_person()
        async with secure.http() as http:
            answer = await sign_in(http, person)
    cookie = cookie_set(answer, "__Host-lienket-session")["__Host-lienket-session"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


async def test_the_cookie_changes_with_every_proof_and_the_old_one_is_dead(provider: Provider) -> None:
    """Abuse class 15 (CVE-2026-7507): session fixation, at sign-in, at sign-in again and at step-up."""
    person, platform = await provider.add_person(), await new_platform(provider)
    async with provider.http() as http:
        http.cookies.set(SESSION, "chosen-by-an-attacker", domain="localhost.local")
        seen = ["chosen-by-an-attacker"]
        for step in range(3):
            provider.clock.advance(seconds=30)
            if step < 2:
                await sign_in(http, person)
            else:
                code = person.code(provider.clock.now)
                await http.post("/second-factor/my", data={"code": code})
            seen.append(http.cookies[SESSION])
            assert await is_signed_in(http, platform)
    assert len(set(seen)) == 4
    for old in seen[:-1]:
        async with provider.http() as other:
            other.cookies.set(SESSION, old)
            assert not await is_signed_in(other, platform)


async def test_another_person_signing_in_ends_the_first_ones_session(provider: Provider) -> None:
    """Abuse class 15: session contamination; what B does is never A's."""
    first, second = await provider.add_person(), await provider.add_person(name="Trần Văn Bình")
    platform = await new_platform(provider)
    async with provider.http() as http:
        await sign_in(http, first)
        cookie_of_first = http.cookies[SESSION]
        await sign_in(http, second)
        page = await http.get("/second-factor/my")
        assert page.status_code == 200
    async with provider.http() as other:
        other.cookies.set(SESSION, cookie_of_first)
        assert not await is_signed_in(other, platform)


async def test_a_session_ends_when_unused_and_in_any_case(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        await platform.tokens_for(http, person, None)
        provider.clock.advance(minutes=29)
        assert "code=" in (await http.get("/authorize", params=platform.request(None))).headers["location"]
        provider.clock.advance(minutes=29)
        assert await is_signed_in(http, platform), "being used keeps it"
        provider.clock.advance(minutes=30)
        assert not await is_signed_in(http, platform)
        await platform.answer_for(http, person, None)
        for _ in range(25):
            provider.clock.advance(minutes=28)
            assert await is_signed_in(http, platform)
        provider.clock.advance(minutes=28)
        assert not await is_signed_in(http, platform), "twelve hours are the end"


async def test_signing_out_ends_it_everywhere(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        code = await platform.code_for(http, person)
        cookie = http.cookies[SESSION]
        form = Html((await http.get("/my/accounts")).text).forms["sign-out"]
        forged = await http.post(form.action, data={"csrf": "0" * 64})
        assert forged.status_code == 403
        answer = await http.post(form.action, data=form.fields)
        assert answer.headers["location"].endswith("/sign-in/my?signed_out=1")
        assert cookie_set(answer, SESSION)[SESSION]["max-age"] == "0"
        refused = await platform.refresh(http, tokens["refresh_token"])
        assert refused.json()["error"] == "invalid_grant"
        unredeemed = await platform.redeem(http, code)
        assert unredeemed.json()["error"] == "invalid_grant"
        again = await http.post(form.action, data=form.fields)
        assert again.status_code == 303
    async with provider.http() as other:
        other.cookies.set(SESSION, cookie)
        assert not await is_signed_in(other, platform)


async def test_a_session_that_ended_midway_leads_back_to_the_sign_in(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        response = await http.get("/authorize", params=platform.request())
        signed_in = await http.post(
            response.headers["location"],
            data={"identifier": person.personal_number, "password": person.password},
        )
        consent = (await http.get(signed_in.headers["location"])).headers["location"]
        http.cookies.delete(SESSION)
        late = await http.post(consent, data={"decision": "allow"})
        late = await http.get(late.headers["location"])
        assert "/sign-in/" in late.headers["location"]
        assert "code" in query_of(await go_on(provider, http, person, late))
