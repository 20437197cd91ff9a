"""RP-Initiated Logout 1.0 over HTTP, on both engines. END-01 to END-07, abuse classes 3, 15 and 22."""

import re
from typing import Any

import httpx
import pytest
from jwt.algorithms import ECAlgorithm

from idp.audit.events import ActorKind
from tests.support.html_forms import Html
from tests.support.platform import Platform, query_of
from tests.support.protocol_builders import ES256, base64url
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import change_client, new_platform, suspend_client

pytestmark = pytest.mark.anyio
AFTER = "https://net.example/signed-out?from=us"
STATE = "~" + "Zz-_.!'()*" * 12 + "1234567"


class World:
    """A person signed in at a platform in one browser."""

    def __init__(self, provider: Provider, platform: Platform, person: Person, id_token: str) -> None:
        self.provider, self.platform, self.person, self.id_token = provider, platform, person, id_token

    def wish(self, **changes: str | None) -> dict[str, str]:
        wish: dict[str, Any] = {
            "id_token_hint": self.id_token,
            "post_logout_redirect_uri": AFTER,
            "state": STATE,
        }
        return {name: value for name, value in (wish | changes).items() if value is not None}


async def signed_in(provider: Provider, browser: httpx.AsyncClient) -> World:
    platform = await new_platform(provider, {"post_logout_redirect_uris": [AFTER]}, min_acr="vn-1")
    person = await provider.add_person(has_totp=False)
    tokens = await platform.tokens_for(browser, person, None)
    return World(provider, platform, person, tokens["id_token"])


async def is_signed_in(browser: httpx.AsyncClient, world: World) -> bool:
    answer = await browser.get("/authorize", params=world.platform.request(None, prompt="none"))
    return query_of(answer.headers["location"]).get("error") != "login_required"


async def stays_here(answer: httpx.Response, browser: httpx.AsyncClient) -> httpx.Response:
    """Follow our own redirects to a page; fail when the browser would leave."""
    for _ in range(4):
        if answer.status_code != 303:
            return answer
        assert answer.headers["location"].startswith(f"{ISSUER}/"), answer.headers["location"]
        answer = await browser.get(answer.headers["location"])
    raise AssertionError("no page comes")


async def test_end_01_end_02_the_session_ends_and_the_browser_goes_back_with_the_state(
    provider: Provider,
) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        assert await is_signed_in(browser, world)
        answer = await browser.get("/end_session", params=world.wish())
        assert answer.status_code == 303
        location = answer.headers["location"]
        assert location.startswith(f"{AFTER}&state=")
        assert query_of(location) == {"from": "us", "state": STATE}
        assert answer.headers["cache-control"] == "no-store"
        assert not await is_signed_in(browser, world)


async def test_end_01_without_state_nothing_is_added(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        answer = await browser.get("/end_session", params=world.wish(state=None))
        assert answer.headers["location"] == AFTER


async def test_the_cookie_is_taken_back_and_a_copy_of_it_is_worthless(provider: Provider) -> None:
    async with provider.http() as browser, provider.http() as thief:
        world = await signed_in(provider, browser)
        thief.cookies.set("lienket-session", browser.cookies["lienket-session"], domain="localhost.local")
        assert await is_signed_in(thief, world)
        await browser.get("/end_session", params=world.wish())
        assert "lienket-session" not in browser.cookies
        assert not await is_signed_in(thief, world)


async def test_a_form_does_what_an_address_does_though_the_cookie_comes_a_step_later(
    provider: Provider,
) -> None:
    async with provider.http() as browser, provider.http() as elsewhere:
        world = await signed_in(provider, browser)
        # A form of another site is sent without our SameSite cookie; the redirect after it brings it.
        step = await elsewhere.post("/end_session", data=world.wish())
        assert step.status_code == 303
        assert step.headers["location"].startswith(f"{ISSUER}/end_session/")
        assert world.id_token not in step.headers["location"]
        answer = await browser.get(step.headers["location"])
        assert query_of(answer.headers["location"])["state"] == STATE
        assert not await is_signed_in(browser, world)


@pytest.mark.parametrize("spoilt", ["", "x", "AAAA", "a" * 20_000, "%00", "🦊", "not-sealed-by-us"])
async def test_what_was_not_sealed_here_is_a_kind_page(provider: Provider, spoilt: str) -> None:
    async with provider.http() as browser:
        for path in (f"/end_session/{spoilt}", f"/sign-out/{spoilt}"):
            answer = await browser.get(path)
            assert answer.status_code in {400, 404}
            assert "error-reference" in answer.text
        assert (await browser.post(f"/sign-out/{spoilt}", data={})).status_code in {400, 404}


async def test_a_wish_does_not_keep(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        step = await browser.post("/end_session", data=world.wish())
        provider.clock.advance(minutes=11)
        assert (await browser.get(step.headers["location"])).status_code == 400
        assert await is_signed_in(browser, world)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"post_logout_redirect_uri": f"{AFTER}&more=1"}, id="END-03 the query is extended"),
        pytest.param({"post_logout_redirect_uri": "https://evil.example/"}, id="END-03 not registered"),
        pytest.param({"post_logout_redirect_uri": "\t//evil.example"}, id="class 3: a tab"),
        pytest.param({"post_logout_redirect_uri": "/\\evil.example"}, id="class 3: a backslash"),
        pytest.param({"client_id": "somebody-else"}, id="the hint of another client"),
        pytest.param({"state": "a\nb"}, id="a state that could break a header"),
        pytest.param({"id_token_hint": "nonsense"}, id="END-04 no token at all"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_end_03_end_04_what_is_not_proven_signs_nobody_out_and_redirects_nowhere(
    provider: Provider, changes: dict[str, str], method: str
) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        sent = world.wish(**changes)
        by = {"params": sent} if method == "GET" else {"data": sent}
        answer = await browser.request(method, "/end_session", **by)
        assert answer.status_code == 400
        page = Html(answer.text)
        assert re.fullmatch("[A-Z][0-9]{2}-[2-9A-HJ-NP-Z]{8}", page.ids["error-reference"])
        assert f"{ISSUER}/end_session" in page.links, "whoever wants to sign out can"
        assert "evil" not in answer.text
        assert await is_signed_in(browser, world)


async def test_end_04_neither_alg_none_nor_a_foreign_signature_is_a_hint(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        _, payload, signature = world.id_token.split(".")
        header = base64url(b'{"alg":"none"}')
        foreign_header = base64url(b'{"alg":"ES256","kid":"x"}')
        signer = ECAlgorithm(ECAlgorithm.SHA256)
        signed = base64url(signer.sign(f"{foreign_header}.{payload}".encode(), ES256))
        for token in (
            f"{header}.{payload}.",
            f"{header}.{payload}.{signature}",
            f"{foreign_header}.{payload}.{signed}",
        ):
            answer = await browser.get("/end_session", params=world.wish(id_token_hint=token))
            assert answer.status_code == 400
        assert await is_signed_in(browser, world)


async def test_end_05_without_a_hint_the_person_is_asked_and_stays_here(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        sent = world.wish(id_token_hint=None, client_id=world.platform.client.client_id)
        page = await stays_here(await browser.get("/end_session", params=sent), browser)
        assert await is_signed_in(browser, world), "nothing happened yet"
        form = Html(page.text).forms["sign-out"]
        done = await stays_here(await browser.post(form.action, data=form.fields), browser)
        assert done.status_code == 200
        assert "signed out" in (await browser.get("/signed-out?lang=en")).text
        assert not await is_signed_in(browser, world)


@pytest.mark.parametrize("kept", [[], ["state"], ["id_token_hint"]])
async def test_end_06_with_less_than_an_address_a_page_of_ours_is_the_end(
    provider: Provider, kept: list[str]
) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        sent = {name: value for name, value in world.wish().items() if name in kept}
        page = await stays_here(await browser.get("/end_session", params=sent), browser)
        assert page.status_code == 200
        assert await is_signed_in(browser, world) is ("id_token_hint" not in kept)


async def test_end_07_an_expired_id_token_is_good_enough(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        provider.clock.advance(minutes=25)
        answer = await browser.get("/end_session", params=world.wish())
        assert answer.headers["location"].startswith(AFTER)
        assert not await is_signed_in(browser, world)


async def test_a_session_that_ran_out_is_ended_all_the_same_so_that_others_are_told(
    provider: Provider,
) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        cookie = browser.cookies["lienket-session"]
        provider.clock.advance(minutes=45)
        assert not await is_signed_in(browser, world)
        answer = await browser.get("/end_session", params=world.wish())
        assert answer.headers["location"].startswith(AFTER)
    found = await provider.unit_of_work().sessions.find(cookie)
    assert found is not None
    assert found.session.ended_at == provider.clock.now
    waiting = await provider.unit_of_work().outbox_overview.page()
    told = {delivery.content.get("session_id") for delivery in waiting}
    assert found.session.session_id in told


async def test_who_is_not_signed_in_is_sent_back_at_once(provider: Provider) -> None:
    async with provider.http() as browser, provider.http() as fresh:
        world = await signed_in(provider, browser)
        answer = await fresh.get("/end_session", params=world.wish())
        assert query_of(answer.headers["location"])["state"] == STATE
        page = await stays_here(await fresh.get("/end_session"), fresh)
        assert page.status_code == 200
        assert await is_signed_in(browser, world), "another browser's session is not touched"


async def test_another_person_in_this_browser_is_asked_before_they_are_signed_out(provider: Provider) -> None:
    """Class 15: a hint of A never ends B's session silently."""
    async with provider.http() as browser, provider.http() as other:
        world = await signed_in(provider, browser)
        foreign = await signed_in(provider, other)
        answer = await browser.get("/end_session", params=foreign.wish())
        assert answer.headers["location"].startswith(f"{ISSUER}/sign-out/")
        page = await browser.get(answer.headers["location"])
        assert "form-action 'self' https:" in page.headers["content-security-policy"]
        assert await is_signed_in(browser, world)
        form = Html(page.text).forms["sign-out"]
        done = await browser.post(form.action, data=form.fields)
        assert query_of(done.headers["location"])["state"] == STATE
        assert not await is_signed_in(browser, world)
        assert await is_signed_in(other, foreign)


async def test_a_hint_of_a_former_session_of_the_same_person_asks(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        await browser.get("/end_session", params=world.wish())
        await world.platform.tokens_for(browser, world.person, None)
        answer = await browser.get("/end_session", params=world.wish())
        assert answer.headers["location"].startswith(f"{ISSUER}/sign-out/")
        assert await is_signed_in(browser, world)


async def test_class_15_no_other_site_can_answer_the_question(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        asked = await browser.get("/end_session")
        page = await browser.get(asked.headers["location"])
        form = Html(page.text).forms["sign-out"]
        for fields, headers in (
            ({"x": "y"}, {}),
            ({"csrf": "0" * 64}, {}),
            (form.fields, {"Origin": "https://evil.example"}),
            (form.fields, {"Sec-Fetch-Site": "cross-site"}),
        ):
            refused = await browser.post(form.action, data=fields, headers=headers)
            assert refused.status_code == 403
        assert await is_signed_in(browser, world)
        assert page.headers["x-frame-options"] == "DENY"


async def test_an_address_taken_from_the_registration_is_not_gone_to_any_more(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        step = await browser.post("/end_session", data=world.wish())
        await change_client(provider, world.platform.client.client_id, post_logout_redirect_uris=())
        assert (await browser.get(step.headers["location"])).status_code == 400
        assert (await browser.get("/end_session", params=world.wish())).status_code == 400


async def test_a_suspended_client_gets_no_browser(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        await suspend_client(provider, world.platform.client.client_id)
        assert (await browser.get("/end_session", params=world.wish())).status_code == 400


async def test_the_sign_out_is_in_the_log_with_the_client_that_wished_it(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        await browser.get("/end_session", params=world.wish())
    events = await provider.unit_of_work().ledger.unsealed(1000)
    (event,) = [
        event
        for event in events
        if event.type == "citizen:signed_out" and event.citizen_id == world.person.citizen_id
    ]
    assert (event.actor_kind, event.client_id) == (ActorKind.CITIZEN, world.platform.client.client_id)


async def test_offline_access_lives_on_and_the_rest_ends_with_the_session(provider: Provider) -> None:
    async with provider.http() as browser:
        world = await signed_in(provider, browser)
        short = await world.platform.tokens_for(browser, world.person, None)
        long = await world.platform.tokens_for(
            browser, world.person, None, scope="openid offline_access", prompt="consent"
        )
        await browser.get("/end_session", params=world.wish())
        refused = await world.platform.refresh(browser, short["refresh_token"])
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert (await world.platform.refresh(browser, long["refresh_token"])).status_code == 200


async def test_logout_hint_and_languages_break_nothing(provider: Provider) -> None:
    async with provider.http() as browser:
        await signed_in(provider, browser)
        sent = {"logout_hint": "0001", "ui_locales": "en-GB zz 🦊 " + "x " * 500}
        page = await stays_here(await browser.get("/end_session", params=sent), browser)
        assert Html(page.text).lang == "en"


async def test_a_broken_query_is_a_page(provider: Provider) -> None:
    async with provider.http() as browser:
        for query in ("state=%ff", "state=a&state=b", "x=%00", "&".join("a" * 200)):
            answer = await browser.get(f"/end_session?{query}")
            assert answer.status_code in {303, 400}
        wrong = await browser.post("/end_session", json={"state": "x"})
        assert wrong.status_code == 400
        assert "error-reference" in wrong.text
