"""Logout as a weapon, abuse classes 3, 13, 15 and 22: over HTTP, on both engines."""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from clients.relying_party import Provider as DiscoveredProvider
from clients.relying_party import RelyingParty, TokenError
from idp.store.outbox_overview import State
from tests.support.deliveries import work_off, world_of
from tests.support.html_forms import Html
from tests.support.platform import Platform, query_of
from tests.support.protocol_builders import OTHER, base64url, public_jwk
from tests.support.provider import ISSUER, SECRET, Person, Provider
from tests.support.receiver import receiver
from tests.support.shared_provider import change_client, new_platform

pytestmark = pytest.mark.anyio
AFTER = "https://net.example/signed-out"

ELSEWHERE = (
    "https://evil.example/",
    "https://net.example.evil.example/signed-out",
    "https://net.example@evil.example/signed-out",
    "https://evil.example\\@net.example/signed-out",
    "https://net.example/signed-out#@evil.example",
    "https://net.example/signed-out/../../evil",
    "https://net.example/signed-out?next=https://evil.example",
    "https://net.example/signed-out%00",
    "https://net.example/signed-out ",
    "HTTPS://net.example/signed-out",
    "http://net.example/signed-out",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\t//evil.example",
    "\n//evil.example",
    "/%09/evil.example",
    "/..//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "net.example/signed-out",
    "signed-out",
    "?",
)


async def signed_in(provider: Provider, browser: httpx.AsyncClient) -> tuple[Platform, Person, str]:
    platform = await new_platform(provider, {"post_logout_redirect_uris": [AFTER]}, min_acr="vn-1")
    person = await provider.add_person(has_totp=False)
    tokens = await platform.tokens_for(browser, person, None)
    return platform, person, tokens["id_token"]


async def is_signed_in(browser: httpx.AsyncClient, platform: Platform) -> bool:
    answer = await browser.get("/authorize", params=platform.request(None, prompt="none"))
    return query_of(answer.headers["location"]).get("error") != "login_required"


async def test_class_3_no_address_but_a_registered_one_is_ever_redirected_to(provider: Provider) -> None:
    """CVE-2024-39694 and its kin: with a good hint, with none, by GET and by POST."""
    async with provider.http() as browser:
        _, _, id_token = await signed_in(provider, browser)
        for uri in ELSEWHERE:
            for hint in ({"id_token_hint": id_token}, {}):
                sent = {"post_logout_redirect_uri": uri, "state": "s", **hint}
                for answer in (
                    await browser.get("/end_session", params=sent),
                    await browser.post("/end_session", data=sent),
                ):
                    location = answer.headers.get("location", ISSUER)
                    assert urlsplit(location).netloc == urlsplit(ISSUER).netloc, (uri, location)
                    assert "evil" not in answer.text


async def test_class_3_a_state_cannot_leave_its_place(provider: Provider) -> None:
    """KC #51712: what is echoed is encoded, whatever it looks like."""
    async with provider.http() as browser:
        _, _, id_token = await signed_in(provider, browser)
        state = "&state=2#x\"><script>'&redirect_uri=https://evil.example"
        sent = {"post_logout_redirect_uri": AFTER, "state": state, "id_token_hint": id_token}
        location = (await browser.get("/end_session", params=sent)).headers["location"]
        assert query_of(location) == {"state": state}
        assert urlsplit(location).fragment == ""


async def test_class_22_the_hint_of_another_party_opens_nothing(provider: Provider) -> None:
    async with provider.http() as browser, provider.http() as attacker:
        platform, person, _ = await signed_in(provider, browser)
        other, _, foreign_hint = await signed_in(provider, attacker)
        sent = {"id_token_hint": foreign_hint, "client_id": platform.client.client_id}
        assert (await browser.get("/end_session", params=sent)).status_code == 400
        own = await other.tokens_for(attacker, person, None, prompt="login")
        asked = await browser.get("/end_session", params={"id_token_hint": own["id_token"]})
        assert asked.headers["location"].startswith(f"{ISSUER}/sign-out/"), "of another session: a question"
        assert await is_signed_in(browser, platform)


async def test_class_22_no_other_token_of_ours_is_a_hint(provider: Provider) -> None:
    async with provider.http() as browser:
        platform, person, id_token = await signed_in(provider, browser)
        tokens = await platform.tokens_for(browser, person, None)
        signer = provider.context.custody.signing.signer("ES256")
        logout_token = signer.sign(
            {"iss": ISSUER, "aud": platform.client.client_id, "sub": "s", "iat": 1, "exp": 2},
            typ="logout+jwt",
        )
        for wrong in (tokens["access_token"], tokens["refresh_token"], logout_token, id_token + "x"):
            answer = await browser.get("/end_session", params={"id_token_hint": wrong})
            assert answer.status_code == 400
        assert await is_signed_in(browser, platform)


async def test_class_15_a_link_or_a_picture_signs_nobody_out(provider: Provider) -> None:
    """Whoever holds no ID token of the session can only make the question appear."""
    async with provider.http() as browser:
        platform, _, _ = await signed_in(provider, browser)
        for sent in ({}, {"client_id": platform.client.client_id}, {"logout_hint": "lan"}):
            answer = await browser.get("/end_session", params=sent)
            page = await browser.get(answer.headers["location"])
            assert "sign-out" in Html(page.text).forms
        assert await is_signed_in(browser, platform)


async def test_class_15_a_sealed_wish_of_mine_does_not_answer_for_you(provider: Provider) -> None:
    async with provider.http() as mine, provider.http() as yours:
        await signed_in(provider, mine)
        platform, _, _ = await signed_in(provider, yours)
        asked = await mine.get("/end_session")
        form = Html((await mine.get(asked.headers["location"])).text).forms["sign-out"]
        assert (await yours.post(form.action, data=form.fields)).status_code == 403
        assert await is_signed_in(yours, platform)


def unsigned(claims: str) -> str:
    header = base64url(b'{"alg":"none","typ":"logout+jwt","kid":"x"}')
    return f"{header}.{base64url(claims.encode())}."


async def sdk_of(provider: Provider, platform: Platform, http: httpx.AsyncClient) -> RelyingParty:
    discovered = await DiscoveredProvider.discover(ISSUER, http, clock=provider.clock)
    return RelyingParty(
        discovered, platform.client.client_id, redirect_uri=platform.client.redirect_uris[0], secret=SECRET
    )


async def test_class_22_the_sdk_takes_ours_and_no_forged_logout_token(provider: Provider) -> None:
    """CVE-2026-18569: unsigned, signed by a stranger, made of an ID token, or another client's."""
    async with receiver() as hook, provider.http() as browser, provider.http() as http:
        platform, person, id_token = await signed_in(provider, browser)
        other = await new_platform(provider, {"backchannel_logout_uri": hook.uri}, min_acr="vn-1")
        await change_client(provider, platform.client.client_id, backchannel_logout_uri=hook.uri)
        await other.tokens_for(browser, person, None)
        party = await sdk_of(provider, platform, http)
        await browser.get("/end_session", params={"id_token_hint": id_token})
        ours: dict[str, str] = {}
        async with world_of(provider) as world:
            while len(ours) < 2:  # a busy machine may miss the time limit of a delivery: it is made again
                await work_off(world)
                for got in hook.received:
                    token = got.form["logout_token"][0]
                    ours[jwt.decode(token, options={"verify_signature": False})["aud"]] = token
                provider.clock.advance(minutes=1)
        over = await party.read_logout_token(ours[platform.client.client_id])
        claims = jwt.decode(ours[platform.client.client_id], options={"verify_signature": False})
        assert (over.subject, over.sid) == (claims["sub"], claims["sid"])
        header = jwt.get_unverified_header(ours[platform.client.client_id])
        stranger = {"typ": "logout+jwt", "kid": header["kid"]}
        brought = stranger | {"jwk": public_jwk(OTHER)}
        forged = [
            unsigned(json.dumps(claims)),
            jwt.encode(claims, OTHER, "ES256", stranger),
            jwt.encode(claims, OTHER, "ES256", brought),
            jwt.encode(claims, "secret" * 10, "HS256", stranger),
            id_token,
            ours[other.client.client_id],
            ours[platform.client.client_id][:-3],
            "",
        ]
        for token in forged:
            with pytest.raises(TokenError):
                await party.read_logout_token(token)
        provider.clock.advance(minutes=3)
        with pytest.raises(TokenError):
            await party.read_logout_token(ours[platform.client.client_id])


@pytest.mark.parametrize(
    "uri", ["https://169.254.169.254/latest", "https://10.0.0.1/hook", "https://[::ffff:127.0.0.1]/hook"]
)
async def test_class_13_a_logout_uri_of_an_inner_address_is_not_called(provider: Provider, uri: str) -> None:
    """KC CVE-2026-4874: registered or not, the address is checked when it is called."""
    async with provider.http() as browser:
        platform, _, id_token = await signed_in(provider, browser)
        await change_client(provider, platform.client.client_id, backchannel_logout_uri=uri)
        await browser.get("/end_session", params={"id_token_hint": id_token})
        async with world_of(provider) as world:
            await work_off(world)
    outbox = provider.unit_of_work().outbox_overview
    (waiting,) = await outbox.page(State.RETRIED, client_id=platform.client.client_id)
    assert "not public" in str(waiting.last_failure)


@pytest.mark.parametrize(
    "uri", ["http://evil.example/hook", "ftp://net.example/", "javascript:alert(1)", f"{AFTER}#x", ""]
)
async def test_class_13_such_a_logout_uri_is_not_registered(provider: Provider, uri: str) -> None:
    registered: dict[str, Any] = {"backchannel_logout_uri": uri}
    with pytest.raises(ValueError, match="backchannel_logout_uri"):
        await new_platform(provider, registered)
